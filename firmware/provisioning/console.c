#include "console.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "health.h"
#include "hex.h"
#include "provisioning.h"
#include "registration.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/** s that the registry takes a baseline for */
#define ROTATION_AGE 3600u
#define REGISTRATION_AGE (7u * 24 * 3600)
#define FULL 100u /* % of the queue */
#define MWH_PER_KWH UINT64_C(1000000)
#define ASKED_DIGITS 4u
#define PROMPT "> "

/* PRINTING */

static void say_pieces(const struct ww_console *console, const char *const *piece) {
  for (; *piece != NULL; piece++) {
    console->port.print(console->port.context, *piece);
  }
  console->port.print(console->port.context, "\r\n");
}

/** One line of several texts. */
#define SAY(console, ...) say_pieces(console, (const char *const[]){__VA_ARGS__, NULL})

struct text {
  char of[WW_HEX_LENGTH(64) + 1];
};

static struct text number(uint64_t value) {
  struct text text;
  snprintf(text.of, sizeof text.of, "%" PRIu64, value);
  return text;
}

static struct text kilowatt_hours(uint64_t energy) {
  struct text text;
  snprintf(text.of, sizeof text.of, "%" PRIu64 ".%06" PRIu64, energy / MWH_PER_KWH, energy % MWH_PER_KWH);
  return text;
}

static struct text hex(const uint8_t *bytes, size_t length) {
  struct text text;
  *ww_hex(text.of, bytes, length) = '\0';
  return text;
}

#define NUMBER(value) (number(value).of)
#define HEX(bytes, length) (hex(bytes, length).of)

/** Without 0x, as it is printed on no chip but read from each. */
#define SERIAL(serial) (hex(serial, WW_ATECC608_SERIAL_NUMBER_LENGTH).of + 2)

static void say_failure(const struct ww_console *console, const char *what, enum ww_error error) {
  const char *advice = "";
  switch (error) {
    case WW_CHIP_SILENT:
    case WW_CHIP_CHECKSUM: advice = " Check its wiring and its supply, and try again."; break;
    case WW_CHIP_DIFFERS: advice = " It has been locked or changed as something else: take another one."; break;
    case WW_CHIP_UNLOCKED: advice = " Do the steps in their order: chip tells which is next."; break;
    case WW_CHIP_UNKNOWN: advice = " Connect an ATECC608."; break;
    case WW_STORE_EMPTY: advice = " Wait for the first reading."; break;
    case WW_SIZE_OUT_OF_RANGE: advice = " Wait for the next reading."; break;
    default: break;
  }
  SAY(console, what, ": ", ww_error_text(error), ".", advice);
}

/* CHIP */

static const char *next_step(const struct ww_chip_inspection *chip) {
  if (chip->differences > 0) {
    return chip->configuration_locked ? "take another one: this one is locked as something else" : "chip configure";
  }
  if (!chip->configuration_locked) {
    return "chip lock-configuration";
  }
  if (!chip->key_made) {
    return "chip make-key";
  }
  if (!chip->data_locked) {
    return "chip lock-data";
  }
  return chip->key_locked ? "nothing, it is ready" : "chip lock-key";
}

static const char *yes_or_no(bool is_so) {
  return is_so ? "yes" : "no";
}

static bool inspect(const struct ww_console *console, struct ww_chip_inspection *chip) {
  enum ww_error error = ww_chip_inspect(console->chip, chip);
  if (error != WW_OK) {
    say_failure(console, "The secure element cannot be inspected", error);
  }
  return error == WW_OK;
}

static void show_chip(struct ww_console *console) {
  struct ww_chip_inspection chip;
  uint8_t key_id[WW_HASH_LENGTH];
  if (!inspect(console, &chip)) {
    return;
  }
  SAY(console, "serial number         ", SERIAL(chip.serial));
  SAY(console, "revision              ", HEX(chip.revision, sizeof chip.revision));
  SAY(console, "bytes to configure    ", NUMBER(chip.differences));
  SAY(console, "configuration locked  ", yes_or_no(chip.configuration_locked));
  SAY(console, "key made              ", yes_or_no(chip.key_made));
  SAY(console, "data locked           ", yes_or_no(chip.data_locked));
  SAY(console, "key locked            ", yes_or_no(chip.key_locked));
  if (chip.key_made) {
    ww_key_id(chip.key, key_id);
    SAY(console, "key id                ", HEX(key_id, sizeof key_id));
  }
  SAY(console, "next                  ", next_step(&chip));
}

