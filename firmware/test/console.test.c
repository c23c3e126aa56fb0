#include "console.h"

#include <string.h>

#include "hex.h"
#include "json.h"
#include "provisioning.h"
#include "registration.h"
#include "simulated_atecc608.h"
#include "test.h"
#include "world.h"

#define PASSWORD "correct horse \"battery\""
#define DETAILS "0xaabbccddeeff00112233445566778899aabbccddeeff00112233445566778899"

static struct fake_curve curve;
static struct simulated_atecc608 simulated;
static struct ww_atecc608 chip;
static struct world world;
static struct ww_console console;

static char output[1 << 16];
static size_t printed;
static char shown_as_qr[WW_REGISTRATION_TEXT_LIMIT];
static char saved[WW_SETTINGS_TEXT_LIMIT];
static char saved_board[WW_BOARD_TEXT_LIMIT];
static enum ww_error saving;
static struct ww_board_settings board;
static bool has_board;
static bool has_other_meter;
static struct ww_board_status board_status;
static unsigned restarts;
static char ssid[64];
static char password[128];

/* THE PORT */

static void print(void *context, const char *text) {
  (void)context;
  size_t length = strlen(text);
  if (printed + length < sizeof output) {
    memcpy(output + printed, text, length + 1);
    printed += length;
  }
}

static void qr(void *context, const char *text) {
  (void)context;
  strcpy(shown_as_qr, text);
}

static enum ww_error load(void *context, char text[WW_SETTINGS_TEXT_LIMIT]) {
  (void)context;
  strcpy(text, saved);
  return saved[0] == '\0' ? WW_SETTING_MISSING : WW_OK;
}

static enum ww_error save(void *context, const char *text) {
  (void)context;
  if (saving == WW_OK) {
    strcpy(saved, text);
  }
  return saving;
}

static enum ww_error set_wifi(void *context, const char *network, const char *secret) {
  (void)context;
  strcpy(ssid, network);
  strcpy(password, secret);
  return WW_OK;
}

static enum ww_error save_board(void *context, const char *text) {
  (void)context;
  if (saving == WW_OK) {
    strcpy(saved_board, text);
  }
  return saving;
}

static void describe(void *context, struct ww_board_status *status) {
  (void)context;
  *status = board_status;
}

static void restart(void *context) {
  (void)context;
  restarts++;
}

/* WHAT A PERSON DOES */

static void switch_on(void) {
  struct ww_console_port port = {NULL, print, qr, load, save, save_board, set_wifi, describe, restart, has_other_meter};
  ww_atecc608_init(&chip, simulated_atecc608_port(&simulated));
  board = (struct ww_board_settings){.pins = WW_PINS_ESP32C3, .name = "wattwitness", .sda_pin = 6, .scl_pin = 7};
  board.lid_pin = board.led_pin = WW_NO_PIN;
  ww_board_read(&board, saved_board);
  ww_console_begin(&console, port, &chip, has_board ? &board : NULL);
}

static void begin(void) {
  curve.made = 0;
  printed = 0;
  output[0] = saved[0] = shown_as_qr[0] = ssid[0] = password[0] = '\0';
  saved_board[0] = '\0';
  saving = WW_OK;
  restarts = 0;
  has_board = true;
  has_other_meter = false;
  board_status = (struct ww_board_status){.version = "1.2.3", .network = WW_NETWORK_JOINED, .ssid = "house"};
  simulated_atecc608_init(&simulated, fake_curve(&curve));
  memset(simulated.configuration + 8, 0x5A, 5);
  switch_on();
}

static void type(const char *text) {
  ww_console_input(&console, text, strlen(text));
}

/** What is printed because of a line, what is echoed of it included. */
static const char *say(const char *line) {
  printed = 0;
  output[0] = '\0';
  type(line);
  type("\r\n");
  return output;
}

static bool says(const char *line, const char *expected) {
  bool is_said = strstr(say(line), expected) != NULL;
  if (!is_said) {
    printf("# %s", output);
  }
  return is_said;
}

