/**
 * What a board is told beside the meter's settings, and what it tells about itself. An image is the same for every board:
 * what differs is set on the console, and kept as text, a line each, `name value`.
 *
 *   shelly-user            of the Shelly, where its page has a password: admin (none)
 *   shelly-password        SECRET
 *   time-server            SNTP
 *   update-url             https://… of new firmware (none)
 *   name                   of the board in the network: NAME.local
 *   access-point           name of a network that the board opens for the Shelly alone (none)
 *   access-point-password  SECRET; 8 to 63 characters
 *   sda-pin, scl-pin       of the secure element
 *   lid-pin                of the lid's switch (none)
 *   led-pin                of the lamp (none)
 *   led-lit                high or low: the level at which it is lit
 *
 * All of them take effect after a restart. A secret is never printed.
 */
#ifndef WW_BOARD_H
#define WW_BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "improv.h"
#include "ports.h"
#include "settings.h"

/* SETTINGS */

/** Bytes of a text setting but the URL, its zero included. */
#define WW_BOARD_TEXT 65u

/** Bytes of the longest text that ww_board_write makes, its zero included. */
#define WW_BOARD_TEXT_LIMIT 1024u

/** One bit for each pin that is free for anything, with an output and a pull-up: not the flash's, not the console's. */
#define WW_PINS_ESP32 UINT64_C(0x30EEFF035)
#define WW_PINS_ESP32C3 UINT64_C(0x0000007FF)

#define WW_NO_PIN (-1)

struct ww_board_settings {
  uint64_t pins; /* that may be set */
  char shelly_user[WW_BOARD_TEXT];
  char shelly_password[WW_BOARD_TEXT];
  char time_server[WW_BOARD_TEXT];
  char update_url[WW_URL_LIMIT];
  char name[WW_BOARD_TEXT];
  char access_point[WW_BOARD_TEXT];
  char access_point_password[WW_BOARD_TEXT];
  int8_t sda_pin;
  int8_t scl_pin;
  int8_t lid_pin;
  int8_t led_pin;
  bool led_is_low; /* lit at a low level */
};

/** Refuses WW_SETTING_UNKNOWN, WW_SETTING_INVALID; the settings are as before then. */
WW_RESULT ww_board_set(struct ww_board_settings *settings, const char *name, const char *value);

/** The name of a setting, from 0; NULL after the last. */
const char *ww_board_name(unsigned index);

/** What a setting can be, for a person; NULL where there is no such setting. */
const char *ww_board_rule(const char *name);

bool ww_board_is_secret(const char *name);

/** Why the settings cannot be used together, for a person; NULL = they can. */
const char *ww_board_problem(const struct ww_board_settings *settings);

/** Reads a text over what they are. A line that cannot be is passed over: another firmware may have written it. */
void ww_board_read(struct ww_board_settings *settings, const char *text);

/** One setting as text: its value, or "none". */
void ww_board_value(const struct ww_board_settings *settings, unsigned index, char value[WW_URL_LIMIT]);

/** The text that ww_board_read makes these settings of, secrets included. */
void ww_board_write(const struct ww_board_settings *settings, char text[WW_BOARD_TEXT_LIMIT]);

/* STATUS */

enum ww_network {
  WW_NETWORK_UNSET,
  WW_NETWORK_AWAY,
  WW_NETWORK_JOINED,
  WW_NETWORK_OF_HOST, /* a program's machine has one, or not: that is not its business */
};

struct ww_board_status {
  char version[32]; /* of the firmware */
  char chip[16];
  enum ww_network network;
  char ssid[WW_SSID_LIMIT + 1];
  int reason;       /* ESP-IDF's number of why the network was left last; 0 = it was not */
  int strength;     /* dBm */
  char address[16]; /* IPv4 */
  struct ww_time time;
  uint32_t signatures_before; /* made before this start, as far as it was kept */
  bool clock_was_moved;       /* set right a second time or later */
  int32_t clock_moved;        /* ms, by that the last time; positive: it had been behind */
};

/** One sentence fragment for a person; never NULL. */
const char *ww_network_reason(int reason);

#endif