static void say_next(struct ww_console *console, const char *done) {
  struct ww_chip_inspection chip;
  if (inspect(console, &chip)) {
    SAY(console, done, " Next: ", next_step(&chip), ".");
  }
}

static void configure_chip(struct ww_console *console) {
  enum ww_error error = ww_chip_configure(console->chip);
  if (error != WW_OK) {
    say_failure(console, "The secure element was not configured", error);
    return;
  }
  say_next(console, "The configuration is written and was read back.");
}

static void make_key(struct ww_console *console) {
  uint8_t key[64];
  enum ww_error error = ww_chip_make_key(console->chip, key);
  if (error != WW_OK) {
    say_failure(console, "No key was made", error);
    return;
  }
  say_next(console, "There is a key.");
}

/* WHAT IS ASKED ABOUT FIRST */

static void ask(struct ww_console *console, enum ww_question what, const struct ww_chip_inspection *chip) {
  console->asked = what;
  memcpy(console->serial, chip->serial, sizeof console->serial);
  SAY(console, "To do it type the serial number of the secure element, ", SERIAL(chip->serial),
      ", or its last four digits; anything else cancels.");
}

/** Whether the step is the next; says so where it is not. */
static bool is_next(const struct ww_console *console, const struct ww_chip_inspection *chip, const char *step) {
  const char *next = next_step(chip);
  if (strcmp(next, step) == 0) {
    return true;
  }
  SAY(console, "That is not the next step. Next: ", next, ".");
  return false;
}

static void ask_lock_configuration(struct ww_console *console) {
  struct ww_chip_inspection chip;
  if (!inspect(console, &chip) || !is_next(console, &chip, "chip lock-configuration")) {
    return;
  }
  SAY(console,
      "IRREVERSIBLE. This locks the configuration of the secure element: what each slot may do is fixed for "
      "ever.");
  SAY(console, "Nobody can undo it or change a byte of it afterwards. Compare it with the chip's data sheet first.");
  ask(console, WW_LOCK_CONFIGURATION, &chip);
}

static void ask_lock_data(struct ww_console *console) {
  struct ww_chip_inspection chip;
  if (!inspect(console, &chip) || !is_next(console, &chip, "chip lock-data")) {
    return;
  }
  SAY(console,
      "IRREVERSIBLE. This locks the data zone of the secure element: no slot is written from outside any "
      "more.");
  SAY(console, "Nobody can undo it.");
  ask(console, WW_LOCK_DATA, &chip);
}

static void ask_lock_key(struct ww_console *console) {
  struct ww_chip_inspection chip;
  uint8_t key_id[WW_HASH_LENGTH];
  if (!inspect(console, &chip) || !is_next(console, &chip, "chip lock-key")) {
    return;
  }
  ww_key_id(chip.key, key_id);
  memcpy(console->subject, chip.key, sizeof chip.key);
  SAY(console, "IRREVERSIBLE. This locks the key ", HEX(key_id, sizeof key_id), " in the secure element.");
  SAY(console, "Nobody can undo it: this key is the chip's for ever, and no other is ever made in its place.");
  ask(console, WW_LOCK_KEY, &chip);
}

static bool is_confirmed(const struct ww_console *console, const char *line) {
  uint8_t typed[WW_ATECC608_SERIAL_NUMBER_LENGTH];
  size_t bytes = strlen(line) == ASKED_DIGITS ? ASKED_DIGITS / 2 : sizeof typed;
  return ww_unhex(line, typed, bytes) && memcmp(typed, console->serial + sizeof console->serial - bytes, bytes) == 0;
}

static void say_locked(struct ww_console *console, enum ww_error error, const char *done) {
  if (error != WW_OK) {
    say_failure(console, "It was not locked", error);
    return;
  }
  say_next(console, done);
}

static void sign_rotation(struct ww_console *console);
static void begin_log(struct ww_console *console);

