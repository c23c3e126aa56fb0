/** The offline queue, on a flash partition of a few sectors whose power fails. */
#include "queue.h"

#include <string.h>

#include "bytes.h"
#include "reading.h"
#include "simulated_store.h"
#include "test.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { CAPACITY = 5000, START = 1773964800, INTERVAL = 60, SECTORS = 4, RECORD = 48, SIZES = 1000 };

static const uint8_t KEY_ID[WW_HASH_LENGTH] = {1, 2, 3};
static const uint8_t METER[WW_METER_ID_LENGTH] = {0xEC, 0x64, 0xC9, 0xC0, 0x5E, 0x97};

static struct simulated_store flash;
static struct ww_store_port port;
static struct ww_queue queue;

static void begin(uint32_t sectors) {
  store_begin(&flash, sectors);
  port = store_port(&flash);
}

static enum ww_error mount(void) {
  store_reboot(&flash);
  return ww_queue_mount(&queue, &port, CAPACITY);
}

/** The register at the reading of this index. */
static struct ww_register register_at(uint64_t index) {
  struct ww_register reg = {
      .energy = index * 10,
      .timestamp = (uint32_t)(START + index * INTERVAL),
      .meter_known = true,
      .total = 1000000 + index * 10,
  };
  memcpy(reg.meter, METER, sizeof METER);
  return reg;
}

static void reading_at(uint64_t index, uint8_t bytes[WW_READING_LENGTH]) {
  struct ww_register reg = register_at(index);
  struct ww_reading reading = {.timestamp = reg.timestamp, .energy = reg.energy, .power = 600000, .source = 0x10};
  ww_reading_encode(&reading, bytes);
}

static enum ww_error append_next(void) {
  uint8_t reading[WW_READING_LENGTH];
  struct ww_register reg = register_at(queue.state.log.size);
  reading_at(queue.state.log.size, reading);
  return ww_queue_append(&queue, reading, &reg);
}

static enum ww_error append_many(unsigned count) {
  for (unsigned i = 0; i < count; i++) {
    WW_TRY(append_next());
  }
  return WW_OK;
}

/** A log of so many readings, all acknowledged as they come, so that the ring goes round. */
static enum ww_error begin_log(unsigned count) {
  begin(SECTORS);
  enum ww_error empty = mount();
  if (empty != WW_STORE_EMPTY) {
    return empty;
  }
  WW_TRY(ww_queue_begin(&queue, KEY_ID, 7, 0));
  WW_TRY(ww_queue_swap(&queue, METER, 0));
  for (unsigned i = 0; i < count; i++) {
    WW_TRY(append_next());
    WW_TRY(ww_queue_acknowledge(&queue, queue.state.log.size));
  }
  return WW_OK;
}

/** The log of the first `size` readings; all of them were made once. */
static const struct ww_log *log_of(uint64_t size) {
  static struct ww_log logs[SIZES];
  static uint64_t made = 0;
  for (; made < size; made++) {
    uint8_t reading[WW_READING_LENGTH];
    reading_at(made, reading);
    logs[made + 1] = logs[made];
    if (ww_log_append(&logs[made + 1], reading) != WW_OK) {
      return NULL;
    }
  }
  return &logs[size];
}

static bool same_log(const struct ww_log *log, uint64_t size) {
  return log->size == size &&
         memcmp(log->frontier, log_of(size)->frontier, ww_log_width(size) * (size_t)WW_HASH_LENGTH) == 0;
}

static bool same_lower(const struct ww_lower *a, const struct ww_lower *b) {
  return a->first == b->first && a->total == b->total && a->seen == b->seen && a->stood == b->stood;
}

static bool same_register(const struct ww_register *a, const struct ww_register *b) {
  bool is_same = a->energy == b->energy && a->bucket == b->bucket && a->timestamp == b->timestamp &&
                 a->owed == b->owed && a->meter_known == b->meter_known && memcmp(a->meter, b->meter, 8) == 0 &&
                 a->channels == b->channels && a->total == b->total && a->ahead == b->ahead && a->seen == b->seen &&
                 a->stood == b->stood && a->lowers == b->lowers;
  for (unsigned i = 0; is_same && i < a->lowers; i++) {
    is_same = same_lower(&a->lower[i], &b->lower[i]);
  }
  return is_same;
}

/** Where the newest record lies. */
static uint32_t last_record(void) {
  return queue.sector * SECTOR_SIZE + queue.used - RECORD;
}

TEST("finds nothing in a store as it comes from the factory, and takes no reading without a log") {
  begin(SECTORS);
  CHECK_EQUAL(mount(), WW_STORE_EMPTY);
  CHECK_EQUAL(append_next(), WW_STORE_EMPTY);
}

