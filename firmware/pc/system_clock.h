/** The clock of a PC, which is believed while the system says that something keeps it right. */
#ifndef WW_SYSTEM_CLOCK_H
#define WW_SYSTEM_CLOCK_H

#include "ports.h"

struct system_clock {
  bool is_trusted; /* as if something kept it right */
  uint32_t synchronised;
};

struct ww_clock_port system_clock_port(struct system_clock *clock);

/** ms that nothing sets back. */
uint64_t system_uptime(void);

#endif
