#include "flash_store.h"

#define SECTOR 4096u

static enum ww_error result(esp_err_t error) {
  return error == ESP_OK ? WW_OK : WW_STORE_FAILED;
}

static enum ww_error store_read(void *context, uint32_t address, void *bytes, size_t length) {
  const struct flash_store *store = context;
  return result(esp_partition_read(store->partition, address, bytes, length));
}

static enum ww_error store_write(void *context, uint32_t address, const void *bytes, size_t length) {
  const struct flash_store *store = context;
  return result(esp_partition_write(store->partition, address, bytes, length));
}

static enum ww_error store_erase(void *context, uint32_t sector) {
  const struct flash_store *store = context;
  return result(esp_partition_erase_range(store->partition, sector * SECTOR, SECTOR));
}

/** Raw: what is erased does not read as 0xFF once it is decrypted. */
static enum ww_error store_is_blank(void *context, uint32_t address, size_t length, bool *blank) {
  const struct flash_store *store = context;
  uint8_t bytes[128];
  *blank = true;
  while (length > 0 && *blank) {
    size_t part = length < sizeof bytes ? length : sizeof bytes;
    WW_TRY(result(esp_partition_read_raw(store->partition, address, bytes, part)));
    for (size_t i = 0; i < part; i++) {
      *blank = *blank && bytes[i] == 0xFF;
    }
    address += (uint32_t)part;
    length -= part;
  }
  return WW_OK;
}

enum ww_error flash_store_open(struct flash_store *store) {
  store->partition = esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_UNDEFINED, "queue");
  return store->partition == NULL ? WW_STORE_FAILED : WW_OK;
}

struct ww_store_port flash_store_port(struct flash_store *store) {
  return (struct ww_store_port){
      .context = store,
      .sector_size = SECTOR,
      .sectors = store->partition->size / SECTOR,
      .read = store_read,
      .write = store_write,
      .erase = store_erase,
      .is_blank = store_is_blank,
  };
}
