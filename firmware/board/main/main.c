/** Puts the core on a board: one loop, in one task, does all that touches the device, its chip and its console. */
#include "atecc608.h"
#include "console.h"
#include "device.h"
#include "esp_task_wdt.h"
#include "esp_timer.h"
#include "flash_store.h"
#include "http_shelly.h"
#include "http_uplink.h"
#include "i2c_atecc608.h"
#include "saved.h"
#include "sdkconfig.h"
#include "serial.h"
#include "sntp_clock.h"
#include "tamper.h"
#include "update.h"
#include "wifi.h"

#define IDLE_MS 250
#define START_AGAIN_MS 5000

static struct i2c_atecc608 bus;
static struct ww_atecc608 chip;
static struct flash_store store;
static struct http_shelly shelly;
static struct http_uplink uplink;
static struct ww_settings settings;
static struct ww_ports ports;
static struct ww_device device;
static struct ww_console console;

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
  WW_TRY(http_shelly_open(&shelly, settings.shelly, settings.source, CONFIG_WW_SHELLY_USER, CONFIG_WW_SHELLY_PASSWORD));
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

static void converse(uint32_t wait) {
  char typed[64];
  size_t length = serial_read(typed, sizeof typed, wait);
  ww_console_input(&console, typed, length);
}

void app_main(void) {
  const struct ww_console_port port = {NULL, serial_print, serial_qr, saved_load, saved_save, wifi_set};
  saved_open();
  serial_open();
  wifi_start();
  sntp_clock_start(CONFIG_WW_TIME_SERVER);
  tamper_open(CONFIG_WW_TAMPER_PIN);
  update_start(CONFIG_WW_UPDATE_URL);

  enum ww_error opened = i2c_atecc608_open(&bus, CONFIG_WW_SDA_PIN, CONFIG_WW_SCL_PIN);
  ww_atecc608_init(&chip, i2c_atecc608_port(&bus));
  ww_console_begin(&console, port, &chip);
  if (opened == WW_OK) {
    opened = open_ports();
  }
  ESP_ERROR_CHECK(esp_task_wdt_add(NULL));
  for (;;) {
    uint64_t now = milliseconds();
    uint32_t wait = IDLE_MS;
    if (is_running(opened, now)) {
      watch_lid();
      uint32_t due = ww_device_step(&device, now);
      wait = due < wait ? due : wait;
    }
    update_judge(device.tally.posts > 0, now);
    converse(wait);
    esp_task_wdt_reset();
  }
}
