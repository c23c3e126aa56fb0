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

/** Shows every 10 s, from `from` s to `to` s after START, what grows by 10 mWh each time from `total` on; no condition is 0. */
static bool stands_lower(uint32_t from, uint32_t to, uint64_t total) {
  for (uint32_t seconds = from; seconds <= to; seconds += 10, total += 10) {
    if (count(seconds, total) != WW_DISCONTINUOUS) {
      return false;
    }
  }
  return true;
}

/* A REGISTER THAT SHOWS LESS */

TEST("counts nothing of a register that shows 0 for one poll and returns") {
  begin(1000000);
  CHECK_EQUAL(count(10, 1001390), 0);
  CHECK_EQUAL(count(20, 0), WW_DISCONTINUOUS);
  CHECK_EQUAL(reg.energy, 1390);
  CHECK_EQUAL(count(30, 1002780), 0);
  CHECK_EQUAL(reg.energy, 2780);
}

TEST("counts nothing of it either where it shows something else at each of fifty polls") {
  begin(1000000);
  uint64_t total = 1;
  for (uint32_t i = 1; i <= 50; i++) {
    total = total * 31337 % 1000000;
    CHECK_EQUAL(count(i * 10, total), WW_DISCONTINUOUS);
  }
  CHECK_EQUAL(count(510, 1002000), 0);
  CHECK_EQUAL(reg.energy, 2000);
}

TEST("believes a lower register after a quarter of an hour, and makes up for what it counted since it first stood") {
  begin(1000000);
  CHECK(stands_lower(10, 900, 500));
  CHECK_EQUAL(reg.energy, 0);
  CHECK_EQUAL(count(910, 1400), 0);
  CHECK_EQUAL(reg.energy, 900);
  CHECK_EQUAL(count(920, 1410), 0);
  CHECK_EQUAL(reg.energy, 910);
}

TEST("lets the old register return as long as the lower one has not stood for a quarter of an hour") {
  begin(1000000);
  CHECK(stands_lower(10, 900, 500));
  CHECK_EQUAL(count(910, 1000700), 0);
  CHECK_EQUAL(reg.energy, 700);
}

TEST("begins the quarter of an hour anew where the lower register goes backward") {
  begin(1000000);
  CHECK(stands_lower(10, 800, 5000));
  CHECK(stands_lower(810, 1700, 100));
  CHECK_EQUAL(count(1710, 1000), 0);
  CHECK_EQUAL(reg.energy, 900);
}

TEST("counts nothing twice where the lower register dips, too") {
  begin(1000000);
  CHECK(stands_lower(10, 400, 500000));
  CHECK_EQUAL(count(410, 0), WW_DISCONTINUOUS);
  CHECK(stands_lower(420, 1310, 500400));
  CHECK_EQUAL(count(1320, 501300), 0);
  CHECK_EQUAL(reg.energy, 1300);
}

TEST("counts nothing of the step from a dip to a lower register") {
  begin(1000000);
  CHECK_EQUAL(count(10, 0), WW_DISCONTINUOUS);
  CHECK(stands_lower(20, 910, 900000));
  CHECK_EQUAL(count(920, 900900), 0);
  CHECK_EQUAL(reg.energy, 900);
}

TEST("does not take the time in which nobody looked for a quarter of an hour of standing") {
  begin(1000000);
  CHECK_EQUAL(count(10, 0), WW_DISCONTINUOUS);
  CHECK_EQUAL(count(7210, 0), WW_DISCONTINUOUS);
  CHECK_EQUAL(count(7220, 1000100), 0);
  CHECK_EQUAL(reg.energy, 100);
}

TEST("does not let a measurement that is invalid stand for anything") {
  begin(1000000);
  CHECK(stands_lower(10, 800, 500));
  shown.valid = false;
  CHECK_EQUAL(count(810, 0), WW_INVALID);
  CHECK_EQUAL(count(905, 0), WW_INVALID);
  shown.valid = true;
  CHECK_EQUAL(count(906, 1300), WW_DISCONTINUOUS);
  CHECK_EQUAL(count(1000, 1400), 0);
  CHECK_EQUAL(reg.energy, 900);
}