static const char *serial(void) {
  static char text[WW_HEX_LENGTH(WW_ATECC608_SERIAL_NUMBER_LENGTH) + 1];
  uint8_t bytes[WW_ATECC608_SERIAL_NUMBER_LENGTH];
  memcpy(bytes, simulated.configuration, 4);
  memcpy(bytes + 4, simulated.configuration + 8, 5);
  *ww_hex(text, bytes, sizeof bytes) = '\0';
  return text + 2;
}

static bool configuration_locked(void) {
  return simulated.configuration[87] != 0x55;
}

static bool data_locked(void) {
  return simulated.configuration[86] != 0x55;
}

static bool key_locked(void) {
  return (simulated.configuration[88] & 1) == 0;
}

enum step { NEW, CONFIGURED, CONFIGURATION_LOCKED, KEY_MADE, DATA_LOCKED, KEY_LOCKED };

static void provision_to(enum step step) {
  static const char *const LINES[] = {"chip configure", "chip lock-configuration", "chip make-key", "chip lock-data",
                                      "chip lock-key"};
  static const bool ASKS[] = {false, true, false, true, true};
  for (int i = 0; i < (int)step; i++) {
    say(LINES[i]);
    if (ASKS[i]) {
      say(serial());
    }
  }
}

static void give_settings_but_shelly(void) {
  say("set chain-id 31337");
  say("set registry 0x00112233445566778899aabbccddeeff00112233");
  say("set owner 0xffeeddccbbaa99887766554433221100ffeeddcc");
  say("set capacity 5000");
  say("set channel 0");
  say("set register export");
  say("set oracle https://oracle.example");
}

static void give_settings(void) {
  give_settings_but_shelly();
  say("set shelly http://192.168.4.2");
}

/** Starts the device with what was saved, its signer the chip. */
static void start_device(void) {
  unsigned line;
  world_begin(&world);
  world.oracle_is_away = true;
  if (ww_settings_read(&world.settings, saved, &line) != WW_OK) {
    test_fail(__FILE__, __LINE__, "the saved settings cannot be read");
  }
  world_boot(&world);
  world.ports.signer = ww_atecc608_signer(&chip);
  world.started = ww_device_start(&world.device, &world.settings, &world.ports);
  ww_console_tell(&console, world.started == WW_OK ? &world.device : NULL, world.started);
}

/** A device on a provisioned chip, before its first reading. */
static void begin_device(void) {
  begin();
  provision_to(KEY_LOCKED);
  give_settings();
  say("save");
  switch_on();
  start_device();
}

static void take_readings(void) {
  world_pass(&world, 3 * WORLD_INTERVAL);
}

/* WHAT IS REFUSED */

TEST("refuses what is no command, and says where they are listed") {
  begin();
  CHECK(says("chip lock", "There is no such command: help lists them."));
  CHECK(says("chipconfigure", "There is no such command"));
  CHECK(says("chip  configure now", "There is no such command"));
}

TEST("refuses a line that is too long whole, whatever it begins or ends with") {
  char line[400];
  begin();
  memset(line, ' ', sizeof line);
  memcpy(line, "chip configure", 14);
  line[sizeof line - 1] = '\0';
  CHECK(says(line, "too long: nothing was done. A line has at most 255 characters."));
  CHECK_EQUAL(simulated.writes, 0);
  CHECK(says("help", "chip configure"));
}

TEST("takes a line of the greatest length") {
  char line[WW_LINE_LIMIT];
  begin();
  memset(line, ' ', sizeof line);
  memcpy(line, "chip configure", 14);
  line[sizeof line - 1] = '\0';
  CHECK(says(line, "The configuration is written"));
}

TEST("refuses a setting that there is not, and names those that there are") {
  begin();
  CHECK(says("set color red", "of the meter: chain-id, registry, owner"));
  CHECK(says("set owner", "Type: set NAME VALUE."));
}

TEST("refuses a value that a setting cannot have, and keeps the one before") {
  begin();
  say("set capacity 5000");
  CHECK(says("set capacity 5 kW",
             "The setting capacity cannot be 5 kW, only a number of W, from 1 on. It is as it was before."));
  CHECK(says("settings", "capacity 5000"));
}

