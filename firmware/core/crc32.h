/** CRC-32 as in Ethernet and zip (ISO 3309), to find what was torn or rotted; it protects from nobody. */
#ifndef WW_CRC32_H
#define WW_CRC32_H

#include <stddef.h>
#include <stdint.h>

/** Goes on from the value of what comes before; 0 = nothing. */
uint32_t ww_crc32(uint32_t before, const void *bytes, size_t length);

#endif