static void do_what_was_asked(struct ww_console *console, const char *line) {
  enum ww_question asked = console->asked;
  struct ww_chip_inspection chip;
  console->asked = WW_NOTHING;
  if (!is_confirmed(console, line)) {
    SAY(console, "Cancelled: that is not the serial number. Nothing was changed.");
    return;
  }
  if (!inspect(console, &chip)) {
    return;
  }
  if (memcmp(chip.serial, console->serial, sizeof chip.serial) != 0) {
    SAY(console, "Cancelled: another secure element is connected now. Begin again with chip.");
    return;
  }
  if (asked == WW_LOCK_CONFIGURATION) {
    say_locked(console, ww_chip_lock_configuration(console->chip), "The configuration is locked.");
  } else if (asked == WW_LOCK_DATA) {
    say_locked(console, ww_chip_lock_data(console->chip), "The data zone is locked.");
  } else if (asked == WW_LOCK_KEY) {
    say_locked(console, ww_chip_lock_key(console->chip, console->subject), "The key is locked.");
  } else if (asked == WW_BEGIN_LOG) {
    begin_log(console);
  } else {
    sign_rotation(console);
  }
}

/* SETTINGS */

static const char SET[] = "is set";

/** Secrets only as far as that they are set. */
static void show_board(const struct ww_console *console) {
  char value[WW_URL_LIMIT];
  for (unsigned i = 0; ww_board_name(i) != NULL; i++) {
    ww_board_value(&console->board, i, value);
    bool is_secret = ww_board_is_secret(ww_board_name(i));
    SAY(console, ww_board_name(i), " ", is_secret && strcmp(value, "none") != 0 ? SET : value);
    memset(value, 0, sizeof value);
  }
}

static bool is_lacking(const struct ww_console *console, const char *name) {
  bool is_needed = !console->port.has_other_meter || strcmp(name, "shelly") != 0;
  return is_needed && ww_settings_lack(&console->settings, name);
}

/** The name of a setting that is missing, or NULL. */
static const char *missing_setting(const struct ww_console *console) {
  unsigned index = 0;
  while (ww_settings_name(index) != NULL && !is_lacking(console, ww_settings_name(index))) {
    index++;
  }
  return ww_settings_name(index);
}

static void show_settings(struct ww_console *console) {
  char text[WW_SETTINGS_TEXT_LIMIT];
  const struct ww_settings *settings = &console->settings;
  ww_settings_write(settings, text);
  for (char *line = text; *line != '\0';) {
    char *end = line + strcspn(line, "\n");
    char *next = *end == '\0' ? end : end + 1;
    char *space = line + strcspn(line, " ");
    *end = '\0';
    *space = '\0';
    bool is_given = !ww_settings_lack(settings, line);
    *space = ' ';
    if (is_given) {
      SAY(console, line);
    }
    line = next;
  }
  for (unsigned i = 0; ww_settings_name(i) != NULL; i++) {
    if (is_lacking(console, ww_settings_name(i))) {
      SAY(console, ww_settings_name(i), " is missing");
    }
  }
  if (console->has_board) {
    show_board(console);
  }
}

static void say_names(const struct ww_console *console, const char *kind, const char *(*name_of)(unsigned index)) {
  char names[256];
  char *out = names;
  for (unsigned i = 0; name_of(i) != NULL; i++) {
    out += sprintf(out, "%s%s", i == 0 ? "" : ", ", name_of(i));
  }
  SAY(console, kind, names);
}

static void change_setting(struct ww_console *console, const char *name, const char *value) {
  bool is_of_board = console->has_board && ww_board_rule(name) != NULL;
  const char *shown = ww_board_is_secret(name) ? "what it was given" : value;
  switch (is_of_board ? ww_board_set(&console->board, name, value) : ww_settings_set(&console->settings, name, value)) {
    case WW_OK: SAY(console, name, " ", ww_board_is_secret(name) ? SET : value); return;
    case WW_SETTING_UNKNOWN:
      SAY(console, "There is no setting ", name, ". There are");
      say_names(console, "of the meter: ", ww_settings_name);
      if (console->has_board) {
        say_names(console, "of the board: ", ww_board_name);
      }
      return;
    default:
      SAY(console, "The setting ", name, " cannot be ", shown, ", only ",
          is_of_board ? ww_board_rule(name) : ww_settings_rule(name), ". It is as it was before.");
      return;
  }
}

/** The board's may be saved before the meter's are whole: without its pins no secure element is reached. */
static bool save_board(struct ww_console *console) {
  char text[WW_BOARD_TEXT_LIMIT];
  if (!console->has_board) {
    return true;
  }
  const char *problem = ww_board_problem(&console->board);
  if (problem != NULL) {
    SAY(console, "Not saved: ", problem, ".");
    return false;
  }
  ww_board_write(&console->board, text);
  enum ww_error error = console->port.save_board(console->port.context, text);
  memset(text, 0, sizeof text);
  if (error != WW_OK) {
    say_failure(console, "The settings were not saved", error);
  }
  return error == WW_OK;
}

