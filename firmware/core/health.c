#include "health.h"

#define NOT_FOUND 404

/** Posts in a row that may fail: some minutes. */
#define FAILURES 5u

/* ms */
#define BLINK 200u
#define BLINK_PERIOD 500u
#define PAUSE 1500u
#define FLASH 50u
#define FLASH_PERIOD 4000u

static bool is_of_meter(enum ww_error error) {
  return error >= WW_METER_SILENT && error <= WW_METER_INCOMPLETE;
}

enum ww_health ww_health_of(const struct ww_device *device, bool has_network) {
  if (device == NULL) {
    return WW_NOT_STARTED;
  }
  if (!has_network) {
    return WW_NO_NETWORK;
  }
  const struct ww_clock_port *clock = &device->ports->clock;
  struct ww_time time = clock->read(clock->context);
  if (time.now == 0 || time.synchronised == 0) {
    return WW_NO_CLOCK;
  }
  if (device->untaken != WW_OK) {
    return is_of_meter(device->untaken) ? WW_NO_METER : WW_NO_READING;
  }
  if (device->status == NOT_FOUND) {
    return WW_NOT_REGISTERED;
  }
  return device->failures > FAILURES ? WW_NO_ORACLE : WW_WELL;
}

const char *ww_health_text(enum ww_health health) {
  switch (health) {
    case WW_WELL: return "well";
    case WW_NOT_STARTED: return "not started";
    case WW_NO_NETWORK: return "no network";
    case WW_NO_CLOCK: return "the clock is not set yet";
    case WW_NO_METER: return "no reading, because of the meter";
    case WW_NO_READING: return "no reading, because of the secure element or the store";
    case WW_NOT_REGISTERED: return "the oracle does not know this meter: it is not registered";
    case WW_NO_ORACLE: return "no oracle takes what is posted";
  }
  return "unknown";
}

bool ww_lamp_is_lit(enum ww_health health, uint64_t now) {
  if (health == WW_WELL) {
    return now % FLASH_PERIOD < FLASH;
  }
  unsigned blinks = (unsigned)health;
  uint32_t at = (uint32_t)(now % (blinks * BLINK_PERIOD + PAUSE));
  return at < blinks * BLINK_PERIOD && at % BLINK_PERIOD < BLINK;
}
