/**
 * The device's own cumulative register of production. It sums the increases of the meter's register, survives reboots,
 * ignores the meter's resets and never decreases: a meter's own register can be reset by anyone with its app.
 *
 * An increase counts within a leaky bucket that fills with what was produced, leaks at the installation's capacity and
 * holds 900 s of it, as oracle and DON keep one: no reading is taken that they would refuse.
 *
 * A register that shows less than before is not believed at once: meters answer 0 for a single poll, and counted anew, the
 * return would mint what nobody produced. Nothing counts while it stands lower. Where the old one returns, counting goes on
 * from it. Where the lower one has stood for a quarter of an hour of readings, never backward, it is believed, and what it
 * counted since it first stood is made up for.
 *
 * What counts at once and is more than the bucket lets pass, because nothing could be counted for a while, is owed, and told
 * by the readings that follow.
 */
#ifndef WW_REGISTER_H
#define WW_REGISTER_H

#include <stdbool.h>
#include <stdint.h>

#include "ports.h"

/** s of capacity that the bucket holds */
#define WW_CAPACITY_BURST 900u

/** s of readings after which a lower register is believed. */
#define WW_STANDING 900u

/** s; no more of the time between two readings counts as standing: nobody looked meanwhile. */
#define WW_STANDING_STEP 300u

/**
 * s; what has not stood long can count no more at a time than the capacity makes in this, or since it was last seen. Meters
 * move their registers in steps of up to a minute.
 */
#define WW_REGISTER_STEP 60u

/** A meter's register is below this, mWh. */
#define WW_TOTAL_LIMIT (UINT64_C(1) << 50)

/** Registers that are remembered while none of them is believed, each lower than the one before. */
#define WW_LOWER_LIMIT 3u

/** A register that shows less than the one that is believed. */
struct ww_lower {
  uint64_t first; /* mWh, from where on it counts once it is believed */
  uint64_t total; /* mWh, what it showed last */
  uint32_t seen;  /* Unix time, last */
  uint32_t stood; /* s of readings, never backward */
};

struct ww_register {
  uint64_t energy;    /* mWh */
  uint64_t bucket;    /* mW s that it ran ahead of capacity x time */
  uint32_t timestamp; /* of the last reading; 0 = none yet */
  uint64_t owed;      /* mWh that count, and that no reading has told yet */
  bool meter_known;
  uint8_t meter[WW_METER_ID_LENGTH]; /* which meter counted last */
  uint8_t channels;                  /* as it measures them */
  uint64_t total;                    /* mWh, what its register showed then */
  uint64_t ahead;                    /* mW s that this register ran ahead, then */
  uint32_t seen;                     /* Unix time, then */
  uint32_t stood; /* s of readings since it was another meter's, or jumped; no more than WW_STANDING */
  uint8_t lowers;
  struct ww_lower lower[WW_LOWER_LIMIT];
};

/** Whether another meter than the one that counted last measured this, or the same one other channels. */
bool ww_register_swapped(const struct ww_register *reg, const struct ww_measurement *measurement);

/** Whether this lacks a channel that was there before: the sum of the others is no smaller register. */
bool ww_register_lacks(const struct ww_register *reg, const struct ww_measurement *measurement);

/**
 * Counts what a meter of an installation of `capacity` (W) shows at `now`, later than the last time. Returns the reading's
 * conditions: WW_INVALID (nothing is counted until it is valid again, then all of it), WW_DISCONTINUOUS (another meter, or a
 * jump beyond the capacity: counting goes on from what it shows now; or a register that is not believed yet), or 0.
 */
uint8_t ww_register_count(struct ww_register *reg, uint32_t capacity, uint32_t now,
                          const struct ww_measurement *measurement);

/** What the meter showed last, believed or not, mWh. */
uint64_t ww_register_shown(const struct ww_register *reg);

/** Forgets what the meter showed: the next measurement is of `meter`, whose register is not known yet. */
void ww_register_swap(struct ww_register *reg, const uint8_t meter[WW_METER_ID_LENGTH], uint8_t channels);

/** The last reading's time was wrong, and was `timestamp`, which is earlier. */
void ww_register_rewind(struct ww_register *reg, uint32_t timestamp);

/**
 * Counts again what was counted before: `shown` (mWh) at a reading of these conditions, time and energy, which is not below
 * the last. Where that does not come to the same, since the capacity was another then, the energy stays what was read.
 */
void ww_register_recall(struct ww_register *reg, uint32_t capacity, uint32_t timestamp, uint64_t energy,
                        uint8_t conditions, uint64_t shown);

#endif
