#include "doctor.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hex.h"
#include "i2c_chip.h"
#include "provisioning.h"
#include "statement.h"

#define FASTEST_HZ 133000u /* eight zeros take 60 us */

static void tell(const char *what, const char *text) {
  printf("%-14s %s\n", what, text);
}

static void tell_bytes(const char *what, const uint8_t *bytes, size_t length, const char *remark) {
  char text[WW_HEX_LENGTH(64) + 1];
  *ww_hex(text, bytes, length) = '\0';
  printf("%-14s %s%s\n", what, text, remark);
}

static int amiss(const char *advice) {
  tell("what to do", advice);
  return 1;
}

/* THE BUS */

/** Hz, as the device tree says; 0 = it does not. */
static uint32_t speed_of(const char *path) {
  char file[300];
  uint8_t hz[4];
  const char *name = strrchr(path, '/');
  snprintf(file, sizeof file, "/sys/bus/i2c/devices%s/of_node/clock-frequency", name == NULL ? "" : name);
  int tree = open(file, O_RDONLY | O_CLOEXEC);
  ssize_t got = tree < 0 ? -1 : read(tree, hz, sizeof hz);
  if (tree >= 0) {
    close(tree);
  }
  return got == sizeof hz ? (uint32_t)hz[0] << 24 | (uint32_t)hz[1] << 16 | (uint32_t)hz[2] << 8 | hz[3] : 0;
}

static bool answers(struct i2c_chip *bus, uint8_t address) {
  struct ww_atecc608 chip;
  bus->address = address;
  ww_atecc608_init(&chip, i2c_chip_port(bus));
  bool is_awake = false;
  for (int attempt = 0; attempt < 3 && !is_awake; attempt++) {
    is_awake = ww_atecc608_wake(&chip) == WW_OK;
  }
  enum ww_error not_asleep = ww_atecc608_sleep(&chip); /* its watchdog does it then */
  (void)not_asleep;
  return is_awake;
}

static bool is_locked_variant_there(struct i2c_chip *bus) {
  static const uint8_t addresses[] = I2C_CHIP_LOCKED_ADDRESSES;
  bool is_there = false;
  for (size_t i = 0; i < sizeof addresses && !is_there; i++) {
    is_there = answers(bus, addresses[i]);
  }
  bus->address = I2C_CHIP_ADDRESS;
  return is_there;
}

static int look_for_wake(struct i2c_chip *bus, const char *path) {
  uint32_t hz = speed_of(path);
  if (hz != 0) {
    printf("%-14s %" PRIu32 " Hz\n", "speed", hz);
  }
  if (hz > FASTEST_HZ) {
    return amiss(
        "at this speed the chip is not woken: set the bus to 100 kHz (Raspberry Pi: in config.txt "
        "dtparam=i2c_arm_baudrate=100000).");
  }
  if (answers(bus, I2C_CHIP_ADDRESS)) {
    tell("wake", "it answers at 0x60");
    return 0;
  }
  tell("wake", "nothing answers at 0x60");
  if (is_locked_variant_there(bus)) {
    return amiss(
        "a chip answers at 0x35 or 0x36: it was locked at the factory (TNGTLS, TFLXTLS) and can never be "
        "configured for a meter. Take a blank ATECC608A or B.");
  }
  return amiss(
      "look at its wiring: 3.3 V, ground, SDA and SCL, each with a pull-up (a Raspberry Pi has them); then "
      "that it is an ATECC608 with an I2C interface.");
}

/* THE CHIP */

static const char *name_of(const uint8_t revision[4]) {
  return revision[3] >= 0x03 ? ", an ATECC608B" : ", an ATECC608A";
}

static const char *yes_or_no(bool is_so) {
  return is_so ? "yes" : "no";
}

static int look_at_chip(struct ww_atecc608 *chip) {
  struct ww_chip_inspection found;
  uint8_t revision[4] = {0};
  uint8_t key_id[WW_HASH_LENGTH];
  uint32_t count;
  enum ww_error error = ww_atecc608_revision(chip, revision);
  if (error == WW_CHIP_UNKNOWN) {
    tell_bytes("revision", revision, sizeof revision, ", which is no ATECC608 (an ATECC508A says 0x00005000)");
    return amiss("take a blank ATECC608A or B.");
  }
  if (error == WW_OK) {
    tell_bytes("revision", revision, sizeof revision, name_of(revision));
    error = ww_chip_inspect(chip, &found);
  }
  if (error == WW_OK) {
    error = ww_atecc608_counter(chip, 0, &count);
  }
  if (error != WW_OK) {
    tell("trouble", ww_error_text(error));
    return amiss("shorten its wires, and look at its supply; then try again.");
  }
  tell_bytes("serial number", found.serial, sizeof found.serial, "");
  printf("%-14s %u bytes are not as a meter's\n", "configuration", found.differences);
  tell("locked", yes_or_no(found.configuration_locked));
  tell("key made", yes_or_no(found.key_made));
  tell("data locked", yes_or_no(found.data_locked));
  tell("key locked", yes_or_no(found.key_locked));
  printf("%-14s %" PRIu32 " of %" PRIu32 " epochs\n", "counter", count, WW_ATECC608_COUNTER_LIMIT);
  if (found.key_made) {
    ww_key_id(found.key, key_id);
    tell_bytes("key id", key_id, sizeof key_id, "");
  }
  if (found.configuration_locked && found.differences > 0) {
    return amiss("it was locked as something else, for ever: take another one.");
  }
  if (!found.key_locked) {
    return amiss("it is not a meter's yet: start with --console, and type chip, which tells the next step.");
  }
  if (count == WW_ATECC608_COUNTER_LIMIT) {
    return amiss("its counter has come to its end: no epoch can begin any more. Take another one.");
  }
  tell("what to do", "nothing, it is ready to sign.");
  return 0;
}

int doctor(const char *path) {
  struct i2c_chip bus;
  struct ww_atecc608 chip;
  const char *problem = i2c_chip_open(&bus, path);
  if (problem != NULL) {
    tell("bus", "cannot be used");
    return amiss(problem);
  }
  tell("bus", path);
  int code = look_for_wake(&bus, path);
  if (code == 0) {
    ww_atecc608_init(&chip, i2c_chip_port(&bus));
    code = look_at_chip(&chip);
  }
  i2c_chip_close(&bus);
  return code;
}
