#include "settings.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "hex.h"
#include "oracle_url.h"
#include "reading.h"

enum setting {
  CHAIN_ID,
  REGISTRY,
  OWNER,
  CAPACITY,
  CHANNEL,
  REGISTER,
  INTERVAL,
  UPLOAD_EVERY,
  ORACLE,
  SHELLY,
  METER,
  SETTINGS,
};

static const char *const NAMES[SETTINGS] = {"chain-id", "registry",     "owner",  "capacity", "channel", "register",
                                            "interval", "upload-every", "oracle", "shelly",   "meter"};

/** s; every interval divides it, so that hours and quarters of an hour end on a reading. */
#define QUARTER_HOUR 900u
#define LEAST_INTERVAL 5u
#define MOST_UPLOAD_EVERY 43200u

/** Editors on Windows put it before UTF-8. */
static const char BYTE_ORDER_MARK[] = "\xEF\xBB\xBF";
static const char LINE_END[] = "\r\n";

static bool is_given(const struct ww_settings *settings, enum setting setting) {
  return (settings->given >> setting & 1) != 0;
}

void ww_settings_begin(struct ww_settings *settings) {
  memset(settings, 0, sizeof *settings);
  settings->interval = 60;
  settings->upload_every = 900;
}

static bool read_number(const char *text, uint64_t least, uint64_t most, uint64_t *number) {
  uint64_t value = 0;
  if (*text == '\0') {
    return false;
  }
  for (; *text != '\0'; text++) {
    uint64_t digit = (uint64_t)(*text - '0'); /* of no digit: more than 9 */
    if (digit > 9 || value > (UINT64_MAX - digit) / 10) {
      return false;
    }
    value = value * 10 + digit;
  }
  *number = value;
  return value >= least && value <= most;
}

static bool read_url(const char *text, char url[WW_URL_LIMIT]) {
  size_t length = strlen(text);
  const char *host = strstr(text, "://");
  if (host == NULL || host[3] == '\0' || length >= WW_URL_LIMIT || strpbrk(text, " \"\\") != NULL) {
    return false;
  }
  memcpy(url, text, length + 1);
  while (url[length - 1] == '/') {
    url[--length] = '\0';
  }
  return true;
}

static bool read_channel(const char *text, uint8_t *source) {
  uint64_t channel = WW_ALL_PHASES;
  if (strcmp(text, "all") != 0 && !read_number(text, 0, WW_ALL_PHASES - 1, &channel)) {
    return false;
  }
  *source = (uint8_t)((*source & ~WW_SOURCE_CHANNEL) | channel);
  return true;
}

static bool read_register(const char *text, uint8_t *source) {
  bool is_export = strcmp(text, "export") == 0;
  if (!is_export && strcmp(text, "import") != 0) {
    return false;
  }
  *source = (uint8_t)((*source & ~WW_SOURCE_EXPORT) | (is_export ? WW_SOURCE_EXPORT : 0));
  return true;
}

static bool set(struct ww_settings *settings, enum setting setting, const char *value) {
  uint64_t number = 0;
  switch (setting) {
    case CHAIN_ID: return read_number(value, 1, UINT64_MAX, &settings->place.chain_id);
    case REGISTRY: return ww_unhex(value, settings->place.registry, WW_ADDRESS_LENGTH);
    case OWNER: return ww_unhex(value, settings->owner, WW_ADDRESS_LENGTH);
    case CAPACITY:
      if (!read_number(value, 1, UINT32_MAX, &number)) {
        return false;
      }
      settings->capacity = (uint32_t)number;
      return true;
    case CHANNEL: return read_channel(value, &settings->source);
    case REGISTER: return read_register(value, &settings->source);
    case INTERVAL:
      if (!read_number(value, LEAST_INTERVAL, QUARTER_HOUR, &number) || QUARTER_HOUR % number != 0) {
        return false;
      }
      settings->interval = (uint16_t)number;
      return true;
    case UPLOAD_EVERY:
      if (!read_number(value, 1, MOST_UPLOAD_EVERY, &number)) {
        return false;
      }
      settings->upload_every = (uint16_t)number;
      return true;
    case ORACLE: return ww_oracle_url_is_allowed(value) && read_url(value, settings->oracle);
    case SHELLY: return strncmp(value, "http://", 7) == 0 && read_url(value, settings->shelly);
    case METER: settings->succeeds = true; return ww_unhex(value, settings->meter, WW_HASH_LENGTH);
    case SETTINGS: break;
  }
  return false;
}

static const char *const RULES[SETTINGS] = {
    "a number from 1 on",
    "an address: 0x and 40 hexadecimal digits",
    "an address: 0x and 40 hexadecimal digits",
    "a number of W, from 1 on",
    "a channel from 0 to 14, or all",
    "import or export",
    "a number of s from 5 to 900 that divides 900",
    "a number of s from 1 to 43200",
    "https://NAME, or http:// with a private address such as http://192.168.1.2:8080",
    "http:// and the meter's address",
    "a meter's id: 0x and 64 hexadecimal digits",
};

