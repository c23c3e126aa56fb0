/**
 * A Shelly's answer, its first byte the source. Laws: a refusal leaves the measurement untouched; a success is within
 * what the measurement promises; a decimal is within one unit of what strtold makes of it.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "shelly.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool law) {
  if (!law) {
    abort();
  }
}

static void check_measurement(uint8_t source, const char *text, size_t length) {
  struct ww_shelly_options options = {source};
  struct ww_measurement measurement, before;
  memset(&measurement, 0xA5, sizeof measurement);
  memcpy(&before, &measurement, sizeof before);
  if (ww_shelly_parse(&options, text, length, &measurement) != WW_OK) {
    require(memcmp(&measurement, &before, sizeof before) == 0);
    return;
  }
  require(measurement.total < UINT64_C(1) << 50);
  require(measurement.power > -(INT64_C(1) << 50) && measurement.power < INT64_C(1) << 50);
  require(measurement.temperature == WW_NOT_MEASURED_I16);
  require(measurement.meter[6] == 0 && measurement.meter[7] == 0);
}

static void check_generation(const char *text, size_t length) {
  enum ww_shelly_generation generation = WW_SHELLY_GEN1;
  if (ww_shelly_generation(text, length, &generation) == WW_OK) {
    require(*ww_shelly_path(generation) == '/');
  } else {
    require(generation == WW_SHELLY_GEN1);
  }
}

static void check_decimal(struct ww_json value) {
  char text[64];
  int64_t number;
  if (value.length >= sizeof text || !ww_json_decimal(value, 3, &number)) {
    return;
  }
  memcpy(text, value.text, value.length);
  text[value.length] = '\0';
  long double expected = strtold(text, NULL) * 1000;
  require(fabsl(expected - (long double)number) < 1 + fabsl(expected) * 1e-15L);
}

/** Goes through all that lies in an array or at the keys a Shelly has, so that each way to read a value is taken. */
static void check_value(struct ww_json value, unsigned depth) {
  static const char *const keys[] = {"emeters", "em:0", "em1:0", "power", "total", "act_power", "a"};
  struct ww_json part;
  uint64_t number;
  char copy[8];
  bool truth;
  check_decimal(value);
  if (ww_json_u64(value, &number)) {
    int64_t same;
    require(number > INT64_MAX || (ww_json_decimal(value, 0, &same) && (uint64_t)same == number));
  }
  require(ww_json_bool(value, &truth) + ww_json_is_null(value) + ww_json_u64(value, &number) <= 1);
  require(!ww_json_copy(value, copy, sizeof copy) || strlen(copy) < sizeof copy);
  if (depth == 0) {
    return;
  }
  for (size_t i = 0; i < 3 && ww_json_element(value, i, &part); i++) {
    check_value(part, depth - 1);
  }
  for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
    if (ww_json_member(value, keys[i], &part)) {
      check_value(part, depth - 1);
    }
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0) {
    return 0;
  }
  const char *text = (const char *)data + 1;
  struct ww_json value;
  check_measurement(data[0], text, size - 1);
  check_generation(text, size - 1);
  if (ww_json_parse(text, size - 1, &value)) {
    check_value(value, 3);
  }
  return 0;
}
