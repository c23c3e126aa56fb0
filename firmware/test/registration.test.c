/** What a device signs at provisioning. The world's signer signs nothing: the first half of a signature is the digest.
 */
#include "registration.h"

#include <string.h>

#include "hex.h"
#include "json.h"
#include "test.h"
#include "vectors.h"
#include "world.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static struct world world;

static const uint8_t DETAILS[WW_HASH_LENGTH] = {1, 2, 3};

static void begin_in(const struct ww_place *place) {
  world_begin(&world);
  world.settings.place = *place;
  memcpy(world.settings.owner, OWNER, sizeof OWNER);
}

/** Boots a device that takes three readings. */
static void live(void) {
  world_boot(&world);
  world_pass(&world, 3 * WORLD_INTERVAL);
}

static void claim_hash(const struct ww_registration *made, const uint8_t meter[32], uint8_t digest[32]) {
  uint8_t head[WW_HEAD_LENGTH], head_hash[32], claim[WW_CLAIM_LENGTH];
  uint8_t key_id[32];
  ww_key_id(made->public_key, key_id);
  test_check_bytes(__FILE__, __LINE__, "owner", made->owner, OWNER, sizeof OWNER);
  if (ww_head_encode(&PLACE, &made->baseline, head) != WW_OK) {
    test_fail(__FILE__, __LINE__, "the baseline is no head");
  }
  ww_sha256(head, sizeof head, head_hash);
  ww_claim_encode(&PLACE, meter, key_id, OWNER, head_hash, claim);
  ww_sha256(claim, sizeof claim, digest);
}

TEST("refuses to register a device that has no log") {
  struct ww_registration made;
  begin_in(&PLACE);
  world_boot(&world);
  CHECK_OK(world.started);
  CHECK_EQUAL(ww_registration_make(&world.device, DETAILS, &made), WW_STORE_EMPTY);
}

TEST("hands on that the signer is silent") {
  struct ww_registration made;
  uint8_t signature[WW_SIGNATURE_LENGTH];
  begin_in(&PLACE);
  live();
  world.signer_is_silent = true;
  CHECK_EQUAL(ww_registration_make(&world.device, DETAILS, &made), WW_CHIP_SILENT);
  CHECK_EQUAL(ww_rotation_sign(&world.device, DETAILS, signature), WW_CHIP_SILENT);
}

TEST("claims each meter of the vectors for its owner, as the first key and as a later one") {
  for (size_t i = 0; i < COUNT(CLAIMS); i++) {
    struct ww_registration made;
    uint8_t digest[32];
    begin_in(&PLACE);
    memcpy(world.key, KEYS[0].public_key, sizeof world.key);
    world.settings.succeeds = memcmp(CLAIMS[i].meter, KEYS[0].key_id, 32) != 0;
    memcpy(world.settings.meter, CLAIMS[i].meter, 32);
    live();
    CHECK_OK(ww_registration_make(&world.device, DETAILS, &made));
    claim_hash(&made, CLAIMS[i].meter, digest);
    CHECK_BYTES(made.claim, digest, sizeof digest);
  }
  CHECK(COUNT(CLAIMS) > 0);
}

TEST("signs the rotations of the vectors") {
  for (size_t i = 0; i < COUNT(ROTATIONS); i++) {
    uint8_t signature[WW_SIGNATURE_LENGTH], digest[32];
    begin_in(&PLACE);
    world.settings.succeeds = true;
    memcpy(world.settings.meter, ROTATIONS[i].meter, 32);
    live();
    CHECK_OK(ww_rotation_sign(&world.device, ROTATIONS[i].new_key_id, signature));
    ww_sha256(ROTATIONS[i].bytes, sizeof ROTATIONS[i].bytes, digest);
    CHECK_BYTES(signature, digest, sizeof digest);
  }
  CHECK(COUNT(ROTATIONS) > 0);
}