TEST("refuses an oracle on the internet without TLS") {
  begin();
  CHECK(says("set oracle http://oracle.example", "only https://NAME, or http:// with a private address"));
  CHECK(says("set oracle http://192.168.1.2:8080", "oracle http://192.168.1.2:8080"));
}

TEST("refuses to save while a setting is missing, and names it") {
  begin();
  give_settings();
  console.settings.given = 0;
  say("set chain-id 1");
  CHECK(says("save", "of the meter not: the setting registry is missing. Set it with: set registry VALUE"));
  CHECK(saved[0] == '\0');
}

TEST("says that settings were not saved where they were not") {
  begin();
  give_settings();
  saving = WW_STORE_FAILED;
  CHECK(says("save", "The settings were not saved: the store failed."));
}

TEST("refuses a network without a password, with too short a one, and without a name") {
  begin();
  CHECK(says("wifi", "Type: wifi SSID PASSWORD."));
  CHECK(says("wifi home", "Type: wifi SSID PASSWORD."));
  CHECK(says("wifi \"my home", "Type: wifi SSID PASSWORD."));
  CHECK(says("wifi \"\" password", "Type: wifi SSID PASSWORD."));
  CHECK(says("wifi home short", "The password must have 8 to 63 characters"));
  CHECK(says("wifi 123456789012345678901234567890123 password", "An SSID has 1 to 32 bytes"));
  CHECK(says("wifi home 1234567890123456789012345678901234567890123456789012345678901234", "8 to 63 characters"));
  CHECK(ssid[0] == '\0');
}

TEST("refuses every step that is not the next, and names the next") {
  static const char *const LOCKS[] = {"chip lock-configuration", "chip lock-data", "chip lock-key"};
  static const enum step NEXT[] = {CONFIGURED, KEY_MADE, DATA_LOCKED};
  static const char *const NAMES[] = {"chip configure.", "chip lock-configuration.", "chip make-key.",
                                      "chip lock-data.", "chip lock-key.",           "nothing, it is ready."};
  for (enum step step = NEW; step <= KEY_LOCKED; step++) {
    begin();
    provision_to(step);
    for (size_t i = 0; i < 3; i++) {
      if (NEXT[i] != step) {
        CHECK(says(LOCKS[i], "That is not the next step. Next: "));
        CHECK(strstr(output, NAMES[step]) != NULL);
        CHECK_EQUAL(console.asked, WW_NOTHING);
      }
    }
  }
}

TEST("refuses to make a key before the configuration is locked") {
  begin();
  provision_to(CONFIGURED);
  CHECK(says("chip make-key", "No key was made: the secure element is not provisioned. Do the steps in their order"));
  CHECK_EQUAL(curve.made, 0);
}

TEST("says that a chip locked as something else is of no use") {
  begin();
  simulated.configuration[87] = 0;
  CHECK(says("chip", "take another one: this one is locked as something else"));
  CHECK(says("chip configure", "It has been locked or changed as something else: take another one."));
}

TEST("says that the chip is silent, and what to check") {
  begin();
  simulated.naks = 1000000;
  CHECK(says("chip", "the secure element does not answer. Check its wiring and its supply"));
}

static bool is_done_without(enum step before, const char *line, bool (*is_done)(void)) {
  static const char *const ANSWERS[] = {"", "y", "yes", "5a5", "5a5aa", "5a5b", "0123", "5A5A5A5A", "0x", "chip"};
  for (size_t i = 0; i < sizeof ANSWERS / sizeof *ANSWERS; i++) {
    begin();
    provision_to(before);
    if (!says(line, "IRREVERSIBLE") || is_done() || !says(ANSWERS[i], "Cancelled") || is_done()) {
      return true;
    }
    say(serial()); /* too late */
    if (is_done() || console.asked != WW_NOTHING) {
      return true;
    }
  }
  return false;
}

TEST("locks nothing without the serial number: anything else cancels, and the number comes too late then") {
  CHECK(!is_done_without(CONFIGURED, "chip lock-configuration", configuration_locked));
  CHECK(!is_done_without(KEY_MADE, "chip lock-data", data_locked));
  CHECK(!is_done_without(DATA_LOCKED, "chip lock-key", key_locked));
}

