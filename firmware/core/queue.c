#include "queue.h"

#include <string.h>

#include "bytes.h"
#include "crc32.h"
#include "reading.h"

enum {
  MAGIC = 0,
  SEQUENCE = 4,
  KEY_ID = 8,
  EPOCH = 40,
  PAUSED_FROM = 44,
  SIZE = 48,
  ACKNOWLEDGED = 56,
  TIMESTAMP = 64,
  FLAGS = 68,
  CHANNELS = 69,
  LOWERS = 70,
  METER = 72,
  TOTAL = 80,
  ENERGY = 88,
  BUCKET = 96,
  AHEAD = 104,
  OWED = 112,
  SEEN = 120,
  STOOD = 124,
  LOWER = 128,
  FRONTIER = 208,
  SEAL = 16, /* bytes after the frontier */
};
enum { METER_KNOWN = 1, TAMPERED = 2 };
/** A register lower than the one that is believed. */
enum { LOWER_FIRST = 0, LOWER_TOTAL = 8, LOWER_SEEN = 16, LOWER_STOOD = 20, LOWER_LENGTH = 24 };

enum {
  RECORD = 48, /* bytes */
  RECORD_SHOWN = 32,
  RECORD_INDEX = 39,
  RECORD_CRC = 43,
  RECORD_END = 47,
};
/** Notes: kind at 4, what belongs to it from 8 on. */
enum { NOTE_KIND = 4, NOTE_BODY = 8, NOTE_CHANNELS = NOTE_BODY + WW_METER_ID_LENGTH };
enum { NOTE_TAMPER = 1, NOTE_SWAP = 2 };

static const uint8_t FORMAT[4] = {'W', 'W', 'Q', '2'};

/* SECTORS */

static uint32_t address_of(const struct ww_queue *queue, uint32_t sector) {
  return sector * queue->store->sector_size;
}

static uint32_t after(const struct ww_queue *queue, uint32_t sector) {
  return (sector + 1) % queue->store->sectors;
}

static uint32_t before(const struct ww_queue *queue, uint32_t sector) {
  return (sector + queue->store->sectors - 1) % queue->store->sectors;
}

static uint32_t head_length(uint64_t size) {
  return FRONTIER + WW_HASH_LENGTH * ww_log_width(size) + SEAL;
}

static uint32_t records_left(const struct ww_queue *queue) {
  return (queue->store->sector_size - queue->used) / RECORD;
}

static enum ww_error read_at(const struct ww_queue *queue, uint32_t sector, uint32_t offset, void *bytes,
                             size_t length) {
  return queue->store->read(queue->store->context, address_of(queue, sector) + offset, bytes, length);
}

static enum ww_error is_blank(const struct ww_queue *queue, uint32_t sector, uint32_t offset, size_t length,
                              bool *blank) {
  return queue->store->is_blank(queue->store->context, address_of(queue, sector) + offset, length, blank);
}

/** Durable means that it reads back. */
static enum ww_error write_at(const struct ww_queue *queue, uint32_t sector, uint32_t offset, const uint8_t *bytes,
                              size_t length) {
  uint8_t back[FRONTIER];
  uint32_t address = address_of(queue, sector) + offset;
  WW_TRY(queue->store->write(queue->store->context, address, bytes, length));
  WW_TRY(queue->store->read(queue->store->context, address, back, length));
  return memcmp(back, bytes, length) == 0 ? WW_OK : WW_STORE_FAILED;
}

/* A SECTOR'S HEAD */

