#include <string.h>

#include "provisioning.h"
#include "simulated_atecc608.h"
#include "test.h"

static struct fake_curve curve;
static struct simulated_atecc608 simulated;
static struct ww_atecc608 chip;

static void begin(void) {
  curve.made = 0;
  simulated_atecc608_init(&simulated, fake_curve(&curve));
  ww_atecc608_init(&chip, simulated_atecc608_port(&simulated));
}

enum step { NEW, CONFIGURED, CONFIGURATION_LOCKED, KEY_MADE, DATA_LOCKED, KEY_LOCKED };

static enum ww_error provision_to(enum step step, uint8_t key[64]) {
  if (step >= CONFIGURED) {
    WW_TRY(ww_chip_configure(&chip));
  }
  if (step >= CONFIGURATION_LOCKED) {
    WW_TRY(ww_chip_lock_configuration(&chip));
  }
  if (step >= KEY_MADE) {
    WW_TRY(ww_chip_make_key(&chip, key));
  }
  if (step >= DATA_LOCKED) {
    WW_TRY(ww_chip_lock_data(&chip));
  }
  if (step >= KEY_LOCKED) {
    WW_TRY(ww_chip_lock_key(&chip, key));
  }
  return WW_OK;
}

/** A chip that has come so far; false where it could not. */
static bool begin_at(enum step step, uint8_t key[64]) {
  begin();
  return provision_to(step, key) == WW_OK;
}

static bool configuration_locked(void) {
  return simulated.configuration[87] != 0x55;
}

static bool data_locked(void) {
  return simulated.configuration[86] != 0x55;
}

static bool key_locked(void) {
  return (simulated.configuration[88] & 1) == 0;
}

static uint8_t key[64];

/* WHAT IS REFUSED */

TEST("refuses to configure what is no ATECC608") {
  begin();
  simulated.configuration[6] = 0x50;
  CHECK_EQUAL(ww_chip_configure(&chip), WW_CHIP_UNKNOWN);
  CHECK_EQUAL(simulated.writes, 0);
}

TEST("refuses to configure a chip that is locked as something else") {
  begin();
  simulated.configuration[87] = 0;
  CHECK_EQUAL(ww_chip_configure(&chip), WW_CHIP_DIFFERS);
}

TEST("says so when a byte was not written although the chip said it was") {
  begin();
  simulated.faults[0] = (struct simulated_fault){.command = 8, .kind = FAULT_STATUS, .status = 0x00};
  CHECK_EQUAL(ww_chip_configure(&chip), WW_CHIP_DIFFERS);
}

TEST("refuses to lock the configuration of a new chip") {
  begin();
  CHECK_EQUAL(ww_chip_lock_configuration(&chip), WW_CHIP_DIFFERS);
  CHECK(!configuration_locked());
}

/** Bits that are left as they are: the factory's, reserved ones, UserExtra and the locks. */
static bool is_left(size_t address) {
  return address < 16 || address == 17 || (address >= 75 && address < 88);
}

TEST("refuses to lock a configuration of which any single bit differs") {
  for (size_t bit = 0; bit < 8 * 128; bit++) {
    if (is_left(bit / 8)) {
      continue;
    }
    CHECK(begin_at(CONFIGURED, key));
    simulated.configuration[bit / 8] ^= (uint8_t)(1u << bit % 8);
    CHECK_EQUAL(ww_chip_lock_configuration(&chip), WW_CHIP_DIFFERS);
    CHECK(!configuration_locked());
  }
}

TEST("refuses to make a key before the configuration is locked") {
  CHECK(begin_at(CONFIGURED, key));
  CHECK_EQUAL(ww_chip_make_key(&chip, key), WW_CHIP_UNLOCKED);
  CHECK_EQUAL(curve.made, 0);
}

TEST("refuses to make a key in a chip that is locked as something else") {
  begin();
  simulated.configuration[87] = 0;
  CHECK_EQUAL(ww_chip_make_key(&chip, key), WW_CHIP_DIFFERS);
  CHECK_EQUAL(curve.made, 0);
}

TEST("refuses to lock the data zone before the configuration") {
  CHECK(begin_at(CONFIGURED, key));
  CHECK_EQUAL(ww_chip_lock_data(&chip), WW_CHIP_UNLOCKED);
  CHECK(!data_locked());
}

TEST("refuses to lock the data zone before there is a key") {
  CHECK(begin_at(CONFIGURATION_LOCKED, key));
  CHECK_EQUAL(ww_chip_lock_data(&chip), WW_CHIP_UNLOCKED);
  CHECK(!data_locked());
}

TEST("refuses to lock the data zone of a chip that is locked as something else") {
  CHECK(begin_at(KEY_MADE, key));
  simulated.configuration[22] = 0x83;
  CHECK_EQUAL(ww_chip_lock_data(&chip), WW_CHIP_DIFFERS);
  CHECK(!data_locked());
}

TEST("refuses to lock the key before the data zone") {
  CHECK(begin_at(KEY_MADE, key));
  CHECK_EQUAL(ww_chip_lock_key(&chip, key), WW_CHIP_UNLOCKED);
  CHECK(!key_locked());
}