TEST("cancels at a line that is too long") {
  char line[400];
  begin();
  provision_to(CONFIGURED);
  say("chip lock-configuration");
  memset(line, '0', sizeof line);
  line[sizeof line - 1] = '\0';
  CHECK(says(line, "too long"));
  say(serial());
  CHECK(!configuration_locked());
}

TEST("cancels where another chip is connected than the one that was asked about") {
  char typed[19];
  begin();
  provision_to(CONFIGURED);
  say("chip lock-configuration");
  strcpy(typed, serial());
  simulated.configuration[8] = 0xA5;
  CHECK(says(typed, "Cancelled: another secure element is connected now."));
  CHECK(!configuration_locked());
}

TEST("locks no other key than the one that was asked about") {
  uint8_t other[64];
  begin();
  provision_to(DATA_LOCKED);
  say("chip lock-key");
  CHECK_OK(ww_atecc608_make_key(&chip, 0, other));
  CHECK(says(serial(), "It was not locked"));
  CHECK(!key_locked());
}

TEST("refuses a claim without the hash of the details") {
  begin_device();
  take_readings();
  CHECK(says("claim", "Type: claim DETAILS"));
  CHECK(says("claim 0xaabb", "Type: claim DETAILS"));
}

TEST("refuses a claim before the device has started, and says what is missing") {
  begin();
  CHECK(says("claim " DETAILS, "the setting chain-id is missing. Set it, save, and restart."));
  give_settings();
  CHECK(says("claim " DETAILS, "its settings are new. Save them, and restart."));
  ww_console_tell(&console, NULL, WW_CHIP_UNLOCKED);
  CHECK(says("claim " DETAILS, "The device has not started: the secure element is not provisioned."));
}

TEST("refuses a claim by a key that is not locked") {
  begin();
  provision_to(DATA_LOCKED);
  give_settings();
  say("save");
  start_device();
  take_readings();
  CHECK(says("claim " DETAILS, "The key is not locked yet, and could be lost. Next: chip lock-key."));
}

TEST("refuses a claim where the settings are not those that the device runs with") {
  begin_device();
  take_readings();
  say("set owner 0x0000000000000000000000000000000000000001");
  CHECK(says("claim " DETAILS, "The settings were changed since the start"));
}

TEST("refuses a claim before the log has begun, and says what it waits for") {
  begin_device();
  CHECK(says("claim " DETAILS, "No log has begun: wait for the first reading, at most 60 s."));
  world.clock_is_known = false;
  CHECK(says("claim " DETAILS, "No log has begun: the clock was not set yet."));
  world.clock_is_known = true;
  world.meter_is_silent = true;
  take_readings();
  CHECK(says("claim " DETAILS, "No log has begun: the meter does not answer."));
}

TEST("says what to do where the queue was filled before anybody registered the meter") {
  begin_device();
  world.oracle_is_away = true;
  world_pass(&world, 2 * 86400);
  world.now += 7 * 86400;
  world_synchronise(&world);
  CHECK(says("claim " DETAILS, "the queue is full, as no oracle takes it. Type begin-log"));
  say("begin-log");
  say(serial());
  world_synchronise(&world);
  world_pass(&world, 1000);
  CHECK(says("claim " DETAILS, "\nclaim "));
}

TEST("refuses a claim over a reading that the registry would refuse") {
  begin_device();
  take_readings();
  world.now += 7 * 86400 - 60;
  world_synchronise(&world);
  CHECK(says("claim " DETAILS, "Hand it in within a week: "));
  world.now += 61;
  world_synchronise(&world);
  shown_as_qr[0] = '\0';
  CHECK(says("claim " DETAILS, "The newest reading is over a week old"));
  ww_device_tamper(&world.device);
  take_readings();
  CHECK(says("claim " DETAILS, "The enclosure was opened in this epoch"));
  CHECK(shown_as_qr[0] == '\0');
}

TEST("refuses a claim by a clock that drifts") {
  begin_device();
  take_readings();
  world.now += 86500;
  take_readings();
  CHECK(says("claim " DETAILS, "The clock was not set right for a day"));
}

