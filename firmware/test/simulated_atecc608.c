#include "simulated_atecc608.h"

#include <string.h>

#define WATCHDOG_US 1300000
#define WAKE_LOW_US 60
#define WAKE_HIGH_DELAY_US 1500
#define BYTE_US 25 /* at 400 kHz, acknowledgement included */

#define STATUS_SUCCESS 0x00
#define STATUS_PARSE 0x03
#define STATUS_ECC_FAULT 0x05
#define STATUS_EXECUTION 0x0F
#define STATUS_WATCHDOG 0xEE
#define STATUS_CRC 0xFF

#define UNLOCKED 0x55
#define LOCK_VALUE 86
#define LOCK_CONFIG 87
#define SLOT_LOCKED 88

/* THE FAKE CURVE */

static void fake_bytes(uint8_t kind, uint8_t slot, uint8_t made, uint8_t bytes[64]) {
  for (size_t i = 0; i < 64; i++) {
    bytes[i] = (uint8_t)(kind + 37u * slot + 101u * made + 7 * i);
  }
}

void fake_key(uint8_t slot, uint8_t made, uint8_t key[64]) {
  fake_bytes(1, slot, made, key);
}

void fake_signature(uint8_t slot, uint8_t made, const uint8_t digest[32], uint8_t signature[64]) {
  fake_bytes(2, slot, made, signature);
  for (size_t i = 0; i < 64; i++) {
    signature[i] = (uint8_t)(signature[i] ^ digest[i % 32]);
  }
}

static bool fake_make_key(void *context, uint8_t slot, uint8_t key[64]) {
  struct fake_curve *fake = context;
  fake->made++;
  fake_key(slot, fake->made, key);
  return true;
}

static bool fake_sign(void *context, uint8_t slot, const uint8_t digest[32], uint8_t signature[64]) {
  const struct fake_curve *fake = context;
  fake_signature(slot, fake->made, digest, signature);
  return true;
}

struct simulated_curve fake_curve(struct fake_curve *fake) {
  return (struct simulated_curve){.context = fake, .make_key = fake_make_key, .sign = fake_sign};
}

/* CONFIGURATION */

static uint16_t word_at(const struct simulated_atecc608 *chip, size_t address) {
  return (uint16_t)(chip->configuration[address] | chip->configuration[address + 1] << 8);
}

static uint16_t slot_config(const struct simulated_atecc608 *chip, size_t slot) {
  return word_at(chip, 20 + 2 * slot);
}

static uint16_t key_config(const struct simulated_atecc608 *chip, size_t slot) {
  return word_at(chip, 96 + 2 * slot);
}

static bool configuration_locked(const struct simulated_atecc608 *chip) {
  return chip->configuration[LOCK_CONFIG] != UNLOCKED;
}

static bool slot_locked(const struct simulated_atecc608 *chip, size_t slot) {
  return (word_at(chip, SLOT_LOCKED) >> slot & 1) == 0;
}

static bool is_private_key(const struct simulated_atecc608 *chip, size_t slot) {
  return (key_config(chip, slot) & 0x1D) == 0x11; /* Private, KeyType 4 */
}

/* ANSWERS */

static void answer(struct simulated_atecc608 *chip, const uint8_t *bytes, size_t length) {
  chip->output[0] = (uint8_t)(length + 3);
  memcpy(chip->output + 1, bytes, length);
  uint16_t crc = ww_atecc608_crc(chip->output, length + 1);
  chip->output[length + 1] = (uint8_t)crc;
  chip->output[length + 2] = (uint8_t)(crc >> 8);
  chip->output_length = length + 3;
}

static void answer_status(struct simulated_atecc608 *chip, uint8_t status) {
  answer(chip, &status, 1);
}

/* COMMANDS */

struct parameters {
  uint8_t p1;
  uint16_t p2;
  const uint8_t *data;
  size_t length;
};

/** Each answers, or returns a status to be answered; ANSWERED where it has. */
#define ANSWERED 0x100
typedef unsigned execute_command(struct simulated_atecc608 *chip, const struct parameters *with);

static unsigned info(struct simulated_atecc608 *chip, const struct parameters *with) {
  if (with->p1 != 0 || with->length != 0) {
    return STATUS_PARSE;
  }
  answer(chip, chip->configuration + 4, 4);
  return ANSWERED;
}

static unsigned read(struct simulated_atecc608 *chip, const struct parameters *with) {
  size_t length = with->p1 & 0x80 ? 32 : 4;
  size_t address = (size_t)with->p2 * 4 / length * length;
  if ((with->p1 & 0x7F) > 2 || with->length != 0) {
    return STATUS_PARSE;
  }
  if ((with->p1 & 0x7F) != 0 || address + length > sizeof chip->configuration) {
    return STATUS_EXECUTION; /* this one's slots are never read */
  }
  answer(chip, chip->configuration + address, length);
  return ANSWERED;
}

