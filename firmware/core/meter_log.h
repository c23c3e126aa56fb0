/**
 * A meter's log: the Merkle tree of RFC 9162 §2.1 over its readings, kept as a compact range (the frontier): the hashes of
 * the maximal complete subtrees, left to right. Appending and the root cost O(log n) hashes in fixed memory.
 */
#ifndef WW_METER_LOG_H
#define WW_METER_LOG_H

#include <stdint.h>

#include "error.h"
#include "reading.h"
#include "sha256.h"

/** 1 <= size < 2^40 */
#define WW_LOG_LEVELS 40

struct ww_log {
  uint64_t size;
  uint8_t frontier[WW_LOG_LEVELS][WW_HASH_LENGTH]; /* the first ww_log_width(size) of them, the largest subtree first */
};

/** Hashes of the frontier of a log of this size: the one bits of the size. */
unsigned ww_log_width(uint64_t size);

void ww_log_begin(struct ww_log *log);

/** Refuses WW_SIZE_OUT_OF_RANGE where the log would be of 2^40 readings. */
WW_RESULT ww_log_append(struct ww_log *log, const uint8_t reading[WW_READING_LENGTH]);

/** Of an empty log SHA-256 of nothing. */
void ww_log_root(const struct ww_log *log, uint8_t root[WW_HASH_LENGTH]);

#endif