TEST(
    "believes a register of readings five minutes apart after a quarter of an hour, and of rarer ones after the "
    "fourth") {
  begin(1000000);
  CHECK_EQUAL(count(300, 0), WW_DISCONTINUOUS);
  CHECK_EQUAL(count(600, 100), WW_DISCONTINUOUS);
  CHECK_EQUAL(count(900, 200), WW_DISCONTINUOUS);
  CHECK_EQUAL(count(1200, 300), 0);
  CHECK_EQUAL(reg.energy, 300);
  begin(1000000);
  CHECK_EQUAL(count(900, 0), WW_DISCONTINUOUS);
  CHECK_EQUAL(count(1800, 100), WW_DISCONTINUOUS);
  CHECK_EQUAL(count(2700, 200), WW_DISCONTINUOUS);
  CHECK_EQUAL(count(3600, 300), 0);
  CHECK_EQUAL(reg.energy, 300);
}

/* JUMPS, AND WHAT IS OWED */

TEST("counts nothing of a jump beyond the capacity, and goes on from there") {
  begin(0);
  /* a full bucket, 900 s, and the 60 s that leaked */
  CHECK_EQUAL(count(60, 960001), WW_DISCONTINUOUS);
  CHECK_EQUAL(reg.energy, 0);
  CHECK_EQUAL(count(120, 970001), 0);
  CHECK_EQUAL(reg.energy, 10000);
}

