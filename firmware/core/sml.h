/**
 * Understands what a household's meter tells an optical head: the Smart Message Language (SML 1.04, BSI TR-03109-1, annex IV),
 * which German meters send by themselves every one to four seconds (9600 baud, 8N1).
 *
 * Around it is a transport of escape sequences: 1B1B1B1B 01010101, the messages, 0 to 3 zeros, 1B1B1B1B 1A, the number of
 * zeros, and the CRC-16/X-25 of all before it, low byte first. Four 1B among the messages are eight on the wire.
 *
 * |         | by export           | by import           |                                                             |
 * |---------|---------------------|---------------------|-------------------------------------------------------------|
 * | total   | 1-0:2.8.0, Wh       | 1-0:1.8.0, Wh       | by its scaler                                               |
 * | power   | -(1-0:16.7.0), W    | 1-0:16.7.0, W       | where it is not told, 1-0:1.7.0 less 1-0:2.7.0              |
 * | voltage | 1-0:32.7.0, 52.7.0, 72.7.0, V             | the mean of those that are told                             |
 * | current | 1-0:31.7.0, 51.7.0, 71.7.0, A             | the sum of those that are told                              |
 * | meter   | the end of its server id                  | 8 bytes: manufacturer and number                            |
 *
 * The first of two entries of one name counts. Digits beyond a thousandth of a unit are cut off, toward zero. The status word
 * and the CRC of each message are not looked at: manufacturers differ in both. A meter that was not unlocked by its PIN
 * tells whole kWh, or no power: then there is no measurement, or one in steps of a kWh.
 */
#ifndef WW_SML_H
#define WW_SML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "ports.h"

/** Bytes of a telegram's messages at most; meters send 200 to 700. */
#define WW_SML_LIMIT 1024u

/** A telegram on its way: bytes come in one by one, and memory is bounded. */
struct ww_sml {
  bool is_begun;   /* a beginning was seen, and no end yet */
  uint8_t escapes; /* 1B in a row, of which nothing is decided yet; at most 8 */
  uint8_t code[4]; /* what came after four of them */
  uint8_t codes;   /* bytes of it so far */
  uint16_t crc;
  size_t length;
  uint8_t messages[WW_SML_LIMIT];
};

void ww_sml_begin(struct ww_sml *sml);

/** Takes in the next byte. Whether a telegram is whole with it, and its CRC right: `messages` stand until the next byte. */
bool ww_sml_take(struct ww_sml *sml, uint8_t byte);

/**
 * Reads the messages of a telegram; `source` is a reading's, of which only the register counts: a meter has one for all phases.
 *
 * WW_METER_MALFORMED: these are no messages, or they are truncated. WW_METER_MISSING: no list of values among them tells the
 * register, a power and who it is. WW_METER_RANGE: a value is no number or not in its unit, or power is 2^50 mW or more
 * either way, the register is negative or 2^50 mWh or more, voltage or current is negative or 2^32 - 1 thousandths or more.
 * `*out` is untouched then.
 */
WW_RESULT ww_sml_parse(uint8_t source, const uint8_t *messages, size_t length, struct ww_measurement *out);

#endif
