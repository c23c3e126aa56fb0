#include "register.h"

#include <string.h>

#include "reading.h"

/** mW s in a mWh */
#define PER_MWH 3600u

static uint64_t rate_of(uint32_t capacity) {
  return (uint64_t)capacity * 1000; /* mW */
}

/** mW s that leak out by `now`, and no more than the greatest number. */
static uint64_t leak(const struct ww_register *reg, uint32_t capacity, uint32_t now) {
  uint64_t rate = rate_of(capacity);
  uint64_t elapsed = now > reg->timestamp ? now - reg->timestamp : 0;
  return rate != 0 && elapsed > UINT64_MAX / rate ? UINT64_MAX : rate * elapsed;
}

/** The bucket after `increase` (mWh, below WW_TOTAL_LIMIT). */
static uint64_t filled(const struct ww_register *reg, uint32_t capacity, uint32_t now, uint64_t increase) {
  uint64_t level = reg->bucket + increase * PER_MWH;
  uint64_t leaked = leak(reg, capacity, now);
  return level > leaked ? level - leaked : 0;
}

static bool is_plausible(const struct ww_register *reg, uint32_t capacity, uint32_t now, uint64_t increase) {
  return filled(reg, capacity, now, increase) <= rate_of(capacity) * WW_CAPACITY_BURST;
}

bool ww_register_swapped(const struct ww_register *reg, const struct ww_measurement *measurement) {
  return reg->meter_known && memcmp(reg->meter, measurement->meter, WW_METER_ID_LENGTH) != 0;
}

/** What to count of a valid measurement, mWh; false = nothing, and counting goes on from here. */
static bool increase_of(const struct ww_register *reg, uint32_t capacity, uint32_t now,
                        const struct ww_measurement *measurement, uint64_t *increase) {
  if (!reg->meter_known) {
    return true;
  }
  if (ww_register_swapped(reg, measurement) || measurement->total < reg->total) {
    return false;
  }
  uint64_t step = measurement->total - reg->total;
  if (!is_plausible(reg, capacity, now, step)) {
    return false;
  }
  *increase = step;
  return true;
}

uint8_t ww_register_count(struct ww_register *reg, uint32_t capacity, uint32_t now,
                          const struct ww_measurement *measurement) {
  uint64_t increase = 0;
  uint8_t conditions = WW_INVALID;
  if (measurement->valid) {
    conditions = increase_of(reg, capacity, now, measurement, &increase) ? 0 : WW_DISCONTINUOUS;
    reg->meter_known = true;
    memcpy(reg->meter, measurement->meter, WW_METER_ID_LENGTH);
    reg->total = measurement->total;
  }
  ww_register_follow(reg, capacity, now, reg->energy + increase);
  return conditions;
}

void ww_register_follow(struct ww_register *reg, uint32_t capacity, uint32_t timestamp, uint64_t energy) {
  uint64_t increase = energy - reg->energy;
  reg->bucket = reg->timestamp == 0 ? 0 : filled(reg, capacity, timestamp, increase);
  reg->energy = energy;
  reg->timestamp = timestamp;
}
