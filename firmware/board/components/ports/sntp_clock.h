/** The clock of the board, set right by SNTP every hour. */
#ifndef WW_SNTP_CLOCK_H
#define WW_SNTP_CLOCK_H

#include "ports.h"

/** Once the network's interfaces and the event loop are there; it need not be connected. `server` must live as long. */
void sntp_clock_start(const char *server);

/** By how much (ms) the clock was set right the last time, where it was not the first; positive: it had been behind. */
bool sntp_clock_was_moved(int32_t *by);

struct ww_clock_port sntp_clock_port(void);

#endif
