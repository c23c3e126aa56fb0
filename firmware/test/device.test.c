/** The device's state machine, with everything around it in memory. */
#include "device.h"

#include <string.h>

#include "bytes.h"
#include "test.h"
#include "world.h"

enum { MINUTE = 60, HOUR = 3600, DAY = 86400 };

static struct world world;
static const struct ww_state *const state = &world.device.queue.state;

static void begin(void) {
  world_begin(&world);
  world_boot(&world);
}

static void begin_with(uint32_t sectors) {
  world_begin(&world);
  store_begin(&world.flash, sectors);
  world_boot(&world);
}

/** Runs until the log has so many readings more; false = it does not within `seconds`. */
static bool take(uint64_t readings, uint32_t seconds) {
  uint64_t size = state->log.size + readings;
  while (state->log.size < size && seconds-- > 0) {
    world_pass(&world, 1);
  }
  return state->log.size >= size;
}

static struct ww_reading newest(void) {
  struct ww_reading reading = {0};
  struct ww_cursor cursor;
  uint8_t bytes[WW_READING_LENGTH];
  if (ww_queue_seek(&world.device.queue, state->log.size - 1, &cursor) != WW_OK ||
      ww_queue_next(&world.device.queue, &cursor, bytes) != WW_OK ||
      ww_reading_decode(bytes, sizeof bytes, &reading) != WW_OK) {
    test_fail(__FILE__, __LINE__, "there is no newest reading");
  }
  return reading;
}

/** mWh that the meter counted from the first time it was asked to the last, where it was not reset. */
static uint64_t counted(void) {
  return world.last_total - world.first_total;
}

/* WHEN NO READING IS TAKEN */

TEST("does not start while the signer is silent, and starts once it answers") {
  world_begin(&world);
  world.signer_is_silent = true;
  world_boot(&world);
  CHECK_EQUAL(world.started, WW_CHIP_SILENT);
  world.signer_is_silent = false;
  world_boot(&world);
  CHECK_OK(world.started);
}

TEST("takes no reading before the clock was set right, in every boot") {
  begin();
  world.synchronised = 0;
  world_pass(&world, 5 * MINUTE);
  CHECK_EQUAL(world.measured, 0);
  world.clock_is_known = false;
  world_pass(&world, 5 * MINUTE);
  CHECK_EQUAL(world.measured, 0);
  world_synchronise(&world);
  CHECK(take(1, 2 * MINUTE));
}

TEST("takes no reading beside the clock's moments: a missed one is a gap") {
  begin();
  CHECK(take(1, MINUTE));
  CHECK_EQUAL(newest().timestamp % MINUTE, 0);
  world_shine(&world, 2 * MINUTE + 3);
  world_pass(&world, 50);
  CHECK_EQUAL(state->log.size, 1);
  world_pass(&world, 10);
  CHECK_EQUAL(state->log.size, 2);
  CHECK_EQUAL(newest().timestamp % MINUTE, 0);
}

TEST("takes no reading that took the meter longer than its moment lasts") {
  begin();
  world.slow = 3;
  world_pass(&world, 3 * MINUTE);
  CHECK_EQUAL(state->log.size, 0);
  CHECK_EQUAL(world.counter, 0);
  CHECK(world.device.tally.missed > 0);
}

TEST("asks a silent meter twice, and leaves a gap") {
  begin();
  CHECK(take(1, MINUTE));
  world.meter_is_silent = true;
  unsigned measured = world.measured;
  world_pass(&world, MINUTE);
  CHECK_EQUAL(world.measured, measured + 2);
  CHECK_EQUAL(world.device.error, WW_METER_SILENT);
  CHECK_EQUAL(state->log.size, 1);
  world.meter_is_silent = false;
  CHECK(take(1, MINUTE));
  /* nothing was lost meanwhile */
  CHECK_EQUAL(newest().energy, 2 * MINUTE * 1000);
}

TEST("begins no log with a measurement that the meter calls invalid") {
  begin();
  world.shown.valid = false;
  world_pass(&world, 3 * MINUTE);
  CHECK_EQUAL(world.counter, 0);
  world.shown.valid = true;
  CHECK(take(1, MINUTE));
  CHECK_EQUAL(state->epoch, 1);
}