static void save_settings(struct ww_console *console) {
  char text[WW_SETTINGS_TEXT_LIMIT];
  const char *missing = missing_setting(console);
  if (!save_board(console)) {
    return;
  }
  if (missing != NULL) {
    SAY(console, console->has_board ? "Of the board saved, and of the meter not" : "Not saved", ": the setting ",
        missing, " is missing. Set it with: set ", missing, " VALUE");
    return;
  }
  ww_settings_write(&console->settings, text);
  enum ww_error error = console->port.save(console->port.context, text);
  if (error != WW_OK) {
    say_failure(console, "The settings were not saved", error);
    return;
  }
  SAY(console, "Saved. They take effect after a restart: restart.");
}

static bool are_in_effect(const struct ww_console *console) {
  char edited[WW_SETTINGS_TEXT_LIMIT], used[WW_SETTINGS_TEXT_LIMIT];
  ww_settings_write(&console->settings, edited);
  ww_settings_write(console->device->settings, used);
  return strcmp(edited, used) == 0;
}

/* WI-FI */

static const char WIFI[] = "wifi ";
static const char SET_COMMAND[] = "set ";

/** Where the SSID of a `wifi` line ends, the quote after it not included; NULL where it has not ended. */
static const char *ssid_end(const char *ssid) {
  return *ssid == '"' ? strchr(ssid + 1, '"') : strchr(ssid, ' ');
}

/** Whether what comes next on a line `set SECRET VALUE` is of the value. */
static bool is_secret_next(const char *line) {
  char name[32];
  if (strncmp(line, SET_COMMAND, sizeof SET_COMMAND - 1) != 0) {
    return false;
  }
  line += sizeof SET_COMMAND - 1;
  line += strspn(line, " ");
  size_t length = strcspn(line, " ");
  if (length >= sizeof name || line[length] != ' ') {
    return false;
  }
  memcpy(name, line, length);
  name[length] = '\0';
  return ww_board_is_secret(name);
}

/** Where the password of a line `wifi SSID PASSWORD` begins; NULL where there is none (yet). */
static char *password_of(char *line) {
  if (strncmp(line, WIFI, sizeof WIFI - 1) != 0) {
    return NULL;
  }
  char *ssid = line + sizeof WIFI - 1;
  const char *end = ssid_end(ssid);
  if (end == NULL) {
    return NULL;
  }
  size_t length = (size_t)(end - ssid) + (*end == '"');
  return ssid[length] == ' ' ? ssid + length + 1 : NULL;
}

static bool read_ssid(const char *text, char ssid[WW_SSID_LIMIT + 1]) {
  const char *begin = *text == '"' ? text + 1 : text;
  const char *end = ssid_end(text);
  size_t length = end == NULL ? 0 : (size_t)(end - begin);
  if (length == 0 || length > WW_SSID_LIMIT) {
    return false;
  }
  memcpy(ssid, begin, length);
  ssid[length] = '\0';
  return true;
}

static void set_wifi(struct ww_console *console, char *line) {
  char ssid[WW_SSID_LIMIT + 1];
  char *password = password_of(line);
  if (password == NULL || !read_ssid(line + sizeof WIFI - 1, ssid)) {
    SAY(console, "Type: wifi SSID PASSWORD. An SSID has 1 to 32 bytes, and stands in quotes where it has spaces.");
    return;
  }
  if (strlen(password) < WW_PASSWORD_LEAST || strlen(password) > WW_PASSWORD_LIMIT) {
    SAY(console, "The password must have 8 to 63 characters: a network without one is not joined.");
    return;
  }
  enum ww_error error = console->port.set_wifi(console->port.context, ssid, password);
  if (error != WW_OK) {
    say_failure(console, "The network was not kept", error);
    return;
  }
  SAY(console, "The network ", ssid, " is kept, and its password with it.");
}

/* STATUS */

static void say_not_started(const struct ww_console *console) {
  const char *missing = missing_setting(console);
  if (missing != NULL) {
    SAY(console, "The device has not started: the setting ", missing, " is missing. Set it, save, and restart.");
  } else if (console->why_not == WW_SETTING_MISSING) {
    SAY(console, "The device has not started: its settings are new. Save them, and restart.");
  } else {
    say_failure(console, "The device has not started", console->why_not);
  }
}

