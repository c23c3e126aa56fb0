#include "answers.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "shelly.h"
#include "sml.h"
#include "telegram.h"

enum { IMPORT = 0x00, EXPORT = 0x10 };

struct decimal {
  char of[32];
};

/** Thousandths of a unit, exactly. */
static struct decimal decimal(int64_t thousandths) {
  struct decimal text;
  int64_t size = thousandths < 0 ? -thousandths : thousandths;
  snprintf(text.of, sizeof text.of, "%s%" PRId64 ".%03" PRId64, thousandths < 0 ? "-" : "", size / 1000, size % 1000);
  return text;
}

static int write_text(enum answer_kind kind, const struct ww_measurement *shown, char *text, size_t size) {
  struct decimal power = decimal(-shown->power), total = decimal((int64_t)shown->total);
  struct decimal voltage = decimal(shown->voltage),
                 size_of_power = decimal(shown->power < 0 ? -shown->power : shown->power);
  const char *valid = shown->valid ? "true" : "false";
  const char *errors = shown->valid ? "" : ",\"errors\":[\"power_meter_failure\"]";
  const uint8_t *m = shown->meter;
  char mac[16];
  snprintf(mac, sizeof mac, "%02X%02X%02X%02X%02X%02X", m[0], m[1], m[2], m[3], m[4], m[5]);
  switch (kind) {
    case ANSWER_EM:
      return snprintf(text, size,
                      "{\"mac\":\"%s\",\"emeters\":[{\"power\":%s,\"voltage\":%s,\"is_valid\":%s,\"total\":12.5,"
                      "\"total_returned\":%s},{\"power\":0,\"is_valid\":true,\"total\":0,\"total_returned\":0}]}",
                      mac, power.of, voltage.of, valid, total.of);
    case ANSWER_PRO_EM:
      return snprintf(text, size,
                      "{\"em1:0\":{\"act_power\":%s,\"voltage\":%s%s},\"em1data:0\":{\"total_act_energy\":12.5,"
                      "\"total_act_ret_energy\":%s},\"sys\":{\"mac\":\"%s\"}}",
                      power.of, voltage.of, errors, total.of, mac);
    case ANSWER_SWITCH:
    case ANSWER_PM1:
      return snprintf(text, size,
                      "{\"%s:0\":{\"apower\":%s,\"voltage\":%s,\"aenergy\":{\"total\":%s,\"by_minute\":[1,2,3]},"
                      "\"ret_aenergy\":{\"total\":%s,\"by_minute\":[1,2,3]}%s},\"sys\":{\"mac\":\"%s\"}}",
                      kind == ANSWER_PM1 ? "pm1" : "switch", power.of, voltage.of, total.of, total.of, errors, mac);
    default:
      return snprintf(
          text, size,
          "{\"mac\":\"%s\",\"meters\":[{\"power\":%s,\"is_valid\":%s,\"counters\":[1.5,2,3],\"total\":%" PRIu64 "}]}",
          mac, size_of_power.of, valid, shown->total * 60 / 1000);
  }
}

/** A household's meter has no word for invalid: it tells nothing then. */
static enum ww_error through_sml(const struct ww_measurement *shown, struct ww_measurement *seen) {
  static struct telegram telegram;
  static struct ww_sml sml;
  static uint8_t wire[3 * TELEGRAM_LIMIT];
  uint8_t server[10] = {0x0A, 0x01};
  memcpy(server + 2, shown->meter, WW_METER_ID_LENGTH);
  telegram_begin(&telegram);
  telegram_open(&telegram, server, 2);
  telegram_entry(&telegram, 2, 8, 30, -1, (int64_t)shown->total / 100);
  telegram_entry(&telegram, 16, 7, 27, -3, -shown->power);
  telegram_close(&telegram);
  size_t length = telegram_wrap(&telegram, wire);
  ww_sml_begin(&sml);
  for (size_t i = 0; i < length; i++) {
    if (ww_sml_take(&sml, wire[i]) && shown->valid) {
      return ww_sml_parse(EXPORT, sml.messages, sml.length, seen);
    }
  }
  return WW_METER_SILENT;
}

enum ww_error answer_through(enum answer_kind kind, const struct ww_measurement *shown, struct ww_measurement *seen) {
  char text[1024];
  if (kind == ANSWER_SML) {
    return through_sml(shown, seen);
  }
  struct ww_shelly_options options = {kind == ANSWER_PLUG ? IMPORT : EXPORT};
  int length = write_text(kind, shown, text, sizeof text);
  return ww_shelly_parse(&options, text, (size_t)length, seen);
}
