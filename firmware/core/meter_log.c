#include "meter_log.h"

#include <string.h>

enum { LEAF = 0x00, NODE = 0x01 };

static void hash_leaf(const uint8_t reading[WW_READING_LENGTH], uint8_t out[WW_HASH_LENGTH]) {
  struct ww_sha256 hash;
  ww_sha256_begin(&hash);
  ww_sha256_add(&hash, &(uint8_t){LEAF}, 1);
  ww_sha256_add(&hash, reading, WW_READING_LENGTH);
  ww_sha256_end(&hash, out);
}

/** `out` may be one of the two. */
static void hash_node(const uint8_t left[WW_HASH_LENGTH], const uint8_t right[WW_HASH_LENGTH],
                      uint8_t out[WW_HASH_LENGTH]) {
  struct ww_sha256 hash;
  ww_sha256_begin(&hash);
  ww_sha256_add(&hash, &(uint8_t){NODE}, 1);
  ww_sha256_add(&hash, left, WW_HASH_LENGTH);
  ww_sha256_add(&hash, right, WW_HASH_LENGTH);
  ww_sha256_end(&hash, out);
}

unsigned ww_log_width(uint64_t size) {
  unsigned width = 0;
  for (; size != 0; size &= size - 1) {
    width++;
  }
  return width;
}

void ww_log_begin(struct ww_log *log) {
  log->size = 0;
}

enum ww_error ww_log_append(struct ww_log *log, const uint8_t reading[WW_READING_LENGTH]) {
  if (log->size + 1 >= UINT64_C(1) << WW_LOG_LEVELS) {
    return WW_SIZE_OUT_OF_RANGE;
  }
  uint8_t hash[WW_HASH_LENGTH];
  hash_leaf(reading, hash);
  unsigned width = ww_log_width(log->size);
  for (uint64_t rest = log->size; rest & 1; rest >>= 1) {
    width--;
    hash_node(log->frontier[width], hash, hash);
  }
  memcpy(log->frontier[width], hash, WW_HASH_LENGTH);
  log->size++;
  return WW_OK;
}

void ww_log_root(const struct ww_log *log, uint8_t root[WW_HASH_LENGTH]) {
  unsigned width = ww_log_width(log->size);
  if (width == 0) {
    ww_sha256(NULL, 0, root);
    return;
  }
  memcpy(root, log->frontier[width - 1], WW_HASH_LENGTH);
  for (unsigned i = width - 1; i > 0; i--) {
    hash_node(log->frontier[i - 1], root, root);
  }
}
