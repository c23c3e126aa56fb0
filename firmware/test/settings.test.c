/** What a device is told at provisioning. */
#include "settings.h"

#include <string.h>

#include "test.h"

static const char WHOLE[] =
    "# of a roof\n"
    "chain-id 31337\n"
    "registry 0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512\n"
    "owner 0x70997970c51812dc3a010c7d01b50e0d17dc79c8\r\n"
    "\n"
    "capacity 5000\n"
    "channel   0\n"
    "register export\n"
    "interval 10\n"
    "oracle https://oracle.example/\n"
    "shelly http://192.168.1.40";

static struct ww_settings settings;
static unsigned line;

static bool refuses(const char *name, const char *value) {
  struct ww_settings before = settings;
  return ww_settings_set(&settings, name, value) == WW_SETTING_INVALID &&
         memcmp(&before, &settings, sizeof before) == 0;
}

TEST("refuses a setting that there is none of, and names the line") {
  CHECK_EQUAL(ww_settings_read(&settings, "chain-id 1\ncapactiy 5\n", &line), WW_SETTING_UNKNOWN);
  CHECK_EQUAL(line, 2);
}

TEST("refuses a text in which one is missing, and names it") {
  CHECK_EQUAL(ww_settings_read(&settings, "chain-id 1\n", &line), WW_SETTING_MISSING);
  ww_settings_begin(&settings);
  CHECK_OK(ww_settings_set(&settings, "chain-id", "1"));
  CHECK(strcmp(ww_settings_missing(&settings), "registry") == 0);
}

TEST("refuses values that cannot be, and stays as it was") {
  ww_settings_begin(&settings);
  CHECK(refuses("chain-id", "0"));
  CHECK(refuses("chain-id", "0x1"));
  CHECK(refuses("chain-id", "18446744073709551616"));
  CHECK(refuses("chain-id", ""));
  CHECK(refuses("registry", "0xe7f1725E7734CE288F8367e1Bb143E90bb3F05"));
  CHECK(refuses("owner", "0x70997970c51812dc3a010c7d01b50e0d17dc79cg"));
  CHECK(refuses("capacity", "0"));
  CHECK(refuses("capacity", "4294967296"));
  CHECK(refuses("capacity", "-1"));
  CHECK(refuses("channel", "15"));
  CHECK(refuses("register", "both"));
  CHECK(refuses("interval", "7"));
  CHECK(refuses("interval", "4"));
  CHECK(refuses("interval", "1800"));
  CHECK(refuses("upload-every", "0"));
  CHECK(refuses("oracle", "ftp://oracle.example"));
  CHECK(refuses("oracle", "http://oracle.example"));
  CHECK(refuses("oracle", "https://"));
  CHECK(refuses("oracle", "https://a\"b"));
  CHECK(refuses("shelly", "https://192.168.1.40"));
  CHECK(refuses("meter", "0x01"));
}

TEST("refuses a line that is too long, whole") {
  char text[400];
  memset(text, 'a', sizeof text);
  memcpy(text, "oracle https://", 15);
  text[sizeof text - 1] = '\0';
  CHECK_EQUAL(ww_settings_read(&settings, text, &line), WW_SETTING_INVALID);
  CHECK_EQUAL(line, 1);
  ww_settings_begin(&settings);
  CHECK(refuses("capacity", ""));
  CHECK_EQUAL(ww_settings_read(&settings, "capacity", &line), WW_SETTING_INVALID);
}

TEST("tells every setting's name and rule, and of no other") {
  unsigned count = 0;
  ww_settings_begin(&settings);
  for (; ww_settings_name(count) != NULL; count++) {
    CHECK(ww_settings_rule(ww_settings_name(count)) != NULL);
    CHECK_EQUAL(ww_settings_set(&settings, ww_settings_name(count), "?"), WW_SETTING_INVALID);
  }
  CHECK_EQUAL(count, 11);
  CHECK(ww_settings_rule("capactiy") == NULL);
  CHECK(!ww_settings_lack(&settings, "capactiy"));
  CHECK(ww_settings_lack(&settings, "capacity"));
  CHECK(!ww_settings_lack(&settings, "interval"));
}