static void encode_register(const struct ww_register *reg, uint8_t head[FRONTIER]) {
  ww_store_u32(head + TIMESTAMP, reg->timestamp);
  head[CHANNELS] = reg->channels;
  head[LOWERS] = reg->lowers;
  memcpy(head + METER, reg->meter, WW_METER_ID_LENGTH);
  ww_store_u64(head + TOTAL, reg->total);
  ww_store_u64(head + ENERGY, reg->energy);
  ww_store_u64(head + BUCKET, reg->bucket);
  ww_store_u64(head + AHEAD, reg->ahead);
  ww_store_u64(head + OWED, reg->owed);
  ww_store_u32(head + SEEN, reg->seen);
  ww_store_u32(head + STOOD, reg->stood);
  for (unsigned i = 0; i < reg->lowers; i++) {
    uint8_t *lower = head + LOWER + LOWER_LENGTH * i;
    ww_store_u64(lower + LOWER_FIRST, reg->lower[i].first);
    ww_store_u64(lower + LOWER_TOTAL, reg->lower[i].total);
    ww_store_u32(lower + LOWER_SEEN, reg->lower[i].seen);
    ww_store_u32(lower + LOWER_STOOD, reg->lower[i].stood);
  }
}

static void decode_register(const uint8_t head[FRONTIER], struct ww_register *reg) {
  *reg = (struct ww_register){
      .energy = ww_load_u64(head + ENERGY),
      .bucket = ww_load_u64(head + BUCKET),
      .timestamp = ww_load_u32(head + TIMESTAMP),
      .owed = ww_load_u64(head + OWED),
      .meter_known = (head[FLAGS] & METER_KNOWN) != 0,
      .channels = head[CHANNELS],
      .total = ww_load_u64(head + TOTAL),
      .ahead = ww_load_u64(head + AHEAD),
      .seen = ww_load_u32(head + SEEN),
      .stood = ww_load_u32(head + STOOD),
      .lowers = head[LOWERS],
  };
  memcpy(reg->meter, head + METER, WW_METER_ID_LENGTH);
  for (unsigned i = 0; i < reg->lowers; i++) {
    const uint8_t *lower = head + LOWER + LOWER_LENGTH * i;
    reg->lower[i] = (struct ww_lower){
        .first = ww_load_u64(lower + LOWER_FIRST),
        .total = ww_load_u64(lower + LOWER_TOTAL),
        .seen = ww_load_u32(lower + LOWER_SEEN),
        .stood = ww_load_u32(lower + LOWER_STOOD),
    };
  }
}

static void encode_head(const struct ww_state *state, uint32_t sequence, uint8_t head[FRONTIER]) {
  const struct ww_register *reg = &state->reg;
  memset(head, 0, FRONTIER);
  memcpy(head + MAGIC, FORMAT, sizeof FORMAT);
  ww_store_u32(head + SEQUENCE, sequence);
  memcpy(head + KEY_ID, state->key_id, WW_HASH_LENGTH);
  ww_store_u32(head + EPOCH, state->epoch);
  ww_store_u32(head + PAUSED_FROM, state->paused_from);
  ww_store_u64(head + SIZE, state->log.size);
  ww_store_u64(head + ACKNOWLEDGED, state->acknowledged);
  head[FLAGS] = (uint8_t)((reg->meter_known ? METER_KNOWN : 0) | (state->tampered ? TAMPERED : 0));
  encode_register(reg, head);
}

/** All but the log, which check_head reads. */
static void decode_head(const uint8_t head[FRONTIER], struct ww_state *state) {
  memcpy(state->key_id, head + KEY_ID, WW_HASH_LENGTH);
  state->epoch = ww_load_u32(head + EPOCH);
  state->paused_from = ww_load_u32(head + PAUSED_FROM);
  state->acknowledged = ww_load_u64(head + ACKNOWLEDGED);
  state->tampered = (head[FLAGS] & TAMPERED) != 0;
  decode_register(head, &state->reg);
}

/** Reads a sector's head as far as the frontier, if it is one; its seal is looked at by check_head. */
static enum ww_error read_head(const struct ww_queue *queue, uint32_t sector, uint8_t head[FRONTIER], bool *is_head) {
  WW_TRY(read_at(queue, sector, 0, head, FRONTIER));
  uint64_t size = ww_load_u64(head + SIZE);
  *is_head = memcmp(head + MAGIC, FORMAT, sizeof FORMAT) == 0 && size < UINT64_C(1) << WW_LOG_LEVELS &&
             head[LOWERS] <= WW_LOWER_LIMIT && head_length(size) + RECORD <= queue->store->sector_size;
  return WW_OK;
}

