/** The store of a PC: one file in a flash partition's place, of sectors of 4,096 bytes. One program at a time has it. */
#ifndef WW_FILE_STORE_H
#define WW_FILE_STORE_H

#include "ports.h"

#define FILE_STORE_SECTOR 4096u

struct file_store {
  int file;
  uint32_t sectors;
  bool is_durable;
};

/**
 * Makes the file where it is missing. Returns NULL, or what is wrong in a sentence that says what to do. `is_durable`:
 * waits for the disk at every write.
 */
const char *file_store_open(struct file_store *store, const char *path, uint32_t sectors, bool is_durable);

void file_store_close(struct file_store *store);

struct ww_store_port file_store_port(struct file_store *store);

#endif
