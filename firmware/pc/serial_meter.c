#include "serial_meter.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

/** ms that a measurement may take */
#define PATIENCE 2000
/** ms for which a telegram is what the meter shows now: they come every four seconds at most */
#define FRESH 5000

static long milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000L + now.tv_nsec / 1000000L;
}

/* THE PORT */

/** 9600 baud, 8N1, every byte as it is. */
static bool set_up(int file) {
  struct termios port;
  if (tcgetattr(file, &port) != 0) {
    return false;
  }
  port.c_iflag &= (tcflag_t) ~(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON | IXOFF | INPCK);
  port.c_oflag &= (tcflag_t)~OPOST;
  port.c_lflag &= (tcflag_t) ~(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
  port.c_cflag &= (tcflag_t) ~(CSIZE | PARENB | CSTOPB);
  port.c_cflag |= CS8 | CREAD | CLOCAL;
  port.c_cc[VMIN] = 1;
  port.c_cc[VTIME] = 0;
  return cfsetispeed(&port, B9600) == 0 && cfsetospeed(&port, B9600) == 0 && tcsetattr(file, TCSANOW, &port) == 0 &&
         tcflush(file, TCIFLUSH) == 0;
}

/** Leaves the port closed, and errno set, where it cannot be opened. */
static void open_port(struct serial_meter *meter) {
  struct stat status;
  /* a FIFO that is open for writing, too, has no end when whoever writes goes away */
  bool is_fifo = stat(meter->path, &status) == 0 && S_ISFIFO(status.st_mode);
  meter->file = open(meter->path, (is_fifo ? O_RDWR : O_RDONLY) | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  if (meter->file < 0) {
    return;
  }
  bool is_opened = fstat(meter->file, &status) == 0 && (!isatty(meter->file) || set_up(meter->file));
  meter->is_recording = is_opened && S_ISREG(status.st_mode);
  if (!is_opened) {
    serial_meter_close(meter);
  }
  ww_sml_begin(&meter->sml);
}

const char *serial_meter_open(struct serial_meter *meter, const char *path, uint8_t source) {
  static char problem[1400];
  memset(meter, 0, sizeof *meter);
  meter->path = path;
  meter->source = source;
  open_port(meter);
  if (meter->file >= 0) {
    return NULL;
  }
  const char *advice = errno == EACCES   ? " Be in the group that may read it (Debian: sudo adduser $USER dialout)."
                       : errno == ENOENT ? " Is the head plugged in? ls /dev/serial/by-id tells the names there are."
                                         : "";
  snprintf(problem, sizeof problem, "--meter sml:%s: %s.%s", path, strerror(errno), advice);
  return problem;
}

void serial_meter_close(struct serial_meter *meter) {
  int before = errno;
  if (meter->file >= 0) {
    close(meter->file);
  }
  meter->file = -1;
  errno = before;
}

int serial_meter_file(const struct serial_meter *meter) {
  return meter->is_recording ? -1 : meter->file;
}

/* LISTENING */

static void hear(struct serial_meter *meter, uint8_t byte) {
  if (ww_sml_take(&meter->sml, byte)) {
    meter->error = ww_sml_parse(meter->source, meter->sml.messages, meter->sml.length, &meter->measurement);
    meter->heard = milliseconds();
    meter->has_heard = true;
  }
}

/** Whether something was read. */
static bool read_some(struct serial_meter *meter) {
  uint8_t bytes[512];
  ssize_t got = read(meter->file, bytes, sizeof bytes);
  if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
    serial_meter_close(meter);
  }
  for (ssize_t i = 0; i < got; i++) {
    hear(meter, bytes[i]);
  }
  return got > 0;
}

void serial_meter_listen(struct serial_meter *meter) {
  while (serial_meter_file(meter) >= 0 && read_some(meter)) {
  }
}

/* THE METER */

static void read_recording(struct serial_meter *meter) {
  uint8_t byte;
  meter->has_heard = false;
  while (!meter->has_heard && read(meter->file, &byte, 1) == 1) {
    hear(meter, byte);
  }
}

static bool is_fresh(const struct serial_meter *meter) {
  return meter->has_heard && milliseconds() - meter->heard < FRESH;
}

static void await(struct serial_meter *meter) {
  long deadline = milliseconds() + PATIENCE;
  serial_meter_listen(meter);
  for (long left = PATIENCE; !is_fresh(meter) && left > 0; left = deadline - milliseconds()) {
    struct pollfd port = {.fd = meter->file, .events = POLLIN};
    if (meter->file < 0) {
      return;
    }
    poll(&port, 1, (int)left);
    serial_meter_listen(meter);
  }
}

static enum ww_error measure(void *context, struct ww_measurement *measurement) {
  struct serial_meter *meter = context;
  if (meter->file < 0) {
    open_port(meter);
  }
  if (meter->is_recording) {
    read_recording(meter);
  } else if (meter->file >= 0) {
    await(meter);
  }
  if (!is_fresh(meter)) {
    return WW_METER_SILENT;
  }
  WW_TRY(meter->error);
  *measurement = meter->measurement;
  return WW_OK;
}

struct ww_meter_port serial_meter_port(struct serial_meter *meter) {
  return (struct ww_meter_port){.context = meter, .measure = measure};
}
