#include "device.h"

#include <string.h>

#include "bytes.h"

/* s */
#define TOLERANCE 2u
#define DAY 86400u
#define CLOCK_TOLERANCE 300u
#define CLOCK_PATIENCE 7200u

#define TRIES 2u /* at one moment */

/* Of the queue, %, from where on the interval is at least so long, s. */
#define HALF_FULL 50u
#define STRETCHED 60u
#define NEARLY_FULL 80u
#define STRETCHED_MORE 900u

/* ms */
#define SECOND 1000u
#define AT_ONCE 10u
#define FIRST_PAUSE 5000u
#define LONGEST_PAUSE 900000u

const char *ww_cause_text(enum ww_cause cause) {
  switch (cause) {
    case WW_RESUMED: return "the log was resumed";
    case WW_FIRST: return "there was no log";
    case WW_CORRUPT: return "the log in the store could not go on";
    case WW_OTHER_KEY: return "the log in the store was another key's";
    case WW_OTHER_EPOCH: return "the log in the store was older than the signer's counter";
    case WW_ORACLE_LACKS: return "the oracle's log does not fit this one";
    case WW_ORACLE_REFUSED: return "the oracle refused the readings for good";
    case WW_CLOCK_WAS_AHEAD: return "the clock had been ahead";
    case WW_ASKED_FOR: return "a person asked for it";
  }
  return "unknown";
}

/* STARTING */

static bool may_come_again(enum ww_cause cause) {
  return cause == WW_ORACLE_LACKS || cause == WW_ORACLE_REFUSED || cause == WW_CLOCK_WAS_AHEAD;
}

/** Why the log in the store, which is whole, is not this key's newest. */
static enum ww_error check_log(struct ww_device *device) {
  const struct ww_signer_port *signer = &device->ports->signer;
  uint32_t counter;
  WW_TRY(signer->counter(signer->context, &counter));
  const struct ww_state *state = &device->queue.state;
  if (memcmp(state->key_id, device->key_id, WW_HASH_LENGTH) != 0) {
    device->cause = WW_OTHER_KEY;
  } else if (state->epoch != counter) {
    device->cause = WW_OTHER_EPOCH;
  }
  return WW_OK;
}

enum ww_error ww_device_start(struct ww_device *device, const struct ww_settings *settings,
                              const struct ww_ports *ports) {
  memset(device, 0, sizeof *device);
  device->settings = settings;
  device->ports = ports;
  device->post_limit = WW_POST_LIMIT;
  WW_TRY(ports->signer.public_key(ports->signer.context, device->public_key));
  ww_key_id(device->public_key, device->key_id);
  device->random = ww_load_u32(device->key_id) | 1;
  switch (ww_queue_mount(&device->queue, &ports->store, settings->capacity)) {
    case WW_OK: return check_log(device);
    case WW_STORE_EMPTY: device->cause = WW_FIRST; return WW_OK;
    case WW_STORE_CORRUPT: device->cause = WW_CORRUPT; return WW_OK;
    default: return WW_STORE_FAILED;
  }
}

bool ww_device_has_log(const struct ww_device *device) {
  return device->cause == WW_RESUMED && device->queue.state.log.size > 0;
}

/* TAKING READINGS */

uint32_t ww_device_interval(const struct ww_device *device) {
  uint32_t interval = device->settings->interval;
  unsigned fill = ww_queue_fill(&device->queue);
  uint32_t least = fill >= NEARLY_FULL ? STRETCHED_MORE : fill >= HALF_FULL ? STRETCHED : 0;
  return interval > least ? interval : least;
}

static bool is_paused(const struct ww_device *device, uint32_t now) {
  uint32_t from = device->queue.state.paused_from;
  return from != 0 && now >= from && now - from < DAY;
}

