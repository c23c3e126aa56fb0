#include "registration.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "hex.h"

/** The id of the meter that the device's key is of. */
static const uint8_t *meter_of(const struct ww_device *device) {
  return device->settings->succeeds ? device->settings->meter : device->key_id;
}

static enum ww_error sign(const struct ww_device *device, const uint8_t *statement, size_t length,
                          uint8_t signature[WW_SIGNATURE_LENGTH]) {
  const struct ww_signer_port *signer = &device->ports->signer;
  uint8_t digest[WW_HASH_LENGTH];
  ww_sha256(statement, length, digest);
  WW_TRY(signer->sign(signer->context, digest, signature));
  ww_signature_normalise(signature);
  return WW_OK;
}

static enum ww_error newest_head(const struct ww_device *device, struct ww_head *head) {
  const struct ww_state *state = &device->queue.state;
  struct ww_log log;
  if (!ww_device_has_log(device)) {
    return WW_STORE_EMPTY;
  }
  head->epoch = state->epoch;
  head->size = state->log.size;
  WW_TRY(ww_queue_log_at(&device->queue, head->size, &log, head->reading));
  ww_log_root(&log, head->root);
  return WW_OK;
}

enum ww_error ww_registration_make(const struct ww_device *device, const uint8_t details[WW_HASH_LENGTH],
                                   struct ww_registration *registration) {
  const struct ww_settings *settings = device->settings;
  struct ww_registration made = {.capacity = settings->capacity, .source = settings->source};
  uint8_t head[WW_HEAD_LENGTH];
  uint8_t head_hash[WW_HASH_LENGTH];
  uint8_t claim[WW_CLAIM_LENGTH];
  WW_TRY(newest_head(device, &made.baseline));
  WW_TRY(ww_head_encode(&settings->place, &made.baseline, head));
  ww_sha256(head, sizeof head, head_hash);
  ww_claim_encode(&settings->place, meter_of(device), device->key_id, settings->owner, head_hash, claim);
  WW_TRY(sign(device, claim, sizeof claim, made.claim));
  memcpy(made.public_key, device->public_key, sizeof made.public_key);
  memcpy(made.owner, settings->owner, sizeof made.owner);
  memcpy(made.details, details, sizeof made.details);
  *registration = made;
  return WW_OK;
}

enum ww_error ww_rotation_sign(const struct ww_device *device, const uint8_t new_key_id[WW_HASH_LENGTH],
                               uint8_t signature[WW_SIGNATURE_LENGTH]) {
  uint8_t rotation[WW_ROTATION_LENGTH];
  ww_rotation_encode(&device->settings->place, meter_of(device), new_key_id, rotation);
  return sign(device, rotation, sizeof rotation, signature);
}

/* AS TEXT */

static char *put(char *out, const char *text) {
  size_t length = strlen(text);
  memcpy(out, text, length + 1);
  return out + length;
}

/** `text`, and the bytes as a string. */
static char *put_bytes(char *out, const char *text, const uint8_t *bytes, size_t length) {
  out = put(out, text);
  *out++ = '"';
  out = ww_hex(out, bytes, length);
  return put(out, "\"");
}

void ww_registration_write(const struct ww_registration *registration, char text[WW_REGISTRATION_TEXT_LIMIT]) {
  const struct ww_head *baseline = &registration->baseline;
  char *out = put_bytes(text, "{\"publicKey\":", registration->public_key, WW_PUBLIC_KEY_LENGTH);
  out = put_bytes(out, ",\"owner\":", registration->owner, WW_ADDRESS_LENGTH);
  out += sprintf(out, ",\"capacity\":%" PRIu32 ",\"source\":%u", registration->capacity, registration->source);
  out = put_bytes(out, ",\"details\":", registration->details, WW_HASH_LENGTH);
  out += sprintf(out, ",\"baseline\":{\"epoch\":%" PRIu32 ",\"size\":%" PRIu64, baseline->epoch, baseline->size);
  out = put_bytes(out, ",\"reading\":", baseline->reading, WW_READING_LENGTH);
  out = put_bytes(out, ",\"root\":", baseline->root, WW_HASH_LENGTH);
  out = put_bytes(out, "},\"claim\":", registration->claim, WW_SIGNATURE_LENGTH);
  put(out, "}");
}