TEST("takes no reading while the clock is a little behind the last one, and goes on in the same log") {
  begin();
  CHECK(take(3, 5 * MINUTE));
  world.clock_off = -4 * MINUTE;
  world_pass(&world, 3 * MINUTE);
  CHECK_EQUAL(state->log.size, 3);
  world_pass(&world, 3 * MINUTE);
  CHECK(state->log.size > 3);
  CHECK_EQUAL(state->epoch, 1);
}

TEST("takes no reading when the queue is full, loses none, and counts on") {
  begin_with(4);
  world.oracle_is_away = true;
  world_pass(&world, 2 * DAY);
  uint64_t size = state->log.size;
  CHECK(size > 80);
  world_pass(&world, DAY);
  CHECK_EQUAL(state->log.size, size);
  world.oracle_is_away = false;
  world_pass(&world, HOUR);
  CHECK_EQUAL(world.epoch, 1);
  CHECK(world.log.size > size);
  CHECK_EQUAL(world.energy, state->reg.energy);
  CHECK_EQUAL(state->reg.energy, counted());
}

TEST("counts what it took and what it missed") {
  begin();
  CHECK(take(5, 6 * MINUTE));
  CHECK_EQUAL(world.device.tally.taken, 5);
  CHECK_EQUAL(world.device.tally.missed, 0);
  world.meter_is_silent = true;
  world_pass(&world, 2 * MINUTE);
  world.meter_is_silent = false;
  CHECK(take(1, 2 * MINUTE));
  CHECK_EQUAL(world.device.tally.taken, 6);
  CHECK_EQUAL(world.device.tally.missed, 2);
}

/* WHAT A READING SAYS */

TEST("says in a reading what the meter showed, and what it counted") {
  begin();
  CHECK(take(2, 3 * MINUTE));
  struct ww_reading reading = newest();
  CHECK_EQUAL(reading.power, 3600000);
  CHECK_EQUAL(reading.energy, MINUTE * 1000);
  CHECK_EQUAL(reading.voltage, 230000);
  CHECK_EQUAL(reading.current, WW_NOT_MEASURED_U32);
  CHECK_EQUAL(reading.temperature, WW_NOT_MEASURED_I16);
  CHECK_EQUAL(reading.source, 0x10);
  CHECK_EQUAL(reading.conditions, 0);
}

TEST("says that the clock drifts after a day without being set right") {
  begin_with(SECTORS_LIMIT);
  CHECK(take(1, MINUTE));
  world_shine(&world, DAY - MINUTE);
  CHECK(take(1, 2 * MINUTE));
  CHECK_EQUAL(newest().conditions, 0);
  world_shine(&world, MINUTE);
  CHECK(take(1, 2 * MINUTE));
  CHECK_EQUAL(newest().conditions, WW_DRIFTING);
  world_synchronise(&world);
  CHECK(take(1, 2 * MINUTE));
  CHECK_EQUAL(newest().conditions, 0);
}

TEST("says that it was opened, in every reading until the epoch ends, also after a reboot") {
  begin();
  CHECK(take(1, MINUTE));
  ww_device_tamper(&world.device);
  CHECK(take(1, MINUTE));
  CHECK_EQUAL(newest().conditions, WW_TAMPER);
  world_boot(&world);
  CHECK(take(1, 2 * MINUTE));
  CHECK_EQUAL(newest().conditions, WW_TAMPER);
  CHECK_EQUAL(world.conditions, WW_TAMPER);
}

TEST("says that another meter counts, and goes on from what it shows") {
  begin();
  CHECK(take(2, 3 * MINUTE));
  uint64_t energy = state->reg.energy;
  world.shown.meter[5] ^= 1;
  world.shown.total = 77;
  CHECK(take(1, MINUTE));
  CHECK_EQUAL(newest().conditions, WW_DISCONTINUOUS);
  CHECK_EQUAL(newest().energy, energy);
  world_boot(&world);
  CHECK(take(1, 2 * MINUTE));
  CHECK_EQUAL(newest().conditions, 0);
  CHECK_EQUAL(newest().energy, energy + MINUTE * 1000);
}

/* EPOCHS */