/** Reads a sector's head and, where `log` is given, the frontier of the log then; `is_sealed` tells whether all fits. */
static enum ww_error check_head(const struct ww_queue *queue, uint32_t sector, uint8_t head[FRONTIER],
                                struct ww_log *log, bool *is_sealed) {
  WW_TRY(read_head(queue, sector, head, is_sealed));
  if (!*is_sealed) {
    return WW_OK;
  }
  uint64_t size = ww_load_u64(head + SIZE);
  uint32_t crc = ww_crc32(0, head, FRONTIER);
  uint8_t hash[WW_HASH_LENGTH];
  unsigned width = ww_log_width(size);
  for (unsigned i = 0; i < width; i++) {
    WW_TRY(read_at(queue, sector, FRONTIER + WW_HASH_LENGTH * i, hash, sizeof hash));
    crc = ww_crc32(crc, hash, sizeof hash);
    if (log != NULL) {
      memcpy(log->frontier[i], hash, sizeof hash);
    }
  }
  uint8_t seal[SEAL];
  uint8_t expected[SEAL] = {0};
  WW_TRY(read_at(queue, sector, FRONTIER + WW_HASH_LENGTH * width, seal, sizeof seal));
  ww_store_u32(expected, crc);
  *is_sealed = memcmp(seal, expected, sizeof seal) == 0;
  if (log != NULL) {
    log->size = size;
  }
  return WW_OK;
}

/** Makes `sector`, which is blank, the newest, with this state at its head. */
static enum ww_error begin_sector(struct ww_queue *queue, uint32_t sector, uint32_t sequence,
                                  const struct ww_state *state) {
  uint8_t head[FRONTIER];
  queue->next_is_blank = false; /* also where this fails */
  encode_head(state, sequence, head);
  uint32_t crc = ww_crc32(0, head, sizeof head);
  WW_TRY(write_at(queue, sector, 0, head, sizeof head));
  unsigned width = ww_log_width(state->log.size);
  uint32_t offset = FRONTIER;
  for (unsigned i = 0; i < width; i++) {
    WW_TRY(write_at(queue, sector, offset, state->log.frontier[i], WW_HASH_LENGTH));
    crc = ww_crc32(crc, state->log.frontier[i], WW_HASH_LENGTH);
    offset += WW_HASH_LENGTH;
  }
  uint8_t seal[SEAL] = {0};
  ww_store_u32(seal, crc);
  WW_TRY(write_at(queue, sector, offset, seal, sizeof seal));
  queue->sector = sector;
  queue->sequence = sequence;
  queue->used = offset + SEAL;
  return WW_OK;
}

/* RECORDS */

static uint32_t record_crc(uint32_t sequence, const uint8_t record[RECORD]) {
  uint8_t bytes[4];
  ww_store_u32(bytes, sequence);
  return ww_crc32(ww_crc32(0, bytes, sizeof bytes), record, RECORD_CRC);
}

static void encode_record(uint32_t sequence, const uint8_t body[WW_READING_LENGTH], uint64_t shown, uint64_t index,
                          uint8_t record[RECORD]) {
  uint8_t word[8];
  memcpy(record, body, WW_READING_LENGTH);
  ww_store_u64(word, shown);
  memcpy(record + RECORD_SHOWN, word + 1, 7);
  ww_store_u32(record + RECORD_INDEX, (uint32_t)index);
  ww_store_u32(record + RECORD_CRC, record_crc(sequence, record));
  record[RECORD_END] = 0;
}

static bool is_note(const uint8_t record[RECORD]) {
  return ww_load_u32(record) == 0;
}

enum record_kind {
  NO_RECORD,   /* blank */
  TORN_RECORD, /* writing it was cut short */
  LOST_RECORD, /* it was written, and is not what was written */
  GOOD_RECORD,
};

