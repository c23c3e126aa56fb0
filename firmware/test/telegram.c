#include "telegram.h"

#include <string.h>

#define ADD(telegram, ...) \
  telegram_add(telegram, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

void telegram_begin(struct telegram *telegram) {
  telegram->length = 0;
}

void telegram_add(struct telegram *telegram, const uint8_t *bytes, size_t length) {
  if (length <= sizeof telegram->bytes - telegram->length) {
    memcpy(telegram->bytes + telegram->length, bytes, length);
    telegram->length += length;
  }
}

void telegram_open(struct telegram *telegram, const uint8_t server[10], unsigned entries) {
  /* PublicOpen.Res, then GetList.Res */
  ADD(telegram, 0x76, 0x02, 0x01, 0x62, 0x00, 0x62, 0x00, 0x72, 0x63, 0x01, 0x01, 0x76, 0x01, 0x01, 0x02, 0x01, 0x0B);
  telegram_add(telegram, server, 10);
  ADD(telegram, 0x01, 0x01, 0x63, 0x00, 0x00, 0x00);
  ADD(telegram, 0x76, 0x02, 0x02, 0x62, 0x00, 0x62, 0x00, 0x72, 0x63, 0x07, 0x01, 0x77, 0x01, 0x0B);
  telegram_add(telegram, server, 10);
  ADD(telegram, 0x01, 0x72, 0x62, 0x01, 0x65, 0x00, 0x00, 0x00, 0x01);
  ADD(telegram, (uint8_t)(0xF0 | entries >> 4), (uint8_t)(entries & 0x0F));
}

void telegram_entry(struct telegram *telegram, uint8_t c, uint8_t d, uint8_t unit, int8_t scaler, int64_t value) {
  uint64_t bits = (uint64_t)value;
  ADD(telegram, 0x77, 0x07, 0x01, 0x00, c, d, 0x00, 0xFF, 0x01, 0x01, 0x62, unit, 0x52, (uint8_t)scaler, 0x59);
  ADD(telegram, (uint8_t)(bits >> 56), (uint8_t)(bits >> 48), (uint8_t)(bits >> 40), (uint8_t)(bits >> 32),
      (uint8_t)(bits >> 24), (uint8_t)(bits >> 16), (uint8_t)(bits >> 8), (uint8_t)bits, 0x01);
}

void telegram_close(struct telegram *telegram) {
  ADD(telegram, 0x01, 0x01, 0x63, 0x00, 0x00, 0x00);
  /* PublicClose.Res */
  ADD(telegram, 0x76, 0x02, 0x03, 0x62, 0x00, 0x62, 0x00, 0x72, 0x63, 0x02, 0x01, 0x71, 0x01, 0x63, 0x00, 0x00, 0x00);
}

/** CRC-16/X-25 by its definition, unlike the one that is tested: bits go through a shift register, last bit first. */
static uint16_t crc_of(const uint8_t *bytes, size_t length) {
  uint16_t crc = 0xFFFF, mirrored = 0;
  for (size_t i = 0; i < 8 * length; i++) {
    unsigned bit = (unsigned)(bytes[i / 8] >> i % 8 & 1) ^ (unsigned)(crc >> 15);
    crc = (uint16_t)(crc << 1 ^ (bit ? 0x1021 : 0));
  }
  for (unsigned bit = 0; bit < 16; bit++) {
    mirrored |= (uint16_t)((crc >> bit & 1) << (15 - bit));
  }
  return (uint16_t)~mirrored;
}

size_t telegram_wrap(const struct telegram *telegram, uint8_t wire[3 * TELEGRAM_LIMIT]) {
  static const uint8_t begin[8] = {0x1B, 0x1B, 0x1B, 0x1B, 0x01, 0x01, 0x01, 0x01};
  static const uint8_t escape[4] = {0x1B, 0x1B, 0x1B, 0x1B};
  size_t length = sizeof begin, padding;
  unsigned run = 0;
  memcpy(wire, begin, sizeof begin);
  for (size_t i = 0; i < telegram->length; i++) {
    wire[length++] = telegram->bytes[i];
    run = telegram->bytes[i] == 0x1B ? run + 1 : 0;
    if (run == 4) {
      memcpy(wire + length, escape, sizeof escape);
      length += sizeof escape;
      run = 0;
    }
  }
  for (padding = 0; length % 4 != 0; padding++) {
    wire[length++] = 0;
  }
  memcpy(wire + length, escape, sizeof escape);
  length += sizeof escape;
  wire[length++] = 0x1A;
  wire[length++] = (uint8_t)padding;
  uint16_t crc = crc_of(wire, length);
  wire[length++] = (uint8_t)crc;
  wire[length++] = (uint8_t)(crc >> 8);
  return length;
}
