#include "reading.h"

#include "bytes.h"

enum {
  TIMESTAMP = 0,
  ENERGY = TIMESTAMP + 4,
  POWER = ENERGY + 8,
  VOLTAGE = POWER + 8,
  CURRENT = VOLTAGE + 4,
  TEMPERATURE = CURRENT + 4,
  SOURCE = TEMPERATURE + 2,
  CONDITIONS = SOURCE + 1,
};

void ww_reading_encode(const struct ww_reading *reading, uint8_t bytes[WW_READING_LENGTH]) {
  ww_store_u32(bytes + TIMESTAMP, reading->timestamp);
  ww_store_u64(bytes + ENERGY, reading->energy);
  ww_store_u64(bytes + POWER, (uint64_t)reading->power);
  ww_store_u32(bytes + VOLTAGE, reading->voltage);
  ww_store_u32(bytes + CURRENT, reading->current);
  ww_store_u16(bytes + TEMPERATURE, (uint16_t)reading->temperature);
  bytes[SOURCE] = reading->source;
  bytes[CONDITIONS] = reading->conditions;
}

enum ww_error ww_reading_decode(const uint8_t *bytes, size_t length, struct ww_reading *reading) {
  if (length != WW_READING_LENGTH) {
    return WW_WRONG_LENGTH;
  }
  if (bytes[SOURCE] > 0x1F || bytes[CONDITIONS] > 0x0F) {
    return WW_RESERVED_BITS;
  }
  *reading = (struct ww_reading){
      .timestamp = ww_load_u32(bytes + TIMESTAMP),
      .energy = ww_load_u64(bytes + ENERGY),
      .power = (int64_t)ww_load_u64(bytes + POWER),
      .voltage = ww_load_u32(bytes + VOLTAGE),
      .current = ww_load_u32(bytes + CURRENT),
      .temperature = (int16_t)ww_load_u16(bytes + TEMPERATURE),
      .source = bytes[SOURCE],
      .conditions = bytes[CONDITIONS],
  };
  return WW_OK;
}
