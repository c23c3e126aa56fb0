/** The house's network, and where it is configured the Shelly's own. */
#ifndef WW_WIFI_H
#define WW_WIFI_H

#include "error.h"

/** Joins the network whose credentials are kept, again and again. After NVS is open. */
void wifi_start(void);

/** Keeps credentials of a WPA2 or WPA3 network in NVS, and joins it. */
WW_RESULT wifi_set(void *context, const char *ssid, const char *password);

#endif
