/** The house's network, and where it is set the Shelly's own. */
#ifndef WW_WIFI_H
#define WW_WIFI_H

#include "board.h"
#include "error.h"
#include "joining.h"

/** Joins the network whose credentials are kept, again and again, and is found there by the board's name. After NVS is open. */
void wifi_start(const struct ww_board_settings *board);

/** Keeps credentials of a WPA2 or WPA3 network in NVS, and joins it. */
WW_RESULT wifi_set(void *context, const char *ssid, const char *password);

bool wifi_is_joined(void);

/** Tells network, name, reason, strength and address. */
void wifi_describe(struct ww_board_status *status);

/** Looks for the networks in reach, as struct ww_joining_port wants it. */
WW_RESULT wifi_look(void *context);
bool wifi_has_looked(void *context);
bool wifi_seen(void *context, unsigned index, struct ww_network_seen *network);

#endif