static struct ww_time read_clock(const struct ww_device *device) {
  const struct ww_clock_port *clock = &device->ports->clock;
  return clock->read(clock->context);
}

static struct text milliseconds(int32_t moved) {
  struct text text;
  snprintf(text.of, sizeof text.of, "%" PRId32 " ms", moved < 0 ? -moved : moved);
  return text;
}

static void say_clock(const struct ww_console *console, struct ww_time time, const struct ww_board_status *board) {
  if (time.now == 0 || time.synchronised == 0) {
    SAY(console, "clock         not set yet");
    return;
  }
  SAY(console, "clock         ", NUMBER(time.now), ", set right ", NUMBER(time.now - time.synchronised), " s ago");
  if (board->clock_was_moved) {
    SAY(console, "              when it had been ", milliseconds(board->clock_moved).of,
        board->clock_moved < 0 ? " ahead" : " behind");
  }
}

static void say_network(const struct ww_console *console, const struct ww_board_status *board) {
  struct text number;
  snprintf(number.of, sizeof number.of, "%d", board->network == WW_NETWORK_JOINED ? board->strength : board->reason);
  switch (board->network) {
    case WW_NETWORK_OF_HOST: SAY(console, "network       this machine's"); return;
    case WW_NETWORK_UNSET: SAY(console, "network       none is set: wifi SSID PASSWORD"); return;
    case WW_NETWORK_AWAY:
      SAY(console, "network       ", board->ssid, " is not joined: ", ww_network_reason(board->reason), " (", number.of,
          ")");
      return;
    case WW_NETWORK_JOINED:
      SAY(console, "network       ", board->ssid, ", ", number.of, " dBm");
      SAY(console, "address       ", board->address, ", ", console->board.name, ".local");
      return;
  }
}

static void say_board(const struct ww_console *console, const struct ww_board_status *board) {
  bool has_network = board->network == WW_NETWORK_JOINED || board->network == WW_NETWORK_OF_HOST;
  uint32_t made = console->chip->signatures;
  SAY(console, "firmware      ", board->version);
  SAY(console, "health        ", ww_health_text(ww_health_of(console->device, has_network)));
  say_network(console, board);
  SAY(console, "signatures    ", NUMBER(board->signatures_before + made), ", ", NUMBER(made), " since the start");
}

static void show_status(struct ww_console *console) {
  const struct ww_device *device = console->device;
  struct ww_board_status board = {0};
  console->port.describe(console->port.context, &board);
  say_board(console, &board);
  if (device == NULL) {
    say_clock(console, board.time, &board);
    say_not_started(console);
    return;
  }
  const struct ww_state *state = &device->queue.state;
  SAY(console, "key id        ", HEX(device->key_id, sizeof device->key_id));
  if (ww_device_has_log(device)) {
    SAY(console, "epoch         ", NUMBER(state->epoch));
    SAY(console, "size          ", NUMBER(state->log.size));
    SAY(console, "acknowledged  ", NUMBER(state->acknowledged));
  } else {
    SAY(console, "log           begins with the next reading: ", ww_cause_text(device->cause));
  }
  SAY(console, "energy        ", kilowatt_hours(state->reg.energy).of, " kWh");
  SAY(console, "queue         ", NUMBER(ww_queue_fill(&device->queue)), " % full");
  SAY(console, "interval      ", NUMBER(ww_device_interval(device)), " s");
  SAY(console, "last error    ", ww_error_text(device->error));
  SAY(console, "last status   ", device->status == 0 ? "none yet" : NUMBER((uint64_t)device->status));
  SAY(console, "readings      ", NUMBER(device->tally.taken), " taken, ", NUMBER(device->tally.missed), " missed");
  SAY(console, "posts         ", NUMBER(device->tally.posts), " stored");
  SAY(console, "epochs        ", NUMBER(device->tally.epochs), " begun");
  say_clock(console, read_clock(device), &board);
  const char *advice = ww_wiring_advice(device->wiring.problem, device->settings->source);
  if (advice != NULL) {
    SAY(console, advice);
  }
}

/* CLAIM AND ROTATION */

static bool has_signer(const struct ww_console *console) {
  struct ww_chip_inspection chip;
  if (console->device == NULL) {
    say_not_started(console);
    return false;
  }
  if (!inspect(console, &chip)) {
    return false;
  }
  if (!chip.key_locked) {
    SAY(console, "The key is not locked yet, and could be lost. Next: ", next_step(&chip), ".");
    return false;
  }
  if (!are_in_effect(console)) {
    SAY(console, "The settings were changed since the start: save them, restart, and try again.");
    return false;
  }
  return true;
}

