/** Bytes as the oracle reads them: 0x and lower-case hexadecimal. */
#ifndef WW_HEX_H
#define WW_HEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Characters that ww_hex writes of `length` bytes. */
#define WW_HEX_LENGTH(length) (2 + 2 * (length))

/** Writes no zero at the end. Returns where it ended. */
char *ww_hex(char *out, const uint8_t *bytes, size_t length);

/** Reads exactly `length` bytes from a text that is all of it, in either case, with 0x or without. */
bool ww_unhex(const char *text, uint8_t *bytes, size_t length);

#endif