TEST("refuses to acknowledge more than it has, or what is gone") {
  CHECK_OK(begin_log(200));
  CHECK_EQUAL(ww_queue_acknowledge(&queue, 201), WW_SIZE_OUT_OF_RANGE);
  CHECK(queue.first > 0);
  CHECK_EQUAL(ww_queue_acknowledge(&queue, queue.first - 1), WW_SIZE_OUT_OF_RANGE);
  CHECK_EQUAL(queue.state.acknowledged, 200);
}

TEST("takes no reading when nothing may be given up, and goes on once something may") {
  CHECK_OK(begin_log(0));
  enum ww_error error = WW_OK;
  while (error == WW_OK && queue.state.log.size < 1000) {
    error = append_next();
  }
  uint64_t size = queue.state.log.size;
  CHECK_EQUAL(error, WW_STORE_FULL);
  CHECK_EQUAL(append_next(), WW_STORE_FULL);
  CHECK_EQUAL(queue.first, 0);
  CHECK_EQUAL(queue.state.log.size, size);
  CHECK_OK(ww_queue_acknowledge(&queue, size));
  CHECK_OK(append_many(10));
  CHECK(same_log(&queue.state.log, size + 10));
  CHECK_EQUAL(flash.was_misused, false);
}

TEST("does not go on with a log whose newest record has rotted") {
  CHECK_OK(begin_log(100));
  flash.bytes[last_record() + 5] ^= 1;
  CHECK_EQUAL(mount(), WW_STORE_CORRUPT);
  CHECK_EQUAL(queue.state.reg.energy, 98 * 10);
}

TEST("does not go on with a log that lost a record in the middle of the newest sector") {
  CHECK_OK(begin_log(100));
  flash.bytes[last_record() - RECORD] ^= 1;
  CHECK_EQUAL(mount(), WW_STORE_CORRUPT);
}

TEST("does not go on with a log whose newest sector lost its head") {
  CHECK_OK(begin_log(100));
  flash.bytes[queue.sector * SECTOR_SIZE + 50] ^= 1;
  CHECK_EQUAL(mount(), WW_STORE_CORRUPT);
}

TEST("loses nothing after a place that a failure left blank") {
  CHECK_OK(begin_log(10));
  flash.failing = 1;
  CHECK_EQUAL(append_next(), WW_STORE_FAILED);
  CHECK_OK(append_many(3));
  CHECK_OK(mount());
  CHECK(same_log(&queue.state.log, 13));
}

TEST("takes the readings of an earlier epoch for nothing of the new one's") {
  CHECK_OK(begin_log(20));
  CHECK_OK(ww_queue_begin(&queue, KEY_ID, 8, 0));
  CHECK_OK(mount());
  CHECK_EQUAL(queue.state.epoch, 8);
  CHECK_EQUAL(queue.state.log.size, 0);
  CHECK_EQUAL(queue.first, 0);
  CHECK_EQUAL(queue.held, 1);
  CHECK_EQUAL(queue.state.reg.energy, 19 * 10);
  struct ww_cursor cursor;
  CHECK_EQUAL(ww_queue_seek(&queue, 0, &cursor), WW_SIZE_OUT_OF_RANGE);
}

TEST("resumes log and register at every size, through many rounds of the ring") {
  CHECK_OK(begin_log(0));
  for (unsigned i = 0; i < 400; i++) {
    CHECK_OK(ww_queue_acknowledge(&queue, queue.state.log.size));
    CHECK_OK(append_next());
    CHECK_OK(mount());
    CHECK_EQUAL(queue.state.epoch, 7);
    CHECK_BYTES(queue.state.key_id, KEY_ID, sizeof KEY_ID);
    CHECK_BYTES(queue.state.reg.meter, METER, sizeof METER);
    CHECK_EQUAL(queue.state.reg.meter_known, true);
    CHECK_EQUAL(queue.state.reg.total, 1000000 + i * 10);
    CHECK_EQUAL(queue.state.reg.energy, i * 10);
    CHECK_EQUAL(queue.state.reg.timestamp, START + i * INTERVAL);
    CHECK(queue.state.acknowledged >= queue.first);
  }
  CHECK(same_log(&queue.state.log, 400));
  CHECK_EQUAL(flash.was_misused, false);
  CHECK(flash.erasures > 10);
}