/** Whether the clock has been so far behind the last reading for so long that it is the reading whose time was wrong. */
static bool was_ahead(struct ww_device *device, uint32_t moment, uint64_t now) {
  uint32_t last = device->queue.state.reg.timestamp;
  if (last <= moment || last - moment <= CLOCK_TOLERANCE) {
    device->is_behind = false;
  } else if (!device->is_behind) {
    device->is_behind = true;
    device->behind_since = now;
  }
  return device->is_behind && now - device->behind_since >= (uint64_t)CLOCK_PATIENCE * SECOND;
}

/** Whether a reading of this moment can follow the last, or begin a log. */
static bool is_forward(struct ww_device *device, uint32_t moment, uint64_t now) {
  bool is_confirmed = was_ahead(device, moment, now);
  if (device->cause == WW_RESUMED && is_confirmed) {
    device->cause = WW_CLOCK_WAS_AHEAD;
  }
  if (may_come_again(device->cause) && is_paused(device, moment)) {
    device->cause = WW_RESUMED; /* the log goes on for today */
  }
  return moment > device->queue.state.reg.timestamp || (device->cause != WW_RESUMED && is_confirmed);
}

/**
 * Where the last reading is not before `moment`, its time was wrong: it was at least as long ago as has passed since then
 * in this boot.
 */
static void rewind_register(struct ww_device *device, uint32_t moment, uint64_t now) {
  struct ww_register *reg = &device->queue.state.reg;
  if (reg->timestamp >= moment) {
    uint64_t passed = 1 + (now - device->taken_at) / SECOND;
    ww_register_rewind(reg, passed < moment ? moment - (uint32_t)passed : 0);
  }
}

/** Counts once for each log, also where beginning it fails and is tried again. */
static enum ww_error begin_log(struct ww_device *device, uint32_t moment, uint64_t now) {
  const struct ww_signer_port *signer = &device->ports->signer;
  WW_TRY(ww_queue_prepare(&device->queue));
  if (device->epoch_to_begin == 0) {
    WW_TRY(signer->increment(signer->context, &device->epoch_to_begin));
  }
  rewind_register(device, moment, now);
  uint32_t paused_from = may_come_again(device->cause) ? moment : device->queue.state.paused_from;
  WW_TRY(ww_queue_begin(&device->queue, device->key_id, device->epoch_to_begin, paused_from));
  device->epoch_to_begin = 0;
  device->begun_for = device->cause;
  device->cause = WW_RESUMED;
  device->phase = WW_AT_REST;
  device->tally.epochs++;
  return WW_OK;
}

static enum ww_error append(struct ww_device *device, uint32_t moment, uint64_t now, struct ww_time time,
                            const struct ww_measurement *measurement) {
  struct ww_queue *queue = &device->queue;
  if (device->cause != WW_RESUMED) {
    WW_TRY(begin_log(device, moment, now));
  }
  struct ww_register reg = queue->state.reg;
  uint8_t conditions = ww_register_count(&reg, device->settings->capacity, moment, measurement);
  if (device->was_opened) {
    WW_TRY(ww_queue_tamper(queue));
    device->was_opened = false;
  }
  if (measurement->valid && ww_register_swapped(&queue->state.reg, measurement)) {
    WW_TRY(ww_queue_swap(queue, measurement->meter, measurement->channels));
  }
  struct ww_reading reading = {
      .timestamp = moment,
      .energy = reg.energy,
      .power = measurement->power,
      .voltage = measurement->voltage,
      .current = measurement->current,
      .temperature = measurement->temperature,
      .source = device->settings->source,
      .conditions = (uint8_t)(conditions | (time.now - time.synchronised > DAY ? WW_DRIFTING : 0) |
                              (queue->state.tampered ? WW_TAMPER : 0)),
  };
  uint8_t bytes[WW_READING_LENGTH];
  ww_reading_encode(&reading, bytes);
  WW_TRY(ww_queue_append(queue, bytes, &reg));
  ww_wiring_look(&device->wiring, device->settings->capacity, &reading);
  return WW_OK;
}

