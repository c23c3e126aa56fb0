/**
 * Power fails at every byte of every write over a day of readings, and of every erasure in steps; after each failure the
 * device is started again and goes on for a few readings.
 */
#include <string.h>

#include "test.h"
#include "world.h"

/** Under emulation there is time for some hours of it. */
#ifdef __riscv
enum { READINGS = 90, ERASURE_STEP = 256 };
#else
enum { READINGS = 1440, ERASURE_STEP = 16 };
#endif

static struct world world, cut;

/**
 * What must be true of a device that went on after a cut, where `newest` was the last head before it, and those from
 * `heads` on were signed in the course of it. Returns what is not.
 */
static const char *check(const struct world *after, const struct signed_head *newest, size_t heads) {
  const struct ww_state *state = &after->device.queue.state;
  if (after->started != WW_OK) {
    return "it does not start";
  }
  if (after->flash.was_misused) {
    return "it writes where nothing may be written";
  }
  if (heads_equivocate(heads)) {
    return "it signed two heads of one epoch and size";
  }
  if (after->refusal != NULL) {
    return after->refusal;
  }
  if (newest != NULL && state->epoch == newest->epoch && state->log.size < newest->size) {
    return "it lost what it had signed";
  }
  if (state->acknowledged > state->log.size) {
    return "it acknowledged what is not durable";
  }
  if (state->reg.energy != after->last_total - after->first_total) {
    return "it lost or invented energy";
  }
  if (after->timestamp + 2 * WORLD_INTERVAL < after->now) {
    return "its readings do not reach the oracle any more";
  }
  return NULL;
}

/** Tries the next reading, from before its moment to the oracle's answer, with power failing after so many changed bytes. */
static const char *cut_at(uint64_t bytes, size_t heads, bool *was_erasing) {
  world_copy(&cut, &world);
  heads_forget(heads);
  cut.flash.cut_at = cut.flash.changed + bytes;
  world_pass(&cut, WORLD_INTERVAL);
  if (!cut.flash.is_dead) {
    return "power did not fail";
  }
  *was_erasing = cut.flash.is_erasing;
  struct signed_head newest = {0};
  bool has_signed = heads_signed() > 0;
  if (has_signed) {
    newest = *head_signed(heads_signed() - 1);
  }
  world_boot(&cut);
  if (!cut.device.queue.state.reg.meter_known) {
    cut.last_total = 0; /* what the meter showed before the first reading counted for nothing */
  }
  /* to just after the next moment, and over the one after it */
  world_shine(&cut, WORLD_INTERVAL - (cut.now % WORLD_INTERVAL) - 1);
  world_pass(&cut, 10);
  world_shine(&cut, WORLD_INTERVAL - 10);
  world_pass(&cut, 10);
  return check(&cut, has_signed ? &newest : NULL, heads);
}

TEST("goes on with its log after a cut at any byte, and says nothing twice in two ways") {
  world_begin(&world);
  world_boot(&world);
  unsigned cuts = 0;
  uint32_t most_epochs = 0;
  for (unsigned i = 0; i < READINGS; i++) {
    size_t heads = heads_signed();
    world_copy(&cut, &world);
    world_pass(&cut, WORLD_INTERVAL);
    uint64_t changed = cut.flash.changed - world.flash.changed;
    for (uint64_t bytes = 1; bytes <= changed;) {
      bool was_erasing;
      const char *problem = cut_at(bytes, heads, &was_erasing);
      if (problem != NULL) {
        test_fail(__FILE__, __LINE__, problem);
        printf("# reading %u, byte %u of %u\n", i, (unsigned)bytes, (unsigned)changed);
        return;
      }
      most_epochs = cut.counter > most_epochs ? cut.counter : most_epochs;
      cuts++;
      bytes += was_erasing ? ERASURE_STEP : 1;
    }
    heads_forget(heads);
    world_pass(&world, WORLD_INTERVAL);
  }
  printf("# %u cuts, %u readings, %u epochs\n", cuts, (unsigned)world.device.queue.state.log.size,
         (unsigned)most_epochs);
  CHECK_EQUAL(world.device.queue.state.log.size, READINGS);
  CHECK(most_epochs <= 2);
  CHECK(cuts > READINGS * 48);
}
