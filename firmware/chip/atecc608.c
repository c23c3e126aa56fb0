#include "atecc608.h"

#include <string.h>

/* what a write to the bus begins with */
#define WORD_ADDRESS_SLEEP 0x01
#define WORD_ADDRESS_IDLE 0x02
#define WORD_ADDRESS_COMMAND 0x03

enum opcode {
  READ = 0x02,
  WRITE = 0x12,
  NONCE = 0x16,
  LOCK = 0x17,
  RANDOM = 0x1B,
  COUNTER = 0x24,
  INFO = 0x30,
  GEN_KEY = 0x40,
  SIGN = 0x41,
};

#define INFO_REVISION 0x00
#define ZONE_CONFIGURATION 0x00
#define ZONE_32_BYTES 0x80
#define NONCE_PASS_THROUGH 0x03
#define SIGN_EXTERNAL 0x80
#define GEN_KEY_PUBLIC 0x00
#define GEN_KEY_CREATE 0x04
#define COUNTER_READ 0x00
#define COUNTER_INCREMENT 0x01
#define LOCK_CONFIGURATION 0x00
#define LOCK_DATA_WITHOUT_CRC 0x81
#define LOCK_SLOT 0x02

#define LONGEST_DATA 32
#define LONGEST_ANSWER 64

#define WAKE_HIGH_DELAY_US 2000 /* tWHI is 1500 */
#define POLL_US 1000
#define ATTEMPTS 4
#define PAUSE_US 25000 /* between attempts: longer than most commands that may still be running */

struct command {
  enum opcode opcode;
  uint8_t p1;
  uint16_t p2;
  const uint8_t *data;
  uint8_t data_length;
  uint8_t *answer; /* NULL: a status is all it answers */
  uint8_t answer_length;
};

/** Maximal execution time at clock divider 0, the one that provisioning sets. */
static uint32_t execution_ms(enum opcode opcode) {
  switch (opcode) {
    case INFO:
    case READ: return 5;
    case NONCE: return 20;
    case RANDOM: return 23;
    case COUNTER: return 25;
    case LOCK: return 35;
    case WRITE: return 45;
    case GEN_KEY:
    case SIGN: return 115;
  }
  return 0;
}

uint16_t ww_atecc608_crc(const uint8_t *bytes, size_t length) {
  uint16_t crc = 0;
  for (size_t i = 0; i < length; i++) {
    for (unsigned bit = 0; bit < 8; bit++) {
      unsigned differ = (unsigned)(bytes[i] >> bit & 1) ^ (unsigned)(crc >> 15);
      crc = (uint16_t)(crc << 1);
      if (differ) {
        crc ^= 0x8005;
      }
    }
  }
  return crc;
}

static void store_crc(uint8_t *bytes, size_t length) {
  uint16_t crc = ww_atecc608_crc(bytes, length);
  bytes[length] = (uint8_t)crc;
  bytes[length + 1] = (uint8_t)(crc >> 8);
}

static bool has_crc(const uint8_t *bytes, size_t length) {
  uint16_t crc = ww_atecc608_crc(bytes, length);
  return bytes[length] == (uint8_t)crc && bytes[length + 1] == (uint8_t)(crc >> 8);
}

/* PACKETS */

static enum ww_error status_error(uint8_t status) {
  switch (status) {
    case 0x00: return WW_OK;
    case 0x03: return WW_CHIP_REFUSED;  /* cannot be parsed */
    case 0x05: return WW_CHIP_FAULT;    /* in its arithmetic; may succeed the next time */
    case 0x07: return WW_CHIP_FAULT;    /* in its self-test */
    case 0x08: return WW_CHIP_FAULT;    /* in its random number generator */
    case 0x0F: return WW_CHIP_REFUSED;  /* cannot be executed in this state */
    case 0x11: return WW_CHIP_SILENT;   /* it has just woken: it has slept instead of answering */
    case 0xEE: return WW_CHIP_SILENT;   /* the watchdog would come before the answer */
    case 0xFF: return WW_CHIP_CHECKSUM; /* the command's CRC */
    default: return WW_CHIP_CHECKSUM;
  }
}