TEST("has a reading a minute and an upload a quarter of an hour unless told") {
  ww_settings_begin(&settings);
  CHECK_EQUAL(settings.interval, 60);
  CHECK_EQUAL(settings.upload_every, 900);
  CHECK_OK(ww_settings_set(&settings, "upload-every", "3600"));
  CHECK_EQUAL(settings.upload_every, 3600);
}

TEST("reads the settings of a roof") {
  CHECK_OK(ww_settings_read(&settings, WHOLE, &line));
  CHECK_EQUAL(settings.place.chain_id, 31337);
  CHECK_EQUAL(settings.place.registry[0], 0xe7);
  CHECK_EQUAL(settings.owner[19], 0xc8);
  CHECK_EQUAL(settings.capacity, 5000);
  CHECK_EQUAL(settings.source, 0x10);
  CHECK_EQUAL(settings.interval, 10);
  CHECK_EQUAL(settings.upload_every, 900);
  CHECK(strcmp(settings.oracle, "https://oracle.example") == 0);
  CHECK(strcmp(settings.shelly, "http://192.168.1.40") == 0);
  CHECK_EQUAL(settings.succeeds, false);
  char text[WW_SETTINGS_TEXT_LIMIT];
  ww_settings_write(&settings, text);
  CHECK(strstr(text, "meter ") == NULL);
}

TEST("reads them with a byte order mark, and with lines that end as on Windows or an old Mac") {
  char text[sizeof WHOLE * 2];
  for (const char *const *end = (const char *const[]){"\n", "\r\n", "\r", NULL}; *end != NULL; end++) {
    char *out = text + sprintf(text, "\xEF\xBB\xBF");
    for (const char *in = WHOLE; *in != '\0'; in++) {
      out += *in == '\n' ? sprintf(out, "%s", *end) : sprintf(out, "%c", *in);
    }
    CHECK_OK(ww_settings_read(&settings, text, &line));
    CHECK_EQUAL(settings.capacity, 5000);
    CHECK(strcmp(settings.shelly, "http://192.168.1.40") == 0);
    unsigned lines = line;
    sprintf(out, "%scolour red%s", *end, *end);
    CHECK_EQUAL(ww_settings_read(&settings, text, &line), WW_SETTING_UNKNOWN);
    CHECK(line == lines + 1 || line == lines + 2);
  }
}

TEST("writes what it reads") {
  struct ww_settings again;
  char text[WW_SETTINGS_TEXT_LIMIT];
  CHECK_OK(ww_settings_read(&settings, WHOLE, &line));
  CHECK_OK(ww_settings_set(&settings, "channel", "all"));
  CHECK_OK(ww_settings_set(&settings, "register", "import"));
  CHECK_OK(ww_settings_set(&settings, "meter", "5f03bc3aaf8190d8bff11fb3d3421d9ed174c1d46fbcf46ab65ca9ed00598748"));
  ww_settings_write(&settings, text);
  CHECK_OK(ww_settings_read(&again, text, &line));
  CHECK_EQUAL(again.source, 0x0F);
  CHECK_EQUAL(again.succeeds, true);
  CHECK_BYTES(again.meter, settings.meter, sizeof again.meter);
  again.given = settings.given;
  CHECK(memcmp(&again, &settings, sizeof again) == 0);
}

TEST("has room for the longest settings") {
  char url[WW_URL_LIMIT] = "http://";
  memset(url + 7, 'a', sizeof url - 8);
  char text[WW_SETTINGS_TEXT_LIMIT];
  CHECK_OK(ww_settings_read(&settings, WHOLE, &line));
  CHECK_OK(ww_settings_set(&settings, "shelly", url));
  memcpy(url, "https://", 8);
  CHECK_OK(ww_settings_set(&settings, "oracle", url));
  CHECK_OK(ww_settings_set(&settings, "chain-id", "18446744073709551615"));
  CHECK_OK(ww_settings_set(&settings, "meter", "5f03bc3aaf8190d8bff11fb3d3421d9ed174c1d46fbcf46ab65ca9ed00598748"));
  ww_settings_write(&settings, text);
  CHECK(strlen(text) < sizeof text);
  CHECK_OK(ww_settings_read(&settings, text, &line));
}
