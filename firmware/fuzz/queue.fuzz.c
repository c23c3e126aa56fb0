/**
 * Any store: a whole queue of three sectors over which bytes are laid. With the first byte even they lie as they are; with
 * it odd every sector's head is sealed and every record's CRC made right afterwards, so that what is behind the checks is
 * reached, too. Whatever it holds, mounting ends, and a log that was resumed can be read, appended to and resumed again.
 */
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "crc32.h"
#include "queue.h"
#include "reading.h"
#include "simulated_store.h"

enum { SECTORS = 3, CAPACITY = 5000, START = 1773964800, HEAD = 208, SIZE = 48, SEQUENCE = 4, RECORD = 48, CRC = 43 };

static struct simulated_store flash;
static struct ww_store_port port;
static struct ww_queue queue;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

static void require(bool condition) {
  if (!condition) {
    abort();
  }
}

static enum ww_error append_next(void) {
  struct ww_register reg = queue.state.reg;
  reg.timestamp = reg.timestamp < UINT32_MAX ? reg.timestamp + 1 : reg.timestamp;
  struct ww_reading reading = {.timestamp = reg.timestamp, .energy = reg.energy};
  uint8_t bytes[WW_READING_LENGTH];
  ww_reading_encode(&reading, bytes);
  return ww_queue_append(&queue, bytes, &reg);
}

/** A queue that has gone round once. */
static void fill(void) {
  static struct simulated_store filled;
  if (filled.sectors == 0) {
    const uint8_t key_id[WW_HASH_LENGTH] = {1};
    store_begin(&flash, SECTORS);
    port = store_port(&flash);
    require(ww_queue_mount(&queue, &port, CAPACITY) == WW_STORE_EMPTY);
    queue.state.reg.timestamp = START;
    require(ww_queue_begin(&queue, key_id, 1, 0) == WW_OK);
    for (int i = 0; i < 150; i++) {
      require(append_next() == WW_OK && ww_queue_acknowledge(&queue, queue.state.log.size) == WW_OK);
    }
    filled = flash;
  }
  flash = filled;
}

static void seal(uint8_t *sector) {
  uint64_t size = ww_load_u64(sector + SIZE);
  uint32_t end = HEAD + WW_HASH_LENGTH * ww_log_width(size);
  if (end + 16 > SECTOR_SIZE) {
    return;
  }
  memset(sector + end, 0, 16);
  ww_store_u32(sector + end, ww_crc32(0, sector, end));
  for (uint32_t at = end + 16; at + RECORD <= SECTOR_SIZE; at += RECORD) {
    ww_store_u32(sector + at + CRC, ww_crc32(ww_crc32(0, sector + SEQUENCE, 4), sector + at, CRC));
    sector[at + RECORD - 1] = 0;
  }
}

/** Pieces of four bytes or more: two of address, one of length, then so many to lay there. */
static void lay(const uint8_t *data, size_t length) {
  while (length >= 4) {
    size_t at = (size_t)(data[0] << 8 | data[1]) % (SECTORS * SECTOR_SIZE);
    size_t part = data[2] % (length - 2);
    if (part > SECTORS * SECTOR_SIZE - at) {
      part = SECTORS * SECTOR_SIZE - at;
    }
    memcpy(flash.bytes + at, data + 3, part);
    data += 3 + part;
    length -= 3 + part;
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length) {
  if (length == 0) {
    return 0;
  }
  fill();
  lay(data + 1, length - 1);
  if (data[0] % 2 == 1) {
    for (unsigned sector = 0; sector < SECTORS; sector++) {
      seal(flash.bytes + sector * SECTOR_SIZE);
    }
  }
  enum ww_error mounted = ww_queue_mount(&queue, &port, CAPACITY);
  require(mounted == WW_OK || mounted == WW_STORE_EMPTY || mounted == WW_STORE_CORRUPT || mounted == WW_STORE_FAILED);
  if (mounted != WW_OK) {
    return 0;
  }
  uint64_t size = queue.state.log.size;
  require(queue.first <= queue.state.acknowledged && queue.state.acknowledged <= size);
  struct ww_cursor cursor;
  uint8_t reading[WW_READING_LENGTH];
  if (queue.first < size && ww_queue_seek(&queue, queue.first, &cursor) == WW_OK) {
    while (ww_queue_next(&queue, &cursor, reading) == WW_OK) {
    }
    require(cursor.index == size);
  }
  (void)ww_queue_fill(&queue);
  if (append_next() == WW_OK) {
    struct ww_log log = queue.state.log;
    require(ww_queue_mount(&queue, &port, CAPACITY) == WW_OK);
    require(queue.state.log.size == log.size &&
            memcmp(queue.state.log.frontier, log.frontier, ww_log_width(log.size) * (size_t)WW_HASH_LENGTH) == 0);
  }
  return 0;
}