/** An answer is count, bytes, CRC; four bytes long, it is a status. */
static WW_RESULT check_answer(const uint8_t *packet, size_t expected) {
  size_t count = packet[0];
  if (count < 4 || count > expected + 3 || !has_crc(packet, count - 2)) {
    return WW_CHIP_CHECKSUM;
  }
  if (count == 4) {
    WW_TRY(status_error(packet[1]));
  }
  return count == expected + 3 ? WW_OK : WW_CHIP_CHECKSUM;
}

static WW_RESULT send(struct ww_atecc608 *chip, const struct command *command) {
  uint8_t packet[1 + 5 + LONGEST_DATA + 2];
  uint8_t count = (uint8_t)(7 + command->data_length);
  packet[0] = WORD_ADDRESS_COMMAND;
  packet[1] = count;
  packet[2] = (uint8_t)command->opcode;
  packet[3] = command->p1;
  packet[4] = (uint8_t)command->p2;
  packet[5] = (uint8_t)(command->p2 >> 8);
  if (command->data_length > 0) {
    memcpy(packet + 6, command->data, command->data_length);
  }
  store_crc(packet + 1, count - 2u);
  return chip->port.write(chip->port.context, packet, 1u + count);
}

static WW_RESULT receive(struct ww_atecc608 *chip, const struct command *command) {
  uint8_t packet[1 + LONGEST_ANSWER + 2];
  size_t expected = command->answer == NULL ? 1 : command->answer_length;
  uint32_t limit_us = execution_ms(command->opcode) * 1000;
  enum ww_error error = WW_CHIP_SILENT;
  for (uint32_t waited = 0; waited <= limit_us && error == WW_CHIP_SILENT; waited += POLL_US) {
    chip->port.wait(chip->port.context, POLL_US);
    error = chip->port.read(chip->port.context, packet, expected + 3);
  }
  WW_TRY(error);
  WW_TRY(check_answer(packet, expected));
  if (command->answer != NULL) {
    memcpy(command->answer, packet + 1, expected);
  }
  return WW_OK;
}

/* TRANSACTIONS */

WW_RESULT ww_atecc608_wake(struct ww_atecc608 *chip) {
  uint8_t packet[4];
  WW_TRY(chip->port.wake(chip->port.context));
  chip->port.wait(chip->port.context, WAKE_HIGH_DELAY_US);
  WW_TRY(chip->port.read(chip->port.context, packet, sizeof packet));
  static const uint8_t awake[4] = {0x04, 0x11, 0x33, 0x43};
  if (memcmp(packet, awake, sizeof awake) == 0) {
    return WW_OK;
  }
  /* any other status, be it success, is the answer to an older command: it had not slept */
  return check_answer(packet, 1) == WW_CHIP_FAULT ? WW_CHIP_FAULT : WW_CHIP_CHECKSUM;
}

WW_RESULT ww_atecc608_sleep(struct ww_atecc608 *chip) {
  static const uint8_t sleep[1] = {WORD_ADDRESS_SLEEP};
  return chip->port.write(chip->port.context, sleep, sizeof sleep);
}

static WW_RESULT idle(struct ww_atecc608 *chip) {
  static const uint8_t idle[1] = {WORD_ADDRESS_IDLE};
  return chip->port.write(chip->port.context, idle, sizeof idle);
}

/**
 * Idle it keeps its seed, so that it has none to write; only after an error is it to forget everything. Where neither
 * reaches it, its watchdog puts it to sleep.
 */
static void rest(struct ww_atecc608 *chip, enum ww_error error) {
  enum ww_error not_resting = error == WW_OK ? idle(chip) : ww_atecc608_sleep(chip);
  (void)not_resting;
}

