#include "atecc608.h"

#include <string.h>

#include "simulated_atecc608.h"
#include "test.h"

static struct fake_curve curve;
static struct simulated_atecc608 simulated;
static struct ww_atecc608 chip;
static uint8_t digest[32];

static void begin_new(void) {
  curve.made = 0;
  simulated_atecc608_init(&simulated, fake_curve(&curve));
  ww_atecc608_init(&chip, simulated_atecc608_port(&simulated));
  for (size_t i = 0; i < sizeof digest; i++) {
    digest[i] = (uint8_t)(3 * i + 1);
  }
}

/** With a key in slot 0 that signs, everything locked. */
static void begin(void) {
  begin_new();
  memcpy(simulated.configuration + 20, (uint8_t[]){0x81, 0x20}, 2);
  simulated.configuration[86] = 0;
  simulated.configuration[87] = 0;
  curve.made = 1;
  fake_key(0, 1, simulated.keys[0]);
  simulated.has_key[0] = true;
}

static void fail(unsigned index, unsigned command, enum simulated_fault_kind kind, uint8_t status) {
  simulated.faults[index] = (struct simulated_fault){.command = command, .kind = kind, .status = status};
}

/** Each command from this one on, for as many as there are faults. */
static void fail_from(unsigned command, enum simulated_fault_kind kind, uint8_t status) {
  for (unsigned i = 0; i < SIMULATED_FAULTS; i++) {
    fail(i, command + i, kind, status);
  }
}

static enum ww_error sign_with_status(uint8_t status) {
  uint8_t signature[64];
  begin();
  for (unsigned attempt = 0; attempt < 4; attempt++) {
    fail(attempt, 3 + 3 * attempt, FAULT_STATUS, status);
  }
  return ww_atecc608_sign(&chip, 0, digest, signature);
}

static enum ww_error count_with_status(uint8_t status) {
  uint32_t value;
  begin();
  fail_from(1, FAULT_STATUS, status);
  return ww_atecc608_counter(&chip, 0, &value);
}

static bool signed_well(void) {
  uint8_t signature[64], expected[64];
  memset(signature, 0, sizeof signature);
  fake_signature(0, 1, digest, expected);
  return ww_atecc608_sign(&chip, 0, digest, signature) == WW_OK && memcmp(signature, expected, 64) == 0;
}

/* PACKETS */

TEST("computes the CRC that the data sheet tells for the answer to a wake") {
  CHECK_EQUAL(ww_atecc608_crc((const uint8_t[]){0x04, 0x11}, 2), 0x4333);
}

static uint8_t written[64];
static size_t written_length;

static enum ww_error record_write(void *context, const uint8_t *bytes, size_t length) {
  if (length > 1) {
    memcpy(written, bytes, length);
    written_length = length;
  }
  return simulated_atecc608_port(context).write(context, bytes, length);
}

TEST("sends a command as word address, count, opcode, parameters and CRC") {
  begin();
  uint8_t revision[4];
  chip.port.write = record_write;
  CHECK_OK(ww_atecc608_revision(&chip, revision));
  static const uint8_t expected[8] = {0x03, 0x07, 0x30, 0x00, 0x00, 0x00, 0x03, 0x5D};
  CHECK_EQUAL(written_length, sizeof expected);
  CHECK_BYTES(written, expected, sizeof expected);
}

/* WHAT IS REFUSED */

TEST("refuses what is no ATECC608") {
  begin();
  uint8_t revision[4];
  simulated.configuration[6] = 0x50;
  CHECK_EQUAL(ww_atecc608_revision(&chip, revision), WW_CHIP_UNKNOWN);
}

TEST("has no signer in what is no ATECC608") {
  begin();
  uint8_t key[64];
  struct ww_signer_port signer = ww_atecc608_signer(&chip);
  simulated.configuration[6] = 0x50;
  CHECK_EQUAL(signer.public_key(signer.context, key), WW_CHIP_UNKNOWN);
}