static struct ww_time read_clock(const struct ww_device *device) {
  const struct ww_clock_port *clock = &device->ports->clock;
  return clock->read(clock->context);
}

/** Measures, and takes the reading of this moment if it is still there. */
static enum ww_error take(struct ww_device *device, uint32_t moment, uint64_t now) {
  const struct ww_meter_port *meter = &device->ports->meter;
  struct ww_measurement measurement;
  WW_TRY(meter->measure(meter->context, &measurement));
  /* where a person has a log begun, it may be because a channel is gone for good */
  if (device->cause != WW_ASKED_FOR && ww_register_lacks(&device->queue.state.reg, &measurement)) {
    return WW_METER_INCOMPLETE;
  }
  if (device->cause != WW_RESUMED && !measurement.valid) {
    return WW_METER_MISSING; /* a log begins with a good measurement */
  }
  struct ww_time time = read_clock(device);
  if (time.now < moment || time.now - moment > TOLERANCE) {
    return WW_METER_SILENT; /* it took too long */
  }
  return append(device, moment, now, time, &measurement);
}

static void take_if_due(struct ww_device *device, uint64_t now) {
  struct ww_time time = read_clock(device);
  if (time.now == 0 || time.synchronised == 0) {
    return;
  }
  uint32_t moment = time.now - time.now % ww_device_interval(device);
  uint32_t late = time.now - moment;
  /* at a moment before this boot there may have been a reading that the store lost */
  if (moment == 0 || late > TOLERANCE || (uint64_t)late * SECOND > now || !is_forward(device, moment, now)) {
    return;
  }
  if (moment != device->moment) {
    device->tally.missed += device->tries > 0; /* at the moment before */
    device->moment = moment;
    device->tries = 0;
  }
  if (device->tries == TRIES) {
    return;
  }
  device->tries++;
  device->untaken = take(device, moment, now);
  if (device->untaken != WW_OK) {
    device->error = device->untaken;
    return;
  }
  device->tries = 0; /* the clock rule lets no moment be taken twice */
  device->taken_at = now;
  device->tally.taken++;
}

void ww_device_tamper(struct ww_device *device) {
  device->was_opened = true;
}

void ww_device_begin_log(struct ww_device *device) {
  device->cause = WW_ASKED_FOR;
}

/* UPLOADING */

/** xorshift (Marsaglia 2003): devices that lost the same oracle do not come back at the same moment. */
static uint32_t next_random(struct ww_device *device) {
  device->random ^= device->random << 13;
  device->random ^= device->random >> 17;
  device->random ^= device->random << 5;
  return device->random;
}

/** Half of the pause is certain, the other half random; it doubles with every failure. */
static void post_later(struct ww_device *device, uint64_t now) {
  uint32_t pause = FIRST_PAUSE;
  for (uint32_t i = 0; i < device->failures && pause < LONGEST_PAUSE; i++) {
    pause *= 2;
  }
  if (pause > LONGEST_PAUSE) {
    pause = LONGEST_PAUSE;
  }
  device->phase = WW_AT_REST;
  device->failures++;
  device->next_post = now + pause / 2 + next_random(device) % (pause / 2);
}

static void fail_post(struct ww_device *device, enum ww_error error, uint64_t now) {
  device->error = error;
  post_later(device, now);
}

static enum ww_error begin_post(struct ww_device *device) {
  const struct ww_ports *ports = device->ports;
  device->planned = device->queue.state.log.size;
  WW_TRY(ww_post_plan(&device->post, &device->queue, &device->settings->place, &ports->signer, device->post_limit));
  WW_TRY(ports->uplink.begin(ports->uplink.context, ww_post_length(&device->post)));
  device->piece_length = 0;
  device->piece_sent = 0;
  device->phase = WW_SENDING;
  return WW_OK;
}