/**
 * No two commands of one transaction may have answers of the same length: where a command is lost on its way, what is
 * read is the answer to the one before.
 */
static WW_RESULT transact_once(struct ww_atecc608 *chip, const struct command *commands, size_t count) {
  enum ww_error error = ww_atecc608_wake(chip);
  for (size_t i = 0; i < count && error == WW_OK; i++) {
    error = send(chip, &commands[i]);
    if (error == WW_OK) {
      error = receive(chip, &commands[i]);
    }
  }
  rest(chip, error);
  return error;
}

static bool is_worth_repeating(enum ww_error error, size_t count) {
  /* a later command may have been refused because TempKey was lost before it */
  return error == WW_CHIP_SILENT || error == WW_CHIP_CHECKSUM || error == WW_CHIP_FAULT ||
         (error == WW_CHIP_REFUSED && count > 1);
}

static WW_RESULT transact(struct ww_atecc608 *chip, const struct command *commands, size_t count) {
  enum ww_error error = transact_once(chip, commands, count);
  for (unsigned attempt = 1; attempt < ATTEMPTS && is_worth_repeating(error, count); attempt++) {
    chip->port.wait(chip->port.context, PAUSE_US);
    error = transact_once(chip, commands, count);
  }
  return error;
}

/* OPERATIONS */

void ww_atecc608_init(struct ww_atecc608 *chip, struct ww_i2c_port port) {
  chip->port = port;
  chip->provisioned = false;
  chip->signatures = 0;
}

WW_RESULT ww_atecc608_revision(struct ww_atecc608 *chip, uint8_t revision[4]) {
  const struct command info = {.opcode = INFO, .p1 = INFO_REVISION, .answer = revision, .answer_length = 4};
  WW_TRY(transact(chip, &info, 1));
  return revision[2] == 0x60 ? WW_OK : WW_CHIP_UNKNOWN;
}

WW_RESULT ww_atecc608_random(struct ww_atecc608 *chip, uint8_t bytes[32]) {
  const struct command random = {.opcode = RANDOM, .answer = bytes, .answer_length = 32};
  WW_TRY(transact(chip, &random, 1));
  for (size_t i = 0; i < 32; i++) {
    if (bytes[i] != (i % 4 < 2 ? 0xFF : 0x00)) {
      return WW_OK;
    }
  }
  return WW_CHIP_UNLOCKED;
}

static WW_RESULT gen_key(struct ww_atecc608 *chip, uint8_t mode, uint8_t slot, uint8_t key[64]) {
  const struct command gen_key = {.opcode = GEN_KEY, .p1 = mode, .p2 = slot, .answer = key, .answer_length = 64};
  return transact(chip, &gen_key, 1);
}

WW_RESULT ww_atecc608_make_key(struct ww_atecc608 *chip, uint8_t slot, uint8_t key[64]) {
  return gen_key(chip, GEN_KEY_CREATE, slot, key);
}

WW_RESULT ww_atecc608_public_key(struct ww_atecc608 *chip, uint8_t slot, uint8_t key[64]) {
  return gen_key(chip, GEN_KEY_PUBLIC, slot, key);
}

WW_RESULT ww_atecc608_sign(struct ww_atecc608 *chip, uint8_t slot, const uint8_t digest[32], uint8_t signature[64]) {
  uint8_t unused[32];
  const struct command commands[] = {
      /* only for its seed, which it renews where it has none: a signature's k must never come twice from one seed */
      {.opcode = RANDOM, .answer = unused, .answer_length = sizeof unused},
      {.opcode = NONCE, .p1 = NONCE_PASS_THROUGH, .data = digest, .data_length = 32},
      {.opcode = SIGN, .p1 = SIGN_EXTERNAL, .p2 = slot, .answer = signature, .answer_length = 64},
  };
  WW_TRY(transact(chip, commands, sizeof commands / sizeof *commands));
  chip->signatures++;
  return WW_OK;
}

