/** The switch of the lid. A lid that is opened while the power is off is seen only if it is still open afterwards. */
#ifndef WW_TAMPER_H
#define WW_TAMPER_H

#include <stdbool.h>

/** -1: there is none. A pin that cannot be used is logged, and the board goes on without. */
void tamper_open(int pin);

/** Whether the lid is open, or was since the last time that this was asked. */
bool tamper_was_opened(void);

#endif
