/**
 * The device's own register beside meters that misbehave at random, and a model that knows what really flowed.
 *
 * Never is more counted than flowed. Where what happens lies far enough apart, all is counted again: of the model, what
 * every life of a meter's register counted from when it was first seen on, but what a register counted that did not stand
 * for a quarter of an hour, or after it was seen last.
 */
#include <string.h>

#include "reading.h"
#include "register.h"
#include "test.h"

/** Under emulation there is time for fewer. */
#ifdef __riscv
enum { LIVES = 40 };
#else
enum { LIVES = 2000 };
#endif

enum { CAPACITY = 5000, START = 1773964800, STEP = 10, MINUTE = 60, HOUR = 3600 };
enum { POLLS = 6 * HOUR / STEP, APART = 45 * MINUTE / STEP, QUIET = HOUR / STEP };

enum event { DIP, DIP_TO_ZERO, RESET, GOES_BACK, SWAP, SILENCE, INVALID, LACK, EVENTS };

static struct {
  uint64_t random;
  uint32_t now;
  bool by_the_minute; /* its register moves once a minute */
  bool is_apart;      /* what happens, so that one thing is over before the next */

  uint64_t power; /* mW */
  uint64_t rest;  /* mW s that are not a mWh yet */
  uint64_t total; /* mWh, what it really counted */
  uint64_t shown; /* the same, as far as its register has moved */
  uint64_t flowed;
  unsigned life;
  struct ww_measurement measurement;
  enum event event;
  unsigned left; /* polls that it lasts */

  struct ww_register reg;
  uint64_t bucket; /* mW s, as oracle and DON keep it */

  bool has_seen;
  unsigned seen_life;
  uint64_t seen_total;
  unsigned new_life; /* that is not believed yet */
  uint64_t new_first;
  uint32_t new_since;
  uint64_t expected;
} world;

/** splitmix64 (Steele, Lea, Flood 2014). */
static uint64_t next_random(void) {
  uint64_t z = world.random += UINT64_C(0x9E3779B97F4A7C15);
  z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
  z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
  return z ^ z >> 31;
}

static uint64_t random_below(uint64_t limit) {
  return next_random() % limit;
}

/** What no life shows at its beginning is far from what one counts in minutes, so that nothing can be taken for it. */
static uint64_t any_total(void) {
  return 10000000 + random_below(10000000000);
}

static void shine(void) {
  world.now += STEP;
  world.rest += world.power * STEP;
  world.total += world.rest / 3600;
  world.flowed += world.rest / 3600;
  world.rest %= 3600;
  if (!world.by_the_minute || world.now % MINUTE == 0) {
    world.shown = world.total;
  }
  if (random_below(30) == 0) {
    world.power = random_below(CAPACITY * 1000);
  }
}

static void begin_event(void) {
  world.event = (enum event)random_below(EVENTS);
  world.left = 1 + (unsigned)random_below(50);
  if (world.event == RESET || world.event == SWAP || world.event == GOES_BACK) {
    world.life++;
    world.left = world.is_apart ? 0 : (unsigned)random_below(3); /* it may show 0 while it starts */
  }
  switch (world.event) {
    case RESET: world.shown = world.total = 0; break;
    case GOES_BACK: world.shown = world.total -= world.total > 10000000 ? 1 + random_below(200000) : 0; break;
    case SWAP:
      world.measurement.meter[5]++;
      world.shown = world.total = any_total();
      break;
    default: break;
  }
}

/** Returns false where it gives no answer. */
static bool measure(void) {
  bool happens = world.left > 0;
  world.left -= happens;
  world.measurement.total = world.shown;
  world.measurement.valid = true;
  world.measurement.channels = 0x22;
  if (!happens) {
    return true;
  }
  switch (world.event) {
    case DIP: world.measurement.total = world.shown > 0 ? random_below(world.shown) : 0; break;
    case DIP_TO_ZERO:
    case RESET:
    case GOES_BACK:
    case SWAP: world.measurement.total = 0; break;
    case SILENCE: return false;
    case INVALID:
      world.measurement.total = random_below(WW_TOTAL_LIMIT);
      world.measurement.valid = false;
      break;
    case LACK:
      world.measurement.total = world.shown / 2;
      world.measurement.channels = 0x21;
      break;
    case EVENTS: break;
  }
  return true;
}