static enum ww_error read_record(const struct ww_queue *queue, uint32_t sector, uint32_t sequence, uint32_t offset,
                                 uint8_t record[RECORD], enum record_kind *kind) {
  bool blank;
  WW_TRY(read_at(queue, sector, offset, record, RECORD));
  if (record[RECORD_END] == 0 && ww_load_u32(record + RECORD_CRC) == record_crc(sequence, record)) {
    *kind = GOOD_RECORD;
    return WW_OK;
  }
  WW_TRY(is_blank(queue, sector, offset, RECORD, &blank));
  if (blank) {
    *kind = NO_RECORD;
    return WW_OK;
  }
  WW_TRY(is_blank(queue, sector, offset + RECORD_END, 1, &blank));
  *kind = blank ? TORN_RECORD : LOST_RECORD;
  return WW_OK;
}

/** Writes one record; what was written stays used, whatever came of it. */
static enum ww_error write_record(struct ww_queue *queue, const uint8_t body[WW_READING_LENGTH], uint64_t shown) {
  uint8_t record[RECORD];
  encode_record(queue->sequence, body, shown, queue->state.log.size, record);
  uint32_t offset = queue->used;
  queue->used += RECORD;
  return write_at(queue, queue->sector, offset, record, RECORD);
}

/** Takes a note into the state. */
static void apply_note(struct ww_state *state, const uint8_t note[WW_READING_LENGTH]) {
  if (note[NOTE_KIND] == NOTE_TAMPER) {
    state->tampered = true;
  } else if (note[NOTE_KIND] == NOTE_SWAP) {
    ww_register_swap(&state->reg, note + NOTE_BODY, note[NOTE_CHANNELS]);
  }
}

/** Takes a reading into the state. Refuses WW_STORE_CORRUPT where it cannot be the next of the log. */
static enum ww_error apply_reading(struct ww_queue *queue, const uint8_t record[RECORD]) {
  struct ww_state *state = &queue->state;
  struct ww_reading reading;
  if (ww_load_u32(record + RECORD_INDEX) != (uint32_t)state->log.size ||
      ww_reading_decode(record, WW_READING_LENGTH, &reading) != WW_OK || reading.energy < state->reg.energy ||
      reading.energy - state->reg.energy >= WW_TOTAL_LIMIT) {
    return WW_STORE_CORRUPT;
  }
  uint8_t word[8] = {0};
  memcpy(word + 1, record + RECORD_SHOWN, 7);
  uint64_t shown = ww_load_u64(word);
  if (shown >= WW_TOTAL_LIMIT) {
    return WW_STORE_CORRUPT;
  }
  WW_TRY(ww_log_append(&state->log, record));
  ww_register_recall(&state->reg, queue->capacity, reading.timestamp, reading.energy, reading.conditions, shown);
  return WW_OK;
}

/* MOUNTING */

/** The newest sector of all that have a sealed head; false = there is none. */
static enum ww_error find_newest(struct ww_queue *queue, bool *found) {
  *found = false;
  for (uint32_t sector = 0; sector < queue->store->sectors; sector++) {
    uint8_t head[FRONTIER];
    bool is_sealed;
    WW_TRY(check_head(queue, sector, head, NULL, &is_sealed));
    uint32_t sequence = ww_load_u32(head + SEQUENCE);
    if (is_sealed && (!*found || sequence > queue->sequence)) {
      *found = true;
      queue->sector = sector;
      queue->sequence = sequence;
    }
  }
  return WW_OK;
}

/** Resumes the state from the newest sector. Refuses WW_STORE_CORRUPT where something is missing. */
static enum ww_error replay(struct ww_queue *queue) {
  uint8_t head[FRONTIER];
  bool is_sealed;
  WW_TRY(check_head(queue, queue->sector, head, &queue->state.log, &is_sealed));
  if (!is_sealed) {
    return WW_STORE_FAILED; /* it was a moment ago */
  }
  decode_head(head, &queue->state);
  for (queue->used = head_length(queue->state.log.size); records_left(queue) > 0; queue->used += RECORD) {
    uint8_t record[RECORD];
    enum record_kind kind;
    WW_TRY(read_record(queue, queue->sector, queue->sequence, queue->used, record, &kind));
    if (kind == NO_RECORD) {
      bool is_end; /* else a write failed here, and the next went on */
      WW_TRY(is_blank(queue, queue->sector, queue->used, queue->store->sector_size - queue->used, &is_end));
      if (is_end) {
        return WW_OK;
      }
    }
    if (kind == LOST_RECORD) {
      return WW_STORE_CORRUPT;
    }
    if (kind == GOOD_RECORD && is_note(record)) {
      apply_note(&queue->state, record);
    } else if (kind == GOOD_RECORD) {
      WW_TRY(apply_reading(queue, record));
    }
  }
  return WW_OK;
}

