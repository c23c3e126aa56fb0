/** How a device is in one word, and how a lamp tells it. */
#include "health.h"

#include "test.h"
#include "world.h"

static struct world world;

static void begin(void) {
  world_begin(&world);
  store_begin(&world.flash, SECTORS_LIMIT);
  world_boot(&world);
  world_pass(&world, 3 * WORLD_INTERVAL);
}

static enum ww_health health(void) {
  return ww_health_of(&world.device, true);
}

/** How often the lamp is lit anew within so many ms. */
static unsigned flashes(enum ww_health of, uint64_t from, unsigned milliseconds) {
  unsigned count = 0;
  for (unsigned i = 1; i <= milliseconds; i++) {
    count += ww_lamp_is_lit(of, from + i) && !ww_lamp_is_lit(of, from + i - 1);
  }
  return count;
}

TEST("tells what has to be seen to first") {
  begin();
  CHECK_EQUAL(ww_health_of(NULL, true), WW_NOT_STARTED);
  CHECK_EQUAL(ww_health_of(NULL, false), WW_NOT_STARTED);
  world.meter_is_silent = true;
  world_pass(&world, 2 * WORLD_INTERVAL);
  CHECK_EQUAL(health(), WW_NO_METER);
  world.clock_is_known = false;
  CHECK_EQUAL(health(), WW_NO_CLOCK);
  CHECK_EQUAL(ww_health_of(&world.device, false), WW_NO_NETWORK);
}

TEST("is well while all goes on, and again once it does") {
  begin();
  CHECK_EQUAL(health(), WW_WELL);
  world.meter_is_silent = true;
  world_pass(&world, WORLD_INTERVAL);
  CHECK_EQUAL(health(), WW_NO_METER);
  world.meter_is_silent = false;
  world_pass(&world, WORLD_INTERVAL);
  CHECK_EQUAL(health(), WW_WELL);
}

TEST("tells a store that fails from a meter that does") {
  begin();
  world.device.untaken = WW_STORE_FAILED;
  CHECK_EQUAL(health(), WW_NO_READING);
  world.device.untaken = WW_METER_INCOMPLETE;
  CHECK_EQUAL(health(), WW_NO_METER);
  world.device.untaken = WW_CHIP_SILENT;
  CHECK_EQUAL(health(), WW_NO_READING);
}

TEST("tells an oracle that does not know the meter at once, and one that is away only after some posts") {
  begin();
  world.says = 404;
  world.says_body = "{}";
  world_pass(&world, WORLD_INTERVAL + 5);
  CHECK_EQUAL(health(), WW_NOT_REGISTERED);
  begin();
  world.oracle_is_away = true;
  while (world.device.failures <= 5) {
    CHECK_EQUAL(health(), WW_WELL);
    world_pass(&world, 1);
  }
  CHECK_EQUAL(health(), WW_NO_ORACLE);
}

TEST("has words for each") {
  for (int i = WW_WELL; i <= WW_NO_ORACLE; i++) {
    CHECK(ww_health_text((enum ww_health)i)[0] != '\0');
    for (int j = 0; j < i; j++) {
      CHECK(ww_health_text((enum ww_health)i) != ww_health_text((enum ww_health)j));
    }
  }
}

TEST("blinks as often as the number of what is wrong, then pauses, and flashes rarely where all is well") {
  CHECK_EQUAL(flashes(WW_WELL, 0, 40000), 10);
  for (unsigned i = WW_NOT_STARTED; i <= WW_NO_ORACLE; i++) {
    unsigned period = i * 500 + 1500;
    CHECK_EQUAL(flashes((enum ww_health)i, 0, 10 * period), 10 * i);
    CHECK_EQUAL(flashes((enum ww_health)i, i * 500, 1499), 0);
    CHECK(!ww_lamp_is_lit((enum ww_health)i, i * 500 + 700));
  }
}
