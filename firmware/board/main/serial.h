/**
 * The line on which a person provisions the board, or a page in a browser: UART 0, and on an ESP32-C3 its USB socket as
 * well. What is typed at either is taken, and both are told.
 */
#ifndef WW_SERIAL_H
#define WW_SERIAL_H

#include <stddef.h>
#include <stdint.h>

void serial_open(void);

/** What was typed; waits up to `milliseconds` for the first byte. */
size_t serial_read(char *bytes, size_t limit, uint32_t milliseconds);

void serial_write(void *context, const uint8_t *bytes, size_t length);
void serial_print(void *context, const char *text);

/** Draws the text as a QR code, light on dark. */
void serial_qr(void *context, const char *text);

#endif