static unsigned write(struct simulated_atecc608 *chip, const struct parameters *with) {
  size_t address = (size_t)with->p2 * 4;
  if (with->p1 != 0 || with->length != 4) {
    return STATUS_PARSE; /* this one takes four bytes of configuration at a time */
  }
  bool writable = address >= 16 && address != 84 && address < sizeof chip->configuration;
  if (configuration_locked(chip) || !writable) {
    return STATUS_EXECUTION;
  }
  memcpy(chip->configuration + address, with->data, 4);
  chip->writes++;
  return STATUS_SUCCESS;
}

static unsigned lock(struct simulated_atecc608 *chip, const struct parameters *with) {
  uint8_t zone = with->p1 & 0x03;
  size_t slot = with->p1 >> 2 & 0x0F;
  bool ignores_crc = with->p1 & 0x80;
  if (zone == 0 && !configuration_locked(chip)) {
    uint16_t crc = ww_atecc608_crc(chip->configuration, sizeof chip->configuration);
    if (!ignores_crc && crc != with->p2) {
      return STATUS_EXECUTION;
    }
    chip->configuration[LOCK_CONFIG] = 0;
    return STATUS_SUCCESS;
  }
  if (zone == 1 && configuration_locked(chip) && chip->configuration[LOCK_VALUE] == UNLOCKED && ignores_crc) {
    chip->configuration[LOCK_VALUE] = 0;
    return STATUS_SUCCESS;
  }
  bool lockable = key_config(chip, slot) & 0x20;
  if (zone == 2 && configuration_locked(chip) && lockable && !slot_locked(chip, slot) && with->p2 == 0) {
    chip->configuration[SLOT_LOCKED + slot / 8] &= (uint8_t) ~(1u << slot % 8);
    return STATUS_SUCCESS;
  }
  return STATUS_EXECUTION;
}

static unsigned random(struct simulated_atecc608 *chip, const struct parameters *with) {
  if (with->p1 > 1 || with->length != 0) {
    return STATUS_PARSE;
  }
  uint8_t bytes[32];
  if (!chip->is_seeded && with->p1 == 0) {
    chip->seeds++;
  }
  chip->is_seeded = true;
  for (size_t i = 0; i < sizeof bytes; i++) {
    chip->random = chip->random * 1664525u + 1013904223u;
    bytes[i] = configuration_locked(chip) ? (uint8_t)(chip->random >> 24) : i % 4 < 2 ? 0xFF : 0x00;
  }
  answer(chip, bytes, sizeof bytes);
  return ANSWERED;
}

static unsigned nonce(struct simulated_atecc608 *chip, const struct parameters *with) {
  if (with->p1 != 0x03 || with->p2 != 0 || with->length != 32) {
    return STATUS_PARSE;
  }
  memcpy(chip->temp_key, with->data, 32);
  chip->has_temp_key = true;
  return STATUS_SUCCESS;
}

static unsigned gen_key(struct simulated_atecc608 *chip, const struct parameters *with) {
  size_t slot = with->p2;
  if ((with->p1 != 0x00 && with->p1 != 0x04) || slot >= SIMULATED_SLOTS || with->length != 0) {
    return STATUS_PARSE;
  }
  bool create = with->p1 == 0x04;
  bool has_public = key_config(chip, slot) & 0x02;
  if (!configuration_locked(chip) || !is_private_key(chip, slot) || !has_public) {
    return STATUS_EXECUTION;
  }
  if (create) {
    bool may_create = slot_config(chip, slot) & 0x2000;
    if (!may_create || slot_locked(chip, slot)) {
      return STATUS_EXECUTION;
    }
    chip->has_key[slot] = chip->curve.make_key(chip->curve.context, (uint8_t)slot, chip->keys[slot]);
    if (!chip->has_key[slot]) {
      return STATUS_ECC_FAULT;
    }
  }
  if (!chip->has_key[slot]) {
    return STATUS_EXECUTION;
  }
  answer(chip, chip->keys[slot], 64);
  return ANSWERED;
}

static unsigned sign(struct simulated_atecc608 *chip, const struct parameters *with) {
  size_t slot = with->p2;
  if (with->p1 != 0x80 || slot >= SIMULATED_SLOTS || with->length != 0) {
    return STATUS_PARSE;
  }
  bool external = slot_config(chip, slot) & 0x0001;
  if (!configuration_locked(chip) || !is_private_key(chip, slot) || !external || !chip->has_key[slot] ||
      !chip->has_temp_key) {
    return STATUS_EXECUTION;
  }
  uint8_t signature[64];
  chip->has_temp_key = false;
  if (!chip->curve.sign(chip->curve.context, (uint8_t)slot, chip->temp_key, signature)) {
    return STATUS_ECC_FAULT;
  }
  chip->signatures++;
  chip->unseeded += !chip->is_seeded;
  answer(chip, signature, sizeof signature);
  return ANSWERED;
}

