/** What the board remembers of its provisioning, in NVS. */
#ifndef WW_SAVED_H
#define WW_SAVED_H

#include <stdbool.h>

#include "board.h"
#include "settings.h"

/** Once, before the others. */
void saved_open(void);

WW_RESULT saved_load(void *context, char text[WW_SETTINGS_TEXT_LIMIT]);
WW_RESULT saved_save(void *context, const char *text);

/** Over what they are. */
void saved_load_board(struct ww_board_settings *settings);
WW_RESULT saved_save_board(void *context, const char *text);

/** Made by the secure element before this start, as far as it was kept. */
uint32_t saved_signatures(void);
void saved_count_signatures(uint32_t count);

/** Whether an oracle has stored a post of this board; from then on its lid stays shut. */
bool saved_is_sealed(void);
void saved_seal(void);

#endif
