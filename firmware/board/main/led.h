/** The lamp, which blinks as core/health.h says. */
#ifndef WW_LED_H
#define WW_LED_H

#include <stdbool.h>

#include "health.h"

/** `pin` -1: there is none. `is_low`: lit at a low level. */
void led_open(int pin, bool is_low);

void led_show(enum ww_health health);

#endif