static bool has_log(const struct ww_console *console) {
  const struct ww_device *device = console->device;
  struct ww_time time = read_clock(device);
  if (ww_device_has_log(device)) {
    return true;
  }
  if (time.now == 0 || time.synchronised == 0) {
    SAY(console, "No log has begun: the clock was not set yet. Check the network: wifi SSID PASSWORD.");
  } else if (device->error != WW_OK) {
    SAY(console, "No log has begun: ", ww_error_text(device->error),
        ". Check the meter and the settings shelly and channel.");
  } else {
    SAY(console, "No log has begun: wait for the first reading, at most ", NUMBER(ww_device_interval(device)), " s.");
  }
  return false;
}

/** What the registry would refuse a baseline for. */
static bool is_good_baseline(const struct ww_console *console, const struct ww_head *baseline) {
  struct ww_reading reading;
  struct ww_time time = read_clock(console->device);
  if (ww_reading_decode(baseline->reading, sizeof baseline->reading, &reading) != WW_OK) {
    SAY(console, "The newest reading cannot be read: wait for the next one.");
    return false;
  }
  if (reading.conditions & WW_TAMPER) {
    SAY(console, "The enclosure was opened in this epoch, which the registry refuses: close it, and type begin-log.");
    return false;
  }
  if (reading.conditions & WW_DRIFTING) {
    SAY(console,
        "The clock was not set right for a day, which the registry refuses: check the network, and wait for "
        "a reading.");
    return false;
  }
  bool succeeds = console->device->settings->succeeds;
  if (time.now > reading.timestamp && time.now - reading.timestamp > (succeeds ? ROTATION_AGE : REGISTRATION_AGE)) {
    bool is_full = ww_queue_fill(&console->device->queue) >= FULL;
    SAY(console, "The newest reading is over ", succeeds ? "an hour" : "a week", " old, which the registry refuses: ",
        is_full ? "the queue is full, as no oracle takes it. Type begin-log, and wait for a reading."
                : "check the meter, and wait for a reading.");
    return false;
  }
  return true;
}

static void say_registration(const struct ww_console *console, const struct ww_registration *registration) {
  const struct ww_settings *settings = console->device->settings;
  const struct ww_head *baseline = &registration->baseline;
  char text[WW_REGISTRATION_TEXT_LIMIT];
  ww_registration_write(registration, text);
  SAY(console, "public key    ", HEX(registration->public_key, sizeof registration->public_key));
  SAY(console, "key id        ", HEX(console->device->key_id, WW_HASH_LENGTH));
  SAY(console, "meter         ", HEX(settings->succeeds ? settings->meter : console->device->key_id, WW_HASH_LENGTH));
  SAY(console, "owner         ", HEX(registration->owner, sizeof registration->owner));
  SAY(console, "claim         ", HEX(registration->claim, sizeof registration->claim));
  SAY(console, "epoch         ", NUMBER(baseline->epoch));
  SAY(console, "size          ", NUMBER(baseline->size));
  SAY(console, "reading       ", HEX(baseline->reading, sizeof baseline->reading));
  SAY(console, "root          ", HEX(baseline->root, sizeof baseline->root));
  SAY(console, "registration  ", text);
  console->port.qr(console->port.context, text);
  SAY(console, "Hand it in within ", settings->succeeds ? "the hour" : "a week", ": an older baseline is refused.");
}

static void claim(struct ww_console *console, const char *argument) {
  uint8_t details[WW_HASH_LENGTH];
  struct ww_registration registration;
  if (!ww_unhex(argument, details, sizeof details)) {
    SAY(console,
        "Type: claim DETAILS, where DETAILS is SHA-256 of the document about the installation, 64 hexadecimal "
        "digits.");
    return;
  }
  if (!has_signer(console) || !has_log(console)) {
    return;
  }
  enum ww_error error = ww_registration_make(console->device, details, &registration);
  if (error != WW_OK) {
    say_failure(console, "No claim was signed", error);
    return;
  }
  if (is_good_baseline(console, &registration.baseline)) {
    say_registration(console, &registration);
  }
}

