/**
 * The offline queue: a ring of sectors in the store that holds the state of the log, so that it is resumed after a cut, and
 * the readings that an oracle has not got yet. Nothing counts before it is durable; power may fail at any byte.
 *
 * Every sector begins with the whole state as it was then, and goes on with records, so that the newest sector alone is
 * enough to resume, and every older one can be given up once its readings are acknowledged. Big-endian, in units of 16
 * bytes:
 *
 *   sector                               record, 48 bytes
 *     0   4  "WWQ2"                         0  32  reading; with a timestamp of 0 it is a note, its kind at 4
 *     4   4  sequence                      32   7  what the meter's register showed, mWh (of a note: 0)
 *     8  32  key id                        39   4  index in the log, modulo 2^32
 *    40   4  epoch                         43   4  CRC-32 of the sequence and the 43 bytes before
 *    44   4  paused from, Unix time        47   1  0
 *    48   8  size of the log
 *    56   8  acknowledged size
 *    64   4  timestamp of the last reading
 *    68   1  bit 0 meter known, 1 tampered
 *    69   1  channels of the meter
 *    70   1  n, lower registers that are not believed
 *    72   8  meter
 *    80   8  what the register showed that is believed, mWh
 *    88   8  energy, mWh
 *    96   8  bucket, mW s
 *   104   8  ahead, mW s
 *   112   8  owed, mWh
 *   120   4  when the register that is believed was seen, Unix time
 *   124   4  how long it has stood, s
 *   128 24n  lower registers: first and total, mWh, seen and stood as above
 *   208 32w  frontier of the log, w = one bits of the size
 *        16  CRC-32 of all before, then zeros
 *
 * The last byte of a sector's head, and of a record, is 0: where it is blank, writing was cut short and what it wrote never
 * counted; where it is not blank and the CRC does not fit, something that counted was lost, and the log cannot go on.
 *
 * The sector after the newest is erased before the newest has its last record. So an erasure that was cut short is never
 * taken for the loss of the newest sector.
 */
#ifndef WW_QUEUE_H
#define WW_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "meter_log.h"
#include "ports.h"
#include "register.h"

/** What survives a reboot. */
struct ww_state {
  uint8_t key_id[WW_HASH_LENGTH];
  uint32_t epoch;
  uint32_t paused_from;  /* when an epoch was last begun for a reason that may come again at once; 0 = never */
  uint64_t acknowledged; /* readings of the log that an oracle has */
  bool tampered;         /* in this epoch */
  struct ww_register reg;
  struct ww_log log;
};

struct ww_queue {
  const struct ww_store_port *store;
  uint32_t capacity; /* W, of the installation */
  struct ww_state state;
  uint64_t first;    /* index of the first reading that is still here */
  uint32_t sector;   /* the newest */
  uint32_t sequence; /* of it */
  uint32_t used;     /* bytes of it */
  uint32_t held;     /* sectors whose readings are here, the newest included; 0 = no log */
  bool next_is_blank;
};

/**
 * Finds the log that the store holds. WW_STORE_EMPTY: there is none, nor a register. WW_STORE_CORRUPT: the log cannot go
 * on, but its register and its acknowledged readings can; a new log must begin.
 */
WW_RESULT ww_queue_mount(struct ww_queue *queue, const struct ww_store_port *store, uint32_t capacity);

/** Makes room for a new log, so that ww_queue_begin has little left to fail at. Gives up what the old one holds. */
WW_RESULT ww_queue_prepare(struct ww_queue *queue);

/** Begins the log of `epoch`; the register goes on. Durable when it returns; until then `paused_from` is what it was. */
WW_RESULT ww_queue_begin(struct ww_queue *queue, const uint8_t key_id[WW_HASH_LENGTH], uint32_t epoch,
                         uint32_t paused_from);

/**
 * Appends a reading, and with it the register as it was counted. Durable when it returns; on any error nothing was
 * appended. WW_STORE_FULL: no reading may be given up.
 */
WW_RESULT ww_queue_append(struct ww_queue *queue, const uint8_t reading[WW_READING_LENGTH],
                          const struct ww_register *reg);

/** Remembers that the enclosure was opened, for the rest of the epoch. */
WW_RESULT ww_queue_tamper(struct ww_queue *queue);

/** Remembers that another meter, or other channels of it, count from now on: what they show first is not an increase. */
WW_RESULT ww_queue_swap(struct ww_queue *queue, const uint8_t meter[WW_METER_ID_LENGTH], uint8_t channels);

/** An oracle has the first `size` readings: from the first that are here up to the log's size. */
WW_RESULT ww_queue_acknowledge(struct ww_queue *queue, uint64_t size);

/** How much of the queue is taken by what no oracle has yet, in percent. */
unsigned ww_queue_fill(const struct ww_queue *queue);

/** Goes through the readings that are here. */
struct ww_cursor {
  uint32_t sector;
  uint32_t used;
  uint64_t index; /* of the next reading */
};

/** Refuses WW_SIZE_OUT_OF_RANGE where that reading is not here. */
WW_RESULT ww_queue_seek(const struct ww_queue *queue, uint64_t index, struct ww_cursor *cursor);

/** Refuses WW_SIZE_OUT_OF_RANGE at the end. */
WW_RESULT ww_queue_next(const struct ww_queue *queue, struct ww_cursor *cursor, uint8_t reading[WW_READING_LENGTH]);

/** The log as it was at `size`, and the last reading then. Refuses WW_SIZE_OUT_OF_RANGE where that reading is not here. */
WW_RESULT ww_queue_log_at(const struct ww_queue *queue, uint64_t size, struct ww_log *log,
                          uint8_t reading[WW_READING_LENGTH]);

#endif
