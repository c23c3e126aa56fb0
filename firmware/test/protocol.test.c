/** The firmware against the vectors that all implementations are held to (protocol/vectors.json). */
#include <string.h>

#include "meter_log.h"
#include "test.h"
#include "vectors.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static void check_name(const char *name, bool holds) {
  if (!holds) {
    test_fail(__FILE__, __LINE__, name);
  }
}

TEST("refuses readings of the wrong length and with reserved bits, each as the vectors say") {
  size_t refused = 0;
  for (size_t i = 0; i < COUNT(READINGS); i++) {
    struct ww_reading reading;
    check_name(READINGS[i].name,
               ww_reading_decode(READINGS[i].bytes, READINGS[i].length, &reading) == READINGS[i].error);
    refused += READINGS[i].error != WW_OK;
  }
  CHECK(refused > 0 && refused < COUNT(READINGS));
}

TEST("decodes and encodes every reading of the vectors") {
  for (size_t i = 0; i < COUNT(READINGS); i++) {
    if (READINGS[i].error != WW_OK) {
      continue;
    }
    struct ww_reading reading;
    uint8_t bytes[WW_READING_LENGTH];
    const struct ww_reading *expected = &READINGS[i].reading;
    CHECK_OK(ww_reading_decode(READINGS[i].bytes, READINGS[i].length, &reading));
    check_name(READINGS[i].name, reading.timestamp == expected->timestamp && reading.energy == expected->energy &&
                                     reading.power == expected->power && reading.voltage == expected->voltage &&
                                     reading.current == expected->current &&
                                     reading.temperature == expected->temperature &&
                                     reading.source == expected->source && reading.conditions == expected->conditions);
    ww_reading_encode(expected, bytes);
    CHECK_BYTES(bytes, READINGS[i].bytes, sizeof bytes);
  }
}

TEST("refuses to grow a log to 2^40 readings") {
  struct ww_log log = {.size = (UINT64_C(1) << 40) - 1};
  CHECK_EQUAL(ww_log_append(&log, LEAVES[0]), WW_SIZE_OUT_OF_RANGE);
  CHECK_EQUAL(log.size, (UINT64_C(1) << 40) - 1);
}

TEST("has root and frontier of every size in the vectors") {
  static struct ww_log log;
  uint8_t root[WW_HASH_LENGTH];
  ww_log_begin(&log);
  for (size_t i = 0; i < COUNT(LOGS); i++) {
    while (log.size < LOGS[i].size) {
      CHECK_OK(ww_log_append(&log, LEAVES[log.size]));
    }
    CHECK_EQUAL(ww_log_width(log.size), LOGS[i].width);
    CHECK_BYTES(log.frontier, LOGS[i].frontier, LOGS[i].width * (size_t)WW_HASH_LENGTH);
    ww_log_root(&log, root);
    CHECK_BYTES(root, LOGS[i].root, sizeof root);
  }
  CHECK(COUNT(LOGS) > 300 && log.size > 2000);
}

TEST("names keys and domains as everybody does") {
  uint8_t hash[WW_HASH_LENGTH];
  for (size_t i = 0; i < COUNT(KEYS); i++) {
    ww_key_id(KEYS[i].public_key, hash);
    CHECK_BYTES(hash, KEYS[i].key_id, sizeof hash);
  }
  ww_domain("head", &PLACE, hash);
  CHECK_BYTES(hash, HEAD_DOMAIN, sizeof hash);
  ww_domain("claim", &PLACE, hash);
  CHECK_BYTES(hash, CLAIM_DOMAIN, sizeof hash);
  ww_domain("rotate", &PLACE, hash);
  CHECK_BYTES(hash, ROTATE_DOMAIN, sizeof hash);
}

TEST("refuses to make a head of size 0, or of 2^40") {
  uint8_t bytes[WW_HEAD_LENGTH];
  struct ww_head head = HEADS[0].head;
  head.size = 0;
  CHECK_EQUAL(ww_head_encode(&PLACE, &head, bytes), WW_SIZE_OUT_OF_RANGE);
  head.size = UINT64_C(1) << 40;
  CHECK_EQUAL(ww_head_encode(&PLACE, &head, bytes), WW_SIZE_OUT_OF_RANGE);
}

TEST("makes the heads of the vectors") {
  for (size_t i = 0; i < COUNT(HEADS); i++) {
    uint8_t bytes[WW_HEAD_LENGTH];
    uint8_t hash[WW_HASH_LENGTH];
    CHECK_OK(ww_head_encode(&PLACE, &HEADS[i].head, bytes));
    CHECK_BYTES(bytes, HEADS[i].bytes, sizeof bytes);
    ww_sha256(bytes, sizeof bytes, hash);
    CHECK_BYTES(hash, HEADS[i].hash, sizeof hash);
  }
  CHECK(COUNT(HEADS) > 0);
}

TEST("makes the claims and rotations of the vectors") {
  for (size_t i = 0; i < COUNT(CLAIMS); i++) {
    uint8_t bytes[WW_CLAIM_LENGTH];
    ww_claim_encode(&PLACE, CLAIMS[i].meter, CLAIMS[i].key_id, CLAIMS[i].owner, CLAIMS[i].head_hash, bytes);
    CHECK_BYTES(bytes, CLAIMS[i].bytes, sizeof bytes);
  }
  for (size_t i = 0; i < COUNT(ROTATIONS); i++) {
    uint8_t bytes[WW_ROTATION_LENGTH];
    ww_rotation_encode(&PLACE, ROTATIONS[i].meter, ROTATIONS[i].new_key_id, bytes);
    CHECK_BYTES(bytes, ROTATIONS[i].bytes, sizeof bytes);
  }
  CHECK(COUNT(CLAIMS) > 0 && COUNT(ROTATIONS) > 0);
}

TEST("turns a high s into the low one, and leaves a low one alone") {
  for (size_t i = 0; i < COUNT(HEADS); i++) {
    uint8_t signature[WW_SIGNATURE_LENGTH];
    memcpy(signature, HEADS[i].high_s, sizeof signature);
    ww_signature_normalise(signature);
    CHECK_BYTES(signature, HEADS[i].signature, sizeof signature);
    ww_signature_normalise(signature);
    CHECK_BYTES(signature, HEADS[i].signature, sizeof signature);
  }
}
