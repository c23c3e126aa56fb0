/**
 * The device's own cumulative register of production. It sums the increases of the meter's register, survives reboots,
 * ignores the meter's resets and never decreases: a meter's own register can be reset by anyone with its app.
 *
 * An increase counts within a leaky bucket that fills with what was produced, leaks at the installation's capacity and
 * holds 900 s of it, as oracle and DON keep one: no reading is taken that they would refuse.
 */
#ifndef WW_REGISTER_H
#define WW_REGISTER_H

#include <stdbool.h>
#include <stdint.h>

#include "ports.h"

/** s of capacity that the bucket holds */
#define WW_CAPACITY_BURST 900u

/** A meter's register is below this, mWh. */
#define WW_TOTAL_LIMIT (UINT64_C(1) << 50)

struct ww_register {
  uint64_t energy;    /* mWh */
  uint64_t bucket;    /* mW s that it ran ahead of capacity x time */
  uint32_t timestamp; /* of the last reading; 0 = none yet */
  bool meter_known;
  uint8_t meter[WW_METER_ID_LENGTH]; /* which meter counted last */
  uint64_t total;                    /* mWh, what its register showed then */
};

/** Whether another meter than before measured this. */
bool ww_register_swapped(const struct ww_register *reg, const struct ww_measurement *measurement);

/**
 * Counts what a meter of an installation of `capacity` (W) shows at `now`, later than the last time. Returns the reading's
 * conditions: WW_INVALID (nothing is counted until it is valid again, then all of it), WW_DISCONTINUOUS (another meter, a
 * register that went backward or jumped beyond the capacity: counting goes on from what it shows now), or 0.
 */
uint8_t ww_register_count(struct ww_register *reg, uint32_t capacity, uint32_t now,
                          const struct ww_measurement *measurement);

/** Goes over a reading that was counted before: its time, and its energy, not below the last. */
void ww_register_follow(struct ww_register *reg, uint32_t capacity, uint32_t timestamp, uint64_t energy);

#endif
