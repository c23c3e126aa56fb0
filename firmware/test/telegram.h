/** Builds SML telegrams, byte by byte as the specification says: what no meter was recorded with. */
#ifndef WW_TELEGRAM_H
#define WW_TELEGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TELEGRAM_LIMIT 4096u

struct telegram {
  size_t length;
  uint8_t bytes[TELEGRAM_LIMIT]; /* of its messages; more than fits is left out */
};

void telegram_begin(struct telegram *telegram);
void telegram_add(struct telegram *telegram, const uint8_t *bytes, size_t length);

/** The messages before the values, up to a list of so many entries. `server`: 10 bytes. */
void telegram_open(struct telegram *telegram, const uint8_t server[10], unsigned entries);
/** 1-0:C.D.0*255 in a unit, as an integer of 8 bytes. */
void telegram_entry(struct telegram *telegram, uint8_t c, uint8_t d, uint8_t unit, int8_t scaler, int64_t value);
/** And what comes after them. */
void telegram_close(struct telegram *telegram);

/** On the wire: with escape sequences, padding and CRC. Returns its length. */
size_t telegram_wrap(const struct telegram *telegram, uint8_t wire[3 * TELEGRAM_LIMIT]);

#endif