/** Sends as much as the uplink takes. */
static enum ww_error go_on_sending(struct ww_device *device) {
  const struct ww_uplink_port *uplink = &device->ports->uplink;
  for (;;) {
    if (device->piece_sent == device->piece_length) {
      WW_TRY(ww_post_piece(&device->post, &device->queue, device->piece, &device->piece_length));
      device->piece_sent = 0;
      if (device->piece_length == 0) {
        device->phase = WW_AWAITING;
        return WW_OK;
      }
    }
    size_t taken;
    WW_TRY(uplink->write(uplink->context, device->piece + device->piece_sent, device->piece_length - device->piece_sent,
                         &taken));
    if (taken == 0) {
      return WW_OK;
    }
    device->piece_sent += taken;
  }
}

static void acknowledge(struct ww_device *device, uint64_t size, uint64_t now) {
  enum ww_error error = ww_queue_acknowledge(&device->queue, size);
  if (error != WW_OK) {
    fail_post(device, error, now);
  }
}

/** After a refusal for its length, posts grow again once nothing is left to catch up with. */
static void grow_posts(struct ww_device *device) {
  uint32_t limit = device->post_limit * 2;
  device->post_limit = limit < WW_POST_LIMIT ? limit : WW_POST_LIMIT;
}

static void understand(struct ww_device *device, const struct ww_answer *answer, uint64_t now) {
  const struct ww_post *post = &device->post;
  uint64_t size = 0;
  device->status = answer->status;
  device->phase = WW_AT_REST;
  switch (ww_answer_outcome(answer, post, &device->queue, &size)) {
    case WW_STORED:
      device->failures = 0;
      device->tally.posts++;
      if (post->size < device->planned) {
        device->next_post = now;
      } else {
        device->next_post = now + device->settings->upload_every * SECOND;
        grow_posts(device);
      }
      acknowledge(device, post->size, now);
      return;
    case WW_RESEND:
      /* an oracle that keeps asking for the same is left alone for a while */
      post_later(device, now);
      if (size != post->from && device->failures == 1) {
        device->next_post = now;
      }
      acknowledge(device, size, now);
      return;
    case WW_TOO_MUCH:
      post_later(device, now);
      if (post->size - post->from > 1) {
        device->post_limit = (uint32_t)((post->size - post->from) / 2);
        device->next_post = now;
      }
      return;
    case WW_ENDED:
      post_later(device, now);
      device->next_post = now + LONGEST_PAUSE;
      return;
    case WW_LOST:
      post_later(device, now);
      device->cause = WW_ORACLE_LACKS;
      return;
    case WW_REFUSED:
      post_later(device, now);
      device->cause = WW_ORACLE_REFUSED;
      return;
    case WW_LATER: post_later(device, now); return;
  }
}

static void await_answer(struct ww_device *device, uint64_t now) {
  const struct ww_uplink_port *uplink = &device->ports->uplink;
  struct ww_answer answer;
  enum ww_error error = uplink->answer(uplink->context, &answer);
  if (error == WW_OK) {
    understand(device, &answer, now);
  } else if (error != WW_UPLINK_BUSY) {
    fail_post(device, error, now);
  }
}

static void upload(struct ww_device *device, uint64_t now) {
  const struct ww_state *state = &device->queue.state;
  if (device->phase == WW_AT_REST && ww_device_has_log(device) && state->acknowledged < state->log.size &&
      now >= device->next_post) {
    enum ww_error error = begin_post(device);
    if (error != WW_OK) {
      fail_post(device, error, now);
    }
  }
  if (device->phase == WW_SENDING) {
    enum ww_error error = go_on_sending(device);
    if (error != WW_OK) {
      fail_post(device, error, now);
    }
  }
  if (device->phase == WW_AWAITING) {
    await_answer(device, now);
  }
}

uint32_t ww_device_step(struct ww_device *device, uint64_t now) {
  take_if_due(device, now);
  upload(device, now);
  return device->phase == WW_AT_REST ? SECOND / 4 : AT_ONCE;
}
