/**
 * The device: takes a reading whenever one is due, makes it durable, appends it to the log, signs the log's head and posts
 * it to an oracle. One state machine behind ports; call ww_device_step again and again, and it never waits for the
 * network.
 *
 * - A reading is taken on the clock, at multiples of the interval, and within 2 s of its moment: a missed moment is a gap
 *   and is never filled. None before the clock was set right in this boot, none while it is not after the last reading.
 *   After a day without being set right, the clock is drifting. Where it stays more than five minutes behind the last
 *   reading for two hours, it is that reading whose time was wrong: the next log begins.
 * - As the queue fills the interval stretches: from half on to 60 s, from four fifths on to 900 s. When it is full no
 *   reading is taken; the register goes on, so that not a mWh is lost.
 * - A log is resumed across reboots. Where it cannot be, the next one begins, under the next number of the signer's
 *   counter, once clock and meter are good. Never are two heads of one epoch and size signed: a reading is durable before
 *   it is signed, and a log that lost one ends.
 * - At most once a day an epoch begins because of what an oracle answered, or because the clock had been ahead: neither
 *   a hostile oracle nor a hostile time server exhausts the counter.
 */
#ifndef WW_DEVICE_H
#define WW_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "ports.h"
#include "queue.h"
#include "settings.h"
#include "statement.h"
#include "upload.h"
#include "wiring.h"

struct ww_ports {
  struct ww_meter_port meter;
  struct ww_signer_port signer;
  struct ww_clock_port clock;
  struct ww_store_port store;
  struct ww_uplink_port uplink;
};

/** Why a log must begin. */
enum ww_cause {
  WW_RESUMED,         /* none must */
  WW_FIRST,           /* the store holds none */
  WW_CORRUPT,         /* it holds one that cannot go on */
  WW_OTHER_KEY,       /* it is of another key */
  WW_OTHER_EPOCH,     /* it is older than the signer's counter says */
  WW_ORACLE_LACKS,    /* the oracle lacks readings that are gone here, or has more than there are */
  WW_ORACLE_REFUSED,  /* the oracle refuses them for good */
  WW_CLOCK_WAS_AHEAD, /* the last readings are of a time that is more than five minutes away */
  WW_ASKED_FOR,       /* a person wants it: the enclosure was opened, and is closed again */
};

/** One sentence fragment for a person; never NULL. */
const char *ww_cause_text(enum ww_cause cause);

/** What happened since the start. */
struct ww_tally {
  uint32_t taken;
  uint32_t missed; /* moments at which no reading could be taken, though the clock was right */
  uint32_t posts;  /* that an oracle stored */
  uint32_t epochs; /* begun */
};

struct ww_device {
  const struct ww_settings *settings;
  const struct ww_ports *ports;
  uint8_t public_key[WW_PUBLIC_KEY_LENGTH];
  uint8_t key_id[WW_HASH_LENGTH];
  struct ww_queue queue;
  enum ww_cause cause;     /* why the next reading begins a log; WW_RESUMED = it does not */
  enum ww_cause begun_for; /* why the newest log of this boot began; WW_RESUMED = none did */
  uint32_t epoch_to_begin; /* counted, and not begun yet; 0 = none */
  bool was_opened;         /* and it is not in the log yet */
  uint32_t moment;         /* the last that was tried */
  uint32_t tries;          /* at it */
  enum ww_error untaken;   /* why the last reading that was due was not taken; WW_OK = it was */
  bool is_behind;          /* the clock, by more than five minutes, the last reading */
  uint64_t behind_since;   /* ms of uptime */
  struct ww_wiring wiring; /* by the readings of this boot */
  uint64_t taken_at;       /* ms of uptime, of the last reading; 0 = none in this boot, so that it was before */
  enum { WW_AT_REST, WW_SENDING, WW_AWAITING } phase;
  struct ww_post post;
  char piece[WW_PIECE_LIMIT];
  size_t piece_length;
  size_t piece_sent;
  uint32_t post_limit; /* readings; halved where an oracle refuses their length, and doubled again later */
  uint64_t planned;    /* size of the log when the post was planned */
  uint64_t next_post;  /* ms of uptime */
  uint32_t failures;   /* posts in a row that did not get on */
  uint32_t random;
  enum ww_error error; /* the last */
  int status;          /* HTTP, of the last answer; 0 = none yet */
  struct ww_tally tally;
};

/**
 * Finds its key and its log. Hands on the signer's and the store's errors: then it has not started, and may be started
 * again. Settings and ports must live as long as the device.
 */
WW_RESULT ww_device_start(struct ww_device *device, const struct ww_settings *settings, const struct ww_ports *ports);

/** Does what is due at `now` (ms of uptime, never backward). Returns the ms until it should be called again. */
uint32_t ww_device_step(struct ww_device *device, uint64_t now);

/** The enclosure was opened: every reading says so until the epoch ends. */
void ww_device_tamper(struct ww_device *device);

/** Has the next reading begin another log, with a clear record, though the one there is could go on. */
void ww_device_begin_log(struct ww_device *device);

/** Whether a log has begun, so that it can be registered. */
bool ww_device_has_log(const struct ww_device *device);

/** s between readings now. */
uint32_t ww_device_interval(const struct ww_device *device);

#endif