/** Readings of a sector that is not the newest. */
static enum ww_error count_readings(const struct ww_queue *queue, uint32_t sector, const uint8_t head[FRONTIER],
                                    uint64_t *count) {
  uint32_t sequence = ww_load_u32(head + SEQUENCE);
  *count = 0;
  for (uint32_t offset = head_length(ww_load_u64(head + SIZE)); offset + RECORD <= queue->store->sector_size;
       offset += RECORD) {
    uint8_t record[RECORD];
    enum record_kind kind;
    WW_TRY(read_record(queue, sector, sequence, offset, record, &kind));
    *count += kind == GOOD_RECORD && !is_note(record);
  }
  return WW_OK;
}

/** Finds how far back the log's readings are here without a gap. */
static enum ww_error find_first(struct ww_queue *queue) {
  uint8_t newer[FRONTIER];
  bool is_sealed;
  WW_TRY(read_head(queue, queue->sector, newer, &is_sealed));
  queue->first = ww_load_u64(newer + SIZE);
  queue->held = 1;
  for (uint32_t sector = before(queue, queue->sector); queue->held < queue->store->sectors;
       sector = before(queue, sector)) {
    uint8_t head[FRONTIER];
    uint64_t count;
    WW_TRY(check_head(queue, sector, head, NULL, &is_sealed));
    if (!is_sealed || ww_load_u32(head + SEQUENCE) + 1 != ww_load_u32(newer + SEQUENCE) ||
        memcmp(head + KEY_ID, newer + KEY_ID, SIZE - KEY_ID - 4) != 0) {
      break;
    }
    WW_TRY(count_readings(queue, sector, head, &count));
    if (ww_load_u64(head + SIZE) + count != queue->first) {
      break;
    }
    queue->first -= count;
    queue->held++;
    memcpy(newer, head, sizeof newer);
  }
  return WW_OK;
}

/** What is after the newest sector when that is full: blank, a head that was cut short, or what should be the newest. */
static enum ww_error look_beyond(struct ww_queue *queue) {
  uint32_t next = after(queue, queue->sector);
  WW_TRY(is_blank(queue, next, 0, queue->store->sector_size, &queue->next_is_blank));
  if (queue->next_is_blank || records_left(queue) > 0) {
    return WW_OK;
  }
  /* no record is written before a sector's head is sealed */
  bool is_torn;
  uint32_t end = head_length(queue->state.log.size);
  WW_TRY(is_blank(queue, next, end - 1, queue->store->sector_size - end + 1, &is_torn));
  return is_torn ? WW_OK : WW_STORE_CORRUPT;
}

enum ww_error ww_queue_mount(struct ww_queue *queue, const struct ww_store_port *store, uint32_t capacity) {
  memset(queue, 0, sizeof *queue);
  queue->store = store;
  queue->capacity = capacity;
  bool found;
  WW_TRY(find_newest(queue, &found));
  if (!found) {
    return WW_STORE_EMPTY;
  }
  enum ww_error resumed = replay(queue);
  if (resumed != WW_OK && resumed != WW_STORE_CORRUPT) {
    return resumed;
  }
  WW_TRY(find_first(queue));
  WW_TRY(resumed);
  WW_TRY(look_beyond(queue));
  if (queue->state.acknowledged > queue->state.log.size) {
    return WW_STORE_CORRUPT;
  }
  if (queue->first > queue->state.acknowledged) {
    queue->state.acknowledged = queue->first; /* only what is acknowledged is ever given up */
  }
  return WW_OK;
}

