#include "statement.h"

#include <string.h>

#include "bytes.h"
#include "meter_log.h"

void ww_domain(const char *kind, const struct ww_place *place, uint8_t domain[WW_HASH_LENGTH]) {
  static const char PROTOCOL[] = "WattWitness/1 ";
  uint8_t chain_id[8];
  ww_store_u64(chain_id, place->chain_id);
  struct ww_sha256 hash;
  ww_sha256_begin(&hash);
  ww_sha256_add(&hash, PROTOCOL, sizeof PROTOCOL - 1);
  ww_sha256_add(&hash, kind, strlen(kind));
  ww_sha256_add(&hash, chain_id, sizeof chain_id);
  ww_sha256_add(&hash, place->registry, sizeof place->registry);
  ww_sha256_end(&hash, domain);
}

void ww_key_id(const uint8_t public_key[WW_PUBLIC_KEY_LENGTH], uint8_t key_id[WW_HASH_LENGTH]) {
  ww_sha256(public_key, WW_PUBLIC_KEY_LENGTH, key_id);
}

static uint8_t *put(uint8_t *out, const uint8_t *bytes, size_t length) {
  memcpy(out, bytes, length);
  return out + length;
}

enum ww_error ww_head_encode(const struct ww_place *place, const struct ww_head *head, uint8_t bytes[WW_HEAD_LENGTH]) {
  if (head->size == 0 || head->size >= UINT64_C(1) << WW_LOG_LEVELS) {
    return WW_SIZE_OUT_OF_RANGE;
  }
  ww_domain("head", place, bytes);
  ww_store_u32(bytes + 32, head->epoch);
  ww_store_u64(bytes + 36, head->size);
  uint8_t *out = put(bytes + 44, head->reading, WW_READING_LENGTH);
  put(out, head->root, WW_HASH_LENGTH);
  return WW_OK;
}

void ww_claim_encode(const struct ww_place *place, const uint8_t meter[WW_HASH_LENGTH],
                     const uint8_t key_id[WW_HASH_LENGTH], const uint8_t owner[WW_ADDRESS_LENGTH],
                     const uint8_t head_hash[WW_HASH_LENGTH], uint8_t bytes[WW_CLAIM_LENGTH]) {
  ww_domain("claim", place, bytes);
  uint8_t *out = put(bytes + WW_HASH_LENGTH, meter, WW_HASH_LENGTH);
  out = put(out, key_id, WW_HASH_LENGTH);
  out = put(out, owner, WW_ADDRESS_LENGTH);
  put(out, head_hash, WW_HASH_LENGTH);
}

void ww_rotation_encode(const struct ww_place *place, const uint8_t meter[WW_HASH_LENGTH],
                        const uint8_t new_key_id[WW_HASH_LENGTH], uint8_t bytes[WW_ROTATION_LENGTH]) {
  ww_domain("rotate", place, bytes);
  uint8_t *out = put(bytes + WW_HASH_LENGTH, meter, WW_HASH_LENGTH);
  put(out, new_key_id, WW_HASH_LENGTH);
}

/** n, the order of P-256 (SEC 2, secp256r1), and n/2 rounded down. */
static const uint8_t ORDER[32] = {
    0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
    0xBC, 0xE6, 0xFA, 0xAD, 0xA7, 0x17, 0x9E, 0x84, 0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63, 0x25, 0x51,
};
static const uint8_t HALF_ORDER[32] = {
    0x7F, 0xFF, 0xFF, 0xFF, 0x80, 0x00, 0x00, 0x00, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
    0xDE, 0x73, 0x7D, 0x56, 0xD3, 0x8B, 0xCF, 0x42, 0x79, 0xDC, 0xE5, 0x61, 0x7E, 0x31, 0x92, 0xA8,
};

void ww_signature_normalise(uint8_t signature[WW_SIGNATURE_LENGTH]) {
  uint8_t *s = signature + 32;
  if (memcmp(s, HALF_ORDER, sizeof HALF_ORDER) <= 0) {
    return;
  }
  int borrow = 0;
  for (int i = 31; i >= 0; i--) {
    int difference = ORDER[i] - s[i] - borrow;
    borrow = difference < 0;
    s[i] = (uint8_t)(difference & 0xFF);
  }
}
