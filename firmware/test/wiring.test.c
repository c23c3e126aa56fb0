/** A clamp the wrong way round, and a register that does not move. */
#include "wiring.h"

#include <string.h>

#include "test.h"

enum { CAPACITY = 5000, START = 1773964800, EXPORT = WW_SOURCE_EXPORT };

static struct ww_wiring wiring;
static struct ww_reading reading;

/** Shows so many readings, `step` s apart, of `power` (W), by each of which the energy grows so much (mWh). */
static void show(unsigned count, uint32_t step, int32_t power, uint64_t growth) {
  for (unsigned i = 0; i < count; i++) {
    reading.timestamp += step;
    reading.power = (int64_t)power * 1000;
    reading.energy += growth;
    ww_wiring_look(&wiring, CAPACITY, &reading);
  }
}

static void begin(void) {
  memset(&wiring, 0, sizeof wiring);
  reading = (struct ww_reading){.timestamp = START, .source = EXPORT};
  show(1, 10, 0, 100);
}

TEST("says nothing of a roof that produces, of a night, or of what an inverter draws") {
  begin();
  show(100, 10, 3000, 8333);
  show(100, 10, 0, 0);
  show(100, 10, -20, 0);
  CHECK_EQUAL(wiring.problem, WW_WIRED);
  CHECK(ww_wiring_advice(WW_WIRED, EXPORT) == NULL);
}

TEST("says after five minutes of negative power which way the clamp may be") {
  begin();
  show(30, 10, -3000, 0);
  CHECK_EQUAL(wiring.problem, WW_WIRED);
  show(1, 10, -3000, 0);
  CHECK_EQUAL(wiring.problem, WW_REVERSED);
  CHECK(strstr(ww_wiring_advice(WW_REVERSED, EXPORT), "`register import`") != NULL);
  CHECK(strstr(ww_wiring_advice(WW_REVERSED, 0), "`register export`") != NULL);
}

TEST("begins the five minutes anew after a reading that is right") {
  begin();
  show(29, 10, -3000, 0);
  show(1, 10, 3000, 8333);
  show(30, 10, -3000, 0);
  CHECK_EQUAL(wiring.problem, WW_WIRED);
}

TEST("says after five minutes that a register does not move while power flows") {
  begin();
  show(30, 10, 3000, 0);
  CHECK_EQUAL(wiring.problem, WW_WIRED);
  show(1, 10, 3000, 0);
  CHECK_EQUAL(wiring.problem, WW_NOT_COUNTING);
  CHECK(strstr(ww_wiring_advice(WW_NOT_COUNTING, EXPORT), "export register") != NULL);
  CHECK(strstr(ww_wiring_advice(WW_NOT_COUNTING, 0), "import register") != NULL);
}

TEST("blames no register that moves once a minute, nor one whose readings are invalid or not believed") {
  begin();
  for (unsigned minute = 0; minute < 10; minute++) {
    show(5, 10, 3000, 0);
    show(1, 10, 3000, 50000);
  }
  CHECK_EQUAL(wiring.problem, WW_WIRED);
  reading.conditions = WW_INVALID;
  show(100, 10, 3000, 0);
  reading.conditions = WW_DISCONTINUOUS;
  show(100, 10, 3000, 0);
  CHECK_EQUAL(wiring.problem, WW_WIRED);
}

TEST("takes it back once a reading is right") {
  begin();
  show(40, 10, -3000, 0);
  show(1, 10, 3000, 8333);
  CHECK_EQUAL(wiring.problem, WW_WIRED);
}

TEST("says it at the second of two readings a quarter of an hour apart") {
  begin();
  show(1, 900, -3000, 0);
  CHECK_EQUAL(wiring.problem, WW_WIRED);
  show(1, 900, -3000, 0);
  CHECK_EQUAL(wiring.problem, WW_REVERSED);
}
