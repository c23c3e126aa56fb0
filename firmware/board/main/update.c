#include "update.h"

#include <string.h>

#include "esp_app_desc.h"
#include "esp_https_ota.h"
#include "esp_ota_ops.h"
#include "esp_system.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "priority.h"
#include "tls.h"

#define SECURE "https://"
#define STACK 8192
#define PRIORITY (PORTS_PRIORITY - 2)
#define BUFFER_TX 2048 /* of a redirection, to a file store, the URL is long */
#define DAY_MS (24u * 3600 * 1000)
#define FIRST_MS (10u * 60 * 1000)
#define PROBATION_MS (3600u * 1000)
#define PATIENCE_MS 30000

/** Whether this board had that version once and gave it up. */
static bool has_failed_here(const char *version) {
  const esp_partition_t *failed = esp_ota_get_last_invalid_partition();
  esp_app_desc_t description;
  return failed != NULL && esp_ota_get_partition_description(failed, &description) == ESP_OK &&
         strncmp(description.version, version, sizeof description.version) == 0;
}

static bool is_wanted(esp_https_ota_handle_t download) {
  esp_app_desc_t offered;
  return esp_https_ota_get_img_desc(download, &offered) == ESP_OK &&
         strncmp(offered.version, esp_app_get_description()->version, sizeof offered.version) != 0 &&
         !has_failed_here(offered.version);
}

static bool is_downloaded(esp_https_ota_handle_t download) {
  esp_err_t error;
  do {
    error = esp_https_ota_perform(download);
  } while (error == ESP_ERR_HTTPS_OTA_IN_PROGRESS);
  return error == ESP_OK && esp_https_ota_is_complete_data_received(download);
}

static void look(const char *url) {
  esp_http_client_config_t http = {
      .url = url, .timeout_ms = PATIENCE_MS, .keep_alive_enable = true, .buffer_size_tx = BUFFER_TX};
  tls_trust(&http);
  const esp_https_ota_config_t config = {.http_config = &http};
  esp_https_ota_handle_t download = NULL;
  if (esp_https_ota_begin(&config, &download) != ESP_OK) {
    return;
  }
  if (!is_wanted(download) || !is_downloaded(download)) {
    esp_https_ota_abort(download);
  } else if (esp_https_ota_finish(download) == ESP_OK) {
    esp_restart();
  }
}

static void run(void *url) {
  vTaskDelay(pdMS_TO_TICKS(FIRST_MS));
  for (;;) {
    look(url);
    vTaskDelay(pdMS_TO_TICKS(DAY_MS));
  }
}

void update_start(const char *url) {
  if (strncmp(url, SECURE, sizeof SECURE - 1) == 0) {
    xTaskCreate(run, "update", STACK, (void *)url, PRIORITY, NULL);
  }
}

static bool is_on_probation(void) {
  esp_ota_img_states_t state;
  return esp_ota_get_state_partition(esp_ota_get_running_partition(), &state) == ESP_OK &&
         state == ESP_OTA_IMG_PENDING_VERIFY;
}

void update_judge(bool has_posted, uint64_t uptime) {
  static enum { UNKNOWN, ON_PROBATION, KEPT } verdict = UNKNOWN;
  if (verdict == UNKNOWN) {
    verdict = is_on_probation() ? ON_PROBATION : KEPT;
  }
  if (verdict == KEPT) {
    return;
  }
  if (has_posted) {
    ESP_ERROR_CHECK(esp_ota_mark_app_valid_cancel_rollback());
    verdict = KEPT;
  } else if (uptime > PROBATION_MS) {
    esp_ota_mark_app_invalid_rollback_and_reboot();
  }
}