TEST("counts no epoch before clock and meter are good") {
  begin();
  world.synchronised = 0;
  world_pass(&world, MINUTE);
  world_synchronise(&world);
  world.meter_is_silent = true;
  world_pass(&world, 2 * MINUTE);
  CHECK_EQUAL(world.counter, 0);
}

TEST("counts no epoch while the store can make no room for its log") {
  begin();
  world.flash.cannot_erase = true;
  world_pass(&world, 3 * MINUTE);
  CHECK_EQUAL(world.counter, 0);
  world.flash.cannot_erase = false;
  CHECK(take(1, MINUTE));
  CHECK_EQUAL(world.counter, 1);
}

TEST("counts one epoch for one log, also where the store fails in the middle of beginning it") {
  begin();
  world.flash.failing = 3;
  world_pass(&world, 5 * MINUTE);
  CHECK_EQUAL(world.counter, 1);
  CHECK_EQUAL(state->epoch, 1);
  CHECK(state->log.size > 0);
}

TEST("resumes its log and its register after a reboot") {
  begin();
  CHECK(take(10, 11 * MINUTE));
  world_boot(&world);
  CHECK_EQUAL(world.device.cause, WW_RESUMED);
  world_shine(&world, HOUR);
  CHECK(take(1, 2 * MINUTE));
  CHECK_EQUAL(state->log.size, 11);
  CHECK_EQUAL(world.counter, 1);
  CHECK_EQUAL(newest().energy, counted());
  world_pass(&world, 5);
  CHECK_EQUAL(world.log.size, 11);
}

TEST("resumes what its register ran ahead of the capacity") {
  begin();
  CHECK(take(2, 3 * MINUTE));
  world.shown.total += 500000;
  CHECK(take(1, MINUTE));
  struct ww_register reg = state->reg;
  CHECK(reg.bucket > 0);
  world_boot(&world);
  CHECK_EQUAL(state->reg.bucket, reg.bucket);
  CHECK_EQUAL(state->reg.energy, reg.energy);
  CHECK_EQUAL(state->reg.total, reg.total);
  CHECK_EQUAL(state->reg.timestamp, reg.timestamp);
}

TEST("begins another epoch where the signer's counter is ahead of the store's") {
  begin();
  CHECK(take(3, 4 * MINUTE));
  world.counter++;
  world_boot(&world);
  CHECK_EQUAL(world.device.cause, WW_OTHER_EPOCH);
  world_pass(&world, 2 * MINUTE);
  CHECK_EQUAL(state->epoch, 3);
  CHECK(world.refusal == NULL);
  CHECK_EQUAL(world.epoch, 3);
}

TEST("begins another epoch for another key, with the register going on") {
  begin();
  CHECK(take(3, 4 * MINUTE));
  memset(world.key, 8, sizeof world.key);
  world_boot(&world);
  CHECK_EQUAL(world.device.cause, WW_OTHER_KEY);
  world_pass(&world, 2 * MINUTE);
  CHECK_EQUAL(state->epoch, 2);
  CHECK(state->reg.energy >= 3 * MINUTE * 1000);
}

TEST("begins another epoch where the store lost a reading, with the register going on") {
  begin();
  CHECK(take(20, 21 * MINUTE));
  uint32_t last = world.device.queue.sector * SECTOR_SIZE + world.device.queue.used - 48;
  world.flash.bytes[last] ^= 1;
  /* longer than a full bucket lasts */
  world_shine(&world, HOUR);
  world_boot(&world);
  CHECK_EQUAL(world.device.cause, WW_CORRUPT);
  world_pass(&world, 2 * MINUTE);
  CHECK_EQUAL(state->epoch, 2);
  CHECK_EQUAL(world.device.begun_for, WW_CORRUPT);
  CHECK_EQUAL(state->reg.energy, counted());
  CHECK(world.refusal == NULL);
}

TEST("begins another epoch where the store was emptied, from nothing") {
  begin();
  CHECK(take(3, 4 * MINUTE));
  store_begin(&world.flash, 5);
  world_boot(&world);
  CHECK_EQUAL(world.device.cause, WW_FIRST);
  world_pass(&world, 2 * MINUTE);
  CHECK_EQUAL(state->epoch, 2);
  CHECK(state->reg.energy < 3 * MINUTE * 1000);
}