static void ask_rotation(struct ww_console *console, const char *argument) {
  struct ww_chip_inspection chip;
  uint8_t new_key_id[WW_HASH_LENGTH];
  if (!ww_unhex(argument, new_key_id, sizeof new_key_id)) {
    SAY(console, "Type: rotate NEW_KEY_ID, the id of the key that succeeds this one, 64 hexadecimal digits.");
    return;
  }
  if (!has_signer(console)) {
    return;
  }
  if (memcmp(new_key_id, console->device->key_id, sizeof new_key_id) == 0) {
    SAY(console, "That is this key itself: type the id that the new device tells by status.");
    return;
  }
  if (!inspect(console, &chip)) {
    return;
  }
  memcpy(console->subject, new_key_id, sizeof new_key_id);
  SAY(console, "This signs that the key ", HEX(new_key_id, sizeof new_key_id), " succeeds the key of this device.");
  SAY(console, "Once it is used on chain this key ends, for ever, and nothing that it signs is minted any more.");
  ask(console, WW_ROTATE, &chip);
}

static void sign_rotation(struct ww_console *console) {
  const struct ww_device *device = console->device;
  uint8_t signature[WW_SIGNATURE_LENGTH];
  if (device == NULL) {
    say_not_started(console);
    return;
  }
  enum ww_error error = ww_rotation_sign(device, console->subject, signature);
  if (error != WW_OK) {
    say_failure(console, "No rotation was signed", error);
    return;
  }
  SAY(console, "meter         ",
      HEX(device->settings->succeeds ? device->settings->meter : device->key_id, WW_HASH_LENGTH));
  SAY(console, "old key id    ", HEX(device->key_id, WW_HASH_LENGTH));
  SAY(console, "new key id    ", HEX(console->subject, WW_HASH_LENGTH));
  SAY(console, "rotation      ", HEX(signature, sizeof signature));
}

/* COMMANDS */

static void ask_begin_log(struct ww_console *console) {
  struct ww_chip_inspection chip;
  if (!has_signer(console) || !has_log(console) || !inspect(console, &chip)) {
    return;
  }
  SAY(console, "This ends the log, and the next reading begins another, of the chip's next epoch.");
  SAY(console, "What no oracle has of this one is not posted any more; its energy is in the next one's register.");
  ask(console, WW_BEGIN_LOG, &chip);
}

static void begin_log(struct ww_console *console) {
  if (console->device == NULL) {
    say_not_started(console);
    return;
  }
  ww_device_begin_log(console->device);
  SAY(console, "The next reading begins another log.");
}

static void restart(struct ww_console *console) {
  SAY(console, "Restarting.");
  console->port.restart(console->port.context);
}

static const char *const HELP[] = {
    "chip                     how far the secure element has come, and what is next",
    "chip configure           writes its configuration, and reads it back",
    "chip lock-configuration  IRREVERSIBLE: fixes the configuration for ever",
    "chip make-key            makes the key, inside",
    "chip lock-data           IRREVERSIBLE: no slot is written from outside any more",
    "chip lock-key            IRREVERSIBLE: the key is the chip's for ever",
    "settings                 shows the settings, and what is missing",
    "set NAME VALUE           changes a setting; settings lists them",
    "save                     keeps the settings; they take effect after a restart",
    "wifi SSID PASSWORD       keeps the network; an SSID with spaces stands in quotes",
    "status                   how the device is",
    "claim DETAILS            signs the application to be registered; DETAILS is SHA-256 of the document that tells",
    "                         technology, commissioning date, location, support and other registries, in hexadecimal",
    "rotate NEW_KEY_ID        signs that another key succeeds this one",
    "begin-log                begins another log, where the enclosure was opened in this one, and is closed again",
    "restart                  restarts the board",
    "help                     this",
};

static void help(const struct ww_console *console) {
  for (size_t i = 0; i < COUNT(HELP); i++) {
    SAY(console, HELP[i]);
  }
}

static const struct {
  const char *line;
  void (*run)(struct ww_console *console);
} COMMANDS[] = {
    {"chip", show_chip},
    {"chip configure", configure_chip},
    {"chip lock-configuration", ask_lock_configuration},
    {"chip make-key", make_key},
    {"chip lock-data", ask_lock_data},
    {"chip lock-key", ask_lock_key},
    {"settings", show_settings},
    {"save", save_settings},
    {"status", show_status},
    {"begin-log", ask_begin_log},
    {"restart", restart},
};

