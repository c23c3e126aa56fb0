/** What a board is told beside the meter's settings. */
#include "board.h"

#include <string.h>

#include "test.h"

static struct ww_board_settings settings;
static char text[WW_BOARD_TEXT_LIMIT];

static void begin(void) {
  memset(&settings, 0, sizeof settings);
  settings.pins = WW_PINS_ESP32;
  settings.sda_pin = 21;
  settings.scl_pin = 22;
  settings.lid_pin = settings.led_pin = WW_NO_PIN;
  strcpy(settings.time_server, "pool.ntp.org");
  strcpy(settings.name, "wattwitness");
}

static bool refuses(const char *name, const char *value) {
  struct ww_board_settings before = settings;
  return ww_board_set(&settings, name, value) == WW_SETTING_INVALID && memcmp(&before, &settings, sizeof before) == 0;
}

TEST("refuses a setting that there is none of") {
  begin();
  CHECK_EQUAL(ww_board_set(&settings, "capacity", "5000"), WW_SETTING_UNKNOWN);
  CHECK(ww_board_rule("capacity") == NULL);
  CHECK(!ww_board_is_secret("capacity"));
}

TEST("refuses the pins of flash and console, those that can only be read, and what is no number") {
  static const char *const PINS[] = {"1",  "3",  "6",  "11", "20", "24", "28", "34",  "39",  "40",
                                     "63", "64", "99", "",   "-1", "a",  "1a", "021", "none"};
  begin();
  for (size_t i = 0; i < sizeof PINS / sizeof *PINS; i++) {
    CHECK(refuses("sda-pin", PINS[i]));
    CHECK(refuses("lid-pin", PINS[i]) || strcmp(PINS[i], "none") == 0);
  }
  CHECK_OK(ww_board_set(&settings, "sda-pin", "33"));
  CHECK_EQUAL(settings.sda_pin, 33);
  settings.pins = WW_PINS_ESP32C3;
  CHECK(refuses("led-pin", "11"));
  CHECK(refuses("led-pin", "18"));
  CHECK(refuses("led-pin", "21"));
  CHECK_OK(ww_board_set(&settings, "led-pin", "10"));
  CHECK_OK(ww_board_set(&settings, "led-pin", "none"));
  CHECK_EQUAL(settings.led_pin, WW_NO_PIN);
}

TEST("refuses values that cannot be, and stays as it was") {
  char longest[WW_URL_LIMIT + 8];
  begin();
  memset(longest, 'a', sizeof longest);
  longest[65] = '\0';
  CHECK(refuses("shelly-user", longest));
  CHECK(refuses("shelly-password", longest));
  CHECK(refuses("time-server", longest));
  CHECK(refuses("shelly-password", ""));
  CHECK(refuses("time-server", "pool ntp"));
  CHECK(refuses("time-server", "http://pool.ntp.org"));
  CHECK(refuses("time-server",
                "none"
                "/"));
  CHECK(refuses("update-url", "http://example.org/wattwitness.bin"));
  CHECK(refuses("update-url", "https://exa mple.org/"));
  memcpy(longest, "https://", 8);
  longest[65] = 'a';
  longest[WW_URL_LIMIT] = '\0';
  CHECK(refuses("update-url", longest));
  CHECK(refuses("name", "Roof"));
  CHECK(refuses("name", "-roof"));
  CHECK(refuses("name", "roof-"));
  CHECK(refuses("name", "a.b"));
  CHECK(refuses("name", "abcdefghijklmnopqrstuvwxyzabcdefg"));
  CHECK(refuses("access-point", "abcdefghijklmnopqrstuvwxyzabcdefg"));
  CHECK(refuses("access-point-password", "1234567"));
  CHECK(refuses("led-lit", "up"));
}