TEST("does not sign while the configuration is not locked") {
  begin();
  uint8_t signature[64];
  struct ww_signer_port signer = ww_atecc608_signer(&chip);
  simulated.configuration[87] = 0x55;
  CHECK_EQUAL(signer.sign(signer.context, digest, signature), WW_CHIP_UNLOCKED);
}

TEST("does not sign while the data zone is not locked") {
  begin();
  uint8_t signature[64];
  struct ww_signer_port signer = ww_atecc608_signer(&chip);
  simulated.configuration[86] = 0x55;
  CHECK_EQUAL(signer.sign(signer.context, digest, signature), WW_CHIP_UNLOCKED);
  CHECK_EQUAL(simulated.signatures, 0);
}

TEST("tells no key and neither reads nor moves the counter while the chip is not locked") {
  begin();
  uint8_t key[64];
  uint32_t value;
  struct ww_signer_port signer = ww_atecc608_signer(&chip);
  simulated.configuration[86] = 0x55;
  CHECK_EQUAL(signer.public_key(signer.context, key), WW_CHIP_UNLOCKED);
  CHECK_EQUAL(signer.counter(signer.context, &value), WW_CHIP_UNLOCKED);
  CHECK_EQUAL(signer.increment(signer.context, &value), WW_CHIP_UNLOCKED);
  CHECK_EQUAL(simulated.increments, 0);
}

TEST("takes no random numbers of a chip whose configuration is not locked") {
  begin_new();
  uint8_t bytes[32];
  CHECK_EQUAL(ww_atecc608_random(&chip, bytes), WW_CHIP_UNLOCKED);
}

TEST("says that a slot without key is refused") {
  begin();
  uint8_t key[64];
  simulated.has_key[0] = false;
  CHECK_EQUAL(ww_atecc608_public_key(&chip, 0, key), WW_CHIP_REFUSED);
}

TEST("does not believe a chip that was awake already") {
  begin();
  CHECK_OK(ww_atecc608_wake(&chip));
  simulated.output[1] = 0x00; /* the answer to some older command */
  simulated.output[2] = 0x03;
  simulated.output[3] = 0x40;
  CHECK_EQUAL(ww_atecc608_wake(&chip), WW_CHIP_CHECKSUM);
}

TEST("says what a status means") {
  CHECK_EQUAL(count_with_status(0x03), WW_CHIP_REFUSED);
  CHECK_EQUAL(count_with_status(0x05), WW_CHIP_FAULT);
  CHECK_EQUAL(count_with_status(0x07), WW_CHIP_FAULT);
  CHECK_EQUAL(count_with_status(0x08), WW_CHIP_FAULT);
  CHECK_EQUAL(count_with_status(0x0F), WW_CHIP_REFUSED);
  CHECK_EQUAL(count_with_status(0xEE), WW_CHIP_SILENT);
  CHECK_EQUAL(count_with_status(0xFF), WW_CHIP_CHECKSUM);
}

TEST("takes success without a count for no count") {
  CHECK_EQUAL(count_with_status(0x00), WW_CHIP_CHECKSUM);
}

TEST("takes success without a signature for no signature") {
  CHECK_EQUAL(sign_with_status(0x00), WW_CHIP_CHECKSUM);
}

TEST("asks once only for what is refused") {
  CHECK_EQUAL(count_with_status(0x0F), WW_CHIP_REFUSED);
  CHECK_EQUAL(simulated.commands, 1);
}

TEST("gives up, in less than a second, on a chip that is not there") {
  begin();
  uint8_t signature[64];
  simulated.naks = 1000000;
  CHECK_EQUAL(ww_atecc608_sign(&chip, 0, digest, signature), WW_CHIP_SILENT);
  CHECK(simulated.now < 1000000);
}

TEST("gives up on a chip that never answers") {
  begin();
  uint8_t signature[64];
  fail_from(1, FAULT_ANSWER_LOST, 0);
  CHECK_EQUAL(ww_atecc608_sign(&chip, 0, digest, signature), WW_CHIP_SILENT);
  CHECK_EQUAL(simulated.commands, 4);
}

