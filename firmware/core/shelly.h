/**
 * Understands what a Shelly answers about what it measures: Gen1 (EM, 3EM; plugs and PM models) and Gen2 and later (Pro EM,
 * Pro 3EM and their successors; plugs and PM models). The generation is recognised from the answer.
 *
 * |         | Gen1: `emeters[N]`     | Gen2+: `em1:N`, `em1data:N`   | Gen2+, three phases: `em:0`, `emdata:0` |
 * |---------|------------------------|-------------------------------|-----------------------------------------|
 * | power   | `power`, W             | `act_power`, W                | `a_act_power`, W                        |
 * | total   | by import: `total`, Wh | `total_act_energy`, Wh        | `a_total_act_energy`, Wh                |
 * |         | by export:             |                               |                                         |
 * |         | `total_returned`, Wh   | `total_act_ret_energy`, Wh    | `a_total_act_ret_energy`, Wh            |
 * | voltage | `voltage`, V           | `voltage`, V                  | `a_voltage`, V                          |
 * | current | `current`, A; 3EM only | `current`, A                  | `a_current`, A                          |
 * | valid   | unless `is_valid` is   | unless `errors` of one of the | unless `errors` of one of the two or    |
 * |         | there and not true     | two has an element            | `a_errors` has an element               |
 * | meter   | `mac`                  | `sys.mac`                     | `sys.mac`                               |
 *
 * |         | Gen1: `meters[N]`              | Gen2+: `pm1:N`, `switch:N`                                       |
 * |---------|--------------------------------|------------------------------------------------------------------|
 * | power   | `power`, W, never negative     | `apower`, W                                                      |
 * | total   | by import: `total`, Watt-min-  | by import: `aenergy.total` - `ret_aenergy.total`, Wh             |
 * |         | utes: 60 are a Wh. By export:  | by export: `ret_aenergy.total`, Wh; what it counted by the       |
 * |         | there is none                  | minute is ignored                                                |
 * | others  | as `emeters[N]`                | as `em1:N`                                                       |
 *
 * A PM model counts in `aenergy` what flows either way, and in `ret_aenergy` again what flows back. One that has no
 * `ret_aenergy` cannot tell the one from the other, and has no register of export; neither has a Gen1 plug, whose register
 * begins at zero when it loses its supply. Of a model with clamps (`em1:N`) the relay (`switch:N`) is not looked at.
 *
 * The temperature is not measured: what a Shelly tells is its own.
 *
 * Channel N is a clamp, from 0; of `em:0` the channels 0, 1 and 2 are the phases a, b and c. All phases together are
 * the sums of their powers, registers and currents and the mean of the voltages that are measured; the current is
 * measured only if each is, and the whole is valid only if each is. How many they are, and by which of these ways, is in
 * the measurement's `channels`: a meter with another profile counts in other registers.
 *
 * A Shelly counts consumption positive. Through the import register power has the Shelly's sign (the clamp points so
 * that production is positive), through the export register the opposite one.
 *
 * An error `phase_sequence` is none here: the order in which phases rotate changes nothing of what each delivers.
 *
 * null is the same as missing. Digits beyond a thousandth of a unit are cut off, toward zero.
 */
#ifndef WW_SHELLY_H
#define WW_SHELLY_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "ports.h"

enum ww_shelly_generation {
  WW_SHELLY_GEN1, /* an API of plain paths */
  WW_SHELLY_GEN2, /* RPC: Gen2 and later */
};

struct ww_shelly_options {
  uint8_t source; /* a reading's: bits 0-3 channel, 15 = all phases; bit 4: 1 = export register; others are ignored */
};

/** The path to ask any Shelly which generation it is. */
#define WW_SHELLY_IDENTITY_PATH "/shelly"

/**
 * Reads the answer to WW_SHELLY_IDENTITY_PATH.
 *
 * WW_METER_MALFORMED: not JSON. WW_METER_MISSING: it tells neither `type` nor `gen`. WW_METER_RANGE: `gen` is no whole
 * number from 2 on. `*generation` is untouched then.
 */
WW_RESULT ww_shelly_generation(const char *text, size_t length, enum ww_shelly_generation *generation);

/** The path to ask for the answer that ww_shelly_parse understands. */
const char *ww_shelly_path(enum ww_shelly_generation generation);

/**
 * Reads the answer to ww_shelly_path().
 *
 * WW_METER_MALFORMED: not JSON, truncated, or deeper than WW_JSON_DEPTH. WW_METER_MISSING: it lacks the channel, its
 * power, the register or the MAC address, or not all channels tell the same. WW_METER_RANGE: a field is no number, or power is 2^50 mW or more either way,
 * the register is negative or 2^50 mWh or more, voltage or current is negative or 2^32 - 1 thousandths or more, or the
 * MAC address is not 12 hex digits. `*out` is untouched then.
 */
WW_RESULT ww_shelly_parse(const struct ww_shelly_options *options, const char *text, size_t length,
                          struct ww_measurement *out);

#endif
