/** The bus of the secure element: 100 kHz, where an address of zeros holds SDA low long enough to wake it. */
#ifndef WW_I2C_ATECC608_H
#define WW_I2C_ATECC608_H

#include "atecc608.h"
#include "driver/i2c_master.h"

struct i2c_atecc608 {
  i2c_master_bus_handle_t bus;
  i2c_master_dev_handle_t chip;
  i2c_master_dev_handle_t nobody; /* address 0 */
};

WW_RESULT i2c_atecc608_open(struct i2c_atecc608 *bus, int sda, int scl);

struct ww_i2c_port i2c_atecc608_port(struct i2c_atecc608 *bus);

#endif