TEST("refuses to lock a slot without key") {
  CHECK(begin_at(DATA_LOCKED, key));
  simulated.has_key[0] = false;
  CHECK_EQUAL(ww_chip_lock_key(&chip, key), WW_CHIP_UNLOCKED);
  CHECK(!key_locked());
}

TEST("refuses to lock another key than the one that was made") {
  uint8_t other[64];
  CHECK(begin_at(DATA_LOCKED, key));
  CHECK_OK(ww_atecc608_make_key(&chip, 0, other));
  CHECK_EQUAL(ww_chip_lock_key(&chip, key), WW_CHIP_DIFFERS);
  CHECK(!key_locked());
}

TEST("refuses to lock the key of a chip that is locked as something else") {
  CHECK(begin_at(DATA_LOCKED, key));
  simulated.configuration[20] = 0x85;
  CHECK_EQUAL(ww_chip_lock_key(&chip, key), WW_CHIP_DIFFERS);
  CHECK(!key_locked());
}

TEST("says that the chip is silent, and not that it differs, when it is silent") {
  begin();
  simulated.naks = 1000000;
  CHECK_EQUAL(ww_chip_configure(&chip), WW_CHIP_SILENT);
}

TEST("makes no other key because the chip does not tell the one it has") {
  CHECK(begin_at(KEY_MADE, key));
  uint8_t again[64];
  for (unsigned i = 0; i < 4; i++) {
    simulated.faults[i] = (struct simulated_fault){.command = simulated.commands + 8 + i, .kind = FAULT_ANSWER_LOST};
  }
  CHECK_EQUAL(ww_chip_make_key(&chip, again), WW_CHIP_SILENT);
  CHECK_EQUAL(curve.made, 1);
}

/* WHAT A CHIP IS THEN */

TEST("wants of slot 0 a P-256 key that is made inside and signs what comes from outside, and nothing else") {
  CHECK(begin_at(CONFIGURED, key));
  CHECK_EQUAL(simulated.configuration[20] | simulated.configuration[21] << 8, 0x2081);
  CHECK_EQUAL(simulated.configuration[96] | simulated.configuration[97] << 8, 0x0033);
}

TEST("wants of the other slots that they are neither read nor written nor a private key") {
  CHECK(begin_at(CONFIGURED, key));
  for (size_t slot = 1; slot < 16; slot++) {
    CHECK_EQUAL(simulated.configuration[20 + 2 * slot] | simulated.configuration[21 + 2 * slot] << 8, 0x8F9F);
    CHECK_EQUAL(simulated.configuration[96 + 2 * slot] | simulated.configuration[97 + 2 * slot] << 8, 0x001C);
  }
}

TEST("wants the address of a new chip and the short watchdog") {
  CHECK(begin_at(CONFIGURED, key));
  CHECK_EQUAL(simulated.configuration[16], 0xC0);
  CHECK_EQUAL(simulated.configuration[19], 0x00);
}

TEST("leaves as they are the reserved bytes") {
  begin();
  simulated.configuration[17] = 0x12;
  simulated.configuration[80] = 0x34;
  simulated.configuration[16] = 0xC2;
  simulated.configuration[74] = 0x01;
  CHECK_OK(ww_chip_configure(&chip));
  CHECK_EQUAL(simulated.configuration[17], 0x12);
  CHECK_EQUAL(simulated.configuration[80], 0x34);
}

TEST("sets the counters back to zero before their configuration is locked") {
  begin();
  simulated.configuration[52] = 0x0F;
  CHECK_OK(ww_chip_configure(&chip));
  CHECK_EQUAL(simulated.configuration[52], 0xFF);
}

TEST("lets nobody make another key once the key is locked") {
  CHECK(begin_at(KEY_LOCKED, key));
  uint8_t other[64];
  CHECK_EQUAL(ww_atecc608_make_key(&chip, 0, other), WW_CHIP_REFUSED);
  CHECK_BYTES(simulated.keys[0], key, 64);
}

TEST("lets nobody make a key in another slot") {
  CHECK(begin_at(CONFIGURATION_LOCKED, key));
  for (uint8_t slot = 1; slot < 16; slot++) {
    CHECK_EQUAL(ww_atecc608_make_key(&chip, slot, key), WW_CHIP_REFUSED);
  }
}

TEST("ends with a chip that signs") {
  CHECK(begin_at(KEY_LOCKED, key));
  struct ww_signer_port signer = ww_atecc608_signer(&chip);
  uint8_t told[64], signature[64], expected[64];
  static const uint8_t digest[32] = {1, 2, 3};
  fake_signature(0, 1, digest, expected);
  CHECK_OK(signer.public_key(signer.context, told));
  CHECK_BYTES(told, key, 64);
  CHECK_OK(signer.sign(signer.context, digest, signature));
  CHECK_BYTES(signature, expected, 64);
}

/* WHAT IS TOLD */

