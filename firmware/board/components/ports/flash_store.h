/** The store of the board: the partition `queue`. */
#ifndef WW_FLASH_STORE_H
#define WW_FLASH_STORE_H

#include "esp_partition.h"
#include "ports.h"

struct flash_store {
  const esp_partition_t *partition;
};

/** WW_STORE_FAILED: the partition table has no such partition. */
WW_RESULT flash_store_open(struct flash_store *store);

struct ww_store_port flash_store_port(struct flash_store *store);

#endif
