/** Posts, and what the oracle's answers mean. */
#include "upload.h"

#include <stdio.h>
#include <string.h>

#include "test.h"
#include "world.h"

static struct world world;
static struct ww_answer answer;
static uint64_t size;

/** A device that has so many readings which no oracle has, from an hour on. */
static void collect(uint32_t readings) {
  world_begin(&world);
  store_begin(&world.flash, SECTORS_LIMIT);
  world.oracle_is_away = true;
  world_boot(&world);
  world_pass(&world, readings * WORLD_INTERVAL);
}

static enum ww_error plan(struct ww_post *post, uint32_t limit) {
  return ww_post_plan(post, &world.device.queue, &world.settings.place, &world.ports.signer, limit);
}

static enum ww_outcome outcome(int status, const char *body) {
  static struct ww_post post;
  post.from = 10;
  post.size = 20;
  answer.status = status;
  answer.length = strlen(body);
  memcpy(answer.body, body, answer.length);
  return ww_answer_outcome(&answer, &post, &world.device.queue, &size);
}

TEST("takes no answer for an acknowledgement but the oracle's own words") {
  collect(30);
  CHECK_EQUAL(outcome(200, ""), WW_LATER);
  CHECK_EQUAL(outcome(200, "<html>log in to the hotel's network</html>"), WW_LATER);
  CHECK_EQUAL(outcome(200, "{}"), WW_LATER);
  CHECK_EQUAL(outcome(200, "{\"size\":\"20\"}"), WW_LATER);
  CHECK_EQUAL(outcome(200, "{\"size\":20"), WW_LATER);
  CHECK_EQUAL(outcome(200, "{\"size\":19}"), WW_LATER);
  CHECK_EQUAL(outcome(201, "{\"size\":20}"), WW_LATER);
  CHECK_EQUAL(outcome(302, "{\"size\":20}"), WW_LATER);
  CHECK_EQUAL(outcome(200, "{\"size\":20}"), WW_STORED);
}

TEST("takes no refusal for final but the oracle's own") {
  collect(30);
  CHECK_EQUAL(outcome(422, "<html>"), WW_LATER);
  CHECK_EQUAL(outcome(410, ""), WW_LATER);
  CHECK_EQUAL(outcome(409, "{\"rule\":\"key already used\"}"), WW_LATER);
  CHECK_EQUAL(outcome(404, "{\"rule\":\"unknown meter\"}"), WW_LATER);
  CHECK_EQUAL(outcome(425, "{\"rule\":\"time ahead\"}"), WW_LATER);
  CHECK_EQUAL(outcome(500, ""), WW_LATER);
  CHECK_EQUAL(outcome(422, "{\"rule\":\"bad signature\"}"), WW_REFUSED);
  CHECK_EQUAL(outcome(410, "{\"rule\":\"key ended\"}"), WW_ENDED);
  CHECK_EQUAL(outcome(413, ""), WW_TOO_MUCH);
}

TEST("goes on from the oracle's size as far as it has readings, and is lost beyond") {
  collect(30);
  CHECK_EQUAL(outcome(409, "{\"rule\":\"gap\",\"size\":7}"), WW_RESEND);
  CHECK_EQUAL(size, 7);
  CHECK_EQUAL(outcome(409, "{\"size\":30}"), WW_RESEND);
  CHECK_EQUAL(outcome(409, "{\"size\":31}"), WW_LOST);
  CHECK_EQUAL(outcome(409, "{\"size\":18446744073709551615}"), WW_LOST);
  world.device.queue.first = 8;
  CHECK_EQUAL(outcome(409, "{\"size\":7}"), WW_LOST);
}

TEST("has nothing to post where everything is acknowledged") {
  collect(3);
  struct ww_post post;
  CHECK_OK(ww_queue_acknowledge(&world.device.queue, 3));
  CHECK_EQUAL(plan(&post, 100), WW_SIZE_OUT_OF_RANGE);
}

TEST("hands on what the signer says") {
  collect(3);
  struct ww_post post;
  world.signer_is_silent = true;
  CHECK_EQUAL(plan(&post, 100), WW_CHIP_SILENT);
}

TEST("ends a post at the last full hour that it reaches, and at its end where it reaches none") {
  /* the first reading is at a full hour */
  collect(130);
  struct ww_post post;
  CHECK_OK(plan(&post, WW_POST_LIMIT));
  CHECK_EQUAL(post.from, 0);
  CHECK_EQUAL(post.size, 121);
  CHECK_OK(plan(&post, 100));
  CHECK_EQUAL(post.size, 61);
  CHECK_OK(plan(&post, 60));
  CHECK_EQUAL(post.size, 1);
  CHECK_OK(ww_queue_acknowledge(&world.device.queue, 121));
  CHECK_OK(plan(&post, WW_POST_LIMIT));
  CHECK_EQUAL(post.from, 121);
  CHECK_EQUAL(post.size, 130);
}

TEST("makes a body of the length that it tells, in pieces that fit") {
  collect(40);
  struct ww_post post;
  CHECK_OK(ww_queue_acknowledge(&world.device.queue, 5));
  CHECK_OK(plan(&post, WW_POST_LIMIT));
  size_t length = ww_post_length(&post);
  size_t total = 0;
  char piece[WW_PIECE_LIMIT];
  size_t part;
  do {
    CHECK_OK(ww_post_piece(&post, &world.device.queue, piece, &part));
    CHECK(part <= WW_PIECE_LIMIT);
    total += part;
  } while (part > 0);
  CHECK_EQUAL(total, length);
}

TEST("fits its first piece also where every number is at its greatest") {
  struct ww_post post = {.epoch = UINT32_MAX, .from = UINT64_MAX - 1, .size = UINT64_MAX};
  char piece[WW_PIECE_LIMIT];
  size_t length;
  CHECK_OK(ww_post_piece(&post, &world.device.queue, piece, &length));
  CHECK(length < WW_PIECE_LIMIT);
  CHECK(memcmp(piece + length - 2, ":[", 2) == 0);
}
