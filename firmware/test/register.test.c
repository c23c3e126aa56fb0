/** The device's own register: what of the meter's counts. */
#include "register.h"

#include <string.h>

#include "reading.h"
#include "test.h"

enum { CAPACITY = 3600, START = 1773964800 }; /* W: 1 mWh each ms */

static struct ww_register reg;
static struct ww_measurement shown;

/** A meter that showed `total` mWh at START and counted. */
static void begin(uint64_t total) {
  memset(&reg, 0, sizeof reg);
  shown = (struct ww_measurement){.total = total, .valid = true, .meter = {1}};
  (void)ww_register_count(&reg, CAPACITY, START, &shown);
}

static uint8_t count(uint32_t seconds, uint64_t total) {
  shown.total = total;
  return ww_register_count(&reg, CAPACITY, START + seconds, &shown);
}

TEST("counts nothing of what a meter showed before it was first seen") {
  begin(4311237300);
  CHECK_EQUAL(reg.energy, 0);
  CHECK_EQUAL(reg.total, 4311237300);
}

TEST("counts nothing when the meter's register goes backward, and goes on from there") {
  begin(1000000);
  CHECK_EQUAL(count(60, 0), WW_DISCONTINUOUS);
  CHECK_EQUAL(reg.energy, 0);
  CHECK_EQUAL(count(120, 500), 0);
  CHECK_EQUAL(reg.energy, 500);
}

TEST("counts nothing of a jump beyond the capacity, and goes on from there") {
  begin(0);
  /* a full bucket, 900 s, and the 60 s that leaked */
  CHECK_EQUAL(count(60, 960001), WW_DISCONTINUOUS);
  CHECK_EQUAL(reg.energy, 0);
  CHECK_EQUAL(count(120, 970001), 0);
  CHECK_EQUAL(reg.energy, 10000);
}

TEST("counts a step of the register as large as the bucket, and then no more than leaks") {
  begin(0);
  CHECK_EQUAL(count(60, 960000), 0);
  CHECK_EQUAL(reg.energy, 960000);
  CHECK_EQUAL(count(61, 961001), WW_DISCONTINUOUS);
  CHECK_EQUAL(count(62, 963001), 0);
  CHECK_EQUAL(reg.energy, 962000);
}

TEST("saves nothing up over a quiet night") {
  begin(0);
  CHECK_EQUAL(count(86400, 0), 0);
  CHECK_EQUAL(count(86460, 960001), WW_DISCONTINUOUS);
}

TEST("counts all that the capacity makes in a year without a reading, and not a mWh more") {
  const uint64_t year = 365 * 86400;
  begin(0);
  CHECK_EQUAL(count((uint32_t)year, year * 1000 + 900001), WW_DISCONTINUOUS);
  begin(0);
  CHECK_EQUAL(count((uint32_t)year, year * 1000 + 900000), 0);
  CHECK_EQUAL(reg.energy, year * 1000 + 900000);
}

TEST("bears the greatest capacity, the greatest register and the longest time") {
  memset(&reg, 0, sizeof reg);
  shown = (struct ww_measurement){.total = 0, .valid = true};
  (void)ww_register_count(&reg, UINT32_MAX, 1, &shown);
  shown.total = WW_TOTAL_LIMIT - 1;
  CHECK_EQUAL(ww_register_count(&reg, UINT32_MAX, UINT32_MAX, &shown), 0);
  CHECK_EQUAL(reg.energy, WW_TOTAL_LIMIT - 1);
}

TEST("counts nothing of another meter until it has shown its register once") {
  begin(1000);
  shown.meter[0] = 2;
  CHECK_EQUAL(count(60, 1500), WW_DISCONTINUOUS);
  CHECK_EQUAL(reg.energy, 0);
  CHECK_EQUAL(count(120, 1600), 0);
  CHECK_EQUAL(reg.energy, 100);
}

TEST("repeats the energy while the meter says that it is invalid, and counts it all afterwards") {
  begin(1000);
  shown.valid = false;
  CHECK_EQUAL(count(60, 0), WW_INVALID);
  CHECK_EQUAL(count(120, 99999999), WW_INVALID);
  CHECK_EQUAL(reg.energy, 0);
  CHECK_EQUAL(reg.timestamp, START + 120);
  shown.valid = true;
  CHECK_EQUAL(count(180, 1300), 0);
  CHECK_EQUAL(reg.energy, 300);
}
