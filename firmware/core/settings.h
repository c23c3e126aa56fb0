/**
 * What a device is told at provisioning. As text, a line each, `name value`; lines that begin with # say nothing. It is
 * UTF-8, with or without a byte order mark, and lines end as anywhere.
 *
 *   chain-id      of the chain, decimal
 *   registry      address of the MeterRegistry on it
 *   owner         address that the meter belongs to
 *   capacity      of the installation, W
 *   channel       the meter's: 0 to 14, or all
 *   register      which of the meter's registers counts production: import (1.8.0) or export (2.8.0)
 *   interval      s between readings: divides 900, at least 5 (60)
 *   upload-every  s between uploads (900): a head covers all since the last, and each costs the chip a signature
 *   oracle        its base URL: https://…, or http://… of a private address (core/oracle_url.h)
 *   shelly        the meter's base URL: http://…; a program that reads another kind of meter needs none
 *   meter         id of the meter, where this key succeeds another (the key's own id)
 */
#ifndef WW_SETTINGS_H
#define WW_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "statement.h"

#define WW_URL_LIMIT 128u

/** Bytes of the longest text that ww_settings_write makes, its zero included. */
#define WW_SETTINGS_TEXT_LIMIT 1024u

struct ww_settings {
  struct ww_place place;
  uint8_t owner[WW_ADDRESS_LENGTH];
  uint32_t capacity;     /* W */
  uint8_t source;        /* a reading's: channel and register */
  uint16_t interval;     /* s */
  uint16_t upload_every; /* s */
  char oracle[WW_URL_LIMIT];
  char shelly[WW_URL_LIMIT];
  bool succeeds; /* another key: then `meter` is the meter's id */
  uint8_t meter[WW_HASH_LENGTH];
  uint16_t given; /* one bit for each that was set */
};

/** The defaults, and nothing else. */
void ww_settings_begin(struct ww_settings *settings);

/** Refuses WW_SETTING_UNKNOWN, WW_SETTING_INVALID; the settings are as before then. */
WW_RESULT ww_settings_set(struct ww_settings *settings, const char *name, const char *value);

/** The name of a setting, from 0; NULL after the last. */
const char *ww_settings_name(unsigned index);

/** What a setting can be, for a person; NULL where there is no such setting. */
const char *ww_settings_rule(const char *name);

/** Whether this one must be set, and is not. */
bool ww_settings_lack(const struct ww_settings *settings, const char *name);

/** The name of one that is missing, or NULL. */
const char *ww_settings_missing(const struct ww_settings *settings);

/**
 * Reads a text over the defaults. Refuses as ww_settings_set, in `line` (from 1), and WW_SETTING_MISSING: then the
 * settings are those that were given, and ww_settings_missing names one that was not.
 */
WW_RESULT ww_settings_read(struct ww_settings *settings, const char *text, unsigned *line);

/** Where the line after the one that begins here begins; the text's end after the last. */
const char *ww_settings_next_line(const char *text);

/** The text that ww_settings_read makes these settings of; of a Shelly only where there is one. */
void ww_settings_write(const struct ww_settings *settings, char text[WW_SETTINGS_TEXT_LIMIT]);

#endif
