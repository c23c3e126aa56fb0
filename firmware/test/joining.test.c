/** A serial line that a person and a page in a browser share. */
#include "joining.h"

#include <string.h>

#include "test.h"

static struct ww_atecc608 chip;
static struct ww_console console;
static struct ww_joining joining;
static struct ww_board_status status;
static char printed[4096];
static char ssid[64], password[128];
static enum ww_error joins;
static bool has_looked;
static unsigned seen_count;
static uint64_t now;

/** What was told to the page, taken apart. */
static struct {
  uint8_t type;
  uint8_t length;
  uint8_t data[WW_IMPROV_DATA_LIMIT];
} told[16];
static unsigned told_count;

/* THE PORTS */

static void print(void *context, const char *text) {
  (void)context;
  if (strlen(printed) + strlen(text) < sizeof printed) {
    strcat(printed, text);
  }
}

static enum ww_error load(void *context, char text[WW_SETTINGS_TEXT_LIMIT]) {
  (void)context;
  text[0] = '\0';
  return WW_SETTING_MISSING;
}

static enum ww_error save(void *context, const char *text) {
  (void)context;
  (void)text;
  return WW_OK;
}

static enum ww_error set_wifi(void *context, const char *network, const char *secret) {
  (void)context;
  strcpy(ssid, network);
  strcpy(password, secret);
  status.network = WW_NETWORK_AWAY;
  return joins;
}

static void describe(void *context, struct ww_board_status *out) {
  (void)context;
  *out = status;
}

static void restart(void *context) {
  (void)context;
}

static void write_packet(void *context, const uint8_t *bytes, size_t length) {
  (void)context;
  struct ww_improv improv = {0};
  for (size_t i = 0; i < length; i++) {
    if (ww_improv_take(&improv, bytes[i]) == WW_IMPROV_PACKET && told_count < 16) {
      told[told_count].type = improv.type;
      told[told_count].length = improv.length;
      memcpy(told[told_count++].data, improv.data, improv.length);
    }
  }
}

static enum ww_error look(void *context) {
  (void)context;
  return WW_OK;
}

static bool look_ended(void *context) {
  (void)context;
  return has_looked;
}

static bool seen(void *context, unsigned index, struct ww_network_seen *network) {
  (void)context;
  *network = (struct ww_network_seen){.ssid = "home", .strength = -60, .is_protected = index == 0};
  return index < seen_count;
}

/* WHAT A PAGE DOES */

static void begin(void) {
  const struct ww_console_port port = {NULL, print, print, load, save, save, set_wifi, describe, restart, false};
  const struct ww_joining_port line = {NULL, write_packet, look, look_ended, seen};
  const struct ww_board_settings board = {.name = "roof"};
  memset(told, 0, sizeof told);
  ssid[0] = password[0] = '\0';
  joins = WW_OK;
  has_looked = false;
  status = (struct ww_board_status){.version = "1.2.3", .chip = "ESP32-C3", .network = WW_NETWORK_UNSET};
  now = 1000;
  ww_console_begin(&console, port, &chip, &board);
  ww_joining_begin(&joining, line, &console);
  printed[0] = '\0';
  told_count = 0;
}

static void step(const void *bytes, size_t length) {
  ww_joining_step(&joining, bytes, length, now);
}

static void command(uint8_t which, const char *data, size_t length) {
  uint8_t bytes[WW_IMPROV_DATA_LIMIT] = {which, (uint8_t)length};
  uint8_t packet[WW_IMPROV_PACKET_LIMIT];
  memcpy(bytes + 2, data, length);
  told_count = 0;
  step(packet, ww_improv_write(WW_IMPROV_COMMAND, bytes, length + 2, packet) - 1);
}

static void pass(unsigned milliseconds) {
  now += milliseconds;
  step(NULL, 0);
}

static bool was_told(unsigned index, enum ww_improv_type type, unsigned value) {
  return index < told_count && told[index].type == type && told[index].length == 1 && told[index].data[0] == value;
}

static bool was_told_nothing_of(unsigned index, enum ww_improv_command of) {
  return index < told_count && told[index].type == WW_IMPROV_RESULT && told[index].length == 2 &&
         told[index].data[0] == of && told[index].data[1] == 0;
}

#define JOIN "\x04home\x08password"
#define JOIN_LENGTH (sizeof JOIN - 1)

TEST("refuses a command that it does not know, one whose length is wrong, and a packet that is broken") {
  begin();
  command(9, "", 0);
  CHECK(was_told(0, WW_IMPROV_ERROR, WW_IMPROV_UNKNOWN));
  uint8_t packet[WW_IMPROV_PACKET_LIMIT];
  const uint8_t wrong[] = {WW_IMPROV_TELL_STATE, 1};
  told_count = 0;
  step(packet, ww_improv_write(WW_IMPROV_COMMAND, wrong, sizeof wrong, packet) - 1);
  CHECK(was_told(0, WW_IMPROV_ERROR, WW_IMPROV_INVALID));
  told_count = 0;
  step(packet, ww_improv_write(WW_IMPROV_COMMAND, wrong, 1, packet) - 1);
  CHECK(was_told(0, WW_IMPROV_ERROR, WW_IMPROV_INVALID));
  size_t length = ww_improv_write(WW_IMPROV_COMMAND, wrong, sizeof wrong, packet) - 1;
  packet[length - 1] ^= 1;
  told_count = 0;
  step(packet, length);
  CHECK(was_told(0, WW_IMPROV_ERROR, WW_IMPROV_INVALID));
  CHECK_EQUAL(told_count, 1);
}

