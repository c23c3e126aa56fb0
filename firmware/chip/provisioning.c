#include "provisioning.h"

#include <string.h>

#define KEY_SLOT 0

#define COUNTER_BEGIN 52
#define COUNTER_END 68
#define SLOT_LOCKED 88

/** What is wanted; the bytes that are left as they are are zero here, and told by is_left(). */
static const uint8_t WANTED[WW_ATECC608_CONFIGURATION_LENGTH] = {
    /*   0 */ 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    /*  16 */ 0xC0, 0x00, 0x00, 0x00,                                                 /* I2C_Address to ChipMode */
    /*  20 */ 0x81, 0x20, 0x9F, 0x8F, 0x9F, 0x8F, 0x9F, 0x8F, 0x9F, 0x8F, 0x9F, 0x8F, /* SlotConfig */
    /*  32 */ 0x9F, 0x8F, 0x9F, 0x8F, 0x9F, 0x8F, 0x9F, 0x8F, 0x9F, 0x8F, 0x9F, 0x8F, 0x9F, 0x8F, 0x9F, 0x8F,
    /*  48 */ 0x9F, 0x8F, 0x9F, 0x8F,
    /*  52 */ 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x00, /* Counter 0 */
    /*  60 */ 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x00, /* Counter 1 */
    /*  68 */ 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,       /* UseLock to KdfIvStr */
    /*  75 */ 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    /*  84 */ 0x00, 0x00, 0x00, 0x00,
    /*  88 */ 0xFF, 0xFF, 0x00, 0x0A, /* SlotLocked, ChipOptions */
    /*  92 */ 0x00, 0x00, 0x00, 0x00, /* X509format */
    /*  96 */ 0x33, 0x00, 0x1C, 0x00, 0x1C, 0x00, 0x1C, 0x00, 0x1C, 0x00, 0x1C, 0x00, 0x1C, 0x00, 0x1C, 0x00,
    /* 112 */ 0x1C, 0x00, 0x1C, 0x00, 0x1C, 0x00, 0x1C, 0x00, 0x1C, 0x00, 0x1C, 0x00, 0x1C, 0x00, 0x1C, 0x00,
};

static bool is_left(size_t address) {
  return address < 16 || address == 17 || (address >= 75 && address < 88);
}

/** The bits of a byte that must be as wanted. */
static uint8_t compared_bits(size_t address, bool locked) {
  bool counts = address >= COUNTER_BEGIN && address < COUNTER_END;
  if (is_left(address) || (counts && locked)) {
    return 0x00;
  }
  return address == SLOT_LOCKED && locked ? 0xFF & ~(1u << KEY_SLOT) : 0xFF;
}

static void compare(struct ww_chip_inspection *inspection) {
  inspection->differences = 0;
  for (size_t address = 0; address < WW_ATECC608_CONFIGURATION_LENGTH; address++) {
    uint8_t bits = compared_bits(address, inspection->configuration_locked);
    uint8_t is = inspection->configuration[address];
    inspection->wanted[address] = (uint8_t)((WANTED[address] & bits) | (is & ~bits));
    inspection->differences += inspection->wanted[address] != is;
  }
}

static WW_RESULT inspect_key(struct ww_atecc608 *chip, struct ww_chip_inspection *inspection) {
  enum ww_error error = ww_atecc608_public_key(chip, KEY_SLOT, inspection->key);
  /* an empty slot is refused, or is no point of the curve */
  if (error == WW_CHIP_REFUSED || error == WW_CHIP_FAULT) {
    return WW_OK;
  }
  inspection->key_made = error == WW_OK;
  return error;
}

WW_RESULT ww_chip_inspect(struct ww_atecc608 *chip, struct ww_chip_inspection *inspection) {
  memset(inspection, 0, sizeof *inspection);
  WW_TRY(ww_atecc608_revision(chip, inspection->revision));
  WW_TRY(ww_atecc608_serial_number(chip, inspection->serial));
  struct ww_atecc608_locks locks;
  WW_TRY(ww_atecc608_locks(chip, &locks));
  inspection->configuration_locked = locks.configuration;
  inspection->data_locked = locks.data;
  inspection->key_locked = locks.slots >> KEY_SLOT & 1;
  WW_TRY(ww_atecc608_read_configuration(chip, inspection->configuration));
  compare(inspection);
  return locks.configuration ? inspect_key(chip, inspection) : WW_OK;
}

/* STEPS */

static WW_RESULT require_wanted(const struct ww_chip_inspection *inspection) {
  return inspection->differences == 0 ? WW_OK : WW_CHIP_DIFFERS;
}

static WW_RESULT write_difference(struct ww_atecc608 *chip, const struct ww_chip_inspection *inspection) {
  for (uint8_t address = 0; address < WW_ATECC608_CONFIGURATION_LENGTH; address += 4) {
    const uint8_t *word = inspection->wanted + address;
    if (memcmp(word, inspection->configuration + address, 4) != 0) {
      WW_TRY(ww_atecc608_write_configuration(chip, address, word));
    }
  }
  return WW_OK;
}

WW_RESULT ww_chip_configure(struct ww_atecc608 *chip) {
  struct ww_chip_inspection inspection;
  WW_TRY(ww_chip_inspect(chip, &inspection));
  if (inspection.differences > 0 && !inspection.configuration_locked) {
    WW_TRY(write_difference(chip, &inspection));
    WW_TRY(ww_chip_inspect(chip, &inspection));
  }
  return require_wanted(&inspection);
}

WW_RESULT ww_chip_lock_configuration(struct ww_atecc608 *chip) {
  struct ww_chip_inspection inspection;
  WW_TRY(ww_chip_inspect(chip, &inspection));
  WW_TRY(require_wanted(&inspection));
  return ww_atecc608_lock_configuration(chip, inspection.wanted);
}

static WW_RESULT inspect_locked(struct ww_atecc608 *chip, struct ww_chip_inspection *inspection) {
  WW_TRY(ww_chip_inspect(chip, inspection));
  if (!inspection->configuration_locked) {
    return WW_CHIP_UNLOCKED;
  }
  return require_wanted(inspection);
}

WW_RESULT ww_chip_make_key(struct ww_atecc608 *chip, uint8_t key[64]) {
  struct ww_chip_inspection inspection;
  WW_TRY(inspect_locked(chip, &inspection));
  if (inspection.key_made) {
    memcpy(key, inspection.key, 64);
    return WW_OK;
  }
  return ww_atecc608_make_key(chip, KEY_SLOT, key);
}

WW_RESULT ww_chip_lock_data(struct ww_atecc608 *chip) {
  struct ww_chip_inspection inspection;
  WW_TRY(inspect_locked(chip, &inspection));
  if (!inspection.key_made) {
    return WW_CHIP_UNLOCKED;
  }
  return ww_atecc608_lock_data(chip);
}

WW_RESULT ww_chip_lock_key(struct ww_atecc608 *chip, const uint8_t key[64]) {
  struct ww_chip_inspection inspection;
  WW_TRY(inspect_locked(chip, &inspection));
  if (!inspection.key_made || !inspection.data_locked) {
    return WW_CHIP_UNLOCKED;
  }
  if (memcmp(inspection.key, key, 64) != 0) {
    return WW_CHIP_DIFFERS;
  }
  return ww_atecc608_lock_slot(chip, KEY_SLOT);
}
