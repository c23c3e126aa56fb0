/** The clock of the board, set right by SNTP every hour. */
#ifndef WW_SNTP_CLOCK_H
#define WW_SNTP_CLOCK_H

#include "ports.h"

/** Once the network's interfaces are there; it need not be connected. */
void sntp_clock_start(const char *server);

struct ww_clock_port sntp_clock_port(void);

#endif