TEST("counts no step larger than a minute's of a register that has just jumped") {
  begin(0);
  CHECK_EQUAL(count(60, 960001), WW_DISCONTINUOUS);
  CHECK_EQUAL(count(70, 960001 + 60001), WW_DISCONTINUOUS);
  CHECK_EQUAL(count(80, 960001 + 120001), 0);
  CHECK_EQUAL(reg.energy, 60000);
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

TEST("counts nothing of another meter until it has shown its register once, and then at once") {
  begin(1000);
  shown.meter[0] = 2;
  CHECK_EQUAL(count(60, 1500), WW_DISCONTINUOUS);
  CHECK_EQUAL(reg.energy, 0);
  CHECK_EQUAL(count(120, 1600), 0);
  CHECK_EQUAL(reg.energy, 100);
}

TEST("counts nothing of another meter's lower register before, nor of the first meter's that returns") {
  begin(1000000);
  shown.meter[0] = 2;
  CHECK_EQUAL(count(60, 500), WW_DISCONTINUOUS);
  CHECK_EQUAL(count(120, 600), 0);
  shown.meter[0] = 1;
  CHECK_EQUAL(count(180, 1000100), WW_DISCONTINUOUS);
  CHECK_EQUAL(reg.energy, 100);
}

TEST("counts nothing of the step from another meter's dip to what it really shows") {
  begin(1000);
  shown.meter[0] = 2;
  CHECK_EQUAL(count(10, 0), WW_DISCONTINUOUS);
  CHECK_EQUAL(count(20, 700000), WW_DISCONTINUOUS);
  CHECK_EQUAL(count(30, 700100), 0);
  CHECK_EQUAL(reg.energy, 100);
}

TEST("takes the same meter with other channels for another, and tells where one is lacking") {
  begin(1000);
  shown.channels = 0x22;
  CHECK(!ww_register_lacks(&reg, &shown));
  CHECK_EQUAL(count(10, 50000), WW_DISCONTINUOUS);
  CHECK_EQUAL(reg.energy, 0);
  shown.channels = 0x23;
  CHECK(!ww_register_lacks(&reg, &shown));
  shown.channels = 0x21;
  CHECK(ww_register_lacks(&reg, &shown));
  shown.channels = 0x13; /* another profile has other registers, however many */
  CHECK(!ww_register_lacks(&reg, &shown));
  shown.channels = 0x21;
  shown.meter[0] = 2;
  CHECK(!ww_register_lacks(&reg, &shown));
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

TEST("owes what an hour of invalid measurements held back, and tells it within the bucket") {
  begin(1000);
  shown.valid = false;
  for (uint32_t minute = 1; minute < 60; minute++) {
    CHECK_EQUAL(count(60 * minute, 0), WW_INVALID);
  }
  shown.valid = true;
  /* an hour at full capacity: 900 s of it and a minute more at once, then a minute each minute */
  CHECK_EQUAL(count(3600, 3601000), 0);
  CHECK_EQUAL(reg.energy, 960000);
  CHECK_EQUAL(reg.owed, 2640000);
  CHECK_EQUAL(count(3660, 3601000), 0);
  CHECK_EQUAL(reg.energy, 1020000);
  CHECK_EQUAL(count(3660 + 2580, 3601000), 0);
  CHECK_EQUAL(reg.energy, 3600000);
  CHECK_EQUAL(reg.owed, 0);
}

TEST("tells nothing that it owes while the register is not believed") {
  begin(1000);
  shown.valid = false;
  CHECK_EQUAL(count(3000, 0), WW_INVALID);
  shown.valid = true;
  CHECK_EQUAL(count(3010, 3001000), 0);
  uint64_t energy = reg.energy;
  CHECK(reg.owed > 0);
  CHECK_EQUAL(count(3020, 0), WW_DISCONTINUOUS);
  CHECK_EQUAL(reg.energy, energy);
}

TEST("takes no step for more than the capacity makes in the time since the register was seen") {
  begin(1000);
  shown.valid = false;
  CHECK_EQUAL(count(3000, 0), WW_INVALID);
  shown.valid = true;
  CHECK_EQUAL(count(3010, 1000 + 3910000 + 1), WW_DISCONTINUOUS);
  CHECK_EQUAL(reg.energy, 0);
  CHECK_EQUAL(reg.owed, 0);
}

TEST("counts what was counted meanwhile where the last reading's time had been ahead") {
  begin(1000000);
  CHECK_EQUAL(count(864000, 1000000), 0);
  ww_register_rewind(&reg, START + 100);
  CHECK_EQUAL(count(7300, 1000000 + 8100000), 0);
  CHECK_EQUAL(reg.energy, 8100000);
}

TEST("lets a lower register stand on where the last reading's time had been ahead") {
  begin(1000000);
  CHECK_EQUAL(count(864000, 0), WW_DISCONTINUOUS);
  ww_register_rewind(&reg, START + 100);
  CHECK_EQUAL(count(400, 100), WW_DISCONTINUOUS);
  CHECK_EQUAL(count(700, 200), WW_DISCONTINUOUS);
  CHECK_EQUAL(count(1000, 300), 0);
  CHECK_EQUAL(reg.energy, 300);
}

/* AFTER A CUT */

TEST("takes the first that it sees of another meter for discontinuous, also where power failed before") {
  begin(1000000);
  ww_register_swap(&reg, (const uint8_t[WW_METER_ID_LENGTH]){2}, 0);
  shown.meter[0] = 2;
  CHECK_EQUAL(count(60, 2000000), WW_DISCONTINUOUS);
  CHECK_EQUAL(reg.energy, 0);
}

/** A lower register that stood for 500 s, a dip in it, and what is owed. */
static void doubt(void) {
  begin(9000000);
  shown.valid = false;
  (void)count(3000, 0);
  shown.valid = true;
  (void)count(3010, 11900000);
  (void)stands_lower(3020, 3520, 500000);
  (void)count(3530, 7);
}

TEST("comes to the same where what it counted is counted again") {
  doubt();
  struct ww_register counted = reg;
  begin(9000000);
  ww_register_recall(&reg, CAPACITY, START + 3000, 0, WW_INVALID, 0);
  ww_register_recall(&reg, CAPACITY, START + 3010, 910000, 0, 11900000);
  for (uint32_t seconds = 3020; seconds <= 3520; seconds += 10) {
    ww_register_recall(&reg, CAPACITY, START + seconds, counted.energy, WW_DISCONTINUOUS, 500000 + (seconds - 3020));
  }
  ww_register_recall(&reg, CAPACITY, START + 3530, counted.energy, WW_DISCONTINUOUS, 7);
  CHECK_BYTES(&reg, &counted, sizeof reg);
}

TEST("keeps the energy that was read where it was counted by another capacity") {
  begin(1000000);
  ww_register_recall(&reg, CAPACITY, START + 10, 0, WW_DISCONTINUOUS, 1500000); /* a jump then, and none now */
  CHECK_EQUAL(reg.energy, 0);
  CHECK_EQUAL(reg.owed, 0);
  CHECK_EQUAL(count(20, 1500100), 0);
  CHECK_EQUAL(reg.energy, 100);
  begin(1000000);
  ww_register_recall(&reg, CAPACITY, START + 10, 2000000, 0, 3000000); /* none then, and a jump now */
  CHECK_EQUAL(reg.energy, 2000000);
  CHECK_EQUAL(count(2000, 3000100), 0);
  CHECK_EQUAL(reg.energy, 2000100);
  CHECK_EQUAL(reg.owed, 0);
  doubt();
  CHECK(reg.owed > 0);
  ww_register_recall(&reg, CAPACITY, START + 3540, reg.energy + 1, 0, 11900001);
  CHECK_EQUAL(reg.owed, 0);
}