static unsigned counter(struct simulated_atecc608 *chip, const struct parameters *with) {
  if (with->p1 > 1 || with->p2 > 1 || with->length != 0) {
    return STATUS_PARSE;
  }
  uint32_t *count = &chip->counters[with->p2];
  if (with->p1 == 1) {
    if (*count == WW_ATECC608_COUNTER_LIMIT) {
      return STATUS_EXECUTION;
    }
    ++*count;
    chip->increments++;
    /* not the chip's own encoding, but the configuration zone changes by it, too */
    chip->configuration[52 + 8 * with->p2] = (uint8_t) ~*count;
  }
  uint8_t bytes[4] = {(uint8_t)*count, (uint8_t)(*count >> 8), (uint8_t)(*count >> 16), (uint8_t)(*count >> 24)};
  answer(chip, bytes, sizeof bytes);
  return ANSWERED;
}

static const struct {
  uint8_t opcode;
  uint32_t longest_us;
  execute_command *execute;
} COMMANDS[] = {
    {0x02, 5000, read},     {0x12, 45000, write}, {0x16, 20000, nonce},    {0x17, 35000, lock},  {0x1B, 23000, random},
    {0x24, 25000, counter}, {0x30, 5000, info},   {0x40, 115000, gen_key}, {0x41, 115000, sign},
};

static void execute(struct simulated_atecc608 *chip, uint8_t opcode, const struct parameters *with) {
  for (size_t i = 0; i < sizeof COMMANDS / sizeof *COMMANDS; i++) {
    if (COMMANDS[i].opcode != opcode) {
      continue;
    }
    if (chip->now + COMMANDS[i].longest_us > chip->awake_since + WATCHDOG_US) {
      answer_status(chip, STATUS_WATCHDOG);
      return;
    }
    chip->busy_until = chip->now + COMMANDS[i].longest_us;
    unsigned status = COMMANDS[i].execute(chip, with);
    if (status != ANSWERED) {
      answer_status(chip, (uint8_t)status);
    }
    return;
  }
  answer_status(chip, STATUS_PARSE);
}

/* STATES */

static void fall_asleep(struct simulated_atecc608 *chip) {
  chip->state = SIMULATED_ASLEEP;
  chip->has_temp_key = false;
  chip->is_seeded = false;
  chip->output_length = 0;
  chip->busy_until = 0;
}

static void wake_up(struct simulated_atecc608 *chip) {
  chip->state = SIMULATED_AWAKE;
  chip->awake_since = chip->now;
  chip->busy_until = chip->now + WAKE_HIGH_DELAY_US;
  answer_status(chip, 0x11);
}

static void go_on(struct simulated_atecc608 *chip, uint64_t microseconds) {
  chip->now += microseconds;
  if (chip->state == SIMULATED_AWAKE && chip->now >= chip->awake_since + WATCHDOG_US) {
    fall_asleep(chip);
  }
}

static bool acknowledges(struct simulated_atecc608 *chip) {
  if (chip->naks > 0) {
    chip->naks--;
    return false;
  }
  return chip->state == SIMULATED_AWAKE && chip->now >= chip->busy_until;
}

/* FAULTS */

static struct simulated_fault fault_of(const struct simulated_atecc608 *chip, unsigned command) {
  for (size_t i = 0; i < SIMULATED_FAULTS; i++) {
    if (chip->faults[i].kind != FAULT_NONE && chip->faults[i].command == command) {
      return chip->faults[i];
    }
  }
  return (struct simulated_fault){0};
}

static void take_command(struct simulated_atecc608 *chip, const uint8_t *packet, size_t length) {
  if (length < 7 || packet[0] != length || length > 160 ||
      ww_atecc608_crc(packet, length - 2) != (packet[length - 2] | packet[length - 1] << 8)) {
    answer_status(chip, STATUS_CRC);
    return;
  }
  const struct parameters with = {
      .p1 = packet[2], .p2 = (uint16_t)(packet[3] | packet[4] << 8), .data = packet + 5, .length = length - 7};
  execute(chip, packet[1], &with);
}

static void fail_after(struct simulated_atecc608 *chip, enum simulated_fault_kind kind) {
  switch (kind) {
    case FAULT_ANSWER_LOST: chip->output_length = 0; break;
    case FAULT_ANSWER_BIT: chip->output[chip->output_length / 2] ^= 0x10; break;
    case FAULT_ANSWER_CRC: chip->output[chip->output_length - 1] ^= 0xFF; break;
    case FAULT_SLEEP_AFTER: fall_asleep(chip); break;
    case FAULT_RESTART_AFTER:
      fall_asleep(chip);
      wake_up(chip);
      break;
    default: break;
  }
}