TEST("refuses to rotate to nothing, and to itself") {
  char line[100] = "rotate ";
  begin_device();
  CHECK(says("rotate", "Type: rotate NEW_KEY_ID"));
  *ww_hex(line + 7, world.device.key_id, 32) = '\0';
  CHECK(says(line, "That is this key itself"));
}

TEST("signs no rotation without the serial number") {
  begin_device();
  unsigned signatures = simulated.signatures;
  CHECK(says("rotate " DETAILS, "Once it is used on chain this key ends, for ever"));
  CHECK(says("yes", "Cancelled"));
  CHECK_EQUAL(simulated.signatures, signatures);
}

/* WHAT IS DONE */

TEST("lists every command in help") {
  static const char *const COMMANDS[] = {
      "chip ",         "chip configure", "chip lock-configuration", "chip make-key", "chip lock-data",
      "chip lock-key", "settings",       "set NAME VALUE",          "save",          "wifi SSID PASSWORD",
      "status",        "claim DETAILS",  "rotate NEW_KEY_ID",       "begin-log",     "restart"};
  begin();
  say("help");
  for (size_t i = 0; i < sizeof COMMANDS / sizeof *COMMANDS; i++) {
    CHECK(strstr(output, COMMANDS[i]) != NULL);
  }
}

TEST("ends a line by a return, a line feed, or both, and asks only once") {
  begin();
  say("chip configure");
  type("chip lock-configuration\r\n");
  type(serial());
  type("\n");
  CHECK(configuration_locked());
}

TEST("takes back what was typed, and minds no spaces around it") {
  begin();
  CHECK(says("\b  chip lop\b\b\x7F  configure  ", "There is no such command"));
  CHECK(says("  chix\bp configure  ", "The configuration is written"));
}

TEST("takes the last four digits of the serial number, or all of it, in either case") {
  begin();
  provision_to(CONFIGURED);
  say("chip lock-configuration");
  CHECK(says("5a5A", "The configuration is locked. Next: chip make-key."));
  CHECK(configuration_locked());
}

TEST("tells the state of a chip at each step, and what is next") {
  static const char *const NEXT[] = {"chip configure", "chip lock-configuration", "chip make-key",
                                     "chip lock-data", "chip lock-key",           "nothing, it is ready"};
  for (enum step step = NEW; step <= KEY_LOCKED; step++) {
    begin();
    provision_to(step);
    say("chip");
    CHECK(strstr(output, serial()) != NULL);
    const char *next = strstr(output, "next ");
    CHECK(next != NULL && strstr(next, NEXT[step]) != NULL);
    CHECK_EQUAL(strstr(output, "key id") != NULL, step >= KEY_MADE);
  }
}

TEST("goes on with a chip that was left at any step") {
  for (enum step step = NEW; step <= KEY_LOCKED; step++) {
    begin();
    provision_to(step);
    simulated_atecc608_restart(&simulated);
    switch_on();
    provision_to(KEY_LOCKED);
    CHECK(configuration_locked() && data_locked() && key_locked());
    CHECK_EQUAL(curve.made, 1);
  }
}

TEST("shows the settings that are given, and each that is missing") {
  begin();
  say("set owner 0xffeeddccbbaa99887766554433221100ffeeddcc");
  say("set channel all");
  say("settings");
  CHECK(strstr(output, "owner 0xffeeddccbbaa99887766554433221100ffeeddcc") != NULL);
  CHECK(strstr(output, "channel all") != NULL);
  CHECK(strstr(output, "interval 60") != NULL);
  CHECK(strstr(output, "chain-id 0") == NULL);
  static const char *const MISSING[] = {"chain-id", "registry", "capacity", "register", "oracle", "shelly"};
  for (size_t i = 0; i < sizeof MISSING / sizeof *MISSING; i++) {
    char line[64];
    snprintf(line, sizeof line, "\r\n%s is missing\r\n", MISSING[i]);
    CHECK(strstr(output, line) != NULL);
  }
  CHECK(strstr(output, "owner is missing") == NULL);
}

TEST("saves whole settings, says that a restart is needed, and has them again after it") {
  begin();
  give_settings();
  CHECK(says("save", "Saved. They take effect after a restart"));
  switch_on();
  CHECK(says("settings", "oracle https://oracle.example"));
  CHECK(strstr(output, "missing") == NULL);
}

