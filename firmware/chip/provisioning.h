/**
 * What an ATECC608 must be before it signs for a meter, and the steps that make it so. The steps are done in this
 * order, each only once the one before is done; a step that is done already is WW_OK and changes nothing. Those marked
 * IRREVERSIBLE cannot be undone by anybody: the caller asks a person first.
 *
 *   ww_chip_configure            writes the configuration, and reads it back
 *   ww_chip_lock_configuration   IRREVERSIBLE: the configuration is what it is for ever
 *   ww_chip_make_key             makes the key, inside
 *   ww_chip_lock_data            IRREVERSIBLE: no slot is written from outside any more
 *   ww_chip_lock_key             IRREVERSIBLE: the key is the chip's for ever
 *
 * The configuration zone, 128 bytes. "As it is": not written, not compared.
 *
 *   bytes    name                   wanted       what it does, and why so
 *   0-15     serial number, …       as it is     made at the factory; cannot be written
 *   16       I2C_Address            C0           0x60 in seven bits: a new chip's, one less thing to go wrong
 *   17       reserved               as it is
 *   18       CountMatch             00           the counters end at 2,097,151 and nowhere before
 *   19       ChipMode               00           bit 0 = 0: UserExtraAdd does not change the I2C address
 *                                                bit 1 = 0: input levels are fixed, not relative to the supply
 *                                                bit 2 = 0: the watchdog is 1.3 s, ten times what a signature takes
 *                                                bits 7-3 = 0: the fastest clock, the execution times of atecc608.c
 *   20-21    SlotConfig 0           81 20        the meter's key; its bits are below
 *   22-51    SlotConfig 1-15        9F 8F each   no use; their bits are below
 *   52-67    Counter 0, Counter 1   zero         FF FF FF FF 00 00 00 00 each. Compared only until the configuration is
 *                                                locked, as they count afterwards: epochs begin at the first
 *   68       UseLock                00           no transport lock: nothing must be unlocked before the key may sign
 *   69       VolatileKeyPermission  00           nor permitted after each power-up
 *   70-71    SecureBoot             00 00        the ESP32's own secure boot does that
 *   72-74    KdfIvLoc, KdfIvStr     00 00 00     no key is derived
 *   75-83    reserved               as it is
 *   84-85    UserExtra, -Add        as it is     mean nothing, as ChipMode bit 0 is 0; cannot be written
 *   86-87    LockValue, LockConfig  as it is     the two locks themselves; cannot be written
 *   88-89    SlotLocked             FF FF        bit n = 1: slot n is not locked; bit 0 is not compared once the
 *                                                configuration is locked, as ww_chip_lock_key clears it
 *   90       ChipOptions, low       00           no self-test at each wake (it would take its time), no I/O
 *                                                protection key, no key derivation by AES
 *   91       ChipOptions, high      0A           results of ECDH and KDF never leave the chip
 *   92-95    X509format             00 each      no certificate is validated
 *   96-97    KeyConfig 0            33 00        the meter's key; its bits are below
 *   98-127   KeyConfig 1-15         1C 00 each   no use; their bits are below
 *
 * Slot 0, SlotConfig 0x2081 (little-endian: 81 20)
 *   bit 0      1     signs digests that come from outside: heads, claims, rotations
 *   bit 1      0     signs nothing that the chip composes itself
 *   bit 2, 3   0     no ECDH: a shared secret says something about a key, and nobody needs one
 *   bit 4      0     NoMac means nothing for a P-256 key
 *   bit 5      0     not limited by a counter: epochs must not use up the key
 *   bit 6      0     no encrypted read
 *   bit 7      1     IsSecret: never read
 *   bits 8-11  0     WriteKey: none, as nothing is written
 *   bit 13     1     GenKey may make a key in it (until the slot is locked)
 *   bit 12, 14, 15  0     no write in the clear, no PrivWrite: no key comes from outside
 * Slot 0, KeyConfig 0x0033 (33 00)
 *   bit 0      1     Private: holds a private key
 *   bit 1      1     PubInfo: its public key may be asked for
 *   bits 2-4   4     KeyType: P-256
 *   bit 5      1     Lockable: can be locked on its own, so that the key can never be made anew
 *   bit 6      0     ReqRandom: no; the digest is passed through, not mixed with a random number
 *   bits 7-15  0     no authorisation before use, no persistent disable, no X.509 format
 *
 * Slots 1-15, SlotConfig 0x8F9F (9F 8F)
 *   bits 0-3   15    ReadKey: not 0, which would let CheckMac copy the slot's content into TempKey
 *   bit 4      1     NoMac
 *   bit 5      0     not limited by a counter, and so leaves Counter 0 alone
 *   bit 6, 7   0, 1  IsSecret without encrypted read: never read
 *   bits 8-11  15    WriteKey: a slot that nobody knows
 *   bits 12-15 8     never written: not in the clear, not encrypted, not by GenKey or DeriveKey
 * Slots 1-15, KeyConfig 0x001C (1C 00)
 *   bits 0, 1  0     no private key
 *   bits 2-4   7     KeyType: data
 *   the others 0     nothing to lock, nothing to authorise
 */
