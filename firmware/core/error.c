#include "error.h"

const char *ww_error_text(enum ww_error error) {
  switch (error) {
    case WW_OK: return "no error";
    case WW_WRONG_LENGTH: return "wrong length";
    case WW_RESERVED_BITS: return "reserved bits";
    case WW_SIZE_OUT_OF_RANGE: return "size out of range";
    case WW_TIME_NOT_FORWARD: return "time not forward";
    case WW_ENERGY_BACKWARD: return "energy backward";
    case WW_BEYOND_CAPACITY: return "beyond capacity";
    case WW_METER_SILENT: return "the meter does not answer";
    case WW_METER_MALFORMED: return "the meter's answer is not as a meter answers";
    case WW_METER_MISSING: return "the meter's answer lacks a field";
    case WW_METER_RANGE: return "a value of the meter's is out of range";
    case WW_METER_INCOMPLETE: return "the meter's answer lacks a channel that was there before";
    case WW_CHIP_SILENT: return "the secure element does not answer";
    case WW_CHIP_CHECKSUM: return "the secure element was misunderstood";
    case WW_CHIP_REFUSED: return "the secure element refuses";
    case WW_CHIP_FAULT: return "the secure element found a fault in itself";
    case WW_CHIP_UNLOCKED: return "the secure element is not provisioned";
    case WW_CHIP_UNKNOWN: return "the secure element is no ATECC608";
    case WW_CHIP_DIFFERS: return "the secure element is not as it should be";
    case WW_COUNTER_ENDED: return "the secure element's counter has come to its end";
    case WW_STORE_FAILED: return "the store failed";
    case WW_STORE_FULL: return "the store is full";
    case WW_STORE_EMPTY: return "the store holds no log";
    case WW_STORE_CORRUPT: return "the log in the store cannot be resumed";
    case WW_UPLINK_BUSY: return "the uplink is busy";
    case WW_UPLINK_FAILED: return "the oracle was not reached";
    case WW_SETTING_UNKNOWN: return "there is no such setting";
    case WW_SETTING_INVALID: return "the setting cannot have this value";
    case WW_SETTING_MISSING: return "a setting is missing";
  }
  return "unknown error";
}
