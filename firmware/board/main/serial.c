#include "serial.h"

#include <stdbool.h>
#include <string.h>

#include "esp_err.h"
#include "esp_log.h"
#include "freertos/FreeRTOS.h"
#include "qrcode.h"
#include "sdkconfig.h"

#define BUFFER 1024

#ifdef CONFIG_ESP_CONSOLE_USB_SERIAL_JTAG
#include "driver/usb_serial_jtag.h"

#define PATIENCE_MS 100 /* nobody may be listening */

void serial_open(void) {
  usb_serial_jtag_driver_config_t config = {.tx_buffer_size = BUFFER, .rx_buffer_size = BUFFER};
  ESP_ERROR_CHECK(usb_serial_jtag_driver_install(&config));
}

static int read_bytes(void *bytes, uint32_t length, TickType_t ticks) {
  return usb_serial_jtag_read_bytes(bytes, length, ticks);
}

void serial_print(void *context, const char *text) {
  (void)context;
  usb_serial_jtag_write_bytes(text, strlen(text), pdMS_TO_TICKS(PATIENCE_MS));
}
#else
#include "driver/uart.h"

void serial_open(void) {
  ESP_ERROR_CHECK(uart_driver_install(CONFIG_ESP_CONSOLE_UART_NUM, BUFFER, 0, 0, NULL, 0));
}

static int read_bytes(void *bytes, uint32_t length, TickType_t ticks) {
  return uart_read_bytes(CONFIG_ESP_CONSOLE_UART_NUM, bytes, length, ticks);
}

void serial_print(void *context, const char *text) {
  (void)context;
  uart_write_bytes(CONFIG_ESP_CONSOLE_UART_NUM, text, strlen(text));
}
#endif

size_t serial_read(char *bytes, size_t limit, uint32_t milliseconds) {
  int first = read_bytes(bytes, 1, pdMS_TO_TICKS(milliseconds));
  if (first <= 0) {
    return 0;
  }
  int rest = read_bytes(bytes + 1, (uint32_t)(limit - 1), 0);
  return 1 + (rest > 0 ? (size_t)rest : 0);
}

/* QR CODE */

#define QUIET 4            /* modules around it */
#define LARGEST_VERSION 20 /* 858 bytes */

static void draw(esp_qrcode_handle_t code) {
  static const char *const HALVES[] = {" ", "\xE2\x96\x80", "\xE2\x96\x84", "\xE2\x96\x88"};
  int size = esp_qrcode_get_size(code);
  for (int y = -QUIET; y < size + QUIET; y += 2) {
    for (int x = -QUIET; x < size + QUIET; x++) {
      bool upper = !esp_qrcode_get_module(code, x, y);
      bool lower = !esp_qrcode_get_module(code, x, y + 1);
      serial_print(NULL, HALVES[upper + 2 * lower]);
    }
    serial_print(NULL, "\r\n");
  }
}

void serial_qr(void *context, const char *text) {
  (void)context;
  esp_qrcode_config_t config = {
      .display_func = draw,
      .max_qrcode_version = LARGEST_VERSION,
      .qrcode_ecc_level = ESP_QRCODE_ECC_LOW,
  };
  esp_log_level_set("QRCODE", ESP_LOG_NONE); /* it would log the text once more */
  if (esp_qrcode_generate(&config, text) != ESP_OK) {
    serial_print(NULL, "There is not enough memory for the QR code: copy the line.\r\n");
  }
}
