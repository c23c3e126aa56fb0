#include "tamper.h"

#include <stdatomic.h>
#include <stdint.h>

#include "driver/gpio.h"
#include "esp_attr.h"
#include "esp_log.h"

static int lid = -1;
static atomic_bool was_opened;

static void IRAM_ATTR notice(void *context) {
  (void)context;
  atomic_store(&was_opened, true);
}

void tamper_open(int pin) {
  if (pin < 0) {
    return;
  }
  const gpio_config_t config = {
      .pin_bit_mask = UINT64_C(1) << pin,
      .mode = GPIO_MODE_INPUT,
      .pull_up_en = GPIO_PULLUP_ENABLE,
      .pull_down_en = GPIO_PULLDOWN_DISABLE,
      .intr_type = GPIO_INTR_POSEDGE,
  };
  bool is_watched = gpio_config(&config) == ESP_OK && gpio_install_isr_service(0) == ESP_OK &&
                    gpio_isr_handler_add((gpio_num_t)pin, notice, NULL) == ESP_OK;
  if (!is_watched) {
    ESP_LOGE("tamper", "the lid is not watched: GPIO %d cannot be used", pin);
    return;
  }
  lid = pin;
}

bool tamper_was_opened(void) {
  bool is_open = lid >= 0 && gpio_get_level((gpio_num_t)lid) != 0;
  return atomic_exchange(&was_opened, false) || is_open;
}
