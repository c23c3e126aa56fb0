/** Big-endian integers to and from bytes, by shifts. */
#ifndef WW_BYTES_H
#define WW_BYTES_H

#include <stdint.h>

static inline uint16_t ww_load_u16(const uint8_t *bytes) {
  return (uint16_t)((uint16_t)bytes[0] << 8 | bytes[1]);
}

static inline uint32_t ww_load_u32(const uint8_t *bytes) {
  return (uint32_t)ww_load_u16(bytes) << 16 | ww_load_u16(bytes + 2);
}

static inline uint64_t ww_load_u64(const uint8_t *bytes) {
  return (uint64_t)ww_load_u32(bytes) << 32 | ww_load_u32(bytes + 4);
}

static inline void ww_store_u16(uint8_t *bytes, uint16_t value) {
  bytes[0] = (uint8_t)(value >> 8);
  bytes[1] = (uint8_t)value;
}

static inline void ww_store_u32(uint8_t *bytes, uint32_t value) {
  ww_store_u16(bytes, (uint16_t)(value >> 16));
  ww_store_u16(bytes + 2, (uint16_t)value);
}

static inline void ww_store_u64(uint8_t *bytes, uint64_t value) {
  ww_store_u32(bytes, (uint32_t)(value >> 32));
  ww_store_u32(bytes + 4, (uint32_t)value);
}

#endif