/** What the model makes of a good look at the meter. */
static void see(void) {
  bool is_first = !world.has_seen;
  bool was_swapped = world.event == SWAP && world.seen_life != world.life;
  if (is_first || was_swapped) {
    world.has_seen = true;
    world.seen_life = world.new_life = world.life;
    world.seen_total = world.shown;
    return;
  }
  if (world.seen_life == world.life || world.shown >= world.seen_total) {
    world.expected += world.shown - world.seen_total;
    world.seen_life = world.new_life = world.life;
    world.seen_total = world.shown;
    return;
  }
  if (world.new_life != world.life) {
    world.new_life = world.life;
    world.new_first = world.shown;
    world.new_since = world.now;
  }
  if (world.now - world.new_since >= WW_STANDING) {
    world.expected += world.shown - world.new_first;
    world.seen_life = world.life;
    world.seen_total = world.shown;
  }
}

/** Returns what is wrong, or NULL. */
static const char *poll(void) {
  if (!measure() || ww_register_lacks(&world.reg, &world.measurement)) {
    return NULL;
  }
  bool dips = world.measurement.valid && world.measurement.total != world.shown;
  if (world.measurement.valid && !dips) {
    see();
  }
  struct ww_register before = world.reg;
  uint8_t conditions = ww_register_count(&world.reg, CAPACITY, world.now, &world.measurement);
  uint64_t increase = world.reg.energy - before.energy;
  uint64_t leaked = before.timestamp == 0 ? UINT64_MAX : (uint64_t)CAPACITY * 1000 * (world.now - before.timestamp);
  uint64_t level = world.bucket + increase * 3600;
  world.bucket = level > leaked ? level - leaked : 0;
  if (world.reg.energy + world.reg.owed > world.flowed) {
    return "more was counted than flowed";
  }
  if (world.bucket > (uint64_t)CAPACITY * 1000 * WW_CAPACITY_BURST) {
    return "more was told than an oracle takes";
  }
  if (conditions != 0 && increase != 0) {
    return "energy was not repeated";
  }
  return NULL;
}

static void begin(uint64_t seed, bool is_apart) {
  memset(&world, 0, sizeof world);
  world.is_apart = is_apart;
  world.random = seed;
  world.now = START;
  world.by_the_minute = seed % 2 == 0;
  world.shown = world.total = any_total();
  world.power = random_below(CAPACITY * 1000);
  world.measurement.meter[0] = 1;
}

/** Lives for some hours, the last without an event. Returns what is wrong, or NULL. */
static const char *live(uint64_t seed, bool is_apart) {
  begin(seed, is_apart);
  unsigned next = is_apart ? APART : 1 + (unsigned)random_below(60);
  for (unsigned i = 0; i < POLLS + QUIET; i++) {
    shine();
    if (i == next && i < POLLS) {
      begin_event();
      next += is_apart ? APART : 1 + (unsigned)random_below(120);
    }
    const char *problem = poll();
    if (problem != NULL) {
      return problem;
    }
  }
  return is_apart && world.reg.energy != world.expected ? "not all was counted again" : NULL;
}

static void live_often(bool is_apart) {
  for (uint64_t seed = 1; seed <= LIVES; seed++) {
    const char *problem = live(seed, is_apart);
    if (problem != NULL) {
      test_fail(__FILE__, __LINE__, problem);
      printf("# seed %u: %lld counted, %lld owed, %lld flowed, %lld expected\n", (unsigned)seed,
             (long long)world.reg.energy, (long long)world.reg.owed, (long long)world.flowed,
             (long long)world.expected);
      return;
    }
  }
}

TEST("counts never more than flowed, whatever the meter shows and when") {
  live_often(false);
}

TEST("counts all of it again where the meter tells it in time") {
  live_often(true);
}