#ifndef WW_PROVISIONING_H
#define WW_PROVISIONING_H

#include "atecc608.h"

/** How far a chip has come. All false and `differences` not 0: a new chip, or one that is configured otherwise. */
struct ww_chip_inspection {
  uint8_t revision[4];
  uint8_t serial[WW_ATECC608_SERIAL_NUMBER_LENGTH];

  bool configuration_locked;
  bool key_made;
  bool data_locked;
  bool key_locked;
  uint8_t key[64]; /* x ‖ y, once it is made; else zeros */

  uint8_t configuration[WW_ATECC608_CONFIGURATION_LENGTH]; /* as read */
  uint8_t wanted[WW_ATECC608_CONFIGURATION_LENGTH];        /* equal to it where it is left as it is */
  unsigned differences;                                    /* bytes in which the two differ; 0 = configured */
};

/** Changes nothing. WW_CHIP_UNKNOWN: it is no ATECC608. */
WW_RESULT ww_chip_inspect(struct ww_atecc608 *chip, struct ww_chip_inspection *inspection);

/**
 * Writes what differs, and verifies it. May be repeated until the configuration is locked.
 * WW_CHIP_DIFFERS: it did not become what is wanted, or it is locked as something else: that chip is of no use here.
 */
WW_RESULT ww_chip_configure(struct ww_atecc608 *chip);

/** IRREVERSIBLE. WW_CHIP_DIFFERS: the configuration is not the one that is wanted; nothing was locked. */
WW_RESULT ww_chip_lock_configuration(struct ww_atecc608 *chip);

/**
 * Makes the key, unless there is one, and tells x ‖ y of it.
 * WW_CHIP_UNLOCKED: the configuration is not locked. WW_CHIP_DIFFERS: it is locked as something else.
 */
WW_RESULT ww_chip_make_key(struct ww_atecc608 *chip, uint8_t key[64]);

/**
 * IRREVERSIBLE. WW_CHIP_UNLOCKED: the configuration is not locked, or no key is made.
 * WW_CHIP_DIFFERS: the configuration is not the one that is wanted; nothing was locked.
 */
WW_RESULT ww_chip_lock_data(struct ww_atecc608 *chip);

/**
 * IRREVERSIBLE. Locks the key that ww_chip_make_key told, and no other.
 * WW_CHIP_UNLOCKED: no key is made, or the data zone is not locked.
 * WW_CHIP_DIFFERS: the configuration is not the one that is wanted, or the key another one; nothing was locked.
 */
WW_RESULT ww_chip_lock_key(struct ww_atecc608 *chip, const uint8_t key[64]);

#endif
