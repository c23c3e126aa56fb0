/**
 * A reading: what the meter measured at one moment, and a leaf of its log. 32 bytes, big-endian:
 *
 *  0   4  timestamp    u32  Unix time, s
 *  4   8  energy       u64  mWh, cumulative production, never decreases
 * 12   8  power        i64  mW, production positive
 * 20   4  voltage      u32  mV, 0xFFFFFFFF = not measured
 * 24   4  current      u32  mA, 0xFFFFFFFF = not measured
 * 28   2  temperature  i16  0.01 degrees Celsius, -32768 = not measured
 * 30   1  source       u8   bits 0-3 channel (15 = all phases), bit 4 export register
 * 31   1  conditions   u8   bit 0 drifting, 1 invalid, 2 discontinuous, 3 tamper
 */
#ifndef WW_READING_H
#define WW_READING_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"

#define WW_READING_LENGTH 32

/* source */
#define WW_SOURCE_CHANNEL 0x0Fu
#define WW_SOURCE_EXPORT 0x10u
#define WW_ALL_PHASES 15u

/* conditions */
#define WW_DRIFTING 0x01u /* the clock has had no synchronisation for a day */
#define WW_INVALID 0x02u  /* the meter reported its measurement invalid: the energy is repeated */
#define WW_DISCONTINUOUS \
  0x04u                 /* what the meter's register shows is not counted: another's, a jump, or not believed yet */
#define WW_TAMPER 0x08u /* the enclosure was opened; stays set for the rest of the epoch */

struct ww_reading {
  uint32_t timestamp;
  uint64_t energy;
  int64_t power;
  uint32_t voltage;
  uint32_t current;
  int16_t temperature;
  uint8_t source;
  uint8_t conditions;
};

void ww_reading_encode(const struct ww_reading *reading, uint8_t bytes[WW_READING_LENGTH]);

/** Refuses: WW_WRONG_LENGTH, WW_RESERVED_BITS. */
WW_RESULT ww_reading_decode(const uint8_t *bytes, size_t length, struct ww_reading *reading);

#endif
