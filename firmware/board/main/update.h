/** New firmware, from one URL, and back to the old one where the new one does not prove itself. */
#ifndef WW_UPDATE_H
#define WW_UPDATE_H

#include <stdbool.h>
#include <stdint.h>

/** Looks once a day, in a task of its own; an empty URL = never. */
void update_start(const char *url);

/**
 * Call it again and again. A new image is kept once an oracle stored a post of it, and given up for the old one where
 * none did for an hour.
 */
void update_judge(bool has_posted, uint64_t uptime);

#endif