/* WRITING */

/** Index after the last reading of the oldest of several sectors that are here. */
static enum ww_error end_of_oldest(const struct ww_queue *queue, uint64_t *end) {
  uint32_t second = (queue->sector + queue->store->sectors - (queue->held - 2)) % queue->store->sectors;
  uint8_t head[FRONTIER];
  bool is_head;
  WW_TRY(read_head(queue, second, head, &is_head));
  *end = ww_load_u64(head + SIZE);
  return is_head ? WW_OK : WW_STORE_FAILED;
}

/** Erases the sector after the newest. Refuses WW_STORE_FULL where it has readings that no oracle has. */
static enum ww_error clear_next(struct ww_queue *queue) {
  if (queue->next_is_blank) {
    return WW_OK;
  }
  if (queue->held == queue->store->sectors) {
    uint64_t end;
    WW_TRY(end_of_oldest(queue, &end));
    if (end > queue->state.acknowledged) {
      return WW_STORE_FULL;
    }
    queue->held--;
    queue->first = end;
  }
  WW_TRY(queue->store->erase(queue->store->context, after(queue, queue->sector)));
  queue->next_is_blank = true;
  return WW_OK;
}

/** Makes room for one record more, with one to spare until the next sector is blank. */
static enum ww_error make_room(struct ww_queue *queue) {
  if (queue->held == 0) {
    return WW_STORE_EMPTY;
  }
  if (records_left(queue) == 0) {
    WW_TRY(clear_next(queue)); /* it was made blank before the last record, unless the store failed since */
    WW_TRY(begin_sector(queue, after(queue, queue->sector), queue->sequence + 1, &queue->state));
    queue->held++;
  }
  enum ww_error cleared = clear_next(queue);
  return records_left(queue) > 1 ? WW_OK : cleared;
}

enum ww_error ww_queue_prepare(struct ww_queue *queue) {
  if (queue->held > 1) {
    queue->held = 1;
    queue->first = queue->state.log.size;
  }
  return clear_next(queue);
}

enum ww_error ww_queue_begin(struct ww_queue *queue, const uint8_t key_id[WW_HASH_LENGTH], uint32_t epoch,
                             uint32_t paused_from) {
  WW_TRY(ww_queue_prepare(queue));
  struct ww_state *state = &queue->state;
  uint32_t paused_before = state->paused_from;
  memcpy(state->key_id, key_id, WW_HASH_LENGTH);
  state->epoch = epoch;
  state->paused_from = paused_from;
  state->acknowledged = 0;
  state->tampered = false;
  ww_log_begin(&state->log);
  queue->held = 0; /* nothing of the new log is here until its first sector is */
  enum ww_error begun = begin_sector(queue, after(queue, queue->sector), queue->sequence + 1, state);
  if (begun != WW_OK) {
    state->paused_from = paused_before;
    return begun;
  }
  queue->first = 0;
  queue->held = 1;
  return WW_OK;
}

enum ww_error ww_queue_append(struct ww_queue *queue, const uint8_t reading[WW_READING_LENGTH],
                              const struct ww_register *reg) {
  WW_TRY(make_room(queue));
  WW_TRY(write_record(queue, reading, ww_register_shown(reg)));
  WW_TRY(ww_log_append(&queue->state.log, reading));
  queue->state.reg = *reg;
  return WW_OK;
}

static enum ww_error write_note(struct ww_queue *queue, uint8_t kind, const uint8_t *body, size_t length) {
  uint8_t note[WW_READING_LENGTH] = {0};
  note[NOTE_KIND] = kind;
  if (length > 0) {
    memcpy(note + NOTE_BODY, body, length);
  }
  WW_TRY(make_room(queue));
  WW_TRY(write_record(queue, note, 0));
  apply_note(&queue->state, note);
  return WW_OK;
}

enum ww_error ww_queue_tamper(struct ww_queue *queue) {
  return queue->state.tampered ? WW_OK : write_note(queue, NOTE_TAMPER, NULL, 0);
}

