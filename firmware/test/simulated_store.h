/**
 * A flash partition in memory, behind the store port, whose power fails when a test says so. It holds the core to what the
 * port asks for: writing what is not blank, or not in units of 16 bytes, is an error that stays.
 */
#ifndef WW_SIMULATED_STORE_H
#define WW_SIMULATED_STORE_H

#include "ports.h"

#ifndef SECTOR_SIZE
#define SECTOR_SIZE 2048u
#define SECTORS_LIMIT 16u
#endif
#define NEVER UINT64_MAX

struct simulated_store {
  uint32_t sectors;
  uint8_t bytes[SECTORS_LIMIT * SECTOR_SIZE];
  uint64_t changed; /* bytes written or erased so far */
  uint64_t cut_at;  /* power fails when so many were; NEVER = it does not */
  bool is_erasing;  /* the last thing that was begun is an erasure */
  bool is_dead;     /* it has failed, and nothing works until a reboot */
  bool was_misused;
  bool cannot_erase;
  unsigned failing; /* the next so many writes change nothing, and fail */
  uint32_t erasures;
};

/** As it comes from the factory. */
void store_begin(struct simulated_store *store, uint32_t sectors);

struct ww_store_port store_port(struct simulated_store *store);

/** Power is back. */
void store_reboot(struct simulated_store *store);

#endif
