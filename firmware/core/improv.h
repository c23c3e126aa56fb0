/**
 * The packets of Improv over a serial line (improv-wifi.com), by which a page in a browser tells a board its network:
 *
 *   "IMPROV" 6 ‖ version 1 (1) ‖ type 1 ‖ length 1 ‖ data ‖ checksum 1 (the sum of all before it)
 *
 * and a line feed after what is sent. A command's data is `command 1 ‖ length 1 ‖ its data`; a result's the same, with
 * texts `length 1 ‖ bytes` as its data. They share the line with a person: what is no packet is text.
 */
#ifndef WW_IMPROV_H
#define WW_IMPROV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WW_IMPROV_DATA_LIMIT 255u
/** Bytes of a packet at most, the line feed after it included. */
#define WW_IMPROV_PACKET_LIMIT (9u + WW_IMPROV_DATA_LIMIT + 2u)

#define WW_SSID_LIMIT 32u
#define WW_PASSWORD_LEAST 8u
#define WW_PASSWORD_LIMIT 63u

enum ww_improv_type { WW_IMPROV_STATE = 1, WW_IMPROV_ERROR = 2, WW_IMPROV_COMMAND = 3, WW_IMPROV_RESULT = 4 };

enum ww_improv_command {
  WW_IMPROV_JOIN = 1,
  WW_IMPROV_TELL_STATE = 2,
  WW_IMPROV_TELL_DEVICE = 3,
  WW_IMPROV_TELL_NETWORKS = 4,
};

/** As data of WW_IMPROV_STATE. */
enum ww_improv_state { WW_IMPROV_READY = 2, WW_IMPROV_JOINING = 3, WW_IMPROV_JOINED = 4 };

/** As data of WW_IMPROV_ERROR. */
enum ww_improv_error {
  WW_IMPROV_NO_ERROR = 0,
  WW_IMPROV_INVALID = 1,
  WW_IMPROV_UNKNOWN = 2,
  WW_IMPROV_NOT_JOINED = 3,
  WW_IMPROV_FAILED = 0xFF,
};

/* READING */

enum ww_improv_found {
  WW_IMPROV_NOTHING, /* yet: what was taken is held */
  WW_IMPROV_PACKET,  /* `type`, and `length` bytes of `data` */
  WW_IMPROV_BROKEN,  /* a packet with a wrong checksum */
  WW_IMPROV_TEXT,    /* `text_length` bytes of `text` are no packet */
};

/** Zeros are one that has taken nothing. */
struct ww_improv {
  size_t taken; /* bytes of a packet */
  uint8_t sum;
  uint8_t type;
  uint8_t length;
  uint8_t data[WW_IMPROV_DATA_LIMIT];
  char text[8];
  size_t text_length;
};

enum ww_improv_found ww_improv_take(struct ww_improv *improv, uint8_t byte);

/** Nothing came for a while: hands on as text what is no packet yet, and forgets a packet that was not finished. */
enum ww_improv_found ww_improv_give_up(struct ww_improv *improv);

/**
 * Reads the data of WW_IMPROV_JOIN: name and password of a network, as `wifi` on the console takes them. False: it is none.
 */
bool ww_improv_read_network(const uint8_t *data, size_t length, char ssid[WW_SSID_LIMIT + 1],
                            char password[WW_PASSWORD_LIMIT + 1]);

/* WRITING */

/** Returns the bytes of the packet. */
size_t ww_improv_write(enum ww_improv_type type, const uint8_t *data, size_t length,
                       uint8_t packet[WW_IMPROV_PACKET_LIMIT]);

/** A result: texts up to a NULL. One that finds no room is cut off. Returns the bytes of the packet. */
size_t ww_improv_write_result(enum ww_improv_command command, const char *const *texts,
                              uint8_t packet[WW_IMPROV_PACKET_LIMIT]);

#endif