TEST("begins another epoch when a person asks for it, clear of the opening in the one before") {
  begin();
  CHECK(take(2, 3 * MINUTE));
  ww_device_tamper(&world.device);
  CHECK(take(1, MINUTE));
  CHECK_EQUAL(newest().conditions, WW_TAMPER);
  ww_device_begin_log(&world.device);
  world_pass(&world, MINUTE);
  CHECK_EQUAL(state->epoch, 2);
  CHECK_EQUAL(newest().conditions, 0);
  CHECK_EQUAL(state->reg.energy, counted());
  CHECK_EQUAL(world.device.begun_for, WW_ASKED_FOR);
}

TEST("takes no answer to a post of one log for one to the next") {
  begin();
  CHECK(take(2, 3 * MINUTE));
  world.oracle_is_slow = true;
  CHECK(take(1, 2 * MINUTE));
  world_pass(&world, 3);
  ww_device_begin_log(&world.device);
  world_pass(&world, 2 * MINUTE);
  CHECK_EQUAL(state->epoch, 2);
  CHECK_EQUAL(world.device.post.epoch, 2);
  CHECK_EQUAL(state->acknowledged, 0);
}

TEST("begins at most one epoch a day for an oracle that refuses everything, also over reboots") {
  begin_with(SECTORS_LIMIT);
  CHECK(take(2, 3 * MINUTE));
  world.says = 422;
  world.says_body = "{\"rule\":\"bad signature\"}";
  for (int i = 0; i < 20; i++) {
    world_pass(&world, HOUR);
    world_boot(&world);
  }
  CHECK_EQUAL(world.counter, 2);
  world_pass(&world, 5 * HOUR);
  CHECK_EQUAL(world.counter, 3);
  CHECK(world.posts < 25 * 30);
}

TEST("begins the epoch that was counted also where the store failed in between, and pauses from then on") {
  begin();
  CHECK(take(2, 3 * MINUTE));
  world.says = 422;
  world.says_body = "{\"rule\":\"bad signature\"}";
  world_pass(&world, MINUTE);
  CHECK_EQUAL(world.device.cause, WW_ORACLE_REFUSED);
  world.says = 0;
  world.flash.failing = 4;
  world_pass(&world, 4 * MINUTE);
  CHECK_EQUAL(world.counter, 2);
  CHECK_EQUAL(state->epoch, 2);
  CHECK(state->log.size > 0);
  CHECK(state->paused_from > 0);
}

TEST("begins another epoch where the oracle lacks readings that are gone") {
  begin();
  CHECK(take(300, 310 * MINUTE));
  CHECK(world.device.queue.first > 0);
  ww_log_begin(&world.log);
  world_pass(&world, 3 * MINUTE);
  CHECK_EQUAL(world.epoch, 2);
  CHECK(world.log.size > 0);
  CHECK_EQUAL(world.counter, 2);
}

TEST("begins another epoch where the oracle has more readings than there are") {
  begin();
  CHECK(take(5, 6 * MINUTE));
  world.says = 409;
  world.says_body = "{\"rule\":\"gap\",\"size\":1000}";
  world_pass(&world, MINUTE);
  world.says = 0;
  world_pass(&world, 2 * MINUTE);
  CHECK_EQUAL(world.epoch, 2);
}

TEST("begins no epoch for a clock that is far behind for an hour") {
  begin();
  CHECK(take(5, 6 * MINUTE));
  world.clock_off = -2 * DAY;
  world_pass(&world, HOUR);
  CHECK_EQUAL(state->log.size, 5);
  world_synchronise(&world);
  world_pass(&world, 2 * MINUTE);
  CHECK(state->log.size > 5);
  CHECK_EQUAL(world.counter, 1);
  CHECK_EQUAL(state->reg.energy, counted());
}

