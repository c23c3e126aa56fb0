#include "i2c_chip.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/i2c-dev.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define NOBODY 0x00

static bool address_to(const struct i2c_chip *bus, unsigned long address) {
  return ioctl(bus->file, I2C_SLAVE, address) == 0;
}

/* THE PORT */

static enum ww_error wake(void *context) {
  struct i2c_chip *bus = context;
  /* start, eight zeros of the address: 90 us low; nobody acknowledges, which is no failure */
  static const uint8_t zero[1] = {0};
  if (!address_to(bus, NOBODY)) {
    return WW_CHIP_SILENT;
  }
  ssize_t acknowledged = write(bus->file, zero, sizeof zero);
  (void)acknowledged;
  return address_to(bus, bus->address) ? WW_OK : WW_CHIP_SILENT;
}

static enum ww_error write_bytes(void *context, const uint8_t *bytes, size_t length) {
  struct i2c_chip *bus = context;
  return write(bus->file, bytes, length) == (ssize_t)length ? WW_OK : WW_CHIP_SILENT;
}

static enum ww_error read_bytes(void *context, uint8_t *bytes, size_t length) {
  struct i2c_chip *bus = context;
  return read(bus->file, bytes, length) == (ssize_t)length ? WW_OK : WW_CHIP_SILENT;
}

static void wait(void *context, uint32_t microseconds) {
  (void)context;
  struct timespec left = {.tv_sec = microseconds / 1000000, .tv_nsec = (long)(microseconds % 1000000) * 1000};
  while (nanosleep(&left, &left) != 0 && errno == EINTR) {
  }
}

struct ww_i2c_port i2c_chip_port(struct i2c_chip *bus) {
  return (struct ww_i2c_port){.context = bus, .wake = wake, .write = write_bytes, .read = read_bytes, .wait = wait};
}

/* OPENING */

static const char *advice(int error) {
  switch (error) {
    case EACCES:
    case EPERM: return "be in the group that may use it (sudo adduser $USER i2c), and log in again";
    case ENOENT:
      return "is I2C switched on? On a Raspberry Pi: sudo raspi-config nonint do_i2c 0; elsewhere: sudo modprobe "
             "i2c-dev; ls /dev/i2c-* tells the buses there are";
    case EBUSY:
      return "a driver of the kernel has the chip: sudo modprobe -r atmel_ecc, or take it out of the device tree";
    case EWOULDBLOCK: return "another wattwitness-device has it: end that one";
    case ENOTTY: return "it is no I2C bus, such as /dev/i2c-1";
    default: return "see dmesg";
  }
}

const char *i2c_chip_open(struct i2c_chip *bus, const char *path) {
  static char problem[600];
  bus->address = I2C_CHIP_ADDRESS;
  bus->file = open(path, O_RDWR | O_CLOEXEC);
  if (bus->file >= 0 && flock(bus->file, LOCK_EX | LOCK_NB) == 0 && address_to(bus, bus->address)) {
    return NULL;
  }
  snprintf(problem, sizeof problem, "%s: %s: %s.", path, strerror(errno), advice(errno));
  if (bus->file >= 0) {
    i2c_chip_close(bus);
  }
  return problem;
}

void i2c_chip_close(struct i2c_chip *bus) {
  close(bus->file);
  bus->file = -1;
}