TEST("has every reading that no oracle has, and the log as it was at each") {
  CHECK_OK(begin_log(150));
  uint64_t acknowledged = queue.state.acknowledged;
  CHECK_OK(append_many(60));
  CHECK_OK(mount());
  CHECK(queue.first <= acknowledged);
  struct ww_cursor cursor;
  CHECK_OK(ww_queue_seek(&queue, acknowledged, &cursor));
  for (uint64_t i = acknowledged; i < queue.state.log.size; i++) {
    uint8_t reading[WW_READING_LENGTH];
    uint8_t expected[WW_READING_LENGTH];
    static struct ww_log log;
    reading_at(i, expected);
    CHECK_OK(ww_queue_next(&queue, &cursor, reading));
    CHECK_BYTES(reading, expected, sizeof reading);
    CHECK_OK(ww_queue_log_at(&queue, i + 1, &log, reading));
    CHECK_BYTES(reading, expected, sizeof reading);
    CHECK(same_log(&log, i + 1));
  }
  uint8_t reading[WW_READING_LENGTH];
  CHECK_EQUAL(ww_queue_next(&queue, &cursor, reading), WW_SIZE_OUT_OF_RANGE);
}

TEST("knows after a reboot what is here and what is not, and what an oracle had when the newest sector began") {
  CHECK_OK(begin_log(150));
  uint64_t first = queue.first;
  CHECK(first > 0);
  uint64_t began = 0;
  for (uint32_t i = 0; i < 8; i++) {
    began = began << 8 | flash.bytes[queue.sector * SECTOR_SIZE + 48 + i];
  }
  CHECK_OK(mount());
  CHECK_EQUAL(queue.first, first);
  CHECK_EQUAL(queue.state.acknowledged, began);
  struct ww_cursor cursor;
  CHECK_EQUAL(ww_queue_seek(&queue, first - 1, &cursor), WW_SIZE_OUT_OF_RANGE);
  CHECK_OK(ww_queue_seek(&queue, first, &cursor));
}

TEST("takes for acknowledged what was given up") {
  CHECK_OK(begin_log(0));
  enum ww_error error = WW_OK;
  while (error == WW_OK) {
    error = append_next();
  }
  CHECK_EQUAL(error, WW_STORE_FULL);
  CHECK_OK(ww_queue_acknowledge(&queue, queue.state.log.size));
  /* room is made, and no sector begins that would remember the acknowledgement */
  CHECK_OK(append_next());
  CHECK(queue.first > 0);
  uint64_t first = queue.first;
  CHECK_OK(mount());
  CHECK_EQUAL(queue.first, first);
  CHECK_EQUAL(queue.state.acknowledged, first);
}

TEST("does not take a sector that was half erased for whole") {
  CHECK_OK(begin_log(150));
  CHECK_OK(append_many(20));
  uint32_t oldest = (queue.sector + SECTORS - (queue.held - 1)) % SECTORS;
  uint64_t first = queue.first;
  memset(flash.bytes + oldest * SECTOR_SIZE + SECTOR_SIZE / 2, 0xFF, SECTOR_SIZE / 2);
  CHECK_OK(mount());
  CHECK(queue.first > first);
  CHECK(same_log(&queue.state.log, 170));
  uint8_t reading[WW_READING_LENGTH], expected[WW_READING_LENGTH];
  struct ww_cursor cursor;
  CHECK_OK(ww_queue_seek(&queue, queue.first, &cursor));
  CHECK_OK(ww_queue_next(&queue, &cursor, reading));
  reading_at(queue.first, expected);
  CHECK_BYTES(reading, expected, sizeof reading);
}

TEST("counts nothing of another meter over a reboot, also where its first measurement was invalid") {
  static const uint8_t OTHER[WW_METER_ID_LENGTH] = {8, 9};
  CHECK_OK(begin_log(5));
  CHECK_OK(ww_queue_swap(&queue, OTHER, 0));
  struct ww_register reg = queue.state.reg;
  reg.timestamp += INTERVAL;
  struct ww_reading invalid = {.timestamp = reg.timestamp, .energy = reg.energy, .conditions = WW_INVALID};
  uint8_t bytes[WW_READING_LENGTH];
  ww_reading_encode(&invalid, bytes);
  CHECK_OK(ww_queue_append(&queue, bytes, &reg));
  CHECK_OK(mount());
  CHECK_EQUAL(queue.state.log.size, 6);
  CHECK_EQUAL(queue.state.reg.meter_known, false);
}