TEST("waits for an answer no longer than the command may take") {
  begin();
  uint32_t value;
  fail_from(1, FAULT_ANSWER_LOST, 0);
  CHECK_EQUAL(ww_atecc608_counter(&chip, 0, &value), WW_CHIP_SILENT);
  CHECK(simulated.now < 4 * 60000);
}

TEST("gives up on a chip whose CRC is wrong every time") {
  begin();
  uint32_t value;
  fail_from(1, FAULT_ANSWER_CRC, 0);
  CHECK_EQUAL(ww_atecc608_counter(&chip, 0, &value), WW_CHIP_CHECKSUM);
  CHECK_EQUAL(simulated.commands, 4);
}

TEST("leaves a signature alone that it could not get") {
  begin();
  uint8_t signature[64] = {0}, untouched[64] = {0};
  fail(0, 3, FAULT_ANSWER_BIT, 0);
  fail(1, 6, FAULT_ANSWER_CRC, 0);
  fail(2, 9, FAULT_ANSWER_LOST, 0);
  fail(3, 12, FAULT_ANSWER_BIT, 0);
  CHECK(ww_atecc608_sign(&chip, 0, digest, signature) != WW_OK);
  CHECK_BYTES(signature, untouched, 64);
}

/* WAKING AND SLEEPING */

TEST("wakes a chip that was left awake") {
  begin();
  uint32_t value;
  struct ww_i2c_port port = simulated_atecc608_port(&simulated);
  CHECK_OK(ww_atecc608_wake(&chip));
  CHECK_OK(port.write(port.context, (const uint8_t[]){0x03, 0x07, 0x30, 0x00, 0x00, 0x00, 0x03, 0x5D}, 8));
  port.wait(port.context, 10000);
  CHECK_OK(ww_atecc608_counter(&chip, 0, &value));
}

TEST("wakes a chip that was left awake with a refusal that nobody has read") {
  begin();
  uint32_t value;
  struct ww_i2c_port port = simulated_atecc608_port(&simulated);
  CHECK_OK(ww_atecc608_wake(&chip));
  fail(0, 1, FAULT_STATUS, 0x0F);
  CHECK_OK(port.write(port.context, (const uint8_t[]){0x03, 0x07, 0x30, 0x00, 0x00, 0x00, 0x03, 0x5D}, 8));
  CHECK_OK(ww_atecc608_counter(&chip, 0, &value));
}

TEST("says that the self-test failed when that is the answer to a wake") {
  begin();
  CHECK_OK(ww_atecc608_wake(&chip));
  simulated.output[1] = 0x07;
  uint16_t crc = ww_atecc608_crc(simulated.output, 2);
  simulated.output[2] = (uint8_t)crc;
  simulated.output[3] = (uint8_t)(crc >> 8);
  CHECK_EQUAL(ww_atecc608_wake(&chip), WW_CHIP_FAULT);
}

TEST("wakes a chip that did not notice the first time") {
  begin();
  simulated.lost_wakes = 2;
  CHECK(signed_well());
}

TEST("waits for a chip that does not acknowledge for a while") {
  begin();
  simulated.naks = 5;
  CHECK(signed_well());
}

TEST("leaves the chip idle, where its watchdog does not reach it") {
  begin();
  CHECK(signed_well());
  CHECK_EQUAL(simulated.state, SIMULATED_IDLE);
}

TEST("has the chip write one seed for a thousand signatures, and another only after it had to sleep") {
  begin();
  for (int i = 0; i < 1000; i++) {
    CHECK(signed_well());
    simulated.now += 60000000;
  }
  CHECK_EQUAL(simulated.seeds, 1);
  CHECK_EQUAL(chip.signatures, 1000);
  fail(0, simulated.commands + 3, FAULT_ANSWER_CRC, 0);
  CHECK(signed_well());
  CHECK_EQUAL(simulated.seeds, 2);
  CHECK_EQUAL(simulated.unseeded, 0);
  CHECK_EQUAL(chip.signatures, 1001);
}

