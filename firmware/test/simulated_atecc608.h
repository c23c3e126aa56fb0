/**
 * An ATECC608 on a bus, packet by packet, behind a struct ww_i2c_port: asleep, idle or awake; busy for as long as a
 * command takes; its watchdog, its locks, its rules for the configuration zone, TempKey, its counters. Time is
 * simulated: it goes on by what is waited and by what the bus transfers.
 *
 * Where the data sheet leaves a thing open, it is as unfriendly as it may be: every command takes its maximal execution
 * time, each sleep costs the seed and the next random number a write into EEPROM, the answer to the last one can be read
 * again and again until there is another, and TempKey is gone once it has been signed.
 *
 * It is a plain struct: a copy of it is a chip in the same state. The arithmetic of P-256 is elsewhere, behind `curve`.
 */
#ifndef WW_SIMULATED_ATECC608_H
#define WW_SIMULATED_ATECC608_H

#include "atecc608.h"

#define SIMULATED_SLOTS 16

/** Each tells whether it succeeded; false = a fault in the arithmetic (status 0x05). */
struct simulated_curve {
  void *context;
  /** Makes a private key for a slot; x ‖ y of its public key. */
  bool (*make_key)(void *context, uint8_t slot, uint8_t key[64]);
  /** r ‖ s over a digest, with the private key of a slot. */
  bool (*sign)(void *context, uint8_t slot, const uint8_t digest[32], uint8_t signature[64]);
};

/** No curve at all, only bytes: keys and signatures that tell slot, number and digest apart. `made` counts keys. */
struct fake_curve {
  uint8_t made;
};
struct simulated_curve fake_curve(struct fake_curve *fake);
/** What fake_curve signs with the key made as the `made`th (from 1). */
void fake_signature(uint8_t slot, uint8_t made, const uint8_t digest[32], uint8_t signature[64]);
void fake_key(uint8_t slot, uint8_t made, uint8_t key[64]);

/** What may go wrong with a command, or with its answer. */
enum simulated_fault_kind {
  FAULT_NONE,
  FAULT_COMMAND_LOST,   /* acknowledged, but never taken for a command */
  FAULT_COMMAND_BIT,    /* a bit of it is flipped on its way in */
  FAULT_ANSWER_LOST,    /* executed; there is nothing to read */
  FAULT_ANSWER_BIT,     /* executed; a bit of its answer is flipped on its way out */
  FAULT_ANSWER_CRC,     /* executed; the CRC of its answer is wrong */
  FAULT_STATUS,         /* not executed: answers `status` */
  FAULT_SLEEP_BEFORE,   /* the watchdog comes just before it */
  FAULT_SLEEP_DURING,   /* the watchdog comes before it is executed */
  FAULT_SLEEP_AFTER,    /* the watchdog comes when it is executed, before its answer is read */
  FAULT_RESTART_BEFORE, /* asleep just before it, and woken by what else is on the bus */
  FAULT_RESTART_AFTER,  /* executed; asleep before its answer is read, and woken by what else is on the bus */
};

struct simulated_fault {
  unsigned command; /* the how manyeth command since power-up, from 1 */
  enum simulated_fault_kind kind;
  uint8_t status; /* of FAULT_STATUS */
};

#define SIMULATED_FAULTS 8

struct simulated_atecc608 {
  struct simulated_curve curve;

  /* set these at will */
  struct simulated_fault faults[SIMULATED_FAULTS];
  unsigned naks;       /* so many transfers are not acknowledged from now on */
  unsigned lost_wakes; /* so many wakes are not noticed from now on */

  /* look at these */
  unsigned commands;   /* since power-up */
  unsigned signatures; /* made, read or not */
  unsigned unseeded;   /* of these, the ones before the first random number since power-up or sleep */
  unsigned seeds;      /* written into its EEPROM */
  unsigned increments; /* of both counters */
  unsigned writes;     /* of configuration words */
  uint64_t now;        /* us */

  /* what survives a loss of power */
  uint8_t configuration[WW_ATECC608_CONFIGURATION_LENGTH];
  bool has_key[SIMULATED_SLOTS];
  uint8_t keys[SIMULATED_SLOTS][64]; /* the public ones */
  uint32_t counters[2];

  /* and what does not */
  enum { SIMULATED_ASLEEP, SIMULATED_IDLE, SIMULATED_AWAKE } state;
  uint64_t awake_since;
  uint64_t busy_until;
  bool is_seeded;
  bool has_temp_key;
  uint8_t temp_key[32];
  uint8_t output[67];
  size_t output_length; /* 0 = there is nothing to read */
  uint32_t random;
};

/** A new chip, as from the factory: nothing configured, nothing locked. */
void simulated_atecc608_init(struct simulated_atecc608 *chip, struct simulated_curve curve);

/** Its power fails and comes back. The faults stay, commands are counted from 0. */
void simulated_atecc608_restart(struct simulated_atecc608 *chip);

struct ww_i2c_port simulated_atecc608_port(struct simulated_atecc608 *chip);

#endif
