#include "wifi.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "esp_event.h"
#include "esp_log.h"
#include "esp_netif.h"
#include "esp_timer.h"
#include "esp_wifi.h"
#include "mdns.h"

#define AGAIN_US 5000000
#define METERS 1
#define SEEN_LIMIT 16

static esp_timer_handle_t again;

/* As the events tell it, in a task of theirs. */
static atomic_uint_least32_t address; /* 0 = not joined */
static atomic_int reason;
static atomic_bool has_looked;

/* JOINING */

static bool has_network(void) {
  wifi_config_t config;
  return esp_wifi_get_config(WIFI_IF_STA, &config) == ESP_OK && config.sta.ssid[0] != '\0';
}

static void join_later(void) {
  esp_timer_stop(again); /* is an error where it does not run, and means nothing then */
  esp_timer_start_once(again, AGAIN_US);
}

static void join(void *context) {
  (void)context;
  if (has_network() && esp_wifi_connect() != ESP_OK) {
    join_later(); /* there will be no event */
  }
}

static void on_event(void *context, esp_event_base_t base, int32_t event, void *data) {
  (void)context;
  (void)base;
  if (event == WIFI_EVENT_STA_START) {
    join(NULL);
  } else if (event == WIFI_EVENT_STA_DISCONNECTED) {
    const wifi_event_sta_disconnected_t *left = data;
    atomic_store(&reason, left->reason);
    atomic_store(&address, 0);
    join_later();
  } else if (event == WIFI_EVENT_SCAN_DONE) {
    atomic_store(&has_looked, true);
  }
}

static void on_address(void *context, esp_event_base_t base, int32_t event, void *data) {
  (void)context;
  (void)base;
  (void)event;
  const ip_event_got_ip_t *got = data;
  atomic_store(&address, got->ip_info.ip.addr);
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
  atomic_store(&address, 0);
  atomic_store(&reason, 0);
  esp_wifi_disconnect();
  join(NULL);
  return error == ESP_OK ? WW_OK : WW_STORE_FAILED;
}

/* TELLING */

bool wifi_is_joined(void) {
  return atomic_load(&address) != 0;
}

void wifi_describe(struct ww_board_status *status) {
  wifi_config_t config;
  wifi_ap_record_t record;
  esp_ip4_addr_t joined = {.addr = atomic_load(&address)};
  status->reason = atomic_load(&reason);
  if (esp_wifi_get_config(WIFI_IF_STA, &config) == ESP_OK) {
    snprintf(status->ssid, sizeof status->ssid, "%.32s", (const char *)config.sta.ssid);
    memset(&config, 0, sizeof config);
  }
  status->network = joined.addr != 0 ? WW_NETWORK_JOINED : status->ssid[0] != '\0' ? WW_NETWORK_AWAY : WW_NETWORK_UNSET;
  esp_ip4addr_ntoa(&joined, status->address, sizeof status->address);
  status->strength = esp_wifi_sta_get_ap_info(&record) == ESP_OK ? record.rssi : 0;
}

enum ww_error wifi_look(void *context) {
  (void)context;
  const wifi_scan_config_t config = {.show_hidden = false};
  atomic_store(&has_looked, false);
  return esp_wifi_scan_start(&config, false) == ESP_OK ? WW_OK : WW_UPLINK_BUSY;
}

bool wifi_has_looked(void *context) {
  (void)context;
  return atomic_load(&has_looked);
}

/** The driver hands its list over once, and forgets it. */
bool wifi_seen(void *context, unsigned index, struct ww_network_seen *network) {
  (void)context;
  static wifi_ap_record_t records[SEEN_LIMIT];
  static uint16_t count;
  if (index == 0) {
    count = SEEN_LIMIT;
    count = esp_wifi_scan_get_ap_records(&count, records) == ESP_OK ? count : 0;
  }
  if (index >= count) {
    return false;
  }
  const wifi_ap_record_t *record = &records[index];
  snprintf(network->ssid, sizeof network->ssid, "%.32s", (const char *)record->ssid);
  network->strength = record->rssi;
  network->is_protected = record->authmode != WIFI_AUTH_OPEN;
  return true;
}

/* STARTING */

/** A network that only the Shelly joins. */
static void open_access_point(const struct ww_board_settings *board) {
  wifi_config_t config = {.ap = {.authmode = WIFI_AUTH_WPA2_PSK, .max_connection = METERS}};
  size_t length = strlen(board->access_point);
  memcpy(config.ap.ssid, board->access_point, length);
  config.ap.ssid_len = (uint8_t)length;
  memcpy(config.ap.password, board->access_point_password, strlen(board->access_point_password));
  esp_netif_create_default_wifi_ap();
  ESP_ERROR_CHECK(esp_wifi_set_mode(WIFI_MODE_APSTA));
  if (esp_wifi_set_config(WIFI_IF_AP, &config) != ESP_OK) {
    ESP_LOGE("wifi", "the access point cannot be opened as it is set");
  }
  memset(&config, 0, sizeof config);
}

static void tell_name(const char *name) {
  if (mdns_init() != ESP_OK || mdns_hostname_set(name) != ESP_OK) {
    ESP_LOGE("wifi", "the board is not found by its name");
  }
}

void wifi_start(const struct ww_board_settings *board) {
  const esp_timer_create_args_t timer = {.callback = join, .name = "join"};
  const wifi_init_config_t config = WIFI_INIT_CONFIG_DEFAULT();
  ESP_ERROR_CHECK(esp_timer_create(&timer, &again));
  ESP_ERROR_CHECK(esp_netif_init());
  ESP_ERROR_CHECK(esp_event_loop_create_default());
  esp_netif_create_default_wifi_sta();
  ESP_ERROR_CHECK(esp_wifi_init(&config));
  ESP_ERROR_CHECK(esp_event_handler_instance_register(WIFI_EVENT, ESP_EVENT_ANY_ID, on_event, NULL, NULL));
  ESP_ERROR_CHECK(esp_event_handler_instance_register(IP_EVENT, IP_EVENT_STA_GOT_IP, on_address, NULL, NULL));
  if (board->access_point[0] != '\0') {
    open_access_point(board);
  } else {
    ESP_ERROR_CHECK(esp_wifi_set_mode(WIFI_MODE_STA));
  }
  tell_name(board->name);
  ESP_ERROR_CHECK(esp_wifi_start());
}