static enum ww_error sign_high(void *context, const uint8_t digest[32], uint8_t signature[64]) {
  (void)context;
  (void)digest;
  memcpy(signature, HEADS[0].high_s, 64);
  return WW_OK;
}

TEST("makes a high s low") {
  struct ww_registration made;
  uint8_t signature[WW_SIGNATURE_LENGTH];
  begin_in(&PLACE);
  live();
  world.ports.signer.sign = sign_high;
  CHECK_OK(ww_registration_make(&world.device, DETAILS, &made));
  CHECK_BYTES(made.claim, HEADS[0].signature, sizeof made.claim);
  CHECK_OK(ww_rotation_sign(&world.device, DETAILS, signature));
  CHECK_BYTES(signature, HEADS[0].signature, sizeof signature);
}

TEST("takes the newest head as the baseline") {
  struct ww_registration made;
  struct ww_reading last;
  uint8_t root[32];
  begin_in(&PLACE);
  live();
  CHECK_OK(ww_registration_make(&world.device, DETAILS, &made));
  CHECK_EQUAL(made.baseline.epoch, 1);
  CHECK_EQUAL(made.baseline.size, 3);
  CHECK_OK(ww_reading_decode(made.baseline.reading, WW_READING_LENGTH, &last));
  CHECK_EQUAL(last.timestamp, world.device.queue.state.reg.timestamp);
  ww_log_root(&world.device.queue.state.log, root);
  CHECK_BYTES(made.baseline.root, root, sizeof root);
}

static void check_member(struct ww_json object, const char *name, const uint8_t *expected, size_t length) {
  struct ww_json member;
  char text[WW_HEX_LENGTH(64) + 1];
  uint8_t bytes[64];
  if (!ww_json_member(object, name, &member) || !ww_json_copy(member, text, sizeof text) ||
      !ww_unhex(text, bytes, length)) {
    test_fail(__FILE__, __LINE__, name);
    return;
  }
  test_check_bytes(__FILE__, __LINE__, name, bytes, expected, length);
}

static void check_number(struct ww_json object, const char *name, uint64_t expected) {
  struct ww_json member;
  uint64_t number;
  if (!ww_json_member(object, name, &member) || !ww_json_u64(member, &number) || number != expected) {
    test_fail(__FILE__, __LINE__, name);
  }
}

TEST("is written as the oracle reads it, the largest too") {
  struct ww_registration made = {.capacity = UINT32_MAX, .source = UINT8_MAX};
  char text[WW_REGISTRATION_TEXT_LIMIT];
  struct ww_json registration, baseline;
  made.baseline.epoch = UINT32_MAX;
  made.baseline.size = UINT64_MAX;
  memset(made.public_key, 1, sizeof made.public_key);
  memset(made.owner, 2, sizeof made.owner);
  memset(made.details, 3, sizeof made.details);
  memset(made.baseline.reading, 4, sizeof made.baseline.reading);
  memset(made.baseline.root, 5, sizeof made.baseline.root);
  memset(made.claim, 6, sizeof made.claim);
  ww_registration_write(&made, text);
  CHECK(strlen(text) < sizeof text);
  CHECK(ww_json_parse(text, strlen(text), &registration));
  CHECK(ww_json_member(registration, "baseline", &baseline));
  check_member(registration, "publicKey", made.public_key, sizeof made.public_key);
  check_member(registration, "owner", made.owner, sizeof made.owner);
  check_number(registration, "capacity", UINT32_MAX);
  check_number(registration, "source", UINT8_MAX);
  check_member(registration, "details", made.details, sizeof made.details);
  check_number(baseline, "epoch", UINT32_MAX);
  check_number(baseline, "size", UINT64_MAX);
  check_member(baseline, "reading", made.baseline.reading, sizeof made.baseline.reading);
  check_member(baseline, "root", made.baseline.root, sizeof made.baseline.root);
  check_member(registration, "claim", made.claim, sizeof made.claim);
}
