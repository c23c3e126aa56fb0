/**
 * A secure element on an I2C bus of Linux where there is none: preloaded (LD_PRELOAD), it stands in for the system calls that
 * i2c_chip.c makes on /dev/i2c-7, with the simulated chip (simulated_atecc608.h) behind them and P-256 by Mbed TLS. Time goes on
 * as it really does. It is told by its environment:
 *
 *   SIMULATED_CHIP=FILE    where the chip lies between two programs; made, as from the factory, where it is missing
 *   SIMULATED_ADDRESS=N    where it answers, if not at 0x60 (96)
 *   SIMULATED_SILENT=1     there is none on the bus
 *   SIMULATED_REVISION=N   the third byte of its revision, if not 0x60 (96)
 *   SIMULATED_OPEN=N       opening the bus fails with this errno
 *   SIMULATED_BIND=N       addressing the chip does
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/i2c-dev.h>
#include <psa/crypto.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "simulated_atecc608.h"

#define BUS "/dev/i2c-7"

/** What lies in the file: the chip, and beside it what no chip tells. */
struct kept {
  struct simulated_atecc608 chip;
  uint8_t private_keys[SIMULATED_SLOTS][32];
};

static struct kept *kept;
static int bus = -1;
static long address;
static uint64_t last; /* us */

static long told(const char *name, long otherwise) {
  const char *value = getenv(name);
  return value == NULL ? otherwise : strtol(value, NULL, 0);
}

/* P-256 */

static bool make_key(void *context, uint8_t slot, uint8_t key[64]) {
  psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
  psa_key_id_t id;
  uint8_t point[65];
  size_t length;
  (void)context;
  psa_set_key_type(&attributes, PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_SECP_R1));
  psa_set_key_bits(&attributes, 256);
  psa_set_key_usage_flags(&attributes, PSA_KEY_USAGE_EXPORT);
  bool is_made = psa_crypto_init() == PSA_SUCCESS && psa_generate_key(&attributes, &id) == PSA_SUCCESS &&
                 psa_export_key(id, kept->private_keys[slot], 32, &length) == PSA_SUCCESS &&
                 psa_export_public_key(id, point, sizeof point, &length) == PSA_SUCCESS;
  if (is_made) {
    memcpy(key, point + 1, 64);
  }
  return is_made;
}

static bool sign(void *context, uint8_t slot, const uint8_t digest[32], uint8_t signature[64]) {
  psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
  psa_key_id_t id;
  size_t length;
  (void)context;
  psa_set_key_type(&attributes, PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_SECP_R1));
  psa_set_key_usage_flags(&attributes, PSA_KEY_USAGE_SIGN_HASH);
  psa_set_key_algorithm(&attributes, PSA_ALG_ECDSA(PSA_ALG_SHA_256));
  bool is_signed =
      psa_crypto_init() == PSA_SUCCESS &&
      psa_import_key(&attributes, kept->private_keys[slot], 32, &id) == PSA_SUCCESS &&
      psa_sign_hash(id, PSA_ALG_ECDSA(PSA_ALG_SHA_256), digest, 32, signature, 64, &length) == PSA_SUCCESS &&
      psa_destroy_key(id) == PSA_SUCCESS;
  return is_signed;
}

/* THE CHIP */

static uint64_t microseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void fetch_chip(void) {
  const struct simulated_curve curve = {NULL, make_key, sign};
  int file = open(getenv("SIMULATED_CHIP"), O_RDWR | O_CREAT, 0600);
  bool is_new = lseek(file, 0, SEEK_END) == 0;
  if (file < 0 || ftruncate(file, sizeof *kept) != 0) {
    abort();
  }
  kept = mmap(NULL, sizeof *kept, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (kept == MAP_FAILED) {
    abort();
  }
  if (is_new) {
    simulated_atecc608_init(&kept->chip, curve);
    kept->chip.configuration[6] = (uint8_t)told("SIMULATED_REVISION", 0x60);
  }
  kept->chip.curve = curve;
  close(file);
  last = microseconds();
}

static struct ww_i2c_port port(void) {
  struct ww_i2c_port port = simulated_atecc608_port(&kept->chip);
  uint64_t now = microseconds();
  port.wait(port.context, (uint32_t)(now - last));
  last = now;
  return port;
}

static bool is_there(void) {
  return told("SIMULATED_SILENT", 0) == 0 && address == told("SIMULATED_ADDRESS", 0x60);
}

static ssize_t fail(int error) {
  errno = error;
  return -1;
}

/* SYSTEM CALLS */

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

int open(const char *path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  mode_t mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  if (strcmp(path, BUS) != 0) {
    return REAL(open)(path, flags, mode);
  }
  if (told("SIMULATED_OPEN", 0) != 0) {
    return (int)fail((int)told("SIMULATED_OPEN", 0));
  }
  fetch_chip();
  bus = REAL(open)(getenv("SIMULATED_CHIP"), O_RDWR); /* something that can be locked and closed */
  return bus;
}

int ioctl(int file, unsigned long request, ...) {
  va_list arguments;
  va_start(arguments, request);
  long argument = va_arg(arguments, long);
  va_end(arguments);
  if (file != bus || file < 0) {
    return REAL(ioctl)(file, request, argument);
  }
  if (request != I2C_SLAVE) {
    return (int)fail(EINVAL);
  }
  if (argument != 0 && told("SIMULATED_BIND", 0) != 0) {
    return (int)fail((int)told("SIMULATED_BIND", 0));
  }
  address = argument;
  return 0;
}

ssize_t write(int file, const void *bytes, size_t length) {
  if (file != bus || file < 0) {
    return REAL(write)(file, bytes, length);
  }
  if (address == 0) {
    struct ww_i2c_port all = port();
    enum ww_error error = all.wake(all.context); /* the eight zeros that nobody acknowledges */
    return fail(error == WW_OK ? ENXIO : EIO);
  }
  struct ww_i2c_port chip = port();
  return is_there() && chip.write(chip.context, bytes, length) == WW_OK ? (ssize_t)length : fail(EREMOTEIO);
}

ssize_t read(int file, void *bytes, size_t length) {
  if (file != bus || file < 0) {
    return REAL(read)(file, bytes, length);
  }
  struct ww_i2c_port chip = port();
  return is_there() && chip.read(chip.context, bytes, length) == WW_OK ? (ssize_t)length : fail(ENXIO);
}
