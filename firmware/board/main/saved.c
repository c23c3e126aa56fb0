#include "saved.h"

#include <string.h>

#include "nvs.h"
#include "nvs_flash.h"

#define SPACE "wattwitness"
#define SETTINGS "settings"
#define SEALED "sealed"
#define BOARD "board"
#define SIGNATURES "signatures"

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

/* THE BOARD'S SETTINGS */

void saved_load_board(struct ww_board_settings *settings) {
  char text[WW_BOARD_TEXT_LIMIT];
  size_t length = sizeof text;
  if (nvs_get_str(space, BOARD, text, &length) == ESP_OK) {
    ww_board_read(settings, text);
  }
  memset(text, 0, sizeof text);
}

enum ww_error saved_save_board(void *context, const char *text) {
  (void)context;
  bool is_saved = nvs_set_str(space, BOARD, text) == ESP_OK && nvs_commit(space) == ESP_OK;
  return is_saved ? WW_OK : WW_STORE_FAILED;
}

/* WHAT HAPPENED */

uint32_t saved_signatures(void) {
  uint32_t count = 0;
  return nvs_get_u32(space, SIGNATURES, &count) == ESP_OK ? count : 0;
}

void saved_count_signatures(uint32_t count) {
  if (nvs_set_u32(space, SIGNATURES, count) == ESP_OK) {
    nvs_commit(space);
  }
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
