/** A stand-in, not ESP-IDF: there is no TLS here. */
#ifndef STAND_IN_ESP_CRT_BUNDLE_H
#define STAND_IN_ESP_CRT_BUNDLE_H

#include "esp_err.h"

static inline esp_err_t esp_crt_bundle_attach(void *configuration) {
  (void)configuration;
  return ESP_OK;
}

#endif
