/** Puts the core on a board: one loop, in one task, does all that touches the device, its chip and its console. */
#include <stdio.h>

#include "atecc608.h"
#include "console.h"
#include "device.h"
#include "esp_app_desc.h"
#include "esp_system.h"
#include "esp_task_wdt.h"
#include "esp_timer.h"
#include "flash_store.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "health.h"
#include "http_shelly.h"
#include "http_uplink.h"
#include "i2c_atecc608.h"
#include "joining.h"
#include "led.h"
#include "priority.h"
#include "saved.h"
#include "sdkconfig.h"
#include "serial.h"
#include "sntp_clock.h"
#include "tamper.h"
#include "update.h"
#include "wifi.h"

#define IDLE_MS 250
#define START_AGAIN_MS 5000
#define SIGNATURES_BETWEEN 32u /* that are kept: NVS wears, too */

static struct i2c_atecc608 bus;
static struct ww_atecc608 chip;
static struct flash_store store;
static struct http_shelly shelly;
static struct http_uplink uplink;
static struct ww_settings settings;
static struct ww_ports ports;
static struct ww_device device;
static struct ww_console console;
static struct ww_joining joining;
static uint32_t signatures_before;

/** What a new board begins with. */
static struct ww_board_settings board = {
#ifdef CONFIG_IDF_TARGET_ESP32C3
    .pins = WW_PINS_ESP32C3,
#else
    .pins = WW_PINS_ESP32,
#endif
    .time_server = CONFIG_WW_TIME_SERVER,
    .update_url = CONFIG_WW_UPDATE_URL,
    .name = "wattwitness",
    .sda_pin = CONFIG_WW_SDA_PIN,
    .scl_pin = CONFIG_WW_SCL_PIN,
    .lid_pin = CONFIG_WW_TAMPER_PIN,
    .led_pin = CONFIG_WW_LED_PIN,
#ifdef CONFIG_WW_LED_IS_LOW
    .led_is_low = true,
#endif
};

static uint64_t milliseconds(void) {
  return (uint64_t)esp_timer_get_time() / 1000;
}

static enum ww_error load_settings(void) {
  char text[WW_SETTINGS_TEXT_LIMIT];
  unsigned line;
  WW_TRY(saved_load(NULL, text));
  return ww_settings_read(&settings, text, &line);
}

static enum ww_error open_ports(void) {
  WW_TRY(load_settings());
  WW_TRY(flash_store_open(&store));
  WW_TRY(http_shelly_open(&shelly, settings.shelly, settings.source, board.shelly_user, board.shelly_password));
  WW_TRY(http_uplink_open(&uplink, settings.oracle));
  ports = (struct ww_ports){
      .meter = http_shelly_port(&shelly),
      .signer = ww_atecc608_signer(&chip),
      .clock = sntp_clock_port(),
      .store = flash_store_port(&store),
      .uplink = http_uplink_port(&uplink),
  };
  return WW_OK;
}

/** Tries to start the device now and then: its chip may become ready by the console. */
static bool is_running(enum ww_error opened, uint64_t now) {
  static bool has_started;
  static uint64_t next_try;
  if (has_started || now < next_try) {
    return has_started;
  }
  enum ww_error error = opened == WW_OK ? ww_device_start(&device, &settings, &ports) : opened;
  has_started = error == WW_OK;
  next_try = now + START_AGAIN_MS;
  ww_console_tell(&console, has_started ? &device : NULL, error);
  return has_started;
}

/** Before an oracle has stored a post there is nothing to protect, and the lid is open for whoever builds it. */
static void watch_lid(void) {
  static bool is_sealed;
  bool was_opened = tamper_was_opened();
  if (!is_sealed && (saved_is_sealed() || device.tally.posts > 0)) {
    is_sealed = true;
    saved_seal();
  }
  if (is_sealed && was_opened) {
    ww_device_tamper(&device);
  }
}

static void count_signatures(uint32_t least) {
  static uint32_t kept;
  if (chip.signatures - kept >= least) {
    kept = chip.signatures;
    saved_count_signatures(signatures_before + kept);
  }
}

static void describe(void *context, struct ww_board_status *status) {
  (void)context;
  struct ww_clock_port clock = sntp_clock_port();
  wifi_describe(status);
  snprintf(status->version, sizeof status->version, "%s", esp_app_get_description()->version);
  snprintf(status->chip, sizeof status->chip, "%s", CONFIG_IDF_TARGET);
  status->time = clock.read(clock.context);
  status->clock_was_moved = sntp_clock_was_moved(&status->clock_moved);
  status->signatures_before = signatures_before;
}

static void restart(void *context) {
  (void)context;
  count_signatures(1);
  esp_restart();
}

static void show_health(bool has_started) {
  led_show(ww_health_of(has_started ? &device : NULL, wifi_is_joined()));
}

static void converse(uint32_t wait) {
  char typed[64];
  size_t length = serial_read(typed, sizeof typed, wait);
  ww_joining_step(&joining, typed, length, milliseconds());
}

static void open_console(void) {
  const struct ww_console_port port = {NULL,     serial_print, serial_qr, saved_load, saved_save, saved_save_board,
                                       wifi_set, describe,     restart,   false};
  const struct ww_joining_port line = {NULL, serial_write, wifi_look, wifi_has_looked, wifi_seen};
  ww_console_begin(&console, port, &chip, &board);
  ww_joining_begin(&joining, line, &console);
}

void app_main(void) {
  vTaskPrioritySet(NULL, PORTS_PRIORITY);
  saved_open();
  saved_load_board(&board);
  signatures_before = saved_signatures();
  serial_open();
  led_open(board.led_pin, board.led_is_low);
  wifi_start(&board);
  sntp_clock_start(board.time_server);
  tamper_open(board.lid_pin);
  update_start(board.update_url);

  enum ww_error opened = i2c_atecc608_open(&bus, board.sda_pin, board.scl_pin);
  ww_atecc608_init(&chip, i2c_atecc608_port(&bus));
  open_console();
  if (opened == WW_OK) {
    opened = open_ports();
  }
  ESP_ERROR_CHECK(esp_task_wdt_add(NULL));
  for (;;) {
    uint64_t now = milliseconds();
    uint32_t wait = IDLE_MS;
    bool has_started = is_running(opened, now);
    if (has_started) {
      watch_lid();
      uint32_t due = ww_device_step(&device, now);
      wait = due < wait ? due : wait;
    }
    show_health(has_started);
    count_signatures(SIGNATURES_BETWEEN);
    update_judge(device.tally.posts > 0, now);
    converse(wait);
    esp_task_wdt_reset();
  }
}
