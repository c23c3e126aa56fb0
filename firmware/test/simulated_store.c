#include "simulated_store.h"

#include <string.h>

enum { UNIT = 16 };

void store_begin(struct simulated_store *store, uint32_t sectors) {
  memset(store, 0, sizeof *store);
  memset(store->bytes, 0xFF, sizeof store->bytes);
  store->sectors = sectors;
  store->cut_at = NEVER;
}

void store_reboot(struct simulated_store *store) {
  store->is_dead = false;
  store->cut_at = NEVER;
}

/** How many of `length` bytes are changed before power fails. */
static size_t spend(struct simulated_store *store, size_t length) {
  uint64_t left = store->cut_at - store->changed;
  size_t done = left < length ? (size_t)left : length;
  store->changed += done;
  store->is_dead = store->changed == store->cut_at;
  return done;
}

static enum ww_error result(const struct simulated_store *store) {
  return store->is_dead ? WW_STORE_FAILED : WW_OK;
}

static enum ww_error store_read(void *context, uint32_t address, void *bytes, size_t length) {
  struct simulated_store *store = context;
  if (address + length > store->sectors * SECTOR_SIZE) {
    store->was_misused = true;
    return WW_STORE_FAILED;
  }
  memcpy(bytes, store->bytes + address, length);
  return result(store);
}

static enum ww_error store_is_blank(void *context, uint32_t address, size_t length, bool *blank) {
  struct simulated_store *store = context;
  *blank = true;
  for (size_t i = 0; i < length; i++) {
    *blank = *blank && store->bytes[address + i] == 0xFF;
  }
  return result(store);
}

static enum ww_error store_write(void *context, uint32_t address, const void *bytes, size_t length) {
  struct simulated_store *store = context;
  bool blank;
  if (store->is_dead) {
    return WW_STORE_FAILED;
  }
  if (store->failing > 0) {
    store->failing--;
    return WW_STORE_FAILED;
  }
  WW_TRY(store_is_blank(store, address, length, &blank));
  if (address % UNIT != 0 || length % UNIT != 0 || !blank || address + length > store->sectors * SECTOR_SIZE) {
    store->was_misused = true;
    return WW_STORE_FAILED;
  }
  store->is_erasing = false;
  memcpy(store->bytes + address, bytes, spend(store, length));
  return result(store);
}

static enum ww_error store_erase(void *context, uint32_t sector) {
  struct simulated_store *store = context;
  if (store->is_dead || store->cannot_erase) {
    return WW_STORE_FAILED;
  }
  store->erasures++;
  store->is_erasing = true;
  memset(store->bytes + sector * SECTOR_SIZE, 0xFF, spend(store, SECTOR_SIZE));
  return result(store);
}

struct ww_store_port store_port(struct simulated_store *store) {
  return (struct ww_store_port){
      .context = store,
      .sector_size = SECTOR_SIZE,
      .sectors = store->sectors,
      .read = store_read,
      .write = store_write,
      .erase = store_erase,
      .is_blank = store_is_blank,
  };
}