static enum setting find(const char *name) {
  enum setting setting = 0;
  while (setting < SETTINGS && strcmp(name, NAMES[setting]) != 0) {
    setting++;
  }
  return setting;
}

const char *ww_settings_rule(const char *name) {
  enum setting setting = find(name);
  return setting < SETTINGS ? RULES[setting] : NULL;
}

enum ww_error ww_settings_set(struct ww_settings *settings, const char *name, const char *value) {
  enum setting setting = find(name);
  if (setting == SETTINGS) {
    return WW_SETTING_UNKNOWN;
  }
  struct ww_settings changed = *settings;
  if (!set(&changed, setting, value)) {
    return WW_SETTING_INVALID;
  }
  changed.given |= (uint16_t)(1u << setting);
  *settings = changed;
  return WW_OK;
}

const char *ww_settings_name(unsigned index) {
  return index < SETTINGS ? NAMES[index] : NULL;
}

static bool is_lacking(const struct ww_settings *settings, enum setting setting) {
  bool is_optional = setting == INTERVAL || setting == UPLOAD_EVERY || setting == METER;
  return !is_optional && !is_given(settings, setting);
}

bool ww_settings_lack(const struct ww_settings *settings, const char *name) {
  enum setting setting = find(name);
  return setting < SETTINGS && is_lacking(settings, setting);
}

const char *ww_settings_missing(const struct ww_settings *settings) {
  for (enum setting setting = 0; setting < SETTINGS; setting++) {
    if (is_lacking(settings, setting)) {
      return NAMES[setting];
    }
  }
  return NULL;
}

/** Takes one line apart: `name`, white space, `value`. An empty line, or a remark, has no name. */
static enum ww_error read_line(struct ww_settings *settings, const char *text, size_t length) {
  char line[WW_URL_LIMIT + 32];
  if (length >= sizeof line) {
    return WW_SETTING_INVALID;
  }
  memcpy(line, text, length);
  line[length] = '\0';
  char *name = line + strspn(line, " \t\r");
  if (*name == '\0' || *name == '#') {
    return WW_OK;
  }
  char *value = name + strcspn(name, " \t\r");
  if (*value != '\0') {
    *value++ = '\0';
    value += strspn(value, " \t\r");
  }
  size_t end = strlen(value);
  while (end > 0 && strchr(" \t\r", value[end - 1]) != NULL) {
    value[--end] = '\0';
  }
  return ww_settings_set(settings, name, value);
}

const char *ww_settings_next_line(const char *text) {
  text += strcspn(text, LINE_END);
  return text + (text[0] == '\r' && text[1] == '\n' ? 2 : text[0] != '\0');
}

enum ww_error ww_settings_read(struct ww_settings *settings, const char *text, unsigned *line) {
  struct ww_settings read;
  ww_settings_begin(&read);
  *line = 0;
  text += strncmp(text, BYTE_ORDER_MARK, sizeof BYTE_ORDER_MARK - 1) == 0 ? sizeof BYTE_ORDER_MARK - 1 : 0;
  while (*text != '\0') {
    ++*line;
    WW_TRY(read_line(&read, text, strcspn(text, LINE_END)));
    text = ww_settings_next_line(text);
  }
  *settings = read;
  return ww_settings_missing(settings) != NULL ? WW_SETTING_MISSING : WW_OK;
}

static char *write_hex(char *out, const char *name, const uint8_t *bytes, size_t length) {
  out += sprintf(out, "%s ", name);
  out = ww_hex(out, bytes, length);
  *out++ = '\n';
  *out = '\0';
  return out;
}

void ww_settings_write(const struct ww_settings *settings, char text[WW_SETTINGS_TEXT_LIMIT]) {
  char *out = text;
  uint8_t channel = settings->source & WW_SOURCE_CHANNEL;
  out += sprintf(out, "chain-id %" PRIu64 "\n", settings->place.chain_id);
  out = write_hex(out, "registry", settings->place.registry, WW_ADDRESS_LENGTH);
  out = write_hex(out, "owner", settings->owner, WW_ADDRESS_LENGTH);
  out += sprintf(out, "capacity %" PRIu32 "\n", settings->capacity);
  out += channel == WW_ALL_PHASES ? sprintf(out, "channel all\n") : sprintf(out, "channel %u\n", channel);
  out += sprintf(out, "register %s\n", settings->source & WW_SOURCE_EXPORT ? "export" : "import");
  out += sprintf(out, "interval %u\nupload-every %u\n", settings->interval, settings->upload_every);
  out += sprintf(out, "oracle %s\n", settings->oracle);
  if (settings->shelly[0] != '\0') {
    out += sprintf(out, "shelly %s\n", settings->shelly);
  }
  if (settings->succeeds) {
    write_hex(out, "meter", settings->meter, WW_HASH_LENGTH);
  }
}