TEST(
    "begins another epoch two hours after a clock that was far ahead is right, and counts what was produced "
    "meanwhile") {
  begin();
  CHECK(take(5, 6 * MINUTE));
  world.clock_off = 3 * HOUR;
  world_pass(&world, 10 * MINUTE);
  CHECK(state->reg.timestamp > world.now + 2 * HOUR);
  CHECK(world.log.size <= 6);
  world_synchronise(&world);
  uint64_t size = state->log.size;
  world_pass(&world, 2 * HOUR - MINUTE);
  CHECK_EQUAL(state->log.size, size);
  world_pass(&world, 20 * MINUTE);
  CHECK_EQUAL(world.epoch, 2);
  CHECK(world.refusal == NULL);
  CHECK_EQUAL(state->reg.energy, counted());
}

TEST("begins at most one epoch a day for a clock that goes back and forth") {
  begin_with(SECTORS_LIMIT);
  CHECK(take(2, 3 * MINUTE));
  for (int i = 0; i < 6; i++) {
    world.clock_off = 12 * HOUR;
    world_pass(&world, 10 * MINUTE);
    world_synchronise(&world);
    world_pass(&world, 3 * HOUR);
  }
  CHECK_EQUAL(world.counter, 2);
}

TEST("counts what was produced after a clock that was far ahead, also over a reboot") {
  begin();
  CHECK(take(5, 6 * MINUTE));
  world.clock_off = 3 * HOUR;
  world_pass(&world, 10 * MINUTE);
  world_boot(&world);
  world_synchronise(&world);
  world_pass(&world, 2 * HOUR + 20 * MINUTE);
  CHECK_EQUAL(world.epoch, 2);
  CHECK_EQUAL(state->reg.energy, counted());
}

TEST("counts no jump beyond the time that has passed since the last reading, also where the clock was ahead") {
  begin_with(SECTORS_LIMIT);
  CHECK(take(5, 6 * MINUTE));
  world_pass(&world, 10 * HOUR);
  world.clock_off = 12 * HOUR;
  world_pass(&world, 10 * MINUTE);
  world_synchronise(&world);
  uint64_t energy = state->reg.energy;
  /* as much as the capacity makes in four hours */
  world.shown.total += 4 * HOUR / 36 * (uint64_t)WORLD_CAPACITY * 10;
  world_pass(&world, 2 * HOUR + 5 * MINUTE);
  CHECK_EQUAL(state->epoch, 2);
  CHECK(state->reg.energy - energy < HOUR * 1000);
}

/* UPLOADS */

TEST("posts nothing before a log has begun, nor of one that is to end") {
  begin();
  CHECK(!ww_device_has_log(&world.device));
  CHECK(take(2, 3 * MINUTE));
  CHECK(ww_device_has_log(&world.device));
  world.oracle_is_away = true;
  CHECK(take(1, 2 * MINUTE));
  world.oracle_is_away = false;
  ww_device_begin_log(&world.device);
  unsigned posts = world.posts;
  world_pass(&world, MINUTE - 5);
  CHECK_EQUAL(world.posts, posts);
  CHECK(!ww_device_has_log(&world.device));
}

TEST("signs less and less often while a signature fails") {
  begin();
  CHECK(take(2, 3 * MINUTE));
  world.signer_is_silent = true;
  unsigned signatures = world.signatures;
  world_pass(&world, 10 * MINUTE);
  CHECK(world.signatures - signatures > 2 && world.signatures - signatures < 20);
  CHECK_EQUAL(world.device.error, WW_CHIP_SILENT);
}

TEST("begins a body anew after the connection broke in the middle of it") {
  begin();
  CHECK(take(2, 3 * MINUTE));
  world.breaks_at = 150;
  CHECK(take(3, 4 * MINUTE));
  world_pass(&world, 5);
  CHECK_EQUAL(world.log.size, 2);
  world.breaks_at = 0;
  world_pass(&world, 5 * MINUTE);
  CHECK(world.log.size >= 5);
  CHECK(world.refusal == NULL);
}

