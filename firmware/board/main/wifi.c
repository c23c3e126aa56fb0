#include "wifi.h"

#include <string.h>

#include "esp_event.h"
#include "esp_netif.h"
#include "esp_timer.h"
#include "esp_wifi.h"
#include "sdkconfig.h"

#define AGAIN_US 5000000
#define METERS 1

static esp_timer_handle_t again;

static bool has_network(void) {
  wifi_config_t config;
  return esp_wifi_get_config(WIFI_IF_STA, &config) == ESP_OK && config.sta.ssid[0] != '\0';
}

static void join(void *context) {
  (void)context;
  if (has_network()) {
    esp_wifi_connect();
  }
}

static void on_event(void *context, esp_event_base_t base, int32_t event, void *data) {
  (void)context;
  (void)base;
  (void)data;
  if (event == WIFI_EVENT_STA_START) {
    join(NULL);
  } else if (event == WIFI_EVENT_STA_DISCONNECTED) {
    esp_timer_stop(again); /* is an error where it does not run, and means nothing then */
    esp_timer_start_once(again, AGAIN_US);
  }
}

#ifdef CONFIG_WW_ACCESS_POINT
_Static_assert(sizeof CONFIG_WW_ACCESS_POINT_PASSWORD - 1 >= 8 && sizeof CONFIG_WW_ACCESS_POINT_PASSWORD - 1 <= 63,
               "the Shelly's network needs a password of 8 to 63 characters: idf.py menuconfig, WattWitness");

static void open_access_point(void) {
  wifi_config_t config = {
      .ap =
          {
              .ssid = CONFIG_WW_ACCESS_POINT_SSID,
              .password = CONFIG_WW_ACCESS_POINT_PASSWORD,
              .ssid_len = sizeof CONFIG_WW_ACCESS_POINT_SSID - 1,
              .authmode = WIFI_AUTH_WPA2_PSK,
              .max_connection = METERS,
          },
  };
  esp_netif_create_default_wifi_ap();
  ESP_ERROR_CHECK(esp_wifi_set_mode(WIFI_MODE_APSTA));
  ESP_ERROR_CHECK(esp_wifi_set_config(WIFI_IF_AP, &config));
}
#else
static void open_access_point(void) {
  ESP_ERROR_CHECK(esp_wifi_set_mode(WIFI_MODE_STA));
}
#endif

void wifi_start(void) {
  const esp_timer_create_args_t timer = {.callback = join, .name = "join"};
  const wifi_init_config_t config = WIFI_INIT_CONFIG_DEFAULT();
  ESP_ERROR_CHECK(esp_timer_create(&timer, &again));
  ESP_ERROR_CHECK(esp_netif_init());
  ESP_ERROR_CHECK(esp_event_loop_create_default());
  esp_netif_create_default_wifi_sta();
  ESP_ERROR_CHECK(esp_wifi_init(&config));
  ESP_ERROR_CHECK(esp_event_handler_instance_register(WIFI_EVENT, ESP_EVENT_ANY_ID, on_event, NULL, NULL));
  open_access_point();
  ESP_ERROR_CHECK(esp_wifi_start());
}

enum ww_error wifi_set(void *context, const char *ssid, const char *password) {
  (void)context;
  wifi_config_t config = {.sta.threshold.authmode = WIFI_AUTH_WPA2_PSK};
  if (strlen(ssid) > sizeof config.sta.ssid || strlen(password) >= sizeof config.sta.password) {
    return WW_SETTING_INVALID;
  }
  memcpy(config.sta.ssid, ssid, strlen(ssid));
  memcpy(config.sta.password, password, strlen(password));
  esp_err_t error = esp_wifi_set_config(WIFI_IF_STA, &config);
  memset(&config, 0, sizeof config);
  esp_wifi_disconnect();
  esp_wifi_connect();
  return error == ESP_OK ? WW_OK : WW_STORE_FAILED;
}