TEST("leaves the chip asleep when it refused") {
  begin();
  uint8_t key[64];
  CHECK_EQUAL(ww_atecc608_make_key(&chip, 15, key), WW_OK);
  simulated.configuration[88] = 0xFE;
  CHECK_EQUAL(ww_atecc608_make_key(&chip, 0, key), WW_CHIP_REFUSED);
  CHECK_EQUAL(simulated.state, SIMULATED_ASLEEP);
}

/* SIGNATURES */

TEST("signs a digest") {
  begin();
  CHECK(signed_well());
  CHECK_EQUAL(simulated.commands, 3);
}

TEST("renews the seed of the chip's random numbers before the first signature after each power-up") {
  begin();
  CHECK(signed_well());
  simulated_atecc608_restart(&simulated);
  CHECK(signed_well());
  CHECK_EQUAL(simulated.signatures, 2);
  CHECK_EQUAL(simulated.unseeded, 0);
}

TEST("asks for the signature again when its CRC is wrong") {
  begin();
  fail(0, 3, FAULT_ANSWER_CRC, 0);
  CHECK(signed_well());
  CHECK_EQUAL(simulated.signatures, 2);
}

TEST("asks for the signature again when a bit of it is flipped") {
  begin();
  fail(0, 3, FAULT_ANSWER_BIT, 0);
  CHECK(signed_well());
}

TEST("hands the digest over again before it asks again") {
  begin();
  fail(0, 3, FAULT_ANSWER_LOST, 0);
  CHECK(signed_well());
  CHECK_EQUAL(simulated.commands, 6);
}

TEST("hands the digest over again when a bit of it was flipped") {
  begin();
  fail(0, 2, FAULT_COMMAND_BIT, 0);
  CHECK(signed_well());
}

TEST("does not take the answer to the digest for a signature") {
  begin();
  fail(0, 3, FAULT_COMMAND_LOST, 0);
  CHECK(signed_well());
}

TEST("does not sign before it has the chip's word that it got the digest") {
  begin();
  fail(0, 2, FAULT_COMMAND_LOST, 0);
  CHECK(signed_well());
  CHECK_EQUAL(simulated.commands, 5);
}

TEST("takes nothing for a signature that came before the watchdog") {
  begin();
  fail(0, 3, FAULT_RESTART_AFTER, 0);
  CHECK(signed_well());
  CHECK_EQUAL(simulated.signatures, 2);
}

TEST("signs after all when TempKey was lost between digest and signature") {
  begin();
  fail(0, 3, FAULT_RESTART_BEFORE, 0);
  CHECK(signed_well());
}

TEST("puts the chip to sleep when its watchdog is about to, and signs") {
  begin();
  fail(0, 3, FAULT_STATUS, 0xEE);
  CHECK(signed_well());
}

TEST("signs again when the arithmetic failed once") {
  begin();
  fail(0, 3, FAULT_STATUS, 0x05);
  CHECK(signed_well());
}

static unsigned waits_until_held_up;

static void be_held_up(void *context, uint32_t microseconds) {
  waits_until_held_up--;
  simulated_atecc608_port(context).wait(context, waits_until_held_up == 0 ? 2000000 : microseconds);
}

TEST("signs after all when this side was held up for longer than the watchdog waits, wherever") {
  for (unsigned waits = 1; waits < 110; waits++) {
    begin();
    waits_until_held_up = waits;
    chip.port.wait = be_held_up;
    CHECK(signed_well());
  }
}

TEST("signs well whatever fails once, or twice") {
  for (unsigned first = FAULT_COMMAND_LOST; first <= FAULT_RESTART_AFTER; first++) {
    for (unsigned second = FAULT_NONE; second <= FAULT_RESTART_AFTER; second++) {
      for (unsigned command = 1; command <= 3; command++) {
        begin();
        fail(0, command, (enum simulated_fault_kind)first, 0xEE);
        fail(1, command + 3, (enum simulated_fault_kind)second, 0xFF);
        CHECK(signed_well());
      }
    }
  }
}

/* THE COUNTER */

