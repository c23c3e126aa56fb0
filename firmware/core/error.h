/**
 * What can go wrong, in one enum. Every function that can fail returns it, and ignoring it does not compile
 * (-Werror=unused-result). Where a value breaks a rule of the protocol, the name is the protocol's word for it
 * (protocol/README.md, "Failures").
 */
#ifndef WW_ERROR_H
#define WW_ERROR_H

enum ww_error {
  WW_OK = 0,

  /* the protocol's rules */
  WW_WRONG_LENGTH,
  WW_RESERVED_BITS,
  WW_SIZE_OUT_OF_RANGE,
  WW_TIME_NOT_FORWARD,
  WW_ENERGY_BACKWARD,
  WW_BEYOND_CAPACITY,

  /* the meter */
  WW_METER_SILENT,     /* it did not answer */
  WW_METER_MALFORMED,  /* its answer is not JSON, or more than is read of one */
  WW_METER_MISSING,    /* its answer lacks a field that is needed */
  WW_METER_RANGE,      /* a field is no number, or more than can be */
  WW_METER_INCOMPLETE, /* its answer lacks a channel that was there before */

  /* the secure element */
  WW_CHIP_SILENT,   /* no acknowledgement, or no answer in time */
  WW_CHIP_CHECKSUM, /* what arrived is not what was sent */
  WW_CHIP_REFUSED,  /* it will not do that: wrong parameter, or not allowed by its configuration */
  WW_CHIP_FAULT,    /* its own check failed */
  WW_CHIP_UNLOCKED, /* it has not been provisioned, or not as far as is needed */
  WW_CHIP_UNKNOWN,  /* it is no ATECC608 */
  WW_CHIP_DIFFERS,  /* its configuration, or its key, is not the one that is wanted */
  WW_COUNTER_ENDED, /* its monotonic counter counts no further */

  /* the store */
  WW_STORE_FAILED,  /* it could not be read, written or erased */
  WW_STORE_FULL,    /* nothing in it may be given up */
  WW_STORE_EMPTY,   /* there is no log in it */
  WW_STORE_CORRUPT, /* there was one, and it cannot be resumed */

  /* the uplink */
  WW_UPLINK_BUSY,   /* not now, ask again */
  WW_UPLINK_FAILED, /* the oracle was not reached, or the connection broke */

  /* the settings */
  WW_SETTING_UNKNOWN,
  WW_SETTING_INVALID,
  WW_SETTING_MISSING,
};

/** One sentence fragment for a person, in lower case; never NULL. */
const char *ww_error_text(enum ww_error error);

#define WW_RESULT __attribute__((warn_unused_result)) enum ww_error

/** Hands an error on to the caller. */
#define WW_TRY(expression)                   \
  do {                                       \
    enum ww_error ww_failure = (expression); \
    if (ww_failure != WW_OK) {               \
      return ww_failure;                     \
    }                                        \
  } while (0)

#endif
