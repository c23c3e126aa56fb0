/**
 * Who may hold up whom. The main loop has 2 s for a reading, and the secure element's watchdog 1.3 s for a signature; a TLS
 * handshake takes as long as that of a core, of which an ESP32-C3 has one. So the main loop is above all tasks of ours,
 * and below those of Wi-Fi and TCP/IP (18 and more).
 */
#ifndef WW_PRIORITY_H
#define WW_PRIORITY_H

/** Of the main loop; what the network does for it is below. */
#define PORTS_PRIORITY 5

#endif