TEST("does not count beyond the end") {
  begin();
  uint32_t value;
  simulated.counters[0] = WW_ATECC608_COUNTER_LIMIT;
  CHECK_EQUAL(ww_atecc608_increment(&chip, 0, &value), WW_COUNTER_ENDED);
  CHECK_EQUAL(simulated.commands, 1);
}

TEST("counts up to the end") {
  begin();
  uint32_t value;
  simulated.counters[0] = WW_ATECC608_COUNTER_LIMIT - 1;
  CHECK_OK(ww_atecc608_increment(&chip, 0, &value));
  CHECK_EQUAL(value, 2097151);
}

TEST("says that there are two counters") {
  begin();
  uint32_t value;
  CHECK_EQUAL(ww_atecc608_increment(&chip, 2, &value), WW_CHIP_REFUSED);
}

TEST("tells an error when it cannot find out whether it counted") {
  begin();
  uint32_t value;
  fail_from(2, FAULT_ANSWER_LOST, 0);
  CHECK_EQUAL(ww_atecc608_increment(&chip, 0, &value), WW_CHIP_SILENT);
  CHECK_EQUAL(simulated.increments, 1);
}

TEST("goes on with a new value after it could not find out") {
  begin();
  uint32_t value;
  fail_from(2, FAULT_ANSWER_LOST, 0);
  CHECK_EQUAL(ww_atecc608_increment(&chip, 0, &value), WW_CHIP_SILENT);
  memset(simulated.faults, 0, sizeof simulated.faults);
  CHECK_OK(ww_atecc608_increment(&chip, 0, &value));
  CHECK_EQUAL(value, 2);
}

TEST("does not say that it counted when the chip only says so") {
  begin();
  uint32_t value;
  for (unsigned i = 0; i < 4; i++) {
    fail(i, 2 + 2 * i, FAULT_STATUS, 0x00);
  }
  CHECK_EQUAL(ww_atecc608_increment(&chip, 0, &value), WW_CHIP_CHECKSUM);
}

/** The chip is asked to count and only reads: it answers well, and has not counted. */
static enum ww_error turn_increments_into_reads(void *context, const uint8_t *bytes, size_t length) {
  if (length < 8 || bytes[2] != 0x24) {
    return simulated_atecc608_port(context).write(context, bytes, length);
  }
  uint8_t packet[8] = {0x03, 0x07, 0x24, 0x00, bytes[4], bytes[5]};
  uint16_t crc = ww_atecc608_crc(packet + 1, 5);
  packet[6] = (uint8_t)crc;
  packet[7] = (uint8_t)(crc >> 8);
  return simulated_atecc608_port(context).write(context, packet, 8);
}

TEST("does not tell an old count again when the chip answers with one") {
  begin();
  uint32_t value;
  chip.port.write = turn_increments_into_reads;
  CHECK_EQUAL(ww_atecc608_increment(&chip, 0, &value), WW_CHIP_FAULT);
}

TEST("reads a count of more than one byte") {
  begin();
  uint32_t value;
  simulated.counters[0] = 0x012345;
  CHECK_OK(ww_atecc608_counter(&chip, 0, &value));
  CHECK_EQUAL(value, 0x012345);
}

TEST("counts once although the answer was lost") {
  begin();
  uint32_t value;
  fail(0, 2, FAULT_ANSWER_LOST, 0);
  CHECK_OK(ww_atecc608_increment(&chip, 0, &value));
  CHECK_EQUAL(value, 1);
  CHECK_EQUAL(simulated.increments, 1);
}

TEST("counts after all when the command was lost") {
  begin();
  uint32_t value;
  fail(0, 2, FAULT_COMMAND_LOST, 0);
  CHECK_OK(ww_atecc608_increment(&chip, 0, &value));
  CHECK_EQUAL(value, 1);
}

TEST("tells the new value when the chip skipped some by a loss of power") {
  begin();
  uint32_t value;
  simulated.counters[0] = 7;
  CHECK_OK(ww_atecc608_counter(&chip, 0, &value));
  simulated.counters[0] = 10;
  CHECK_OK(ww_atecc608_increment(&chip, 0, &value));
  CHECK_EQUAL(value, 11);
}

