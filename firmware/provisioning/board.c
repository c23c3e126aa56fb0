#include "board.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NONE "none"
#define SECURE "https://"
#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

enum kind { TEXT, SECRET, HOST, NAME, URL, PIN, PIN_OR_NONE, LEVEL };

static const struct {
  const char *name;
  enum kind kind;
  size_t offset;
  size_t least, most; /* characters */
  const char *rule;
} SETTINGS[] = {
#define SETTING(name, kind, field, least, most, rule) \
  { name, kind, offsetof(struct ww_board_settings, field), least, most, rule }
    SETTING("shelly-user", TEXT, shelly_user, 1, 64, "a name of 1 to 64 characters, or none"),
    SETTING("shelly-password", SECRET, shelly_password, 1, 64, "1 to 64 characters"),
    SETTING("time-server", HOST, time_server, 1, 64, "a host's name or address"),
    SETTING("update-url", URL, update_url, 12, WW_URL_LIMIT - 1, "https://NAME, or none"),
    SETTING("name", NAME, name, 1, 32, "1 to 32 lower-case letters, digits and hyphens"),
    SETTING("access-point", TEXT, access_point, 1, WW_SSID_LIMIT, "a name of 1 to 32 characters, or none"),
    SETTING("access-point-password", SECRET, access_point_password, WW_PASSWORD_LEAST, WW_PASSWORD_LIMIT,
            "8 to 63 characters"),
    SETTING("sda-pin", PIN, sda_pin, 1, 2, "the number of a free GPIO"),
    SETTING("scl-pin", PIN, scl_pin, 1, 2, "the number of a free GPIO"),
    SETTING("lid-pin", PIN_OR_NONE, lid_pin, 1, 2, "the number of a free GPIO, or none"),
    SETTING("led-pin", PIN_OR_NONE, led_pin, 1, 2, "the number of a free GPIO, or none"),
    SETTING("led-lit", LEVEL, led_is_low, 3, 4, "high or low"),
#undef SETTING
};

#define COUNT (sizeof SETTINGS / sizeof *SETTINGS)

static unsigned find(const char *name) {
  unsigned index = 0;
  while (index < COUNT && strcmp(name, SETTINGS[index].name) != 0) {
    index++;
  }
  return index;
}

const char *ww_board_name(unsigned index) {
  return index < COUNT ? SETTINGS[index].name : NULL;
}

const char *ww_board_rule(const char *name) {
  unsigned index = find(name);
  return index < COUNT ? SETTINGS[index].rule : NULL;
}

bool ww_board_is_secret(const char *name) {
  unsigned index = find(name);
  return index < COUNT && SETTINGS[index].kind == SECRET;
}

/* CHANGING */

static bool is_of(const char *value, const char *allowed) {
  return value[strspn(value, allowed)] == '\0';
}

static bool read_pin(uint64_t pins, const char *value, int8_t *pin) {
  unsigned number = 0;
  if (!is_of(value, DIGITS)) {
    return false;
  }
  for (; *value != '\0'; value++) {
    number = number * 10 + (unsigned)(*value - '0');
  }
  if (number > 63 || (pins >> number & 1) == 0) {
    return false;
  }
  *pin = (int8_t)number;
  return true;
}

/** Whether the value fits, where its length does. */
static bool fits(enum kind kind, const char *value) {
  switch (kind) {
    case HOST: return is_of(value, LOWER "ABCDEFGHIJKLMNOPQRSTUVWXYZ" DIGITS "-.:");
    case NAME: return is_of(value, LOWER DIGITS "-") && value[0] != '-' && value[strlen(value) - 1] != '-';
    case URL: return strncmp(value, SECURE, sizeof SECURE - 1) == 0 && strpbrk(value, " \"\\") == NULL;
    case LEVEL: return strcmp(value, "high") == 0 || strcmp(value, "low") == 0;
    default: return true;
  }
}

static bool may_be_none(enum kind kind) {
  return kind == TEXT || kind == URL || kind == PIN_OR_NONE;
}

