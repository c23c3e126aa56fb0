/**
 * What an optical head hears, its first byte the source. Laws: what is taken in is bounded, in whatever pieces of noise it
 * comes; a refusal leaves the measurement untouched; a success is within what the measurement promises. The rest is read as
 * messages, too, so that no CRC stands before the reader; and wrapped as a meter does, the same messages come out again.
 */
#include <stdlib.h>
#include <string.h>

#include "sml.h"
#include "telegram.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct ww_sml sml;
static struct telegram telegram;
static uint8_t wire[3 * TELEGRAM_LIMIT];

static void require(bool law) {
  if (!law) {
    abort();
  }
}

static void check_messages(uint8_t source, const uint8_t *messages, size_t length) {
  struct ww_measurement measurement, before;
  memset(&measurement, 0xA5, sizeof measurement);
  memcpy(&before, &measurement, sizeof before);
  if (ww_sml_parse(source, messages, length, &measurement) != WW_OK) {
    require(memcmp(&measurement, &before, sizeof before) == 0);
    return;
  }
  require(measurement.total < UINT64_C(1) << 50);
  require(measurement.power > -(INT64_C(1) << 50) && measurement.power < INT64_C(1) << 50);
  require(measurement.temperature == WW_NOT_MEASURED_I16 && measurement.valid);
}

static void check_stream(uint8_t source, const uint8_t *bytes, size_t length) {
  ww_sml_begin(&sml);
  for (size_t i = 0; i < length; i++) {
    if (ww_sml_take(&sml, bytes[i])) {
      check_messages(source, sml.messages, sml.length);
    }
    require(sml.length <= WW_SML_LIMIT && sml.escapes < 8 && sml.codes < 4);
  }
}

static void check_transport(const uint8_t *messages, size_t length) {
  telegram_begin(&telegram);
  telegram_add(&telegram, messages, length);
  size_t on_wire = telegram_wrap(&telegram, wire);
  unsigned whole = 0;
  ww_sml_begin(&sml);
  for (size_t i = 0; i < on_wire; i++) {
    whole += ww_sml_take(&sml, wire[i]);
  }
  /* padding may be more than fits, too */
  require(whole == (length + 3 < WW_SML_LIMIT) || (whole <= 1 && length + 3 >= WW_SML_LIMIT));
  require(whole == 0 || (sml.length == length && memcmp(sml.messages, messages, length) == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0) {
    return 0;
  }
  check_stream(data[0], data + 1, size - 1);
  check_messages(data[0], data + 1, size - 1);
  check_transport(data + 1, size - 1 < TELEGRAM_LIMIT ? size - 1 : TELEGRAM_LIMIT);
  return 0;
}
