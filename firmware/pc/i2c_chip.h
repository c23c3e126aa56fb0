/**
 * The bus of a Raspberry Pi, or of any Linux machine, and on it the secure element: /dev/i2c-N, by the system calls of
 * i2c-dev (docs.kernel.org/i2c/dev-interface.html). The bus must run at 100 kHz, as it does unless it was told otherwise: the
 * chip is woken by eight zeros to nobody, which must take 60 us.
 *
 * One program at a time has a bus.
 */
#ifndef WW_I2C_CHIP_H
#define WW_I2C_CHIP_H

#include "atecc608.h"

/** A new chip's address. Those that came locked from the factory have one of the others. */
#define I2C_CHIP_ADDRESS 0x60
#define I2C_CHIP_LOCKED_ADDRESSES \
  { 0x35, 0x36 }

struct i2c_chip {
  int file;
  uint8_t address;
};

/** Returns NULL, or what is wrong in a sentence that says what to do; then there is nothing to close. */
const char *i2c_chip_open(struct i2c_chip *bus, const char *path);

void i2c_chip_close(struct i2c_chip *bus);

struct ww_i2c_port i2c_chip_port(struct i2c_chip *bus);

#endif
