#include "wiring.h"

#include <stdbool.h>
#include <stddef.h>

/** Of the capacity, what is no more than an inverter's own draw. */
#define LEAST_SHARE 50
#define LEAST_MILLIWATTS 20000

static enum ww_wiring_problem problem_in(const struct ww_wiring *wiring, uint32_t capacity,
                                         const struct ww_reading *reading) {
  int64_t share = (int64_t)capacity * 1000 / LEAST_SHARE;
  int64_t least = share > LEAST_MILLIWATTS ? share : LEAST_MILLIWATTS;
  if (reading->power <= -least) {
    return WW_REVERSED;
  }
  /* what is invalid or not believed repeats the energy by itself */
  bool can_count = (reading->conditions & (WW_INVALID | WW_DISCONTINUOUS)) == 0;
  return reading->power >= least && can_count && reading->energy == wiring->energy ? WW_NOT_COUNTING : WW_WIRED;
}

void ww_wiring_look(struct ww_wiring *wiring, uint32_t capacity, const struct ww_reading *reading) {
  enum ww_wiring_problem seen = problem_in(wiring, capacity, reading);
  if (seen != wiring->seen || seen == WW_WIRED) {
    wiring->since = reading->timestamp;
  }
  wiring->seen = seen;
  wiring->energy = reading->energy;
  bool lasts = reading->timestamp - wiring->since >= WW_WIRING_PATIENCE;
  wiring->problem = lasts || seen == WW_WIRED ? seen : wiring->problem;
}

const char *ww_wiring_advice(enum ww_wiring_problem problem, uint8_t source) {
  bool is_export = (source & WW_SOURCE_EXPORT) != 0;
  switch (problem) {
    case WW_WIRED: return NULL;
    case WW_REVERSED:
      return is_export ? "Power has been negative for minutes, so nothing counts. If the sun shines, the clamp is the "
                         "other way round: turn it, or set `register import`. If not, look at `channel`."
                       : "Power has been negative for minutes, so nothing counts. If the sun shines, the clamp is the "
                         "other way round: turn it, or set `register export`. If not, look at `channel`.";
    case WW_NOT_COUNTING:
      return is_export
                 ? "Power flows, and the meter's export register has not moved for minutes: look at `register` and "
                   "`channel`, and at the meter itself."
                 : "Power flows, and the meter's import register has not moved for minutes: look at `register` and "
                   "`channel`, and at the meter itself.";
  }
  return NULL;
}
