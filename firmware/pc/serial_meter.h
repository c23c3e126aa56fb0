/**
 * The other meter of a PC: an optical head on a serial port, which hears what a household's meter sends by itself (SML,
 * core/sml.h). A serial port is set to 9600 baud, 8N1, and listened to all the time; the newest telegram is the measurement
 * while it is fresh. So is a pipe or a FIFO (behind ser2net, say). Of a plain file, a recording, each measurement is the next
 * telegram. A port that is gone, because the head was pulled out, is opened again.
 */
#ifndef WW_SERIAL_METER_H
#define WW_SERIAL_METER_H

#include "ports.h"
#include "sml.h"

struct serial_meter {
  const char *path;
  uint8_t source;
  int file; /* -1 = is not open */
  bool is_recording;
  struct ww_sml sml;
  bool has_heard; /* a telegram */
  long heard;     /* ms, monotonic */
  enum ww_error error;
  struct ww_measurement measurement; /* where the error is WW_OK */
};

/** `path` must live as long. Returns NULL, or what is wrong in a sentence that says what to do. */
const char *serial_meter_open(struct serial_meter *meter, const char *path, uint8_t source);

void serial_meter_close(struct serial_meter *meter);

/** What to wait for beside anything else: it can be read when something was heard; -1 = nothing. */
int serial_meter_file(const struct serial_meter *meter);

/** Hears what has come, without waiting. */
void serial_meter_listen(struct serial_meter *meter);

struct ww_meter_port serial_meter_port(struct serial_meter *meter);

#endif
