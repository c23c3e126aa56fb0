/**
 * SHA-256 (FIPS 180-4). With WW_PLATFORM_SHA256 the board gives the three functions in its own words (a struct
 * ww_sha256 of its own in ww_platform_sha256.h, its hash accelerator behind them) and sha256.c is empty.
 */
#ifndef WW_SHA256_H
#define WW_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define WW_HASH_LENGTH 32

#ifdef WW_PLATFORM_SHA256
#include "ww_platform_sha256.h"
#else
struct ww_sha256 {
  uint32_t state[8];
  uint64_t length; /* bytes so far */
  uint8_t block[64];
};
#endif

void ww_sha256_begin(struct ww_sha256 *hash);
void ww_sha256_add(struct ww_sha256 *hash, const void *bytes, size_t length);
void ww_sha256_end(struct ww_sha256 *hash, uint8_t digest[WW_HASH_LENGTH]);

/** Of bytes that are all at hand. */
void ww_sha256(const void *bytes, size_t length, uint8_t digest[WW_HASH_LENGTH]);

#endif