TEST("tells of a new chip that it differs and nothing is locked") {
  begin();
  struct ww_chip_inspection inspection;
  CHECK_OK(ww_chip_inspect(&chip, &inspection));
  CHECK(inspection.differences > 0);
  CHECK(!inspection.configuration_locked && !inspection.key_made && !inspection.data_locked && !inspection.key_locked);
  CHECK_EQUAL(simulated.writes, 0);
}

TEST("tells which byte differs") {
  CHECK(begin_at(CONFIGURED, key));
  struct ww_chip_inspection inspection;
  simulated.configuration[18] = 0x01;
  CHECK_OK(ww_chip_inspect(&chip, &inspection));
  CHECK_EQUAL(inspection.differences, 1);
  CHECK_EQUAL(inspection.configuration[18], 0x01);
  CHECK_EQUAL(inspection.wanted[18], 0x00);
}

TEST("tells how far a chip has come") {
  for (enum step step = CONFIGURED; step <= KEY_LOCKED; step++) {
    struct ww_chip_inspection inspection;
    CHECK(begin_at(step, key));
    CHECK_OK(ww_chip_inspect(&chip, &inspection));
    CHECK_EQUAL(inspection.differences, 0);
    CHECK_EQUAL(inspection.configuration_locked, step >= CONFIGURATION_LOCKED);
    CHECK_EQUAL(inspection.key_made, step >= KEY_MADE);
    CHECK_EQUAL(inspection.data_locked, step >= DATA_LOCKED);
    CHECK_EQUAL(inspection.key_locked, step >= KEY_LOCKED);
  }
}

TEST("tells revision, serial number and key") {
  CHECK(begin_at(KEY_MADE, key));
  struct ww_chip_inspection inspection;
  CHECK_OK(ww_chip_inspect(&chip, &inspection));
  CHECK_BYTES(inspection.revision, simulated.configuration + 4, 4);
  CHECK_BYTES(inspection.serial, simulated.configuration, 4);
  CHECK_BYTES(inspection.serial + 4, simulated.configuration + 8, 5);
  CHECK_BYTES(inspection.key, key, 64);
}

TEST("does not mind that a locked chip has counted") {
  CHECK(begin_at(KEY_LOCKED, key));
  struct ww_chip_inspection inspection;
  uint32_t value;
  CHECK_OK(ww_atecc608_increment(&chip, 0, &value));
  CHECK_OK(ww_chip_inspect(&chip, &inspection));
  CHECK_EQUAL(inspection.differences, 0);
}

/* AGAIN */

TEST("writes nothing to a chip that is configured already") {
  CHECK(begin_at(CONFIGURED, key));
  unsigned writes = simulated.writes;
  CHECK_OK(ww_chip_configure(&chip));
  CHECK_EQUAL(simulated.writes, writes);
}

TEST("makes one key, however often it is asked") {
  uint8_t again[64];
  CHECK(begin_at(KEY_MADE, key));
  CHECK_OK(ww_chip_make_key(&chip, again));
  CHECK_BYTES(again, key, 64);
  CHECK_EQUAL(curve.made, 1);
}

TEST("does every step again without changing anything") {
  uint8_t again[64];
  CHECK(begin_at(KEY_LOCKED, key));
  uint8_t before[128];
  memcpy(before, simulated.configuration, 128);
  CHECK_OK(provision_to(KEY_LOCKED, again));
  CHECK_BYTES(simulated.configuration, before, 128);
  CHECK_BYTES(again, key, 64);
}

TEST("comes to the same end wherever it is interrupted") {
  CHECK(begin_at(KEY_LOCKED, key));
  unsigned commands = simulated.commands;
  uint8_t end[128];
  memcpy(end, simulated.configuration, 128);
  for (unsigned interrupted = 1; interrupted <= commands; interrupted++) {
    begin();
    for (unsigned i = 0; i < SIMULATED_FAULTS; i++) {
      simulated.faults[i] = (struct simulated_fault){.command = interrupted + i, .kind = FAULT_ANSWER_LOST};
    }
    CHECK(provision_to(KEY_LOCKED, key) != WW_OK);
    memset(simulated.faults, 0, sizeof simulated.faults);
    simulated_atecc608_restart(&simulated);
    CHECK_OK(provision_to(KEY_LOCKED, key));
    CHECK_BYTES(simulated.configuration, end, 128);
    CHECK_BYTES(simulated.keys[0], key, 64);
  }
}

TEST("comes to the same end whatever fails once") {
  CHECK(begin_at(KEY_LOCKED, key));
  unsigned commands = simulated.commands;
  uint8_t end[128];
  memcpy(end, simulated.configuration, 128);
  for (unsigned kind = FAULT_COMMAND_LOST; kind <= FAULT_RESTART_AFTER; kind++) {
    for (unsigned command = 1; command <= commands; command++) {
      begin();
      simulated.faults[0] =
          (struct simulated_fault){.command = command, .kind = (enum simulated_fault_kind)kind, .status = 0xFF};
      CHECK_OK(provision_to(KEY_LOCKED, key));
      CHECK_BYTES(simulated.configuration, end, 128);
    }
  }
}