TEST("catches up without waiting for the next time to upload, and pauses briefly again after the next failure") {
  world_begin(&world);
  store_begin(&world.flash, SECTORS_LIMIT);
  world.settings.upload_every = 1800;
  world_boot(&world);
  world.oracle_is_away = true;
  world_pass(&world, 3 * HOUR + 20 * MINUTE);
  CHECK(world.device.next_post <= world.uptime + 900000);
  world.oracle_is_away = false;
  unsigned posts = world.posts;
  while (world.posts == posts) {
    world_pass(&world, 1);
  }
  world_pass(&world, 5);
  CHECK_EQUAL(world.log.size, state->log.size);
  CHECK_EQUAL(world.device.status, 200);
  CHECK(world.device.next_post > world.uptime + 1700000);
  world.oracle_is_away = true;
  world_pass(&world, 1900);
  CHECK(world.device.next_post <= world.uptime + 160000);
}

TEST("asks an oracle that takes nothing of this key any more four times an hour") {
  begin_with(SECTORS_LIMIT);
  CHECK(take(2, 3 * MINUTE));
  world.says = 410;
  world.says_body = "{\"rule\":\"key ended\"}";
  world_pass(&world, MINUTE);
  unsigned posts = world.posts;
  world_pass(&world, 2 * HOUR);
  CHECK(world.posts - posts >= 7 && world.posts - posts <= 8);
  CHECK_EQUAL(world.counter, 1);
}

TEST("comes back to a lost oracle at other moments than a device with another key") {
  static struct world other;
  begin();
  CHECK(take(1, MINUTE));
  world.oracle_is_away = true;
  world_copy(&other, &world);
  memset(other.key, 9, sizeof other.key);
  world_boot(&world);
  world_boot(&other);
  world_pass(&world, HOUR);
  world_pass(&other, HOUR);
  CHECK(world.device.next_post != other.device.next_post);
  /* and not at the same distance every time */
  CHECK(world.device.next_post % 1000 != 0 && other.device.next_post % 1000 != 0);
}

TEST("remembers why it could not take the last reading, until it takes one") {
  begin();
  CHECK(take(1, MINUTE));
  world.meter_is_silent = true;
  world_pass(&world, 2 * MINUTE);
  CHECK_EQUAL(world.device.untaken, WW_METER_SILENT);
  world.oracle_is_away = true;
  world_pass(&world, MINUTE);
  CHECK_EQUAL(world.device.untaken, WW_METER_SILENT);
  world.meter_is_silent = false;
  world_pass(&world, MINUTE);
  CHECK_EQUAL(world.device.untaken, WW_OK);
}

TEST("goes on with a single reading for a server that takes not even that") {
  begin();
  CHECK(take(3, 4 * MINUTE));
  world.says = 413;
  world.says_body = "";
  CHECK(take(2, 3 * MINUTE));
  world_pass(&world, 20 * MINUTE);
  world.says = 0;
  world_pass(&world, 30 * MINUTE);
  CHECK_EQUAL(world.log.size, state->log.size);
}

TEST("posts what the oracle has not got, and resends from where it says") {
  begin();
  CHECK(take(40, 41 * MINUTE));
  CHECK_EQUAL(world.log.size, 40);
  /* the oracle came back from an old backup */
  struct ww_log old;
  ww_log_begin(&old);
  world.log = old;
  world.energy = 0;
  world.timestamp = 0;
  CHECK(take(1, MINUTE));
  world_pass(&world, 5);
  CHECK_EQUAL(world.log.size, 41);
  CHECK_EQUAL(world.epoch, 1);
}

TEST("begins a post anew after the connection broke") {
  begin();
  CHECK(take(2, 3 * MINUTE));
  world.oracle_is_slow = true;
  CHECK(take(1, 2 * MINUTE));
  world_pass(&world, 3);
  world.oracle_is_away = true;
  world_pass(&world, 3);
  CHECK_EQUAL(world.device.error, WW_UPLINK_FAILED);
  world.oracle_is_away = false;
  world.oracle_is_slow = false;
  world_pass(&world, 20);
  CHECK_EQUAL(world.log.size, 3);
}

TEST("leaves an oracle alone that keeps asking for the same") {
  begin();
  CHECK(take(3, 4 * MINUTE));
  world.says = 409;
  world.says_body = "{\"rule\":\"gap\",\"size\":0}";
  unsigned posts = world.posts;
  world_pass(&world, 10 * MINUTE);
  CHECK(world.posts - posts < 20);
  CHECK(world.posts - posts > 3);
}