TEST("demands no Shelly where another kind of meter is read, and nothing else less") {
  begin();
  has_other_meter = true;
  switch_on();
  CHECK(says("save", "the setting chain-id is missing"));
  give_settings_but_shelly();
  CHECK(says("settings", "oracle https://oracle.example"));
  CHECK(strstr(output, "shelly is missing") == NULL);
  CHECK(says("save", "Saved. They take effect after a restart"));
  CHECK(strstr(saved, "shelly") == NULL);
  switch_on();
  CHECK(strstr(output, "cannot be used") == NULL);
  CHECK(says("status", "its settings are new"));
  has_other_meter = false;
  switch_on();
  CHECK(says("status", "the setting shelly is missing"));
}

TEST("knows neither pins nor passwords on a machine without a board") {
  begin();
  has_board = false;
  switch_on();
  CHECK(says("set sda-pin 4", "There is no setting sda-pin"));
  CHECK(strstr(output, "of the board") == NULL);
  give_settings_but_shelly();
  CHECK(says("save", "Not saved: the setting shelly is missing"));
  say("set shelly http://192.168.4.2");
  CHECK(says("save", "Saved."));
  CHECK(saved_board[0] == '\0');
  say("settings");
  CHECK(strstr(output, "sda-pin") == NULL);
}

TEST("says so where what was saved cannot be used") {
  begin();
  strcpy(saved, "chain-id none\n");
  switch_on();
  CHECK(strstr(output, "The saved settings cannot be used: the setting cannot have this value.") != NULL);
}

TEST("hands on a network with spaces in its name and anything in its password") {
  begin();
  CHECK(says("wifi \"my home\" " PASSWORD, "The network my home is kept"));
  CHECK(strcmp(ssid, "my home") == 0);
  CHECK(strcmp(password, PASSWORD) == 0);
}

TEST("never prints a password, of whichever line it is part") {
  static const char *const LINES[] = {"wifi home " PASSWORD,
                                      "wifi \"my home\" " PASSWORD,
                                      "  wifi home " PASSWORD,
                                      "wifi home nothing\b\b\b\b\b\b\b" PASSWORD,
                                      "wifi  " PASSWORD,
                                      "set shelly-password " PASSWORD,
                                      "  set   access-point-password " PASSWORD,
                                      "set access-point-password " PASSWORD PASSWORD PASSWORD};
  begin();
  for (size_t i = 0; i < sizeof LINES / sizeof *LINES; i++) {
    say(LINES[i]);
    CHECK(strstr(output, "horse") == NULL && strstr(output, "battery") == NULL);
    say("settings");
    CHECK(strstr(output, "horse") == NULL);
    say("status");
    CHECK(strstr(output, "horse") == NULL);
  }
  begin();
  provision_to(CONFIGURED);
  say("chip lock-configuration");
  say("wifi home " PASSWORD);
  CHECK(strstr(output, "horse") == NULL);
}

TEST("keeps no line once it is done") {
  begin();
  say("wifi home " PASSWORD);
  for (size_t i = 0; i < sizeof console.line; i++) {
    CHECK_EQUAL(console.line[i], 0);
  }
}

TEST("tells how the device is") {
  begin_device();
  CHECK(says("status", "begins with the next reading: there was no log"));
  take_readings();
  CHECK(says("status", "size          3\r\n"));
  CHECK(strstr(output, "epoch         1\r\n") != NULL);
  CHECK(strstr(output, "acknowledged  0\r\n") != NULL);
  CHECK(strstr(output, "energy        0.1") != NULL);
  CHECK(strstr(output, "last error    the oracle was not reached\r\n") != NULL);
  CHECK(strstr(output, "last status   none yet\r\n") != NULL);
  CHECK(strstr(output, "readings      3 taken, 0 missed\r\n") != NULL);
  CHECK(strstr(output, " s ago") != NULL);
}

