#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hex.h"
#include "program.h"
#include "registration.h"

/** ms between two looks at the network */
#define LOOK 100

/** Steps at one time after which no reading is tried any more. */
#define STEPS 2

static struct ww_time now;

static struct ww_time read_clock(void *context) {
  (void)context;
  return now;
}

static bool is_post_due(const struct program *program) {
  const struct ww_device *device = &program->device;
  const struct ww_state *state = &device->queue.state;
  return ww_device_has_log(device) && state->acknowledged < state->log.size && program->uptime >= device->next_post;
}

/** Does all that is due at this time. */
static void settle(struct program *program, struct happened *all) {
  const struct ww_device *device = &program->device;
  *all = (struct happened){0};
  for (unsigned steps = 0; steps < STEPS || device->phase != WW_AT_REST || is_post_due(program); steps++) {
    struct happened happened;
    program_step(program, &happened);
    if (happened.was_taken) {
      all->was_taken = true;
      memcpy(all->reading, happened.reading, sizeof all->reading);
    }
    if (happened.begun != WW_RESUMED) {
      all->begun = happened.begun;
    }
    if (happened.error != WW_OK) {
      all->error = happened.error;
    }
    if (device->phase == WW_AWAITING) {
      http_uplink_wait(&program->uplink, -1, LOOK);
    }
  }
}

static void answer_error(const char *what) {
  printf("{\"error\":\"%s\"}\n", what);
}

static void answer_time(const struct program *program, const struct happened *happened) {
  const struct ww_device *device = &program->device;
  const struct ww_state *state = &device->queue.state;
  printf("{\"time\":%" PRIu32 ",\"epoch\":%" PRIu32 ",\"size\":%" PRIu64 ",\"acknowledged\":%" PRIu64
         ",\"energy\":\"%" PRIu64 "\"",
         now.now, state->epoch, state->log.size, state->acknowledged, state->reg.energy);
  if (happened->was_taken) {
    char reading[WW_HEX_LENGTH(WW_READING_LENGTH) + 1];
    *ww_hex(reading, happened->reading, WW_READING_LENGTH) = '\0';
    printf(",\"reading\":\"%s\"", reading);
  }
  enum ww_cause cause = device->cause != WW_RESUMED ? device->cause : happened->begun;
  if (cause != WW_RESUMED) {
    printf(",\"cause\":\"%s\"", ww_cause_text(cause));
  }
  if (happened->error != WW_OK) {
    printf(",\"error\":\"%s\"", ww_error_text(happened->error));
  }
  if (device->status != 0) {
    printf(",\"status\":%d", device->status);
  }
  printf("}\n");
}

static void go_on_to(struct program *program, uint32_t time) {
  struct happened happened;
  program->uptime += now.now == 0 ? 0 : (uint64_t)(time - now.now) * 1000;
  now = (struct ww_time){.now = time, .synchronised = time};
  settle(program, &happened);
  answer_time(program, &happened);
}

static void answer_registration(const struct program *program, const char *details_text) {
  uint8_t details[WW_HASH_LENGTH];
  struct ww_registration registration;
  char text[WW_REGISTRATION_TEXT_LIMIT];
  if (!ww_unhex(details_text, details, sizeof details)) {
    answer_error("details are 32 bytes in hexadecimal");
    return;
  }
  enum ww_error error = ww_registration_make(&program->device, details, &registration);
  if (error != WW_OK) {
    answer_error(ww_error_text(error));
    return;
  }
  ww_registration_write(&registration, text);
  printf("%s\n", text);
}

static void do_line(struct program *program, char *line) {
  static const char REGISTRATION[] = "registration ";
  char *end;
  line[strcspn(line, "\r\n")] = '\0';
  if (strncmp(line, REGISTRATION, sizeof REGISTRATION - 1) == 0) {
    answer_registration(program, line + sizeof REGISTRATION - 1);
    return;
  }
  unsigned long long time = strtoull(line, &end, 10);
  if (line[0] < '0' || line[0] > '9' || *end != '\0' || time > UINT32_MAX) {
    answer_error("a line is a Unix time, or: registration DETAILS");
  } else if (time <= now.now) {
    answer_error(ww_error_text(WW_TIME_NOT_FORWARD));
  } else {
    go_on_to(program, (uint32_t)time);
  }
}

int lockstep(struct program *program) {
  char line[256];
  program->ports.clock = (struct ww_clock_port){.read = read_clock};
  program->uptime = 1000;
  while (fgets(line, sizeof line, stdin) != NULL) {
    do_line(program, line);
    fflush(stdout);
  }
  return 0;
}