TEST("counts exactly once whatever fails once, at whatever command") {
  for (unsigned kind = FAULT_COMMAND_LOST; kind <= FAULT_RESTART_AFTER; kind++) {
    for (unsigned command = 1; command <= 4; command++) {
      begin();
      uint32_t value;
      fail(0, command, (enum simulated_fault_kind)kind, 0xFF);
      CHECK_OK(ww_atecc608_increment(&chip, 0, &value));
      CHECK_EQUAL(value, 1);
      CHECK_EQUAL(simulated.increments, 1);
    }
  }
}

static uint32_t dice(uint32_t sides) {
  static uint32_t state = 608;
  state = state * 1664525u + 1013904223u;
  return (state >> 16) % sides;
}

TEST("tells no value twice and counts at most once a call on a bus where anything may fail") {
  begin();
  uint32_t told = 0;
  unsigned successes = 0;
  for (unsigned call = 0; call < 3000; call++) {
    for (unsigned i = 0; i < SIMULATED_FAULTS; i++) {
      fail(i, simulated.commands + 1 + dice(10), (enum simulated_fault_kind)dice(FAULT_RESTART_AFTER + 1), 0xEE);
    }
    simulated.naks = dice(4);
    simulated.lost_wakes = dice(3);
    unsigned before = simulated.increments;
    uint32_t value;
    enum ww_error error = ww_atecc608_increment(&chip, 0, &value);
    CHECK(simulated.increments <= before + 1);
    if (error == WW_OK) {
      CHECK(value > told);
      CHECK_EQUAL(value, simulated.counters[0]);
      told = value;
      successes++;
    }
  }
  CHECK(successes > 1000 && successes < 3000);
}

/* CONFIGURATION AND LOCKS */

TEST("writes no configuration word that does not begin at a multiple of four") {
  begin_new();
  static const uint8_t word[4] = {1, 2, 3, 4};
  CHECK_EQUAL(ww_atecc608_write_configuration(&chip, 18, word), WW_CHIP_REFUSED);
  CHECK_EQUAL(ww_atecc608_write_configuration(&chip, 128, word), WW_CHIP_REFUSED);
  CHECK_EQUAL(simulated.commands, 0);
}

TEST("says that the serial number and the locks cannot be written") {
  begin_new();
  static const uint8_t word[4] = {0};
  CHECK_EQUAL(ww_atecc608_write_configuration(&chip, 0, word), WW_CHIP_REFUSED);
  CHECK_EQUAL(ww_atecc608_write_configuration(&chip, 84, word), WW_CHIP_REFUSED);
}

TEST("says that a locked configuration cannot be written") {
  begin();
  static const uint8_t word[4] = {0};
  CHECK_EQUAL(ww_atecc608_write_configuration(&chip, 20, word), WW_CHIP_REFUSED);
}

TEST("does not take the answer to the wake for one to a write") {
  begin_new();
  static const uint8_t word[4] = {1, 2, 3, 4};
  fail(0, 1, FAULT_COMMAND_LOST, 0);
  CHECK_OK(ww_atecc608_write_configuration(&chip, 20, word));
  CHECK_BYTES(simulated.configuration + 20, word, 4);
}

TEST("locks no configuration but the one that is meant") {
  begin_new();
  uint8_t configuration[128];
  memcpy(configuration, simulated.configuration, 128);
  configuration[20] ^= 1;
  CHECK_EQUAL(ww_atecc608_lock_configuration(&chip, configuration), WW_CHIP_REFUSED);
  CHECK_EQUAL(simulated.configuration[87], 0x55);
}

TEST("locks no data zone before the configuration") {
  begin_new();
  CHECK_EQUAL(ww_atecc608_lock_data(&chip), WW_CHIP_REFUSED);
}

TEST("locks no slot that there is not") {
  begin();
  CHECK_EQUAL(ww_atecc608_lock_slot(&chip, 16), WW_CHIP_REFUSED);
  CHECK_EQUAL(simulated.commands, 0);
}