TEST("tells firmware, network, clock and signatures before the device has started, and after") {
  begin();
  board_status.network = WW_NETWORK_UNSET;
  CHECK(says("status", "firmware      1.2.3\r\n"));
  CHECK(strstr(output, "health        not started\r\n") != NULL);
  CHECK(strstr(output, "network       none is set: wifi SSID PASSWORD\r\n") != NULL);
  CHECK(strstr(output, "clock         not set yet\r\n") != NULL);
  board_status.network = WW_NETWORK_AWAY;
  board_status.reason = 201;
  board_status.time = (struct ww_time){.now = 1000, .synchronised = 990};
  CHECK(says("status", "house is not joined: there is none of that name in reach, at 2.4 GHz (201)\r\n"));
  CHECK(strstr(output, "clock         1000, set right 10 s ago\r\n") != NULL);
  CHECK(strstr(output, "behind") == NULL);

  begin_device();
  board_status.strength = -67;
  strcpy(board_status.address, "192.168.1.7");
  board_status.signatures_before = 100;
  board_status.clock_was_moved = true;
  board_status.clock_moved = -1500;
  take_readings();
  world.device.failures = 0;
  CHECK(says("status", "network       house, -67 dBm\r\n"));
  CHECK(strstr(output, "address       192.168.1.7, wattwitness.local\r\n") != NULL);
  CHECK(strstr(output, "when it had been 1500 ms ahead\r\n") != NULL);
  CHECK(strstr(output, "health        well\r\n") != NULL);
  CHECK(chip.signatures > 0);
  char expected[64];
  unsigned made = (unsigned)chip.signatures;
  snprintf(expected, sizeof expected, "signatures    %u, %u since the start\r\n", 100 + made, made);
  CHECK(strstr(output, expected) != NULL);
}

TEST("restarts when it is told to") {
  begin();
  say("restart now");
  CHECK_EQUAL(restarts, 0);
  say("restart");
  CHECK_EQUAL(restarts, 1);
}

TEST("refuses of the board what its pins and networks cannot be, and pins that are used twice") {
  begin();
  CHECK(says("set lid-pin 18", "The setting lid-pin cannot be 18, only the number of a free GPIO, or none."));
  CHECK(says("set access-point-password short", "cannot be what it was given, only 8 to 63 characters"));
  say("set lid-pin 6");
  CHECK(says("save", "Not saved: two of the pins are the same."));
  CHECK(saved_board[0] == '\0');
}

TEST("saves the board's settings before the meter's are whole, and shows of secrets only that they are set") {
  begin();
  say("set shelly-user admin");
  CHECK(says("set shelly-password " PASSWORD, "shelly-password is set"));
  say("set lid-pin 4");
  CHECK(says("save", "Of the board saved"));
  CHECK(strstr(saved_board, "shelly-password " PASSWORD "\n") != NULL);
  switch_on();
  CHECK(says("settings", "shelly-password is set\r\n"));
  CHECK(strstr(output, "lid-pin 4\r\n") != NULL);
  CHECK(strstr(output, "access-point-password none\r\n") != NULL);
  CHECK(strstr(output, "horse") == NULL);
  CHECK(strcmp(console.board.shelly_password, PASSWORD) == 0);
}

TEST("says why the device has not started") {
  begin();
  CHECK(says("status", "The device has not started: the setting chain-id is missing."));
}

static bool bytes_of(struct ww_json object, const char *name, uint8_t *bytes, size_t length) {
  struct ww_json member;
  char text[WW_HEX_LENGTH(64) + 1];
  return ww_json_member(object, name, &member) && ww_json_copy(member, text, sizeof text) &&
         ww_unhex(text, bytes, length);
}

/** The text after a name at the beginning of a line. */
static const char *value_of(const char *name) {
  char line[32];
  snprintf(line, sizeof line, "\n%s ", name);
  const char *found = strstr(output, line);
  return found == NULL ? "" : found + strlen(line) + strspn(found + strlen(line), " ");
}