/** Ends the word at `text` with a zero, and returns the next one. */
static char *split(char *text) {
  char *rest = text + strcspn(text, " ");
  if (*rest != '\0') {
    *rest++ = '\0';
    rest += strspn(rest, " ");
  }
  return rest;
}

static void run_with_arguments(struct ww_console *console, char *line) {
  char *argument = split(line);
  if (strcmp(line, "claim") == 0) {
    claim(console, argument);
  } else if (strcmp(line, "rotate") == 0) {
    ask_rotation(console, argument);
  } else if (strcmp(line, "set") == 0) {
    char *value = split(argument);
    if (*value == '\0') {
      SAY(console, "Type: set NAME VALUE.");
    } else {
      change_setting(console, argument, value);
    }
  } else if (strcmp(line, "help") == 0) {
    help(console);
  } else {
    SAY(console, "There is no such command: help lists them.");
  }
}

static void run(struct ww_console *console, char *line) {
  if (strncmp(line, WIFI, sizeof WIFI - 1) == 0 || strcmp(line, "wifi") == 0) {
    set_wifi(console, line);
    return;
  }
  size_t end = strlen(line);
  while (end > 0 && line[end - 1] == ' ') {
    line[--end] = '\0';
  }
  for (size_t i = 0; i < COUNT(COMMANDS); i++) {
    if (strcmp(line, COMMANDS[i].line) == 0) {
      COMMANDS[i].run(console);
      return;
    }
  }
  run_with_arguments(console, line);
}

static void end_line(struct ww_console *console) {
  char *line = console->line;
  line[console->length] = '\0';
  console->port.print(console->port.context, "\r\n");
  if (console->is_too_long) {
    console->asked = WW_NOTHING;
    SAY(console, "That line is too long: nothing was done. A line has at most ", NUMBER(WW_LINE_LIMIT - 1),
        " characters.");
  } else if (console->asked != WW_NOTHING) {
    do_what_was_asked(console, line);
  } else if (console->length > 0) {
    run(console, line);
  }
  memset(line, 0, sizeof console->line);
  console->length = 0;
  console->is_too_long = false;
  console->port.print(console->port.context, PROMPT);
}

static void take_back(struct ww_console *console) {
  if (console->length > 0 && !console->is_too_long) {
    console->line[--console->length] = '\0';
    console->port.print(console->port.context, "\b \b");
  }
}

static void echo(struct ww_console *console, char c) {
  bool is_secret = password_of(console->line) != NULL || is_secret_next(console->line);
  const char text[2] = {is_secret ? '*' : c, '\0'};
  console->port.print(console->port.context, text);
}

static void take(struct ww_console *console, char c) {
  bool is_same_end = c == '\n' && console->had_return;
  console->had_return = c == '\r';
  if (is_same_end) {
    return;
  }
  if (c == '\r' || c == '\n') {
    end_line(console);
  } else if (c == '\b' || c == 0x7F) {
    take_back(console);
  } else if ((unsigned char)c >= ' ' && !(c == ' ' && console->length == 0)) {
    console->is_too_long = console->is_too_long || console->length == WW_LINE_LIMIT - 1;
    if (!console->is_too_long) {
      echo(console, c); /* before it is part of the line: the space before a password is no secret */
      console->line[console->length++] = c;
    }
  }
}

void ww_console_input(struct ww_console *console, const char *bytes, size_t length) {
  for (size_t i = 0; i < length; i++) {
    take(console, bytes[i]);
  }
}

/* BEGINNING */

void ww_console_tell(struct ww_console *console, struct ww_device *device, enum ww_error why_not) {
  console->device = device;
  console->why_not = why_not;
}

void ww_console_begin(struct ww_console *console, struct ww_console_port port, struct ww_atecc608 *chip,
                      const struct ww_board_settings *board) {
  char text[WW_SETTINGS_TEXT_LIMIT];
  unsigned line;
  memset(console, 0, sizeof *console);
  console->port = port;
  console->chip = chip;
  console->has_board = board != NULL;
  if (board != NULL) {
    console->board = *board;
  }
  console->why_not = WW_SETTING_MISSING;
  ww_settings_begin(&console->settings);
  enum ww_error error = port.load(port.context, text);
  if (error == WW_OK) {
    error = ww_settings_read(&console->settings, text, &line);
  }
  if (error != WW_OK && error != WW_SETTING_MISSING) {
    say_failure(console, "The saved settings cannot be used", error);
  }
  SAY(console, "WattWitness. Type help for the commands.");
  port.print(port.context, PROMPT);
}