TEST("does not say that it is locked when the chip only says so") {
  begin();
  simulated.configuration[86] = 0x55;
  fail(0, 1, FAULT_STATUS, 0x00);
  CHECK_EQUAL(ww_atecc608_lock_data(&chip), WW_CHIP_FAULT);
}

TEST("locks although the answer was lost") {
  begin();
  simulated.configuration[86] = 0x55;
  fail(0, 1, FAULT_ANSWER_LOST, 0);
  CHECK_OK(ww_atecc608_lock_data(&chip));
  CHECK_EQUAL(simulated.configuration[86], 0x00);
}

TEST("locks one slot, and only that") {
  begin();
  struct ww_atecc608_locks locks;
  CHECK_OK(ww_atecc608_lock_slot(&chip, 9));
  CHECK_OK(ww_atecc608_locks(&chip, &locks));
  CHECK_EQUAL(locks.slots, 1 << 9);
}

TEST("locks what is locked already") {
  begin();
  CHECK_OK(ww_atecc608_lock_configuration(&chip, simulated.configuration));
  CHECK_OK(ww_atecc608_lock_data(&chip));
}

TEST("tells the locks of a new chip") {
  begin_new();
  struct ww_atecc608_locks locks;
  CHECK_OK(ww_atecc608_locks(&chip, &locks));
  CHECK(!locks.configuration && !locks.data);
  CHECK_EQUAL(locks.slots, 0);
}

TEST("reads the configuration") {
  begin();
  uint8_t configuration[128];
  CHECK_OK(ww_atecc608_read_configuration(&chip, configuration));
  CHECK_BYTES(configuration, simulated.configuration, 128);
}

TEST("tells the serial number") {
  begin();
  uint8_t serial[9];
  static const uint8_t expected[9] = {0x01, 0x23, 0x6A, 0x5B, 0x4C, 0x3D, 0x2E, 0x1F, 0xEE};
  CHECK_OK(ww_atecc608_serial_number(&chip, serial));
  CHECK_BYTES(serial, expected, 9);
}

TEST("tells random numbers") {
  begin();
  uint8_t bytes[32], others[32];
  CHECK_OK(ww_atecc608_random(&chip, bytes));
  CHECK_OK(ww_atecc608_random(&chip, others));
  CHECK(memcmp(bytes, others, 32) != 0);
}

TEST("makes a key and tells it again") {
  begin();
  uint8_t key[64], again[64];
  CHECK_OK(ww_atecc608_make_key(&chip, 0, key));
  CHECK_OK(ww_atecc608_public_key(&chip, 0, again));
  CHECK_BYTES(again, key, 64);
}

TEST("tells the key that is in the slot when the answer to the first was lost") {
  begin();
  uint8_t key[64];
  fail(0, 1, FAULT_ANSWER_LOST, 0);
  CHECK_OK(ww_atecc608_make_key(&chip, 0, key));
  CHECK_BYTES(key, simulated.keys[0], 64);
}

/* THE SIGNER */

TEST("signs, tells its key and counts as the core's signer") {
  begin();
  struct ww_signer_port signer = ww_atecc608_signer(&chip);
  uint8_t key[64], signature[64], expected[64];
  uint32_t value;
  CHECK_OK(signer.public_key(signer.context, key));
  CHECK_BYTES(key, simulated.keys[0], 64);
  fake_signature(0, 1, digest, expected);
  CHECK_OK(signer.sign(signer.context, digest, signature));
  CHECK_BYTES(signature, expected, 64);
  CHECK_OK(signer.increment(signer.context, &value));
  CHECK_EQUAL(value, 1);
  CHECK_OK(signer.counter(signer.context, &value));
  CHECK_EQUAL(value, 1);
}

TEST("looks once only whether the chip is locked") {
  begin();
  struct ww_signer_port signer = ww_atecc608_signer(&chip);
  uint8_t signature[64];
  CHECK_OK(signer.sign(signer.context, digest, signature));
  unsigned commands = simulated.commands;
  CHECK_OK(signer.sign(signer.context, digest, signature));
  CHECK_EQUAL(simulated.commands - commands, 3);
}
