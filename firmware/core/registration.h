/**
 * The applications that a device signs at provisioning: to be registered as a meter, and to be succeeded by another
 * key.
 *
 * A registration as text is the JSON of the oracle's POST /registrations:
 *
 *   {"publicKey":"0x…","owner":"0x…","capacity":5000,"source":16,"details":"0x…",
 *    "baseline":{"epoch":1,"size":1,"reading":"0x…","root":"0x…"},"claim":"0x…"}
 */
#ifndef WW_REGISTRATION_H
#define WW_REGISTRATION_H

#include "device.h"

/** Bytes of the longest text that ww_registration_write makes, its zero included. */
#define WW_REGISTRATION_TEXT_LIMIT 832u

struct ww_registration {
  uint8_t public_key[WW_PUBLIC_KEY_LENGTH];
  uint8_t owner[WW_ADDRESS_LENGTH];
  uint32_t capacity; /* W */
  uint8_t source;
  uint8_t details[WW_HASH_LENGTH]; /* SHA-256 of the document about the installation */
  struct ww_head baseline;         /* the newest */
  uint8_t claim[WW_SIGNATURE_LENGTH];
};

/**
 * Signs the claim that the device belongs to its settings' owner, over its newest head. Refuses WW_STORE_EMPTY where no
 * log has begun, WW_SIZE_OUT_OF_RANGE where its last reading was given up (the next will do), and hands on what signer
 * and store refuse.
 */
WW_RESULT ww_registration_make(const struct ww_device *device, const uint8_t details[WW_HASH_LENGTH],
                               struct ww_registration *registration);

void ww_registration_write(const struct ww_registration *registration, char text[WW_REGISTRATION_TEXT_LIMIT]);

/** Signs that another key succeeds the device's at its meter. */
WW_RESULT ww_rotation_sign(const struct ww_device *device, const uint8_t new_key_id[WW_HASH_LENGTH],
                           uint8_t signature[WW_SIGNATURE_LENGTH]);

#endif
