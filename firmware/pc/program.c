#include "program.h"

uint32_t program_step(struct program *program, struct happened *happened) {
  struct ww_device *device = &program->device;
  struct ww_tally before = device->tally;
  *happened = (struct happened){0};
  device->error = WW_OK;
  uint32_t pause = ww_device_step(device, program->uptime);
  happened->error = device->error;
  happened->was_stored = device->tally.posts != before.posts;
  happened->begun = device->tally.epochs == before.epochs ? WW_RESUMED : device->begun_for;
  if (device->tally.taken != before.taken) {
    struct ww_log log;
    happened->was_taken =
        ww_queue_log_at(&device->queue, device->queue.state.log.size, &log, happened->reading) == WW_OK;
  }
  return pause;
}