/* COUNTERS */

/** Unlike everything else on the bus, a count is little-endian. */
static uint32_t load_count(const uint8_t bytes[4]) {
  return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static struct command counter_command(uint8_t mode, uint8_t counter, uint8_t answer[4]) {
  return (struct command){.opcode = COUNTER, .p1 = mode, .p2 = counter, .answer = answer, .answer_length = 4};
}

WW_RESULT ww_atecc608_counter(struct ww_atecc608 *chip, uint8_t counter, uint32_t *value) {
  uint8_t answer[4];
  const struct command read = counter_command(COUNTER_READ, counter, answer);
  WW_TRY(transact(chip, &read, 1));
  *value = load_count(answer);
  return *value <= WW_ATECC608_COUNTER_LIMIT ? WW_OK : WW_CHIP_CHECKSUM;
}

WW_RESULT ww_atecc608_increment(struct ww_atecc608 *chip, uint8_t counter, uint32_t *value) {
  uint32_t before;
  WW_TRY(ww_atecc608_counter(chip, counter, &before));
  if (before == WW_ATECC608_COUNTER_LIMIT) {
    return WW_COUNTER_ENDED;
  }
  uint8_t answer[4];
  const struct command increment = counter_command(COUNTER_INCREMENT, counter, answer);
  enum ww_error error = WW_OK;
  for (unsigned attempt = 0; attempt < ATTEMPTS; attempt++) {
    error = transact_once(chip, &increment, 1);
    /* the answer is not needed: what counts is what the counter says now */
    uint32_t now;
    WW_TRY(ww_atecc608_counter(chip, counter, &now));
    if (now > before) {
      *value = now;
      return WW_OK;
    }
    if (!is_worth_repeating(error, 1)) {
      break;
    }
  }
  return error == WW_OK ? WW_CHIP_FAULT : error;
}

/* CONFIGURATION */

static WW_RESULT read_block(struct ww_atecc608 *chip, uint8_t block, uint8_t bytes[32]) {
  const struct command read = {.opcode = READ,
                               .p1 = ZONE_CONFIGURATION | ZONE_32_BYTES,
                               .p2 = (uint16_t)(block << 3),
                               .answer = bytes,
                               .answer_length = 32};
  return transact(chip, &read, 1);
}

WW_RESULT ww_atecc608_read_configuration(struct ww_atecc608 *chip,
                                         uint8_t configuration[WW_ATECC608_CONFIGURATION_LENGTH]) {
  for (uint8_t block = 0; block < WW_ATECC608_CONFIGURATION_LENGTH / 32; block++) {
    WW_TRY(read_block(chip, block, configuration + block * 32));
  }
  return WW_OK;
}

WW_RESULT ww_atecc608_serial_number(struct ww_atecc608 *chip, uint8_t serial[WW_ATECC608_SERIAL_NUMBER_LENGTH]) {
  uint8_t block[32];
  WW_TRY(read_block(chip, 0, block));
  memcpy(serial, block, 4);
  memcpy(serial + 4, block + 8, 5);
  return WW_OK;
}

WW_RESULT ww_atecc608_write_configuration(struct ww_atecc608 *chip, uint8_t address, const uint8_t word[4]) {
  if (address % 4 != 0 || address >= WW_ATECC608_CONFIGURATION_LENGTH) {
    return WW_CHIP_REFUSED;
  }
  const struct command write = {
      .opcode = WRITE, .p1 = ZONE_CONFIGURATION, .p2 = address / 4, .data = word, .data_length = 4};
  return transact(chip, &write, 1);
}

/* LOCKS */

WW_RESULT ww_atecc608_locks(struct ww_atecc608 *chip, struct ww_atecc608_locks *locks) {
  uint8_t block[32]; /* bytes 64 to 95 */
  WW_TRY(read_block(chip, 2, block));
  locks->data = block[86 - 64] != 0x55;
  locks->configuration = block[87 - 64] != 0x55;
  locks->slots = (uint16_t) ~((unsigned)block[88 - 64] | (unsigned)block[89 - 64] << 8);
  return WW_OK;
}

/** Locks, and then looks: where the answer to a lock is lost, the chip refuses to lock again. */
static WW_RESULT lock(struct ww_atecc608 *chip, uint8_t mode, uint16_t crc, struct ww_atecc608_locks *locks) {
  const struct command lock = {.opcode = LOCK, .p1 = mode, .p2 = crc};
  enum ww_error error = transact(chip, &lock, 1);
  WW_TRY(ww_atecc608_locks(chip, locks));
  return error;
}

WW_RESULT ww_atecc608_lock_configuration(struct ww_atecc608 *chip,
                                         const uint8_t configuration[WW_ATECC608_CONFIGURATION_LENGTH]) {
  struct ww_atecc608_locks locks = {0};
  uint16_t crc = ww_atecc608_crc(configuration, WW_ATECC608_CONFIGURATION_LENGTH);
  enum ww_error error = lock(chip, LOCK_CONFIGURATION, crc, &locks);
  return locks.configuration ? WW_OK : error == WW_OK ? WW_CHIP_FAULT : error;
}

WW_RESULT ww_atecc608_lock_data(struct ww_atecc608 *chip) {
  /* without CRC: it would be over a private key that nobody can read */
  struct ww_atecc608_locks locks = {0};
  enum ww_error error = lock(chip, LOCK_DATA_WITHOUT_CRC, 0, &locks);
  return locks.data ? WW_OK : error == WW_OK ? WW_CHIP_FAULT : error;
}

WW_RESULT ww_atecc608_lock_slot(struct ww_atecc608 *chip, uint8_t slot) {
  if (slot > 15) {
    return WW_CHIP_REFUSED;
  }
  struct ww_atecc608_locks locks = {0};
  enum ww_error error = lock(chip, (uint8_t)(slot << 2 | LOCK_SLOT), 0, &locks);
  return locks.slots >> slot & 1 ? WW_OK : error == WW_OK ? WW_CHIP_FAULT : error;
}

/* SIGNER */

#define SIGNER_SLOT 0
#define SIGNER_COUNTER 0

static WW_RESULT require_provisioned(struct ww_atecc608 *chip) {
  if (chip->provisioned) {
    return WW_OK;
  }
  uint8_t revision[4];
  WW_TRY(ww_atecc608_revision(chip, revision));
  struct ww_atecc608_locks locks;
  WW_TRY(ww_atecc608_locks(chip, &locks));
  chip->provisioned = locks.configuration && locks.data;
  return chip->provisioned ? WW_OK : WW_CHIP_UNLOCKED;
}

static WW_RESULT signer_public_key(void *context, uint8_t key[64]) {
  WW_TRY(require_provisioned(context));
  return ww_atecc608_public_key(context, SIGNER_SLOT, key);
}

static WW_RESULT signer_sign(void *context, const uint8_t digest[32], uint8_t signature[64]) {
  WW_TRY(require_provisioned(context));
  return ww_atecc608_sign(context, SIGNER_SLOT, digest, signature);
}

static WW_RESULT signer_counter(void *context, uint32_t *value) {
  WW_TRY(require_provisioned(context));
  return ww_atecc608_counter(context, SIGNER_COUNTER, value);
}

static WW_RESULT signer_increment(void *context, uint32_t *value) {
  WW_TRY(require_provisioned(context));
  return ww_atecc608_increment(context, SIGNER_COUNTER, value);
}

struct ww_signer_port ww_atecc608_signer(struct ww_atecc608 *chip) {
  return (struct ww_signer_port){
      .context = chip,
      .public_key = signer_public_key,
      .sign = signer_sign,
      .counter = signer_counter,
      .increment = signer_increment,
  };
}
