/**
 * How a device is in one word, and how a lamp tells it: it blinks so many times, and pauses. Where several things are wrong
 * it is the one that a person has to see to first.
 *
 *   a short flash every four seconds   all is well
 *   1  the device has not started: the console's `status` says why
 *   2  no network
 *   3  the clock was not set yet
 *   4  the meter
 *   5  the secure element, or the store
 *   6  the oracle does not know the meter: it is not registered
 *   7  no oracle takes what is posted
 */
#ifndef WW_HEALTH_H
#define WW_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

#include "device.h"

enum ww_health {
  WW_WELL,
  WW_NOT_STARTED,
  WW_NO_NETWORK,
  WW_NO_CLOCK,
  WW_NO_METER,
  WW_NO_READING,
  WW_NOT_REGISTERED,
  WW_NO_ORACLE,
};

/** `device`: NULL = it has not started. */
enum ww_health ww_health_of(const struct ww_device *device, bool has_network);

/** One sentence fragment for a person; never NULL. */
const char *ww_health_text(enum ww_health health);

/** Whether the lamp is lit at this moment (ms, from anywhere on). */
bool ww_lamp_is_lit(enum ww_health health, uint64_t now);

#endif