enum ww_error ww_queue_swap(struct ww_queue *queue, const uint8_t meter[WW_METER_ID_LENGTH], uint8_t channels) {
  uint8_t body[WW_METER_ID_LENGTH + 1];
  memcpy(body, meter, WW_METER_ID_LENGTH);
  body[WW_METER_ID_LENGTH] = channels;
  return write_note(queue, NOTE_SWAP, body, sizeof body);
}

enum ww_error ww_queue_acknowledge(struct ww_queue *queue, uint64_t size) {
  if (size < queue->first || size > queue->state.log.size) {
    return WW_SIZE_OUT_OF_RANGE;
  }
  queue->state.acknowledged = size;
  return WW_OK;
}

unsigned ww_queue_fill(const struct ww_queue *queue) {
  const struct ww_state *state = &queue->state;
  uint64_t records = (queue->store->sector_size - head_length(state->log.size)) / RECORD;
  /* one sector is being written, and the one after it is blank */
  uint64_t room = records * (queue->store->sectors - 1);
  uint64_t waiting = state->log.size - state->acknowledged;
  return waiting >= room ? 100 : (unsigned)(waiting * 100 / room);
}

/* READING */

enum ww_error ww_queue_seek(const struct ww_queue *queue, uint64_t index, struct ww_cursor *cursor) {
  if (index < queue->first || index >= queue->state.log.size) {
    return WW_SIZE_OUT_OF_RANGE;
  }
  uint8_t head[FRONTIER];
  bool is_head;
  uint32_t sector = queue->sector;
  for (;;) {
    WW_TRY(read_head(queue, sector, head, &is_head));
    if (!is_head) {
      return WW_STORE_FAILED;
    }
    if (ww_load_u64(head + SIZE) <= index) {
      break;
    }
    sector = before(queue, sector);
  }
  uint64_t size = ww_load_u64(head + SIZE);
  *cursor = (struct ww_cursor){.sector = sector, .used = head_length(size), .index = size};
  while (cursor->index < index) {
    uint8_t reading[WW_READING_LENGTH];
    WW_TRY(ww_queue_next(queue, cursor, reading));
  }
  return WW_OK;
}

enum ww_error ww_queue_next(const struct ww_queue *queue, struct ww_cursor *cursor,
                            uint8_t reading[WW_READING_LENGTH]) {
  if (cursor->index >= queue->state.log.size) {
    return WW_SIZE_OUT_OF_RANGE;
  }
  uint32_t back = (queue->sector + queue->store->sectors - cursor->sector) % queue->store->sectors;
  for (;;) {
    if (cursor->used + RECORD > queue->store->sector_size) {
      if (back-- == 0) {
        return WW_STORE_FAILED; /* the log has more readings than the newest sector */
      }
      cursor->sector = after(queue, cursor->sector);
      cursor->used = head_length(cursor->index);
    }
    uint8_t record[RECORD];
    enum record_kind kind;
    WW_TRY(read_record(queue, cursor->sector, queue->sequence - back, cursor->used, record, &kind));
    cursor->used += RECORD;
    if (kind == GOOD_RECORD && !is_note(record)) {
      memcpy(reading, record, WW_READING_LENGTH);
      cursor->index++;
      return WW_OK;
    }
  }
}

enum ww_error ww_queue_log_at(const struct ww_queue *queue, uint64_t size, struct ww_log *log,
                              uint8_t reading[WW_READING_LENGTH]) {
  struct ww_cursor cursor;
  if (size == 0) {
    return WW_SIZE_OUT_OF_RANGE;
  }
  WW_TRY(ww_queue_seek(queue, size - 1, &cursor));
  uint8_t head[FRONTIER];
  bool is_sealed;
  WW_TRY(check_head(queue, cursor.sector, head, log, &is_sealed));
  if (!is_sealed) {
    return WW_STORE_FAILED;
  }
  cursor.index = log->size;
  cursor.used = head_length(log->size);
  while (cursor.index < size) {
    WW_TRY(ww_queue_next(queue, &cursor, reading));
    WW_TRY(ww_log_append(log, reading));
  }
  return WW_OK;
}
