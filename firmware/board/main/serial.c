#include "serial.h"

#include <stdbool.h>
#include <string.h>

#include "driver/uart.h"
#include "esp_err.h"
#include "esp_log.h"
#include "freertos/FreeRTOS.h"
#include "qrcode.h"
#include "sdkconfig.h"

#define BUFFER 1024
#define PIECE 128u
#define BAUD 115200

/* USB */

#ifdef CONFIG_ESP_CONSOLE_USB_SERIAL_JTAG
#include "driver/usb_serial_jtag.h"
#include "soc/uart_pins.h"

#define UART UART_NUM_0
#define PATIENCE_MS 100 /* nobody may be listening */
#define LOOK_MS 20      /* at one line, and then at the other */

static void open_usb(void) {
  usb_serial_jtag_driver_config_t config = {.tx_buffer_size = BUFFER, .rx_buffer_size = BUFFER};
  ESP_ERROR_CHECK(usb_serial_jtag_driver_install(&config));
}

/** A bridge at UART 0 speaks at its usual rate. */
static void set_uart(void) {
  const uart_config_t config = {
      .baud_rate = BAUD,
      .data_bits = UART_DATA_8_BITS,
      .parity = UART_PARITY_DISABLE,
      .stop_bits = UART_STOP_BITS_1,
      .flow_ctrl = UART_HW_FLOWCTRL_DISABLE,
      .source_clk = UART_SCLK_DEFAULT,
  };
  ESP_ERROR_CHECK(uart_param_config(UART, &config));
  ESP_ERROR_CHECK(uart_set_pin(UART, U0TXD_GPIO_NUM, U0RXD_GPIO_NUM, UART_PIN_NO_CHANGE, UART_PIN_NO_CHANGE));
}

/** Who does not listen is waited for once, and again only after something was taken. */
static void write_usb(const uint8_t *bytes, size_t length) {
  static bool is_heard = true;
  int written = usb_serial_jtag_write_bytes(bytes, length, is_heard ? pdMS_TO_TICKS(PATIENCE_MS) : 0);
  is_heard = written == (int)length;
}

static int read_bytes(void *bytes, uint32_t length, uint32_t milliseconds) {
  for (uint32_t waited = 0;; waited += LOOK_MS) {
    int got = uart_read_bytes(UART, bytes, length, 0);
    if (got > 0) {
      return got;
    }
    bool is_last = waited >= milliseconds;
    got = usb_serial_jtag_read_bytes(bytes, length, is_last ? 0 : pdMS_TO_TICKS(LOOK_MS));
    if (got > 0 || is_last) {
      return got;
    }
  }
}
#else
#define UART CONFIG_ESP_CONSOLE_UART_NUM

static void open_usb(void) {
}

static void set_uart(void) {
}

static void write_usb(const uint8_t *bytes, size_t length) {
  (void)bytes;
  (void)length;
}

static int read_bytes(void *bytes, uint32_t length, uint32_t milliseconds) {
  int first = uart_read_bytes(UART, bytes, 1, pdMS_TO_TICKS(milliseconds));
  if (first <= 0 || length == 1) {
    return first;
  }
  int rest = uart_read_bytes(UART, (char *)bytes + 1, length - 1, 0);
  return 1 + (rest > 0 ? rest : 0);
}
#endif

/* BOTH */

void serial_open(void) {
  open_usb();
  ESP_ERROR_CHECK(uart_driver_install(UART, BUFFER, 0, 0, NULL, 0));
  set_uart();
}

size_t serial_read(char *bytes, size_t limit, uint32_t milliseconds) {
  int got = read_bytes(bytes, (uint32_t)limit, milliseconds);
  return got > 0 ? (size_t)got : 0;
}

/** In pieces that the drivers have room for; of length 0, which they call an error, there is none. */
void serial_write(void *context, const uint8_t *bytes, size_t length) {
  (void)context;
  while (length > 0) {
    size_t part = length < PIECE ? length : PIECE;
    write_usb(bytes, part);
    uart_write_bytes(UART, bytes, part);
    bytes += part;
    length -= part;
  }
}

void serial_print(void *context, const char *text) {
  serial_write(context, (const uint8_t *)text, strlen(text));
}

/* QR CODE */

#define QUIET 4            /* modules around it */
#define LARGEST_VERSION 20 /* 858 bytes */
#define LARGEST_SIZE (17 + 4 * LARGEST_VERSION)
#define LONGEST_MODULE 3 /* bytes of UTF-8 */

/** A row at a time, so that a terminal which is closed meanwhile holds it up no longer than one write. */
static void draw(esp_qrcode_handle_t code) {
  static const char *const HALVES[] = {" ", "\xE2\x96\x80", "\xE2\x96\x84", "\xE2\x96\x88"};
  static char row[(LARGEST_SIZE + 2 * QUIET) * LONGEST_MODULE + 2];
  int size = esp_qrcode_get_size(code);
  for (int y = -QUIET; y < size + QUIET; y += 2) {
    char *end = row;
    for (int x = -QUIET; x < size + QUIET; x++) {
      bool upper = !esp_qrcode_get_module(code, x, y);
      bool lower = !esp_qrcode_get_module(code, x, y + 1);
      const char *half = HALVES[upper + 2 * lower];
      memcpy(end, half, strlen(half));
      end += strlen(half);
    }
    *end++ = '\r';
    *end++ = '\n';
    serial_write(NULL, (const uint8_t *)row, (size_t)(end - row));
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
