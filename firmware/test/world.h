/**
 * Everything around a device in memory, each a fake behind its port: a sun, a meter that counts, a signer that keeps a
 * counter, a clock, a flash partition, and an oracle that reads posts as the real one does. A world is plain memory and can
 * be copied.
 */
#ifndef WW_WORLD_H
#define WW_WORLD_H

#include "device.h"
#include "simulated_store.h"

enum { WORLD_INTERVAL = 60, WORLD_CAPACITY = 5000, WORLD_HEADS = 4096, WORLD_EPOCHS = 8 };

/** What a head was of, by the place that it has in the order of signing. */
struct signed_head {
  uint32_t epoch;
  uint64_t size;
  uint8_t digest[WW_HASH_LENGTH];
};

struct world {
  /* the clock: true time, and how far the device's is off */
  uint32_t now;
  int32_t clock_off;
  bool clock_is_known;
  uint32_t synchronised;
  uint64_t uptime; /* ms */
  uint32_t slow;   /* s that a measurement takes */

  /* the meter */
  struct ww_measurement shown;
  uint64_t rest; /* mW s that are not a mWh yet */
  bool meter_is_silent;
  unsigned measured;
  uint64_t first_total; /* mWh, what it showed when it was asked first, and last */
  uint64_t last_total;

  /* the signer: not a signature, only bytes that tell what they are over */
  uint8_t key[WW_PUBLIC_KEY_LENGTH];
  uint32_t counter;
  bool signer_is_silent;
  unsigned signatures;

  struct simulated_store flash;

  /* the oracle */
  bool oracle_is_away;
  bool oracle_is_slow;
  int says; /* an answer in place of its own: a status; 0 = its own */
  const char *says_body;
  uint32_t epoch;    /* the newest that it has */
  struct ww_log log; /* of it */
  uint64_t energy;   /* mWh, of the last reading that it has */
  uint32_t timestamp;
  uint8_t conditions;
  unsigned posts;
  unsigned most_readings; /* of one post */
  const char *refusal;    /* why it refused the last post for good; NULL = it did not */
  size_t expected;        /* bytes of the body under way */
  size_t received;
  bool is_posting;
  size_t breaks_at; /* bytes of a body after which the connection breaks; 0 = it does not */

  struct ww_settings settings;
  struct ww_ports ports;
  struct ww_device device;
  enum ww_error started;
};

/** Makes a copy that goes on from where `world` is. */
void world_copy(struct world *copy, const struct world *world);

/** Morning of a sunny day, everything in order, nothing begun. */
void world_begin(struct world *world);

/** Power comes (again), and the device starts, in a second. */
void world_boot(struct world *world);

/** The clock is set right. */
void world_synchronise(struct world *world);

/** Lets so many seconds pass, a step of the device in each. Ends early when power fails. */
void world_pass(struct world *world, uint32_t seconds);

/** Lets power flow, mW, and the meter count, without the device. */
void world_shine(struct world *world, uint32_t seconds);

/** How many heads were signed since the program began; each is told to the oracle's fake when its post begins. */
size_t heads_signed(void);
const struct signed_head *head_signed(size_t index);
/** Forgets those signed after the first `count`. */
void heads_forget(size_t count);

/** Whether a head from the `first` on, and any before it, are of the same epoch and size, and differ. */
bool heads_equivocate(size_t first);

#endif
