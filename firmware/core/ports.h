/**
 * What the core needs of the world: a meter, a signer, a clock, a store and an uplink, each a few functions with a
 * context of their own. A board has one implementation of each, a PC another, a test a fake. None may call back into the
 * core. Times are Unix seconds unless a name says otherwise.
 */
#ifndef WW_PORTS_H
#define WW_PORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

/* METER */

/** A Shelly's MAC address, an SML meter's server id: whatever tells one meter from another, padded with zeros. */
#define WW_METER_ID_LENGTH 8

#define WW_NOT_MEASURED_U32 UINT32_C(0xFFFFFFFF)
#define WW_NOT_MEASURED_I16 INT16_MIN

/** What a meter shows at one moment. */
struct ww_measurement {
  int64_t power;       /* mW, production positive; of three phases the sum */
  uint64_t total;      /* mWh, the meter's own register of production, below 2^50 */
  uint32_t voltage;    /* mV, of three phases the mean; WW_NOT_MEASURED_U32 = not measured */
  uint32_t current;    /* mA, of three phases the sum; WW_NOT_MEASURED_U32 = not measured */
  int16_t temperature; /* 0.01 degrees Celsius; WW_NOT_MEASURED_I16 = not measured */
  bool valid;          /* the meter's own word for it */
  uint8_t meter[WW_METER_ID_LENGTH];
  uint8_t channels; /* what of it is measured: low half, of how many channels this is the sum; high half, their kind */
};

struct ww_meter_port {
  void *context;
  /** Measures now, in at most two seconds. */
  WW_RESULT (*measure)(void *context, struct ww_measurement *measurement);
};

/* SIGNER */

struct ww_signer_port {
  void *context;
  /** x ‖ y of the key that signs (P-256). */
  WW_RESULT (*public_key)(void *context, uint8_t key[64]);
  /** ECDSA over a SHA-256 digest: r ‖ s, with any s. */
  WW_RESULT (*sign)(void *context, const uint8_t digest[32], uint8_t signature[64]);
  /** The monotonic counter that numbers epochs. */
  WW_RESULT (*counter)(void *context, uint32_t *value);
  /** Counts one further, and tells the new value. Never returns WW_OK with a value it has returned before. */
  WW_RESULT (*increment)(void *context, uint32_t *value);
};

/* CLOCK */

struct ww_time {
  uint32_t now;          /* 0 = not known */
  uint32_t synchronised; /* when the clock was last set right since the start; 0 = never */
};

struct ww_clock_port {
  void *context;
  struct ww_time (*read)(void *context);
};

/* STORE */

/**
 * A flash partition of equal sectors. Erasing sets a sector's bytes to 0xFF ("blank"); what was written cannot be written
 * again before. Power may fail at any byte of a write or an erasure. Writes begin at multiples of 16 bytes and are
 * multiples of 16 bytes long, as an encrypted partition needs them.
 */
struct ww_store_port {
  void *context;
  uint32_t sector_size; /* bytes, at least 2048, a multiple of 16 */
  uint32_t sectors;     /* at least 3 */
  WW_RESULT (*read)(void *context, uint32_t address, void *bytes, size_t length);
  WW_RESULT (*write)(void *context, uint32_t address, const void *bytes, size_t length);
  WW_RESULT (*erase)(void *context, uint32_t sector);
  /** Whether these bytes are as they were erased (of an encrypted partition: before decryption). */
  WW_RESULT (*is_blank)(void *context, uint32_t address, size_t length, bool *blank);
};

/* UPLINK */

/** Bytes of an answer that are read; an oracle's are shorter. */
#define WW_ANSWER_LIMIT 512

struct ww_answer {
  int status; /* HTTP */
  size_t length;
  char body[WW_ANSWER_LIMIT];
};

/** One HTTP POST at a time, in pieces, so that nothing waits for the network. */
struct ww_uplink_port {
  void *context;
  /** Begins a POST of `length` bytes of JSON to the oracle's /readings. Ends what was under way. */
  WW_RESULT (*begin)(void *context, size_t length);
  /** Takes up to `length` bytes of the body and tells how many it took; 0 = ask again. */
  WW_RESULT (*write)(void *context, const void *bytes, size_t length, size_t *taken);
  /** The answer; WW_UPLINK_BUSY until there is one. Gives up by itself after 30 s without progress. */
  WW_RESULT (*answer)(void *context, struct ww_answer *answer);
};

#endif
