/** What the meters of the soak tell: each a kind that the device understands, written as it tells it and read again. */
#ifndef WW_ANSWERS_H
#define WW_ANSWERS_H

#include "ports.h"

enum answer_kind {
  ANSWER_EM,     /* Gen1, two clamps */
  ANSWER_PRO_EM, /* Gen2, two clamps */
  ANSWER_SWITCH, /* a plug that measures, Gen2 and later */
  ANSWER_PM1,    /* a PM Mini */
  ANSWER_PLUG,   /* Gen1: one direction, in Watt-minutes */
  ANSWER_SML,    /* an optical head, a household's meter that counts in 0.1 Wh */
  ANSWER_KINDS,
};

/** Leads what a meter shows through what one of this kind tells: what comes back is what the device sees. */
WW_RESULT answer_through(enum answer_kind kind, const struct ww_measurement *shown, struct ww_measurement *seen);

#endif
