/**
 * The serial line of a board, shared by a person at the console and a page in a browser that speaks Improv: packets are
 * answered here, everything else is the person's. The page may ask for the networks in reach, tell one to join, and
 * learns whether that came about within half a minute.
 */
#ifndef WW_JOINING_H
#define WW_JOINING_H

#include "console.h"
#include "improv.h"

/** A network in reach. */
struct ww_network_seen {
  char ssid[WW_SSID_LIMIT + 1];
  int strength; /* dBm */
  bool is_protected;
};

struct ww_joining_port {
  void *context;
  void (*write)(void *context, const uint8_t *bytes, size_t length);
  /** Looks for networks, without waiting for them. */
  WW_RESULT (*look)(void *context);
  /** Whether that has ended; then it tells those that were seen, by index, until false. */
  bool (*has_looked)(void *context);
  bool (*seen)(void *context, unsigned index, struct ww_network_seen *network);
};

struct ww_joining {
  struct ww_joining_port port;
  struct ww_console *console; /* its port joins a network, and tells the board's status */
  struct ww_improv improv;
  uint64_t heard_at; /* ms */
  enum { WW_NOT_JOINING, WW_JOINING, WW_LOOKING } doing;
  uint64_t since; /* ms */
};

void ww_joining_begin(struct ww_joining *joining, struct ww_joining_port port, struct ww_console *console);

/** Takes what arrived, which may be nothing, and does what is due at `now` (ms). Call it again and again. */
void ww_joining_step(struct ww_joining *joining, const char *bytes, size_t length, uint64_t now);

#endif
