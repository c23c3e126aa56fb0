#include "upload.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bytes.h"
#include "hex.h"
#include "json.h"

/** s */
#define HOUR 3600u

enum ww_error ww_head_sign(const struct ww_place *place, const struct ww_head *head,
                           const struct ww_signer_port *signer, uint8_t signature[WW_SIGNATURE_LENGTH]) {
  uint8_t bytes[WW_HEAD_LENGTH];
  uint8_t digest[WW_HASH_LENGTH];
  WW_TRY(ww_head_encode(place, head, bytes));
  ww_sha256(bytes, sizeof bytes, digest);
  WW_TRY(signer->sign(signer->context, digest, signature));
  ww_signature_normalise(signature);
  return WW_OK;
}

/* PLANNING */

/** The size that a post from `from` should end at. */
static enum ww_error end_of_post(const struct ww_queue *queue, uint64_t from, uint32_t limit, uint64_t *size) {
  uint64_t all = queue->state.log.size;
  uint64_t end = all - from > limit ? from + limit : all;
  struct ww_cursor cursor;
  WW_TRY(ww_queue_seek(queue, from, &cursor));
  *size = end;
  while (cursor.index < end) {
    uint8_t reading[WW_READING_LENGTH];
    WW_TRY(ww_queue_next(queue, &cursor, reading));
    if (ww_load_u32(reading) % HOUR == 0) {
      *size = cursor.index;
    }
  }
  return WW_OK;
}

enum ww_error ww_post_plan(struct ww_post *post, const struct ww_queue *queue, const struct ww_place *place,
                           const struct ww_signer_port *signer, uint32_t limit) {
  const struct ww_state *state = &queue->state;
  uint64_t from = state->acknowledged > queue->first ? state->acknowledged : queue->first;
  struct ww_log log;
  struct ww_head head = {.epoch = state->epoch};
  WW_TRY(end_of_post(queue, from, limit, &head.size));
  WW_TRY(ww_queue_log_at(queue, head.size, &log, head.reading));
  ww_log_root(&log, head.root);
  WW_TRY(ww_head_sign(place, &head, signer, post->signature));
  memcpy(post->key_id, state->key_id, WW_HASH_LENGTH);
  post->epoch = state->epoch;
  post->from = from;
  post->size = head.size;
  post->pieces = 0;
  return ww_queue_seek(queue, from, &post->cursor);
}

/* THE BODY */

#define READINGS_BEGIN "\",\"readings\":["
#define READINGS_END "]}"

/** Everything before the first reading. */
static size_t opening(const struct ww_post *post, char out[WW_PIECE_LIMIT]) {
  char key_id[WW_HEX_LENGTH(WW_HASH_LENGTH) + 1];
  *ww_hex(key_id, post->key_id, WW_HASH_LENGTH) = '\0';
  int length =
      snprintf(out, WW_PIECE_LIMIT, "{\"keyId\":\"%s\",\"epoch\":%" PRIu32 ",\"size\":%" PRIu64 ",\"signature\":\"",
               key_id, post->epoch, post->size);
  char *end = ww_hex(out + length, post->signature, WW_SIGNATURE_LENGTH);
  memcpy(end, READINGS_BEGIN, sizeof READINGS_BEGIN - 1);
  return (size_t)(end - out) + sizeof READINGS_BEGIN - 1;
}

size_t ww_post_length(const struct ww_post *post) {
  char out[WW_PIECE_LIMIT];
  size_t quoted = 2 + WW_HEX_LENGTH(WW_READING_LENGTH);
  size_t count = (size_t)(post->size - post->from);
  return opening(post, out) + count * (quoted + 1) - 1 + sizeof READINGS_END - 1;
}

enum ww_error ww_post_piece(struct ww_post *post, const struct ww_queue *queue, char piece[WW_PIECE_LIMIT],
                            size_t *length) {
  uint64_t readings = post->size - post->from;
  char *end = piece;
  if (post->pieces == 0) {
    end += opening(post, piece);
  } else if (post->pieces <= readings) {
    uint8_t reading[WW_READING_LENGTH];
    WW_TRY(ww_queue_next(queue, &post->cursor, reading));
    *end++ = '"';
    end = ww_hex(end, reading, sizeof reading);
    *end++ = '"';
    if (post->pieces < readings) {
      *end++ = ',';
    }
  } else if (post->pieces == readings + 1) {
    memcpy(end, READINGS_END, sizeof READINGS_END - 1);
    end += sizeof READINGS_END - 1;
  }
  *length = (size_t)(end - piece);
  post->pieces++;
  return WW_OK;
}

/* THE ANSWER */

enum { OK = 200, CONFLICT = 409, GONE = 410, TOO_LARGE = 413, UNPROCESSABLE = 422 };

static bool size_in(const struct ww_answer *answer, uint64_t *size) {
  struct ww_json body, member;
  return ww_json_parse(answer->body, answer->length, &body) && ww_json_member(body, "size", &member) &&
         ww_json_u64(member, size);
}

/** An oracle refuses with {"rule":…} among its problem details (RFC 9457); a proxy with anything. */
static bool has_rule(const struct ww_answer *answer) {
  struct ww_json body, rule;
  return ww_json_parse(answer->body, answer->length, &body) && ww_json_member(body, "rule", &rule);
}

enum ww_outcome ww_answer_outcome(const struct ww_answer *answer, const struct ww_post *post,
                                  const struct ww_queue *queue, uint64_t *size) {
  switch (answer->status) {
    case OK: return size_in(answer, size) && *size >= post->size ? WW_STORED : WW_LATER;
    case CONFLICT:
      if (!size_in(answer, size)) {
        return WW_LATER;
      }
      return *size >= queue->first && *size <= queue->state.log.size ? WW_RESEND : WW_LOST;
    case UNPROCESSABLE: return has_rule(answer) ? WW_REFUSED : WW_LATER;
    case GONE: return has_rule(answer) ? WW_ENDED : WW_LATER;
    case TOO_LARGE: return WW_TOO_MUCH;
    default: return WW_LATER;
  }
}
