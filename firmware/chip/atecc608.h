/**
 * The secure element ATECC608 (A or B) over I2C. Every operation is a whole transaction (wake, commands, idle) and is
 * repeated as a whole, a few times, where the chip was silent or misunderstood. After an error it sleeps instead, and what
 * it held in between (TempKey) is gone then; its watchdog puts it to sleep on its own.
 *
 * Idle, because each sleep costs it the seed of its random numbers, and the next signature has it write another into
 * its EEPROM: 400,000 times at most, says its maker.
 *
 * Every operation may return
 *   WW_CHIP_SILENT    no acknowledgement, no answer in its time, or the watchdog came before it
 *   WW_CHIP_CHECKSUM  a CRC was wrong, here or there, or the answer is none to what was asked
 *   WW_CHIP_REFUSED   wrong parameter, or not allowed by the configuration or the locks
 *   WW_CHIP_FAULT     its self-test, its random number generator or its arithmetic failed
 */
#ifndef WW_ATECC608_H
#define WW_ATECC608_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "ports.h"

/** The bus, and on it the one address of the chip. An address that is not acknowledged is WW_CHIP_SILENT. */
struct ww_i2c_port {
  void *context;
  /** Holds SDA low for at least 60 us, then lets it go. Nobody acknowledges that. */
  WW_RESULT (*wake)(void *context);
  WW_RESULT (*write)(void *context, const uint8_t *bytes, size_t length);
  /** Always `length` bytes; beyond the end of its answer the chip leaves the bus high, which reads 0xFF. */
  WW_RESULT (*read)(void *context, uint8_t *bytes, size_t length);
  /** At least that long. */
  void (*wait)(void *context, uint32_t microseconds);
};

struct ww_atecc608 {
  struct ww_i2c_port port;
  bool provisioned;    /* found locked once; there is no way back */
  uint32_t signatures; /* made since the start */
};

#define WW_ATECC608_CONFIGURATION_LENGTH 128
#define WW_ATECC608_SERIAL_NUMBER_LENGTH 9
#define WW_ATECC608_COUNTER_LIMIT UINT32_C(2097151)

void ww_atecc608_init(struct ww_atecc608 *chip, struct ww_i2c_port port);

/** Wakes it, and believes only the answer of a chip that has just woken. Once: nothing is repeated. */
WW_RESULT ww_atecc608_wake(struct ww_atecc608 *chip);
WW_RESULT ww_atecc608_sleep(struct ww_atecc608 *chip);

/** The Info command: 00 00 60 xx. WW_CHIP_UNKNOWN: it is something else. */
WW_RESULT ww_atecc608_revision(struct ww_atecc608 *chip, uint8_t revision[4]);
WW_RESULT ww_atecc608_serial_number(struct ww_atecc608 *chip, uint8_t serial[WW_ATECC608_SERIAL_NUMBER_LENGTH]);
/** WW_CHIP_UNLOCKED: its configuration is not locked, and its random numbers are none until then. */
WW_RESULT ww_atecc608_random(struct ww_atecc608 *chip, uint8_t bytes[32]);

/** GenKey: makes a private key inside, and tells x ‖ y of its public key. The one that was there before is lost. */
WW_RESULT ww_atecc608_make_key(struct ww_atecc608 *chip, uint8_t slot, uint8_t key[64]);
/** GenKey: x ‖ y of the private key that is in the slot. */
WW_RESULT ww_atecc608_public_key(struct ww_atecc608 *chip, uint8_t slot, uint8_t key[64]);
/** Random (for its seed), Nonce in pass-through mode, Sign external: r ‖ s over the digest, with any s. */
WW_RESULT ww_atecc608_sign(struct ww_atecc608 *chip, uint8_t slot, const uint8_t digest[32], uint8_t signature[64]);

WW_RESULT ww_atecc608_counter(struct ww_atecc608 *chip, uint8_t counter, uint32_t *value);
/**
 * Counts one further and tells the new value, which is higher than any that was told before. Where an answer is lost,
 * the counter is read to find out whether it counted, so that one call never counts twice. (The chip itself may skip
 * values when its power fails while it counts.) After an error it may have counted once, untold.
 * WW_COUNTER_ENDED: it is at WW_ATECC608_COUNTER_LIMIT.
 */
WW_RESULT ww_atecc608_increment(struct ww_atecc608 *chip, uint8_t counter, uint32_t *value);

WW_RESULT ww_atecc608_read_configuration(struct ww_atecc608 *chip,
                                         uint8_t configuration[WW_ATECC608_CONFIGURATION_LENGTH]);
/** Writes four bytes at an address that is a multiple of four. */
WW_RESULT ww_atecc608_write_configuration(struct ww_atecc608 *chip, uint8_t address, const uint8_t word[4]);

struct ww_atecc608_locks {
  bool configuration;
  bool data;
  uint16_t slots; /* bit n: slot n is locked */
};
WW_RESULT ww_atecc608_locks(struct ww_atecc608 *chip, struct ww_atecc608_locks *locks);

/**
 * The three locks. IRREVERSIBLE. WW_OK where it is locked already. The chip locks its configuration only if it is, byte
 * for byte, the one that is given.
 */
WW_RESULT ww_atecc608_lock_configuration(struct ww_atecc608 *chip,
                                         const uint8_t configuration[WW_ATECC608_CONFIGURATION_LENGTH]);
WW_RESULT ww_atecc608_lock_data(struct ww_atecc608 *chip);
WW_RESULT ww_atecc608_lock_slot(struct ww_atecc608 *chip, uint8_t slot);

/** The core's signer: key slot 0 and counter 0. WW_CHIP_UNLOCKED unless configuration and data zone are locked. */
struct ww_signer_port ww_atecc608_signer(struct ww_atecc608 *chip);

/** The chip's CRC-16: polynomial 0x8005, begun with 0, each byte's lowest bit first. Sent little-endian. */
uint16_t ww_atecc608_crc(const uint8_t *bytes, size_t length);

#endif
