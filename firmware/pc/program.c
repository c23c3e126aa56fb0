#include "program.h"

/**
 * Why a log began in a step. It is decided in an earlier one, except that the clock had been ahead: that the device sees
 * when it takes a reading.
 */
static enum ww_cause cause_of(enum ww_cause before) {
  return before == WW_RESUMED ? WW_CLOCK_WAS_AHEAD : before;
}

uint32_t program_step(struct program *program, struct happened *happened) {
  struct ww_device *device = &program->device;
  struct ww_tally before = device->tally;
  enum ww_cause cause = device->cause;
  *happened = (struct happened){0};
  device->error = WW_OK;
  uint32_t pause = ww_device_step(device, program->uptime);
  happened->error = device->error;
  happened->was_stored = device->tally.posts != before.posts;
  happened->begun = device->tally.epochs == before.epochs ? WW_RESUMED : cause_of(cause);
  if (device->tally.taken != before.taken) {
    struct ww_log log;
    happened->was_taken =
        ww_queue_log_at(&device->queue, device->queue.state.log.size, &log, happened->reading) == WW_OK;
  }
  return pause;
}
