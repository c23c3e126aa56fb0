/** The console of the board on this machine's terminal, for a secure element on its bus (program.h). */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "console.h"
#include "files.h"
#include "program.h"
#include "qr.h"
#include "system_clock.h"

#define IDLE_MS 250u
#define START_AGAIN_MS 5000u

/* THE TERMINAL */

static struct termios before;
static bool was_changed;

static void restore(void) {
  if (was_changed) {
    tcsetattr(STDIN_FILENO, TCSANOW, &before);
  }
}

/** The console echoes by itself: it hides what is secret. */
static void take_every_key(void) {
  struct termios raw;
  was_changed = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &before) == 0;
  if (was_changed) {
    raw = before;
    raw.c_lflag &= (tcflag_t) ~(ICANON | ECHO);
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);
  }
}

/* THE CONSOLE'S PORT */

static void print(void *context, const char *text) {
  (void)context;
  fputs(text, stdout);
  fflush(stdout);
}

static void show_qr(void *context, const char *text) {
  (void)context;
  if (qr_is_there()) {
    qr_print(text);
  }
}

static enum ww_error load(void *context, char text[WW_SETTINGS_TEXT_LIMIT]) {
  const char *path = context;
  if (file_read(path, text, WW_SETTINGS_TEXT_LIMIT)) {
    return WW_OK;
  }
  return errno == ENOENT ? WW_SETTING_MISSING : WW_STORE_FAILED;
}

static enum ww_error save(void *context, const char *text) {
  const char *path = context;
  return file_replace(path, text, true) ? WW_OK : WW_STORE_FAILED;
}

/** This machine has a network of its own. */
static enum ww_error set_wifi(void *context, const char *ssid, const char *password) {
  (void)context;
  (void)ssid;
  (void)password;
  return WW_SETTING_UNKNOWN;
}

static volatile sig_atomic_t was_told_to_end;

static void describe(void *context, struct ww_board_status *status) {
  (void)context;
  struct system_clock clock = {0};
  struct ww_clock_port port = system_clock_port(&clock);
  snprintf(status->version, sizeof status->version, "of this machine");
  status->network = WW_NETWORK_OF_HOST;
  status->time = port.read(port.context);
}

/** Whoever started the program starts it again: a unit of systemd, or a person. */
static void restart(void *context) {
  (void)context;
  was_told_to_end = 1;
}

/* RUNNING */

static void end(int signal) {
  (void)signal;
  was_told_to_end = 1;
}

/** Tries to start the device now and then: its chip may become ready by the console. */
static bool is_running(struct program *program, struct ww_console *console, enum ww_error opened) {
  static bool has_started;
  static uint64_t next_try;
  if (has_started || program->uptime < next_try) {
    return has_started;
  }
  enum ww_error error =
      opened == WW_OK ? ww_device_start(&program->device, &program->settings, &program->ports) : opened;
  has_started = error == WW_OK;
  next_try = program->uptime + START_AGAIN_MS;
  ww_console_tell(console, has_started ? &program->device : NULL, error);
  return has_started;
}

/** Whether there may be more: false at the end of what is typed. */
static bool attend(struct program *program, struct ww_console *console, uint32_t pause) {
  char typed[256];
  struct pollfd keys = {.fd = STDIN_FILENO, .events = POLLIN};
  if (program->uplink.multi != NULL) {
    http_uplink_wait(&program->uplink, STDIN_FILENO, (int)pause);
  } else {
    poll(&keys, 1, (int)pause);
  }
  if (program->is_serial) {
    serial_meter_listen(&program->serial);
  }
  if (poll(&keys, 1, 0) <= 0) {
    return true;
  }
  ssize_t got = read(STDIN_FILENO, typed, sizeof typed);
  if (got > 0) {
    ww_console_input(console, typed, (size_t)got);
  }
  return got > 0 || (got < 0 && errno == EINTR);
}

int converse(struct program *program, const struct run_options *options, const char *path, enum ww_error opened) {
  static struct ww_console console;
  struct system_clock clock = {.is_trusted = options->trusts_clock};
  struct sigaction action = {.sa_handler = end};
  const struct ww_console_port port = {.context = (void *)path,
                                       .print = print,
                                       .qr = show_qr,
                                       .load = load,
                                       .save = save,
                                       .set_wifi = set_wifi,
                                       .describe = describe,
                                       .restart = restart,
                                       .has_other_meter = options->has_other_meter};
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  program->ports.clock = system_clock_port(&clock);
  take_every_key();
  ww_console_begin(&console, port, &program->chip, NULL);
  bool is_more = true;
  while (is_more && !was_told_to_end) {
    uint32_t pause = IDLE_MS;
    program->uptime = system_uptime();
    if (is_running(program, &console, opened)) {
      uint32_t due = ww_device_step(&program->device, program->uptime);
      pause = due < pause ? due : pause;
    }
    is_more = attend(program, &console, pause);
  }
  restore();
  return 0;
}
