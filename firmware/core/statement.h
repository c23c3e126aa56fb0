/**
 * The three statements that a key signs, each opened by the 32-byte domain of its kind, so that a signature is worth
 * something on one chain, for one registry, in one role:
 *
 *   domain(kind)  SHA-256("WattWitness/1 " ‖ kind ‖ chain id u64 ‖ registry 20)
 *
 *   head      108  domain(head) 32 ‖ epoch u32 ‖ size u64 ‖ reading 32 ‖ root 32
 *   claim     148  domain(claim) 32 ‖ meter 32 ‖ key id 32 ‖ owner 20 ‖ head hash 32
 *   rotation   96  domain(rotate) 32 ‖ meter 32 ‖ new key id 32
 */
#ifndef WW_STATEMENT_H
#define WW_STATEMENT_H

#include <stdint.h>

#include "error.h"
#include "reading.h"
#include "sha256.h"

#define WW_ADDRESS_LENGTH 20
#define WW_PUBLIC_KEY_LENGTH 64
#define WW_SIGNATURE_LENGTH 64
#define WW_HEAD_LENGTH 108
#define WW_CLAIM_LENGTH 148
#define WW_ROTATION_LENGTH 96

/** Where a signature counts: an EVM chain and the registry on it. */
struct ww_place {
  uint64_t chain_id;
  uint8_t registry[WW_ADDRESS_LENGTH];
};

/** `kind` is "head", "claim" or "rotate". */
void ww_domain(const char *kind, const struct ww_place *place, uint8_t domain[WW_HASH_LENGTH]);

/** SHA-256(x ‖ y): the name of a key, and of the meter that is first registered with it. */
void ww_key_id(const uint8_t public_key[WW_PUBLIC_KEY_LENGTH], uint8_t key_id[WW_HASH_LENGTH]);

/** The last leaf and the root of a log of `size` readings. */
struct ww_head {
  uint32_t epoch;
  uint64_t size;
  uint8_t reading[WW_READING_LENGTH];
  uint8_t root[WW_HASH_LENGTH];
};

/** Refuses WW_SIZE_OUT_OF_RANGE. The head's hash is SHA-256 of the bytes. */
WW_RESULT ww_head_encode(const struct ww_place *place, const struct ww_head *head, uint8_t bytes[WW_HEAD_LENGTH]);

/** "I belong to this owner": signed at provisioning by the key that is registered or rotated in. */
void ww_claim_encode(const struct ww_place *place, const uint8_t meter[WW_HASH_LENGTH],
                     const uint8_t key_id[WW_HASH_LENGTH], const uint8_t owner[WW_ADDRESS_LENGTH],
                     const uint8_t head_hash[WW_HASH_LENGTH], uint8_t bytes[WW_CLAIM_LENGTH]);

/** "This key succeeds me": signed by the old key. */
void ww_rotation_encode(const struct ww_place *place, const uint8_t meter[WW_HASH_LENGTH],
                        const uint8_t new_key_id[WW_HASH_LENGTH], uint8_t bytes[WW_ROTATION_LENGTH]);

/** Of the two values of s that fit, makes it the low one (s <= n/2): the only one that is accepted. */
void ww_signature_normalise(uint8_t signature[WW_SIGNATURE_LENGTH]);

#endif