/** Whether the command was acknowledged. */
static bool receive_command(struct simulated_atecc608 *chip, const uint8_t *packet, size_t length) {
  uint8_t flipped[160];
  struct simulated_fault fault = fault_of(chip, ++chip->commands);
  switch (fault.kind) {
    case FAULT_COMMAND_LOST: return true;
    case FAULT_SLEEP_BEFORE: fall_asleep(chip); return false;
    case FAULT_SLEEP_DURING: fall_asleep(chip); return true;
    case FAULT_STATUS: answer_status(chip, fault.status); return true;
    case FAULT_COMMAND_BIT:
      memcpy(flipped, packet, length);
      flipped[length / 2] ^= 0x10;
      packet = flipped;
      break;
    case FAULT_RESTART_BEFORE:
      fall_asleep(chip);
      wake_up(chip);
      chip->busy_until = chip->now;
      break;
    default: break;
  }
  take_command(chip, packet, length);
  fail_after(chip, fault.kind);
  return true;
}

/* THE PORT */

static enum ww_error port_wake(void *context) {
  struct simulated_atecc608 *chip = context;
  go_on(chip, WAKE_LOW_US);
  if (chip->lost_wakes > 0) {
    chip->lost_wakes--;
  } else if (chip->state != SIMULATED_AWAKE) {
    wake_up(chip);
  }
  return WW_OK;
}

static enum ww_error port_write(void *context, const uint8_t *bytes, size_t length) {
  struct simulated_atecc608 *chip = context;
  go_on(chip, BYTE_US);
  if (!acknowledges(chip)) {
    return WW_CHIP_SILENT;
  }
  go_on(chip, BYTE_US * length);
  if (chip->state != SIMULATED_AWAKE) {
    return WW_CHIP_SILENT;
  }
  switch (bytes[0]) {
    case 0x01: fall_asleep(chip); break;
    case 0x02: chip->state = SIMULATED_IDLE; break;
    case 0x03: return receive_command(chip, bytes + 1, length - 1) ? WW_OK : WW_CHIP_SILENT;
    default: break;
  }
  return WW_OK;
}

static enum ww_error port_read(void *context, uint8_t *bytes, size_t length) {
  struct simulated_atecc608 *chip = context;
  go_on(chip, BYTE_US);
  if (!acknowledges(chip) || chip->output_length == 0) {
    return WW_CHIP_SILENT;
  }
  go_on(chip, BYTE_US * length);
  for (size_t i = 0; i < length; i++) {
    bytes[i] = i < chip->output_length ? chip->output[i] : 0xFF;
  }
  return WW_OK;
}

static void port_wait(void *context, uint32_t microseconds) {
  go_on(context, microseconds);
}

struct ww_i2c_port simulated_atecc608_port(struct simulated_atecc608 *chip) {
  return (struct ww_i2c_port){
      .context = chip, .wake = port_wake, .write = port_write, .read = port_read, .wait = port_wait};
}

/* LIFE */

void simulated_atecc608_init(struct simulated_atecc608 *chip, struct simulated_curve curve) {
  static const uint8_t factory[20] = {
      0x01, 0x23, 0x6A, 0x5B,       /* serial number, first part */
      0x00, 0x00, 0x60, 0x02,       /* revision */
      0x4C, 0x3D, 0x2E, 0x1F, 0xEE, /* serial number, second part */
      0x01, 0x01, 0x00,             /* AES_Enable, I2C_Enable, reserved */
      0xC0, 0x00, 0x00, 0x00,       /* I2C_Address, reserved, CountMatch, ChipMode */
  };
  static const uint8_t zero_count[8] = {0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x00};
  memset(chip, 0, sizeof *chip);
  chip->curve = curve;
  chip->random = 1;
  memcpy(chip->configuration, factory, sizeof factory);
  for (size_t slot = 0; slot < SIMULATED_SLOTS; slot++) {
    /* what no slot may stay: P-256 keys for every use, ECDH and internal signatures among them */
    chip->configuration[20 + 2 * slot] = 0x87;
    chip->configuration[21 + 2 * slot] = 0x20;
    chip->configuration[96 + 2 * slot] = 0x33;
  }
  memcpy(chip->configuration + 52, zero_count, sizeof zero_count);
  memcpy(chip->configuration + 60, zero_count, sizeof zero_count);
  chip->configuration[LOCK_VALUE] = UNLOCKED;
  chip->configuration[LOCK_CONFIG] = UNLOCKED;
  chip->configuration[SLOT_LOCKED] = 0xFF;
  chip->configuration[SLOT_LOCKED + 1] = 0xFF;
}

void simulated_atecc608_restart(struct simulated_atecc608 *chip) {
  fall_asleep(chip);
  chip->commands = 0;
}