enum ww_error ww_board_set(struct ww_board_settings *settings, const char *name, const char *value) {
  unsigned index = find(name);
  if (index == COUNT) {
    return WW_SETTING_UNKNOWN;
  }
  enum kind kind = SETTINGS[index].kind;
  char *field = (char *)settings + SETTINGS[index].offset;
  bool is_pin = kind == PIN || kind == PIN_OR_NONE;
  if (may_be_none(kind) && strcmp(value, NONE) == 0) {
    *field = (char)(is_pin ? WW_NO_PIN : '\0');
    return WW_OK;
  }
  size_t length = strlen(value);
  if (length < SETTINGS[index].least || length > SETTINGS[index].most || !fits(kind, value)) {
    return WW_SETTING_INVALID;
  }
  if (is_pin) {
    return read_pin(settings->pins, value, (int8_t *)field) ? WW_OK : WW_SETTING_INVALID;
  }
  if (kind == LEVEL) {
    settings->led_is_low = strcmp(value, "low") == 0;
  } else {
    memcpy(field, value, length + 1);
  }
  return WW_OK;
}

const char *ww_board_problem(const struct ww_board_settings *settings) {
  const int8_t pins[] = {settings->sda_pin, settings->scl_pin, settings->lid_pin, settings->led_pin};
  for (size_t i = 0; i < sizeof pins; i++) {
    for (size_t j = i + 1; j < sizeof pins; j++) {
      if (pins[i] != WW_NO_PIN && pins[i] == pins[j]) {
        return "two of the pins are the same";
      }
    }
  }
  if (settings->access_point[0] != '\0' && settings->access_point_password[0] == '\0') {
    return "the access point has no password: set access-point-password, or set access-point none";
  }
  return NULL;
}

/* TEXT */

void ww_board_read(struct ww_board_settings *settings, const char *text) {
  char line[WW_URL_LIMIT + 32];
  for (; *text != '\0'; text = ww_settings_next_line(text)) {
    size_t length = strcspn(text, "\n");
    size_t name = strcspn(text, " \n");
    if (length >= sizeof line || name == length) {
      continue;
    }
    memcpy(line, text, length);
    line[length] = line[name] = '\0';
    enum ww_error error = ww_board_set(settings, line, line + name + 1);
    (void)error; /* it is as it was */
  }
}

void ww_board_value(const struct ww_board_settings *settings, unsigned index, char value[WW_URL_LIMIT]) {
  const char *field = (const char *)settings + SETTINGS[index].offset;
  enum kind kind = SETTINGS[index].kind;
  if (kind == LEVEL) {
    strcpy(value, settings->led_is_low ? "low" : "high");
  } else if (kind != PIN && kind != PIN_OR_NONE) {
    strcpy(value, *field == '\0' ? NONE : field);
  } else if (*(const int8_t *)field == WW_NO_PIN) {
    strcpy(value, NONE);
  } else {
    snprintf(value, WW_URL_LIMIT, "%d", *(const int8_t *)field);
  }
}

void ww_board_write(const struct ww_board_settings *settings, char text[WW_BOARD_TEXT_LIMIT]) {
  char value[WW_URL_LIMIT];
  char *out = text;
  *out = '\0';
  for (unsigned i = 0; i < COUNT; i++) {
    bool is_unset_secret = SETTINGS[i].kind == SECRET && *((const char *)settings + SETTINGS[i].offset) == '\0';
    if (!is_unset_secret) {
      ww_board_value(settings, i, value);
      out += sprintf(out, "%s %s\n", SETTINGS[i].name, value);
    }
  }
}

/* STATUS */

const char *ww_network_reason(int reason) {
  switch (reason) {
    case 0: return "it was not tried yet";
    case 2:
    case 15:
    case 202:
    case 204: return "the password is wrong, or the signal weak";
    case 200: return "its signal was lost";
    case 201: return "there is none of that name in reach, at 2.4 GHz";
    case 210:
    case 211: return "it is not protected by WPA2 or WPA3";
    case 205: return "it refused the connection";
    default: return "it ended the connection";
  }
}