TEST("answers nothing to what a board says") {
  begin();
  uint8_t packet[WW_IMPROV_PACKET_LIMIT];
  const uint8_t state[] = {WW_IMPROV_READY};
  step(packet, ww_improv_write(WW_IMPROV_STATE, state, 1, packet) - 1);
  CHECK_EQUAL(told_count, 0);
}

TEST("refuses to join what is no network, and says so where it is not kept") {
  begin();
  command(WW_IMPROV_JOIN, "\x04home", 5);
  CHECK(was_told(0, WW_IMPROV_ERROR, WW_IMPROV_INVALID));
  CHECK(ssid[0] == '\0');
  joins = WW_STORE_FAILED;
  command(WW_IMPROV_JOIN, JOIN, JOIN_LENGTH);
  CHECK(was_told(0, WW_IMPROV_ERROR, WW_IMPROV_FAILED));
  CHECK_EQUAL(told_count, 1);
}

TEST("says after half a minute, and not before, that a network was not joined") {
  begin();
  command(WW_IMPROV_JOIN, JOIN, JOIN_LENGTH);
  told_count = 0;
  pass(29999);
  CHECK_EQUAL(told_count, 0);
  pass(1);
  CHECK(was_told(0, WW_IMPROV_ERROR, WW_IMPROV_NOT_JOINED));
  CHECK(was_told(1, WW_IMPROV_STATE, WW_IMPROV_READY));
  pass(60000);
  CHECK_EQUAL(told_count, 2);
}

TEST("joins the network, and says when it has, also where it was in another before") {
  begin();
  status.network = WW_NETWORK_JOINED;
  command(WW_IMPROV_JOIN, JOIN, JOIN_LENGTH);
  CHECK(was_told(0, WW_IMPROV_ERROR, WW_IMPROV_NO_ERROR));
  CHECK(was_told(1, WW_IMPROV_STATE, WW_IMPROV_JOINING));
  CHECK_EQUAL(told_count, 2);
  CHECK(strcmp(ssid, "home") == 0 && strcmp(password, "password") == 0);
  command(WW_IMPROV_TELL_STATE, "", 0);
  CHECK(was_told(0, WW_IMPROV_STATE, WW_IMPROV_JOINING));
  told_count = 0;
  status.network = WW_NETWORK_JOINED;
  pass(250);
  CHECK(was_told(0, WW_IMPROV_STATE, WW_IMPROV_JOINED));
  CHECK(was_told_nothing_of(1, WW_IMPROV_JOIN));
  pass(60000);
  CHECK_EQUAL(told_count, 2);
}

TEST("tells its state, and the device") {
  begin();
  command(WW_IMPROV_TELL_STATE, "", 0);
  CHECK(was_told(0, WW_IMPROV_STATE, WW_IMPROV_READY));
  CHECK_EQUAL(told_count, 1);
  status.network = WW_NETWORK_JOINED;
  command(WW_IMPROV_TELL_STATE, "", 0);
  CHECK(was_told(0, WW_IMPROV_STATE, WW_IMPROV_JOINED));
  CHECK(was_told_nothing_of(1, WW_IMPROV_TELL_STATE));
  command(WW_IMPROV_TELL_DEVICE, "", 0);
  CHECK_EQUAL(told[0].data[1], 12 + 6 + 9 + 5);
  CHECK(memcmp(told[0].data + 2,
               "\x0BWattWitness\x05"
               "1.2.3\x08"
               "ESP32-C3\x04roof",
               32) == 0);
}

TEST("tells the networks in reach once they are known, and none twice") {
  begin();
  seen_count = 2;
  command(WW_IMPROV_TELL_NETWORKS, "", 0);
  pass(2000);
  CHECK_EQUAL(told_count, 0);
  has_looked = true;
  pass(250);
  CHECK_EQUAL(told_count, 3);
  CHECK(memcmp(told[0].data, "\x04\x0D\x04home\x03-60\x03YES", 15) == 0);
  CHECK(memcmp(told[1].data, "\x04\x0C\x04home\x03-60\x02NO", 14) == 0);
  CHECK(was_told_nothing_of(2, WW_IMPROV_TELL_NETWORKS));
  pass(60000);
  CHECK_EQUAL(told_count, 3);
  has_looked = false;
  command(WW_IMPROV_TELL_NETWORKS, "", 0);
  pass(30000);
  CHECK(was_told(0, WW_IMPROV_ERROR, WW_IMPROV_FAILED));
}

TEST("hands on to the console what a person types, an I without what follows after a while") {
  begin();
  step("help\r", 5);
  CHECK(strstr(printed, "restarts the board") != NULL);
  printed[0] = '\0';
  step("I", 1);
  CHECK(printed[0] == '\0');
  pass(499);
  CHECK(printed[0] == '\0');
  pass(1);
  CHECK(strcmp(printed, "I") == 0);
}

TEST("prints nothing of a packet, nor keeps a password of it") {
  begin();
  command(WW_IMPROV_JOIN, JOIN, JOIN_LENGTH);
  CHECK(printed[0] == '\0');
  for (size_t i = 0; i + 8 <= sizeof joining; i++) {
    CHECK(memcmp((const char *)&joining + i, "password", 8) != 0);
  }
}