TEST("keeps what it owes, and every lower register that it does not believe, over a reboot and a new sector") {
  CHECK_OK(begin_log(5));
  CHECK_OK(ww_queue_swap(&queue, METER, 0x22));
  struct ww_register reg = queue.state.reg;
  struct ww_measurement shown = {.valid = true, .channels = 0x22};
  memcpy(shown.meter, METER, sizeof METER);
  /* it stands, is invalid for an hour, shows all of it, and then three registers, each lower, the last of which goes on */
  static const struct {
    uint32_t seconds;
    uint64_t total;
  } SHOWN[] = {{300, 9000000}, {300, 9000000}, {300, 9000000}, {300, 9000000}, {3600, 0},
               {2, 14500000},  {2, 6000000},   {2, 3000000},   {2, 1000}};
  enum { INVALID = 4, LAST = COUNT(SHOWN) - 1 };
  uint32_t sequence = queue.sequence;
  for (unsigned i = 0; queue.sequence < sequence + 2; i++) {
    unsigned step = i < LAST ? i : LAST;
    shown.total = SHOWN[step].total + i - step;
    shown.valid = i != INVALID;
    uint32_t now = reg.timestamp + SHOWN[step].seconds;
    uint8_t conditions = ww_register_count(&reg, CAPACITY, now, &shown);
    struct ww_reading reading = {.timestamp = now, .energy = reg.energy, .conditions = conditions};
    uint8_t bytes[WW_READING_LENGTH];
    ww_reading_encode(&reading, bytes);
    CHECK_OK(ww_queue_append(&queue, bytes, &reg));
    CHECK_OK(ww_queue_acknowledge(&queue, queue.state.log.size));
    CHECK_OK(mount());
    CHECK(same_register(&queue.state.reg, &reg));
  }
  CHECK_EQUAL(reg.lowers, 3);
  CHECK(reg.owed > 0 && reg.ahead > 0 && reg.lower[2].stood > 0);
}

TEST("remembers for the rest of the epoch that it was opened, and no longer") {
  CHECK_OK(begin_log(5));
  CHECK_OK(ww_queue_tamper(&queue));
  uint32_t used = queue.used;
  CHECK_OK(ww_queue_tamper(&queue));
  CHECK_EQUAL(queue.used, used);
  CHECK_OK(mount());
  CHECK_EQUAL(queue.state.tampered, true);
  CHECK_OK(append_many(60));
  CHECK_OK(mount());
  CHECK_EQUAL(queue.state.tampered, true);
  CHECK_OK(ww_queue_begin(&queue, KEY_ID, 8, 0));
  CHECK_EQUAL(queue.state.tampered, false);
}

TEST("counts nothing of another meter until it has shown its register once") {
  static const uint8_t OTHER[WW_METER_ID_LENGTH] = {8, 9};
  CHECK_OK(begin_log(5));
  CHECK_OK(ww_queue_swap(&queue, OTHER, 0));
  CHECK_OK(mount());
  CHECK_EQUAL(queue.state.reg.meter_known, false);
  CHECK_BYTES(queue.state.reg.meter, OTHER, sizeof OTHER);
}

TEST("tells how full it is") {
  CHECK_OK(begin_log(0));
  CHECK_EQUAL(ww_queue_fill(&queue), 0);
  unsigned last = 0;
  while (append_next() == WW_OK) {
    unsigned fill = ww_queue_fill(&queue);
    CHECK(fill <= 100);
    last = fill;
  }
  CHECK(last > 80);
  CHECK_OK(ww_queue_acknowledge(&queue, queue.state.log.size));
  CHECK_EQUAL(ww_queue_fill(&queue), 0);
}

TEST("loses nothing that was appended when power fails at any byte of what comes next") {
  CHECK_OK(begin_log(90));
  static struct simulated_store saved_flash;
  static struct ww_queue saved_queue;
  unsigned cuts = 0;
  for (unsigned step = 0; step < 80; step++) {
    saved_flash = flash;
    saved_queue = queue;
    CHECK_OK(append_next());
    uint64_t whole = flash.changed - saved_flash.changed;
    for (uint64_t cut = 0; cut < whole; cut++) {
      flash = saved_flash;
      queue = saved_queue;
      flash.cut_at = flash.changed + cut;
      flash.is_dead = cut == 0;
      CHECK(append_next() == WW_STORE_FAILED || cut >= RECORD);
      bool was_appended = queue.state.log.size > saved_queue.state.log.size;
      CHECK_OK(mount());
      uint64_t size = queue.state.log.size;
      CHECK(size == saved_queue.state.log.size + was_appended || size == saved_queue.state.log.size + 1);
      CHECK(same_log(&queue.state.log, size));
      CHECK(queue.first <= saved_queue.state.acknowledged);
      CHECK_OK(append_many(2));
      CHECK_OK(mount());
      CHECK(same_log(&queue.state.log, size + 2));
      cuts++;
    }
    flash = saved_flash;
    queue = saved_queue;
    CHECK_OK(append_next());
    CHECK_OK(ww_queue_acknowledge(&queue, queue.state.log.size));
  }
  CHECK(cuts > 80 * RECORD);
  CHECK_EQUAL(flash.was_misused, false);
}
