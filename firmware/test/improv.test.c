/** The packets of Improv. */
#include "improv.h"

#include <string.h>

#include "test.h"

static struct ww_improv improv;
static char text[512];
static size_t text_length;
static unsigned packets;
static unsigned broken;

static void note(enum ww_improv_found found) {
  packets += found == WW_IMPROV_PACKET;
  broken += found == WW_IMPROV_BROKEN;
  if (found == WW_IMPROV_TEXT) {
    memcpy(text + text_length, improv.text, improv.text_length);
    text_length += improv.text_length;
    text[text_length] = '\0';
  }
}

static void begin(void) {
  memset(&improv, 0, sizeof improv);
  text_length = packets = broken = 0;
  text[0] = '\0';
}

static void take(const void *bytes, size_t length) {
  for (size_t i = 0; i < length; i++) {
    note(ww_improv_take(&improv, ((const uint8_t *)bytes)[i]));
  }
}

/** As the SDK of a page sends it: ask for the state. */
static const uint8_t ASK_STATE[] = {'I', 'M', 'P', 'R', 'O', 'V', 1, 3, 2, 2, 0, 0xE5};

TEST("takes for no packet, and hands on, what a person types") {
  static const char *const LINES[] = {"chip lock-configuration\r", "IMPORT", "IIMPROV", "IMPROVE", "I\n", "\x01",
                                      "IMPIMPROIMPROV\x02"};
  for (size_t i = 0; i < sizeof LINES / sizeof *LINES; i++) {
    begin();
    take(LINES[i], strlen(LINES[i]));
    note(ww_improv_give_up(&improv));
    CHECK(strcmp(text, LINES[i]) == 0);
    CHECK_EQUAL(packets + broken, 0);
  }
}

TEST("refuses a packet of which any bit is wrong, and hands nothing of it on") {
  for (size_t byte = 7; byte < sizeof ASK_STATE; byte++) {
    for (unsigned bit = 0; bit < 8; bit++) {
      uint8_t wrong[sizeof ASK_STATE];
      memcpy(wrong, ASK_STATE, sizeof wrong);
      wrong[byte] = (uint8_t)(wrong[byte] ^ 1u << bit);
      begin();
      take(wrong, sizeof wrong);
      CHECK_EQUAL(packets, 0);
      note(ww_improv_give_up(&improv));
      take(ASK_STATE, sizeof ASK_STATE);
      CHECK_EQUAL(packets, 1);
      /* a length that became shorter leaves a rest that is text */
      CHECK(byte == 8 || text_length == 0);
    }
  }
}

TEST("forgets a packet that was not finished, and takes the next") {
  for (size_t length = 0; length < sizeof ASK_STATE; length++) {
    begin();
    take(ASK_STATE, length);
    note(ww_improv_give_up(&improv));
    CHECK_EQUAL(text_length, length < 7 ? length : 0);
    take(ASK_STATE, sizeof ASK_STATE);
    CHECK_EQUAL(packets, 1);
  }
}

TEST("finds a packet among what is typed") {
  begin();
  take("he", 2);
  take(ASK_STATE, sizeof ASK_STATE);
  CHECK_EQUAL(packets, 1);
  CHECK_EQUAL(improv.type, WW_IMPROV_COMMAND);
  CHECK_EQUAL(improv.length, 2);
  CHECK_EQUAL(improv.data[0], WW_IMPROV_TELL_STATE);
  take("lp", 2);
  CHECK(strcmp(text, "help") == 0);
}

TEST("writes what it reads, of every length") {
  uint8_t data[WW_IMPROV_DATA_LIMIT], packet[WW_IMPROV_PACKET_LIMIT];
  for (size_t length = 0; length <= sizeof data; length++) {
    memset(data, (int)(0xF0 + length), sizeof data);
    begin();
    size_t size = ww_improv_write(WW_IMPROV_RESULT, data, length, packet);
    CHECK(size <= sizeof packet);
    take(packet, size);
    CHECK_EQUAL(packets, 1);
    CHECK_EQUAL(improv.type, WW_IMPROV_RESULT);
    CHECK_EQUAL(improv.length, length);
    CHECK_BYTES(improv.data, data, length);
    CHECK(strcmp(text, "\n") == 0);
  }
}

TEST("writes the packet of a state as others do") {
  static const uint8_t expected[] = {'I', 'M', 'P', 'R', 'O', 'V', 1, 1, 1, 2, 0xE2, '\n'};
  const uint8_t ready[1] = {WW_IMPROV_READY};
  uint8_t packet[WW_IMPROV_PACKET_LIMIT];
  CHECK_EQUAL(ww_improv_write(WW_IMPROV_STATE, ready, 1, packet), sizeof expected);
  CHECK_BYTES(packet, expected, sizeof expected);
}

TEST("writes a result with its texts, and cuts off what finds no room") {
  static const uint8_t expected[] = {WW_IMPROV_TELL_DEVICE, 5, 2, 'a', 'b', 1, 'c'};
  char longest[300];
  uint8_t packet[WW_IMPROV_PACKET_LIMIT];
  begin();
  take(packet, ww_improv_write_result(WW_IMPROV_TELL_DEVICE, (const char *const[]){"ab", "c", NULL}, packet));
  CHECK_EQUAL(improv.length, sizeof expected);
  CHECK_BYTES(improv.data, expected, sizeof expected);
  memset(longest, 'a', sizeof longest);
  longest[sizeof longest - 1] = '\0';
  for (size_t first = 240; first < sizeof longest; first++) {
    char *text_of_first = longest + sizeof longest - 1 - first;
    begin();
    take(packet, ww_improv_write_result(WW_IMPROV_TELL_DEVICE, (const char *const[]){text_of_first, longest, "b", NULL},
                                        packet));
    CHECK_EQUAL(packets, 1);
    CHECK_EQUAL(improv.data[1], improv.length - 2);
  }
}

TEST("refuses a network whose lengths do not fit, with a zero in it, or without a password that protects it") {
  char ssid[WW_SSID_LIMIT + 1], password[WW_PASSWORD_LIMIT + 1];
  static const struct {
    const char *bytes;
    size_t length;
  } WRONG[] = {
      {"", 0},
      {"\x04home", 5},
      {"\x04home\x08passwor", 13},
      {"\x04home\x08passwords", 15},
      {"\x00\x08password", 10},
      {"\x04ho\0e\x08password", 14},
      {"\x04home\x07passwor", 13},
      {"\x04home\x00", 6},
      {"\xFFhome", 5},
  };
  for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) {
    CHECK(!ww_improv_read_network((const uint8_t *)WRONG[i].bytes, WRONG[i].length, ssid, password));
  }
  CHECK(ww_improv_read_network((const uint8_t *)"\x04home\x08password", 14, ssid, password));
  CHECK(strcmp(ssid, "home") == 0 && strcmp(password, "password") == 0);
}

TEST("reads the longest network, and no longer one") {
  char ssid[WW_SSID_LIMIT + 1], password[WW_PASSWORD_LIMIT + 1];
  uint8_t data[1 + 33 + 1 + 64];
  memset(data, 'a', sizeof data);
  for (size_t name = 32; name <= 33; name++) {
    for (size_t secret = 63; secret <= 64; secret++) {
      data[0] = (uint8_t)name;
      data[33] = 'a';
      data[1 + name] = (uint8_t)secret;
      bool is_read = ww_improv_read_network(data, 2 + name + secret, ssid, password);
      CHECK_EQUAL(is_read, name == 32 && secret == 63);
    }
  }
  CHECK_EQUAL(strlen(ssid), 32);
}