TEST("refuses pins that are used twice, and an access point without a password") {
  begin();
  CHECK(ww_board_problem(&settings) == NULL);
  CHECK_OK(ww_board_set(&settings, "lid-pin", "22"));
  CHECK(strcmp(ww_board_problem(&settings), "two of the pins are the same") == 0);
  CHECK_OK(ww_board_set(&settings, "lid-pin", "none"));
  CHECK_OK(ww_board_set(&settings, "access-point", "meter"));
  CHECK(strstr(ww_board_problem(&settings), "no password") != NULL);
  CHECK_OK(ww_board_set(&settings, "access-point-password", "12345678"));
  CHECK(ww_board_problem(&settings) == NULL);
}

TEST("passes over what it cannot read, and keeps what was there") {
  begin();
  ww_board_read(&settings, "\n \nlid-pin\nlid-pin 6\nfuture setting\nname roof\nsda-pin");
  CHECK(strcmp(settings.name, "roof") == 0);
  CHECK_EQUAL(settings.lid_pin, WW_NO_PIN);
  CHECK_EQUAL(settings.sda_pin, 21);
}

TEST("writes what it reads, spaces in passwords and secrets that are not set included") {
  struct ww_board_settings again;
  begin();
  CHECK_OK(ww_board_set(&settings, "shelly-user", "admin"));
  CHECK_OK(ww_board_set(&settings, "shelly-password", "correct horse \"battery\""));
  CHECK_OK(ww_board_set(&settings, "update-url", "https://example.org/wattwitness.bin"));
  CHECK_OK(ww_board_set(&settings, "led-pin", "2"));
  CHECK_OK(ww_board_set(&settings, "led-lit", "low"));
  ww_board_write(&settings, text);
  CHECK(strstr(text, "access-point-password") == NULL);
  begin();
  again = settings;
  ww_board_read(&again, text);
  CHECK(strcmp(again.shelly_password, "correct horse \"battery\"") == 0);
  CHECK(strcmp(again.update_url, "https://example.org/wattwitness.bin") == 0);
  CHECK_EQUAL(again.led_pin, 2);
  CHECK(again.led_is_low);
  char twice[WW_BOARD_TEXT_LIMIT];
  ww_board_write(&again, twice);
  CHECK(strcmp(text, twice) == 0);
  CHECK_OK(ww_board_set(&again, "shelly-user", "none"));
  CHECK_OK(ww_board_set(&again, "led-lit", "high"));
  CHECK(again.shelly_user[0] == '\0' && !again.led_is_low);
}

TEST("has room for the longest settings, and tells each by a name, a rule and a value") {
  char longest[WW_URL_LIMIT], value[WW_URL_LIMIT];
  size_t secrets = 0;
  begin();
  memset(longest, 'a', sizeof longest);
  longest[64] = '\0';
  CHECK_OK(ww_board_set(&settings, "shelly-user", longest));
  CHECK_OK(ww_board_set(&settings, "shelly-password", longest));
  CHECK_OK(ww_board_set(&settings, "time-server", longest));
  longest[63] = '\0';
  CHECK_OK(ww_board_set(&settings, "access-point-password", longest));
  longest[32] = '\0';
  CHECK_OK(ww_board_set(&settings, "access-point", longest));
  CHECK_OK(ww_board_set(&settings, "name", longest));
  memset(longest, 'a', sizeof longest);
  memcpy(longest, "https://", 8);
  longest[WW_URL_LIMIT - 1] = '\0';
  CHECK_OK(ww_board_set(&settings, "update-url", longest));
  ww_board_write(&settings, text);
  CHECK(strlen(text) < sizeof text);
  for (unsigned i = 0; ww_board_name(i) != NULL; i++) {
    ww_board_value(&settings, i, value);
    CHECK(value[0] != '\0');
    CHECK(ww_board_rule(ww_board_name(i)) != NULL);
    secrets += ww_board_is_secret(ww_board_name(i));
  }
  CHECK_EQUAL(secrets, 2);
}

TEST("has words for why a network was left") {
  CHECK(strcmp(ww_network_reason(15), ww_network_reason(202)) == 0);
  CHECK(strstr(ww_network_reason(201), "2.4 GHz") != NULL);
  CHECK(ww_network_reason(9999)[0] != '\0');
}
