/**
 * Uploads: posts of at most 8,192 readings, each up to a head that the device signed, and what an oracle's answer to one
 * means. The body of a post is the JSON of the oracle's POST /readings, made piece by piece:
 *
 *   {"keyId":"0x…","epoch":1,"size":8640,"signature":"0x…","readings":["0x…",…]}
 */
#ifndef WW_UPLOAD_H
#define WW_UPLOAD_H

#include <stddef.h>
#include <stdint.h>

#include "ports.h"
#include "queue.h"
#include "statement.h"

/** Readings of one post at most: a segment must fit a batch. */
#define WW_POST_LIMIT 8192u

/** Bytes of one piece of a body at most. */
#define WW_PIECE_LIMIT 288u

struct ww_post {
  uint8_t key_id[WW_HASH_LENGTH];
  uint32_t epoch;
  uint64_t from; /* index of its first reading */
  uint64_t size; /* of the log after it */
  uint8_t signature[WW_SIGNATURE_LENGTH];
  struct ww_cursor cursor;
  uint64_t pieces; /* made so far */
};

/** Signs a head: SHA-256, the signer, low s. */
WW_RESULT ww_head_sign(const struct ww_place *place, const struct ww_head *head, const struct ww_signer_port *signer,
                       uint8_t signature[WW_SIGNATURE_LENGTH]);

/**
 * Plans the post of what is not acknowledged, and signs its head. It has at most `limit` readings and, of these, ends
 * with the last one at a full hour, where settlements end; with the last one of all where there is none. Refuses
 * WW_SIZE_OUT_OF_RANGE where everything is acknowledged.
 */
WW_RESULT ww_post_plan(struct ww_post *post, const struct ww_queue *queue, const struct ww_place *place,
                       const struct ww_signer_port *signer, uint32_t limit);

/** Bytes of the whole body. */
size_t ww_post_length(const struct ww_post *post);

/** The next piece of the body; of length 0 after the last. */
WW_RESULT ww_post_piece(struct ww_post *post, const struct ww_queue *queue, char piece[WW_PIECE_LIMIT], size_t *length);

enum ww_outcome {
  WW_STORED,   /* the oracle has the post */
  WW_RESEND,   /* it lacks readings that are still here: go on from `size` */
  WW_LATER,    /* the same again, later */
  WW_TOO_MUCH, /* a smaller post */
  WW_ENDED,    /* it takes nothing of this key any more */
  WW_LOST,     /* it lacks readings that are gone here, or has more than this log: a new epoch */
  WW_REFUSED,  /* for good: a new epoch */
};

/**
 * What an answer to `post` means for this queue. Only an answer that says so in the oracle's own words counts: a login
 * page with status 200 acknowledges nothing. `size` is that of the oracle where it has one to tell.
 */
enum ww_outcome ww_answer_outcome(const struct ww_answer *answer, const struct ww_post *post,
                                  const struct ww_queue *queue, uint64_t *size);

#endif
