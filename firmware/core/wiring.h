/**
 * Whether the meter is wired and set as production needs it, by what readings show for some minutes: a clamp the wrong way
 * round, or the wrong register, would count nothing for ever and never be an error.
 */
#ifndef WW_WIRING_H
#define WW_WIRING_H

#include <stdint.h>

#include "reading.h"

/** s for which it must look wrong. */
#define WW_WIRING_PATIENCE 300u

enum ww_wiring_problem {
  WW_WIRED,        /* none is seen */
  WW_REVERSED,     /* power is negative: it would be, too, where the clamp is right and nothing but a house draws it */
  WW_NOT_COUNTING, /* power flows, and the register does not move */
};

struct ww_wiring {
  enum ww_wiring_problem problem; /* that lasts */
  enum ww_wiring_problem seen;    /* in the last reading */
  uint32_t since;                 /* Unix time */
  uint64_t energy;                /* mWh, of the last reading */
};

/** Looks at the next reading of an installation of `capacity` (W). What an inverter draws by itself is none of it. */
void ww_wiring_look(struct ww_wiring *wiring, uint32_t capacity, const struct ww_reading *reading);

/** One sentence for a person: what to look at; `source` is a reading's. NULL where there is no problem. */
const char *ww_wiring_advice(enum ww_wiring_problem problem, uint8_t source);

#endif
