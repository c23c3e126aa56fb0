#include "i2c_atecc608.h"

#include "esp_log.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"

#define ADDRESS 0x60
#define SPEED_HZ 100000
#define TIMEOUT_MS 50
#define US_PER_TICK (portTICK_PERIOD_MS * 1000u)

static enum ww_error wake(void *context) {
  struct i2c_atecc608 *bus = context;
  /* start, eight zeros of the address: 90 us low; nobody acknowledges, and eight zeros more do no harm */
  static const uint8_t zero[1] = {0};
  return i2c_master_transmit(bus->nobody, zero, sizeof zero, TIMEOUT_MS) == ESP_OK ? WW_OK : WW_CHIP_SILENT;
}

static enum ww_error write_bytes(void *context, const uint8_t *bytes, size_t length) {
  struct i2c_atecc608 *bus = context;
  return i2c_master_transmit(bus->chip, bytes, length, TIMEOUT_MS) == ESP_OK ? WW_OK : WW_CHIP_SILENT;
}

static enum ww_error read_bytes(void *context, uint8_t *bytes, size_t length) {
  struct i2c_atecc608 *bus = context;
  return i2c_master_receive(bus->chip, bytes, length, TIMEOUT_MS) == ESP_OK ? WW_OK : WW_CHIP_SILENT;
}

static void wait(void *context, uint32_t microseconds) {
  (void)context;
  /* one more, because the first tick has already begun */
  vTaskDelay((microseconds + US_PER_TICK - 1) / US_PER_TICK + 1);
}

enum ww_error i2c_atecc608_open(struct i2c_atecc608 *bus, int sda, int scl) {
  const i2c_master_bus_config_t bus_config = {
      .i2c_port = -1,
      .sda_io_num = (gpio_num_t)sda,
      .scl_io_num = (gpio_num_t)scl,
      .clk_source = I2C_CLK_SRC_DEFAULT,
      .glitch_ignore_cnt = 7,
      .flags.enable_internal_pullup = true,
  };
  const i2c_device_config_t chip = {
      .dev_addr_length = I2C_ADDR_BIT_LEN_7,
      .device_address = ADDRESS,
      .scl_speed_hz = SPEED_HZ,
  };
  const i2c_device_config_t nobody = {
      .dev_addr_length = I2C_ADDR_BIT_LEN_7,
      .device_address = 0,
      .scl_speed_hz = SPEED_HZ,
      .flags.disable_ack_check = true,
  };
  /* a chip that is busy does not acknowledge: the driver would log each time that it is asked */
  esp_log_level_set("i2c.master", ESP_LOG_NONE);
  bool is_open = i2c_new_master_bus(&bus_config, &bus->bus) == ESP_OK &&
                 i2c_master_bus_add_device(bus->bus, &chip, &bus->chip) == ESP_OK &&
                 i2c_master_bus_add_device(bus->bus, &nobody, &bus->nobody) == ESP_OK;
  return is_open ? WW_OK : WW_CHIP_SILENT;
}

struct ww_i2c_port i2c_atecc608_port(struct i2c_atecc608 *bus) {
  return (struct ww_i2c_port){
      .context = bus,
      .wake = wake,
      .write = write_bytes,
      .read = read_bytes,
      .wait = wait,
  };
}