TEST("makes of a blank chip a registration that its key has signed") {
  struct ww_json registration, baseline, member;
  uint8_t key[64], expected_key[64], signature[64], expected[64], bytes[WW_CLAIM_LENGTH], digest[32], key_id[32];
  uint8_t head_bytes[WW_HEAD_LENGTH];
  struct ww_head head = {0};
  uint64_t number;
  begin_device();
  take_readings();
  say("claim " DETAILS);
  CHECK(ww_json_parse(shown_as_qr, strlen(shown_as_qr), &registration));
  CHECK(strncmp(value_of("registration"), shown_as_qr, strlen(shown_as_qr)) == 0);

  CHECK(bytes_of(registration, "publicKey", key, 64));
  fake_key(0, 1, expected_key);
  CHECK_BYTES(key, expected_key, 64);
  CHECK(ww_json_member(registration, "baseline", &baseline));
  CHECK(ww_json_member(baseline, "epoch", &member) && ww_json_u64(member, &number));
  head.epoch = (uint32_t)number;
  CHECK(ww_json_member(baseline, "size", &member) && ww_json_u64(member, &head.size));
  CHECK(bytes_of(baseline, "reading", head.reading, 32) && bytes_of(baseline, "root", head.root, 32));
  CHECK_OK(ww_head_encode(&world.settings.place, &head, head_bytes));
  ww_sha256(head_bytes, sizeof head_bytes, digest);
  ww_key_id(key, key_id);
  ww_claim_encode(&world.settings.place, key_id, key_id, world.settings.owner, digest, bytes);
  ww_sha256(bytes, sizeof bytes, digest);
  fake_signature(0, 1, digest, expected);
  ww_signature_normalise(expected);
  CHECK(bytes_of(registration, "claim", signature, 64));
  CHECK_BYTES(signature, expected, 64);

  char text[WW_HEX_LENGTH(64) + 1];
  *ww_hex(text, key, 64) = '\0';
  CHECK(strncmp(value_of("public key"), text, strlen(text)) == 0);
  *ww_hex(text, key_id, 32) = '\0';
  CHECK(strncmp(value_of("meter"), text, strlen(text)) == 0);
  *ww_hex(text, signature, 64) = '\0';
  CHECK(strncmp(value_of("claim"), text, strlen(text)) == 0);
  *ww_hex(text, head.root, 32) = '\0';
  CHECK(strncmp(value_of("root"), text, strlen(text)) == 0);
}

TEST("begins another log, clear of the opening, when that was confirmed, and not otherwise") {
  begin_device();
  ww_device_tamper(&world.device);
  take_readings();
  CHECK(says("claim " DETAILS, "type begin-log"));
  CHECK(says("begin-log", "What no oracle has of this one is not posted any more"));
  CHECK(says("yes", "Cancelled"));
  take_readings();
  CHECK_EQUAL(world.device.queue.state.epoch, 1);
  say("begin-log");
  CHECK(says(serial(), "The next reading begins another log."));
  take_readings();
  CHECK_EQUAL(world.device.queue.state.epoch, 2);
  CHECK(says("claim " DETAILS, "claim"));
  CHECK(strncmp(value_of("meter"), "0x", 2) == 0);
}

TEST("tells of a key that succeeds another the meter that it belongs to") {
  begin_device();
  say("set meter " DETAILS);
  say("save");
  switch_on();
  start_device();
  take_readings();
  say("claim " DETAILS);
  CHECK(strncmp(value_of("meter"), DETAILS, strlen(DETAILS)) == 0);
  CHECK(strstr(output, "Hand it in within the hour: ") != NULL);
  world.now += 3601;
  world_synchronise(&world);
  CHECK(says("claim " DETAILS, "The newest reading is over an hour old"));
}

TEST("signs the rotation that was confirmed") {
  uint8_t bytes[WW_ROTATION_LENGTH], digest[32], expected[64], new_key_id[32];
  char text[WW_HEX_LENGTH(64) + 1];
  begin_device();
  say("rotate " DETAILS);
  say(serial());
  CHECK(ww_unhex(DETAILS, new_key_id, 32));
  ww_rotation_encode(&world.settings.place, world.device.key_id, new_key_id, bytes);
  ww_sha256(bytes, sizeof bytes, digest);
  fake_signature(0, 1, digest, expected);
  ww_signature_normalise(expected);
  *ww_hex(text, expected, 64) = '\0';
  CHECK(strncmp(value_of("rotation"), text, strlen(text)) == 0);
  CHECK(strncmp(value_of("new key id"), DETAILS, strlen(DETAILS)) == 0);
}
