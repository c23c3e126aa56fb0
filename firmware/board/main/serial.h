/** The line on which a person provisions the board: UART 0, or the USB socket of an ESP32-C3. */
#ifndef WW_SERIAL_H
#define WW_SERIAL_H

#include <stddef.h>
#include <stdint.h>

void serial_open(void);

/** What was typed; waits up to `milliseconds` for the first byte. */
size_t serial_read(char *bytes, size_t limit, uint32_t milliseconds);

void serial_print(void *context, const char *text);

/** Draws the text as a QR code, light on dark. */
void serial_qr(void *context, const char *text);

#endif
