#include "led.h"

#include <stdatomic.h>
#include <stdint.h>

#include "driver/gpio.h"
#include "esp_log.h"
#include "esp_timer.h"

#define PERIOD_US 50000

static gpio_num_t lamp;
static uint32_t lit;
static atomic_int shown = WW_NOT_STARTED;

/** By a timer, so that it blinks evenly while the main loop measures. */
static void blink(void *context) {
  (void)context;
  bool is_lit = ww_lamp_is_lit((enum ww_health)atomic_load(&shown), (uint64_t)esp_timer_get_time() / 1000);
  gpio_set_level(lamp, is_lit ? lit : !lit);
}

void led_open(int pin, bool is_low) {
  const esp_timer_create_args_t timer = {.callback = blink, .name = "led"};
  esp_timer_handle_t handle;
  if (pin < 0) {
    return;
  }
  lamp = (gpio_num_t)pin;
  lit = is_low ? 0 : 1;
  const gpio_config_t config = {.pin_bit_mask = UINT64_C(1) << pin, .mode = GPIO_MODE_OUTPUT};
  bool is_open = gpio_config(&config) == ESP_OK && esp_timer_create(&timer, &handle) == ESP_OK &&
                 esp_timer_start_periodic(handle, PERIOD_US) == ESP_OK;
  if (!is_open) {
    ESP_LOGE("led", "the lamp stays dark: GPIO %d cannot be used", pin);
  }
}

void led_show(enum ww_health health) {
  atomic_store(&shown, (int)health);
}
