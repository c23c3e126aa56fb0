#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "program.h"
#include "qr.h"
#include "registration.h"
#include "system_clock.h"

/* TELLING */

__attribute__((format(printf, 1, 2))) static void tell(const char *format, ...) {
  char at[32];
  time_t now = time(NULL);
  struct tm parts;
  strftime(at, sizeof at, "%Y-%m-%d %H:%M:%S", gmtime_r(&now, &parts));
  printf("%s  ", at);
  va_list values;
  va_start(values, format);
  vprintf(format, values);
  va_end(values);
  printf("\n");
}

/** What was told last, so that the same is not told again while it lasts. */
struct told {
  bool clock;
  enum ww_error local; /* of meter, signer and store */
  enum ww_error uplink;
  int status;
  enum ww_wiring_problem wiring;
};

static void tell_error(const struct program *program, enum ww_error error, struct told *told) {
  bool is_uplink = error == WW_UPLINK_FAILED || error == WW_UPLINK_BUSY;
  enum ww_error *before = is_uplink ? &told->uplink : &told->local;
  if (*before == error) {
    return;
  }
  *before = error;
  if (is_uplink) {
    tell("%s: %s. Readings are kept until it is.", ww_error_text(error), program->settings.oracle);
  } else if (error == WW_METER_SILENT && program->is_serial) {
    tell("no telegram is heard at %s: look how the head sits on the meter", program->serial.path);
  } else if (error == WW_METER_MISSING && program->is_serial) {
    tell("the meter tells no power, or not the register: unlock it by its PIN, and switch its full data set on");
  } else if (error == WW_METER_SILENT && program->shelly.status == 401) {
    tell(program->shelly.login == NULL ? "the meter wants a password: give --shelly-login"
                                       : "the meter refuses the login: look at the file of --shelly-login");
  } else if (error == WW_METER_SILENT && program->shelly.status != 0) {
    tell("the meter at %s answers with status %ld", program->settings.shelly, program->shelly.status);
  } else {
    tell("%s", ww_error_text(error));
  }
}

static void tell_status(const struct program *program, struct told *told) {
  int status = program->device.status;
  if (status == told->status || status == 0) {
    return;
  }
  told->status = status;
  if (status == 404) {
    tell("the oracle answers 404: it does not know this meter yet. Has it been registered?");
  } else if (status != 200) {
    tell("the oracle answers with status %d", status);
  }
}

static void tell_reading(const struct program *program, const uint8_t bytes[WW_READING_LENGTH]) {
  struct ww_reading reading;
  if (ww_reading_decode(bytes, WW_READING_LENGTH, &reading) != WW_OK) {
    return;
  }
  const char *sign = reading.power < 0 ? "-" : "";
  uint64_t power = reading.power < 0 ? (uint64_t)-reading.power : (uint64_t)reading.power;
  tell("reading %" PRIu64 ": %s%" PRIu64 ".%03" PRIu64 " W, %" PRIu64 ".%06" PRIu64 " kWh%s%s%s%s",
       program->device.queue.state.log.size - 1, sign, power / 1000, power % 1000, reading.energy / 1000000,
       reading.energy % 1000000, reading.conditions & WW_DRIFTING ? ", clock drifting" : "",
       reading.conditions & WW_INVALID ? ", invalid" : "", reading.conditions & WW_DISCONTINUOUS ? ", not counted" : "",
       reading.conditions & WW_TAMPER ? ", opened" : "");
}

static void tell_wiring(const struct program *program, struct told *told) {
  enum ww_wiring_problem problem = program->device.wiring.problem;
  const char *advice = ww_wiring_advice(problem, program->settings.source);
  if (problem != told->wiring && advice != NULL) {
    tell("%s", advice);
  }
  told->wiring = problem;
}

static void tell_what(const struct program *program, const struct happened *happened, struct told *told) {
  const struct ww_state *state = &program->device.queue.state;
  if (happened->begun != WW_RESUMED) {
    tell("epoch %" PRIu32 " begun: %s", state->epoch, ww_cause_text(happened->begun));
  }
  if (happened->error != WW_OK) {
    tell_error(program, happened->error, told);
  }
  if (happened->was_taken) {
    told->local = WW_OK;
    tell_reading(program, happened->reading);
    tell_wiring(program, told);
  }
  if (happened->was_stored) {
    told->uplink = WW_OK;
    tell("the oracle has %" PRIu64 " of %" PRIu64 " readings", state->acknowledged, state->log.size);
  }
  tell_status(program, told);
}

/** Returns whether it was told. */
static bool tell_registration(const struct program *program, const struct run_options *options) {
  struct ww_registration registration;
  char text[WW_REGISTRATION_TEXT_LIMIT];
  if (ww_registration_make(&program->device, options->details, &registration) != WW_OK) {
    return false;
  }
  ww_registration_write(&registration, text);
  tell("for the oracle's POST /registrations, within %s:", program->settings.succeeds ? "the hour" : "a week");
  printf("%s\n", text);
  if (options->shows_qr) {
    qr_print(text);
  }
  return true;
}

/* RUNNING */

static volatile sig_atomic_t was_told_to_end;

static void end(int signal) {
  (void)signal;
  was_told_to_end = 1;
}

static void greet(const struct program *program) {
  const struct ww_device *device = &program->device;
  const struct ww_state *state = &device->queue.state;
  if (device->cause == WW_RESUMED) {
    tell("epoch %" PRIu32 " goes on: %" PRIu64 " readings, of which the oracle has %" PRIu64, state->epoch,
         state->log.size, state->acknowledged);
  } else {
    tell("a log begins with the next reading: %s", ww_cause_text(device->cause));
  }
}

/** Listens meanwhile to a meter that sends by itself. */
static void wait_for_more(struct program *program, uint32_t pause) {
  uint64_t until = system_uptime() + pause;
  for (uint64_t now = system_uptime(); now < until && !was_told_to_end; now = system_uptime()) {
    bool is_posting = program->device.phase != WW_AT_REST;
    http_uplink_wait(&program->uplink, program->is_serial ? serial_meter_file(&program->serial) : -1,
                     (int)(until - now));
    if (!program->is_serial || is_posting) {
      return;
    }
    serial_meter_listen(&program->serial);
  }
}

int run(struct program *program, const struct run_options *options) {
  struct system_clock clock = {.is_trusted = options->trusts_clock};
  struct sigaction action = {.sa_handler = end};
  struct told told = {.status = 200};
  bool was_registration_told = options->details == NULL;
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  setvbuf(stdout, NULL, _IOLBF, 0);
  program->ports.clock = system_clock_port(&clock);
  greet(program);
  while (!was_told_to_end) {
    struct happened happened;
    program->uptime = system_uptime();
    uint32_t pause = program_step(program, &happened);
    tell_what(program, &happened, &told);
    if (clock.synchronised == 0 && !told.clock) {
      told.clock = true;
      tell("no reading is taken before the system's clock is synchronised: start an NTP client, or give --trust-clock");
    }
    if (!was_registration_told && happened.was_taken) {
      was_registration_told = tell_registration(program, options);
    }
    wait_for_more(program, pause);
  }
  tell("ended; everything is kept");
  return 0;
}
