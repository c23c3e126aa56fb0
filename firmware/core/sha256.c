#include "sha256.h"

#ifndef WW_PLATFORM_SHA256

#include <string.h>

#include "bytes.h"

static const uint32_t ROUND_CONSTANTS[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static const uint32_t INITIAL_STATE[8] = {
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

static uint32_t rotate(uint32_t word, int by) {
  return word >> by | word << (32 - by);
}

/** FIPS 180-4 §6.2.2, with the message schedule in a window of 16 words. */
static void compress(uint32_t state[8], const uint8_t block[64]) {
  uint32_t w[16];
  uint32_t v[8];
  memcpy(v, state, sizeof v);
  for (unsigned t = 0; t < 64; t++) {
    if (t < 16) {
      w[t] = ww_load_u32(block + 4 * t);
    } else {
      uint32_t w15 = w[(t - 15) % 16];
      uint32_t w2 = w[(t - 2) % 16];
      w[t % 16] += (rotate(w15, 7) ^ rotate(w15, 18) ^ w15 >> 3) + w[(t - 7) % 16] +
                   (rotate(w2, 17) ^ rotate(w2, 19) ^ w2 >> 10);
    }
    uint32_t choice = (v[4] & v[5]) ^ (~v[4] & v[6]);
    uint32_t majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
    uint32_t first =
        v[7] + (rotate(v[4], 6) ^ rotate(v[4], 11) ^ rotate(v[4], 25)) + choice + ROUND_CONSTANTS[t] + w[t % 16];
    uint32_t second = (rotate(v[0], 2) ^ rotate(v[0], 13) ^ rotate(v[0], 22)) + majority;
    memmove(v + 1, v, 7 * sizeof v[0]);
    v[4] += first;
    v[0] = first + second;
  }
  for (int i = 0; i < 8; i++) {
    state[i] += v[i];
  }
}

void ww_sha256_begin(struct ww_sha256 *hash) {
  memcpy(hash->state, INITIAL_STATE, sizeof hash->state);
  hash->length = 0;
}

void ww_sha256_add(struct ww_sha256 *hash, const void *bytes, size_t length) {
  const uint8_t *next = bytes;
  while (length > 0) {
    size_t used = (size_t)(hash->length % sizeof hash->block);
    size_t part = sizeof hash->block - used < length ? sizeof hash->block - used : length;
    memcpy(hash->block + used, next, part);
    hash->length += part;
    next += part;
    length -= part;
    if (hash->length % sizeof hash->block == 0) {
      compress(hash->state, hash->block);
    }
  }
}

void ww_sha256_end(struct ww_sha256 *hash, uint8_t digest[WW_HASH_LENGTH]) {
  static const uint8_t PADDING[64] = {0x80};
  uint8_t bits[8];
  ww_store_u64(bits, hash->length * 8);
  size_t used = (size_t)(hash->length % sizeof hash->block);
  ww_sha256_add(hash, PADDING, (used < 56 ? 56 : 120) - used);
  ww_sha256_add(hash, bits, sizeof bits);
  for (int i = 0; i < 8; i++) {
    ww_store_u32(digest + 4 * i, hash->state[i]);
  }
}

#endif

void ww_sha256(const void *bytes, size_t length, uint8_t digest[WW_HASH_LENGTH]) {
  struct ww_sha256 hash;
  ww_sha256_begin(&hash);
  ww_sha256_add(&hash, bytes, length);
  ww_sha256_end(&hash, digest);
}