TEST("asks less and less often while the oracle is away, and catches up with the hour's heads") {
  begin_with(SECTORS_LIMIT);
  CHECK(take(1, MINUTE));
  world.oracle_is_away = true;
  unsigned signatures = world.signatures;
  world_pass(&world, 5 * HOUR);
  unsigned tried = world.signatures - signatures;
  CHECK(tried > 15 && tried < 60);
  world.oracle_is_away = false;
  world_pass(&world, 20 * MINUTE);
  CHECK_EQUAL(world.log.size, state->log.size);
  CHECK(world.most_readings > 250);
  CHECK_EQUAL(world.most_readings % 60, 0);
}

TEST("halves its posts for a server that takes no large ones") {
  begin_with(SECTORS_LIMIT);
  CHECK(take(1, MINUTE));
  world_pass(&world, 5);
  world.oracle_is_away = true;
  CHECK(take(49, 50 * MINUTE));
  world.oracle_is_away = false;
  world.says = 413;
  world.says_body = "<html>";
  unsigned posts = world.posts;
  while (world.posts < posts + 3) {
    world_pass(&world, 1);
  }
  world.says = 0;
  world_pass(&world, 20 * MINUTE);
  CHECK(world.most_readings > 0 && world.most_readings <= 12);
  CHECK_EQUAL(world.log.size, state->log.size);
}

TEST("doubles its posts again once it has caught up, and not while it catches up") {
  begin_with(SECTORS_LIMIT);
  world.oracle_is_away = true;
  CHECK(take(100, 101 * MINUTE));
  world.oracle_is_away = false;
  world.device.post_limit = 6;
  world_pass(&world, 20 * MINUTE);
  CHECK_EQUAL(world.log.size, state->log.size);
  CHECK(world.device.post_limit > 6);
  CHECK(world.most_readings <= 6);
  world_pass(&world, 20 * MINUTE);
  CHECK_EQUAL(world.device.post_limit, WW_POST_LIMIT);
  world.oracle_is_away = true;
  CHECK(take(50, 51 * MINUTE));
  world.oracle_is_away = false;
  world_pass(&world, 20 * MINUTE);
  CHECK(world.most_readings > 40);
}

TEST("signs a few heads an hour where it uploads four times an hour, and the oracle lacks nothing") {
  begin_with(SECTORS_LIMIT);
  world.settings.upload_every = 900;
  world_pass(&world, 2 * HOUR);
  unsigned before = world.signatures;
  world_pass(&world, 24 * HOUR);
  CHECK(world.signatures - before <= 24 * 5 + 1);
  CHECK(state->log.size - world.log.size <= 15);
}

TEST("stretches its interval as the queue fills, and goes back") {
  world_begin(&world);
  store_begin(&world.flash, 8);
  world.settings.interval = 10;
  world_boot(&world);
  world.oracle_is_away = true;
  CHECK(take(1, MINUTE));
  CHECK_EQUAL(ww_device_interval(&world.device), 10);
  world_pass(&world, HOUR);
  CHECK_EQUAL(ww_device_interval(&world.device), 60);
  CHECK_EQUAL(newest().timestamp % 60, 0);
  world_pass(&world, 3 * HOUR);
  CHECK_EQUAL(ww_device_interval(&world.device), 900);
  world.oracle_is_away = false;
  world_pass(&world, HOUR);
  CHECK_EQUAL(ww_device_interval(&world.device), 10);
  CHECK_EQUAL(world.log.size, state->log.size);
}

TEST("signs nothing that is not durable") {
  begin();
  CHECK(take(5, 6 * MINUTE));
  world.flash.failing = 1;
  unsigned signatures = world.signatures;
  world_pass(&world, MINUTE - 10);
  CHECK_EQUAL(world.signatures, signatures);
  CHECK_EQUAL(state->log.size, 5);
}

TEST("goes on taking readings while the oracle takes its time to answer") {
  begin();
  CHECK(take(2, 3 * MINUTE));
  world.oracle_is_slow = true;
  CHECK(take(5, 6 * MINUTE));
  CHECK_EQUAL(world.log.size, 2);
  world.oracle_is_slow = false;
  world_pass(&world, 10);
  CHECK_EQUAL(world.log.size, 7);
}
