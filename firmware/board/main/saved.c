#include "saved.h"

#include "nvs.h"
#include "nvs_flash.h"

#define SPACE "wattwitness"
#define SETTINGS "settings"
#define SEALED "sealed"

static nvs_handle_t space;

void saved_open(void) {
  esp_err_t error = nvs_flash_init();
  if (error == ESP_ERR_NVS_NO_FREE_PAGES || error == ESP_ERR_NVS_NEW_VERSION_FOUND) {
    ESP_ERROR_CHECK(nvs_flash_erase());
    error = nvs_flash_init();
  }
  ESP_ERROR_CHECK(error);
  ESP_ERROR_CHECK(nvs_open(SPACE, NVS_READWRITE, &space));
}

enum ww_error saved_load(void *context, char text[WW_SETTINGS_TEXT_LIMIT]) {
  (void)context;
  size_t length = WW_SETTINGS_TEXT_LIMIT;
  esp_err_t error = nvs_get_str(space, SETTINGS, text, &length);
  if (error == ESP_ERR_NVS_NOT_FOUND) {
    return WW_SETTING_MISSING;
  }
  return error == ESP_OK ? WW_OK : WW_STORE_FAILED;
}

enum ww_error saved_save(void *context, const char *text) {
  (void)context;
  bool is_saved = nvs_set_str(space, SETTINGS, text) == ESP_OK && nvs_commit(space) == ESP_OK;
  return is_saved ? WW_OK : WW_STORE_FAILED;
}

bool saved_is_sealed(void) {
  uint8_t sealed = 0;
  return nvs_get_u8(space, SEALED, &sealed) == ESP_OK && sealed != 0;
}

void saved_seal(void) {
  if (nvs_set_u8(space, SEALED, 1) == ESP_OK) {
    nvs_commit(space);
  }
}
