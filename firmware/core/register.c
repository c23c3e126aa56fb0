#include "register.h"

#include <string.h>

#include "reading.h"

/** mW s in a mWh */
#define PER_MWH 3600u

static uint64_t rate_of(uint32_t capacity) {
  return (uint64_t)capacity * 1000; /* mW */
}

static uint32_t since(uint32_t then, uint32_t now) {
  return now > then ? now - then : 0;
}

static uint64_t add(uint64_t a, uint64_t b) {
  return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* A BUCKET: mW s that a register ran ahead of capacity x time, then */

/** mW s that leak out, and no more than the greatest number. */
static uint64_t leak(uint32_t capacity, uint32_t then, uint32_t now) {
  uint64_t rate = rate_of(capacity);
  uint64_t elapsed = since(then, now);
  return rate != 0 && elapsed > UINT64_MAX / rate ? UINT64_MAX : rate * elapsed;
}

/** After `increase` (mWh, below WW_TOTAL_LIMIT). */
static uint64_t filled(uint64_t bucket, uint32_t capacity, uint32_t then, uint32_t now, uint64_t increase) {
  uint64_t level = bucket + increase * PER_MWH;
  uint64_t leaked = leak(capacity, then, now);
  return level > leaked ? level - leaked : 0;
}

/** mWh that it has room for. */
static uint64_t room(uint64_t bucket, uint32_t capacity, uint32_t then, uint32_t now) {
  uint64_t most = add(rate_of(capacity) * WW_CAPACITY_BURST, leak(capacity, then, now));
  return most > bucket ? (most - bucket) / PER_MWH : 0;
}

/* WHAT THE METER SHOWS */

/** How long a register has stood that is seen again. */
static uint32_t standing(uint32_t stood, uint32_t seen, uint32_t now) {
  uint32_t step = since(seen, now);
  stood += step < WW_STANDING_STEP ? step : WW_STANDING_STEP;
  return stood < WW_STANDING ? stood : WW_STANDING;
}

/** Whether a register that has not stood long can have counted so much since it was seen. */
static bool can_count(uint32_t capacity, uint32_t seen, uint32_t now, uint64_t step) {
  uint64_t elapsed = since(seen, now);
  uint64_t time = elapsed > WW_REGISTER_STEP ? elapsed : WW_REGISTER_STEP;
  return step <= rate_of(capacity) * time / PER_MWH;
}

/** Takes `total` for what is believed, of which `step` counts. */
static void believe(struct ww_register *reg, uint32_t capacity, uint32_t now, uint64_t total, uint64_t step) {
  reg->ahead = reg->timestamp == 0 ? 0 : filled(reg->ahead, capacity, reg->seen, now, step);
  reg->owed += step;
  reg->total = total;
  reg->seen = now;
  reg->lowers = 0;
}

/** Takes in the step of a register that is believed. Returns the conditions. */
static uint8_t accept(struct ww_register *reg, uint32_t capacity, uint32_t now, uint64_t total, uint64_t step) {
  bool is_possible = step <= room(reg->ahead, capacity, reg->seen, now) &&
                     (reg->stood == WW_STANDING || can_count(capacity, reg->seen, now, step));
  if (!is_possible) {
    reg->stood = 0;
  } else if (reg->lowers == 0) {
    reg->stood = standing(reg->stood, reg->seen, now);
  }
  believe(reg, capacity, now, total, is_possible ? step : 0);
  return is_possible ? 0 : WW_DISCONTINUOUS;
}

static void push(struct ww_register *reg, uint32_t now, uint64_t total) {
  if (reg->lowers < WW_LOWER_LIMIT) {
    reg->lowers++;
  }
  reg->lower[reg->lowers - 1] = (struct ww_lower){.first = total, .total = total, .seen = now};
}

/** Takes in a register lower than the one that is believed. Returns the one that it is. */
static const struct ww_lower *doubt(struct ww_register *reg, uint32_t capacity, uint32_t now, uint64_t total) {
  bool goes_on = true;
  while (reg->lowers > 1 && total >= reg->lower[reg->lowers - 2].total) {
    reg->lowers--; /* back to the one before: what came between was not it */
    goes_on = false;
  }
  struct ww_lower *lower = &reg->lower[reg->lowers - (reg->lowers > 0)];
  if (reg->lowers == 0 || total < lower->total) {
    push(reg, now, total);
    return &reg->lower[reg->lowers - 1];
  }
  if (!can_count(capacity, lower->seen, now, total - lower->total)) {
    lower->first = total;
    goes_on = false;
  }
  lower->stood = goes_on ? standing(lower->stood, lower->seen, now) : 0;
  lower->total = total;
  lower->seen = now;
  return lower;
}

/** Takes in a valid measurement. Returns the conditions. */
static uint8_t judge(struct ww_register *reg, uint32_t capacity, uint32_t now,
                     const struct ww_measurement *measurement) {
  uint64_t total = measurement->total;
  if (!reg->meter_known || ww_register_swapped(reg, measurement)) {
    bool is_first = reg->timestamp == 0;
    ww_register_swap(reg, measurement->meter, measurement->channels);
    believe(reg, capacity, now, total, 0);
    reg->meter_known = true;
    reg->stood = is_first ? WW_STANDING : 0;
    return is_first ? 0 : WW_DISCONTINUOUS;
  }
  if (total >= reg->total) {
    return accept(reg, capacity, now, total, total - reg->total);
  }
  const struct ww_lower *lower = doubt(reg, capacity, now, total);
  if (lower->stood < WW_STANDING) {
    return WW_DISCONTINUOUS;
  }
  reg->stood = WW_STANDING;
  return accept(reg, capacity, now, total, total - lower->first);
}

/** Goes on to a reading's time, and its energy, not below the last. */
static void follow(struct ww_register *reg, uint32_t capacity, uint32_t timestamp, uint64_t energy) {
  uint64_t increase = energy - reg->energy;
  reg->bucket = reg->timestamp == 0 ? 0 : filled(reg->bucket, capacity, reg->timestamp, timestamp, increase);
  reg->energy = energy;
  reg->timestamp = timestamp;
}

uint8_t ww_register_count(struct ww_register *reg, uint32_t capacity, uint32_t now,
                          const struct ww_measurement *measurement) {
  uint8_t conditions = measurement->valid ? judge(reg, capacity, now, measurement) : WW_INVALID;
  uint64_t most = conditions == 0 ? room(reg->bucket, capacity, reg->timestamp, now) : 0;
  uint64_t told = reg->owed < most ? reg->owed : most;
  reg->owed -= told;
  follow(reg, capacity, now, reg->energy + told);
  return conditions;
}

/* BESIDE COUNTING */

bool ww_register_swapped(const struct ww_register *reg, const struct ww_measurement *measurement) {
  return memcmp(reg->meter, measurement->meter, WW_METER_ID_LENGTH) != 0 || reg->channels != measurement->channels;
}

bool ww_register_lacks(const struct ww_register *reg, const struct ww_measurement *measurement) {
  bool is_same = reg->meter_known && memcmp(reg->meter, measurement->meter, WW_METER_ID_LENGTH) == 0 &&
                 (reg->channels ^ measurement->channels) >> 4 == 0;
  return is_same && measurement->channels < reg->channels;
}

uint64_t ww_register_shown(const struct ww_register *reg) {
  return reg->lowers > 0 ? reg->lower[reg->lowers - 1].total : reg->total;
}

void ww_register_swap(struct ww_register *reg, const uint8_t meter[WW_METER_ID_LENGTH], uint8_t channels) {
  memcpy(reg->meter, meter, WW_METER_ID_LENGTH);
  reg->channels = channels;
  reg->meter_known = false;
  reg->lowers = 0;
}

static uint32_t earlier(uint32_t time, uint32_t by) {
  return time > by ? time - by : 0;
}

void ww_register_rewind(struct ww_register *reg, uint32_t timestamp) {
  uint32_t by = reg->timestamp - timestamp;
  reg->timestamp = timestamp;
  reg->seen = earlier(reg->seen, by);
  for (unsigned i = 0; i < reg->lowers; i++) {
    reg->lower[i].seen = earlier(reg->lower[i].seen, by);
  }
}

void ww_register_recall(struct ww_register *reg, uint32_t capacity, uint32_t timestamp, uint64_t energy,
                        uint8_t conditions, uint64_t shown) {
  struct ww_register before = *reg;
  struct ww_measurement measurement = {
      .total = shown,
      .valid = (conditions & WW_INVALID) == 0,
      .channels = reg->channels,
  };
  memcpy(measurement.meter, reg->meter, WW_METER_ID_LENGTH);
  (void)ww_register_count(reg, capacity, timestamp, &measurement);
  if (reg->energy == energy) {
    return;
  }
  *reg = before;
  reg->owed = 0;
  reg->stood = 0;
  if ((conditions & WW_DISCONTINUOUS) != 0 && shown < reg->total) {
    reg->lowers = 0;
    push(reg, timestamp, shown);
  } else if (measurement.valid) {
    believe(reg, capacity, timestamp, shown, 0);
    reg->meter_known = true;
  }
  follow(reg, capacity, timestamp, energy);
}
