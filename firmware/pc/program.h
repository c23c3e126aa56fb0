/** The device on a PC: the core with its ports, and the three ways to run it. */
#ifndef WW_PROGRAM_H
#define WW_PROGRAM_H

#include "device.h"
#include "file_store.h"
#include "http_shelly.h"
#include "http_uplink.h"
#include "i2c_chip.h"
#include "psa_signer.h"
#include "serial_meter.h"

struct program {
  struct ww_settings settings;
  struct psa_signer signer; /* a key in a file, unless there is a secure element */
  struct i2c_chip bus;
  struct ww_atecc608 chip;
  bool has_chip;
  struct file_store store;
  struct http_uplink uplink;
  struct http_shelly shelly; /* the meter, unless it is one on a serial port */
  struct serial_meter serial;
  bool is_serial;
  struct ww_ports ports;
  struct ww_device device;
  uint64_t uptime; /* ms */
};

/** What a step did. */
struct happened {
  bool was_taken;
  uint8_t reading[WW_READING_LENGTH]; /* where one was taken */
  enum ww_cause begun;                /* why a log began; WW_RESUMED = none did */
  bool was_stored;                    /* a post, by the oracle */
  enum ww_error error;                /* WW_OK = none */
};

/** Lets the device do what is due. Returns the ms until it should be called again. */
uint32_t program_step(struct program *program, struct happened *happened);

struct run_options {
  bool trusts_clock;      /* as if it were synchronised */
  const uint8_t *details; /* of the installation: tells the registration once a log has begun; NULL = does not */
  bool shows_qr;          /* and as a QR code */
  bool has_other_meter;   /* than a Shelly */
};

/** Runs on the system's clock until SIGINT or SIGTERM, and tells what happens. Returns the exit code. */
int run(struct program *program, const struct run_options *options);

/**
 * Runs on the system's clock beside the console (provisioning/console.h) of its secure element, at standard input and
 * output, until what is typed ends, or SIGINT or SIGTERM. `path`: where the settings are kept. `opened`: why the device cannot
 * start before the settings are saved, and this program is started again; WW_OK = it can. Returns the exit code.
 */
int converse(struct program *program, const struct run_options *options, const char *path, enum ww_error opened);

/**
 * Runs at the times that are told, each answered once all that is due then is done. Reads lines from stdin until its end,
 * and answers each by a line of JSON on stdout:
 *
 *   TIME                  goes on to this Unix time, forward only; the clock is right then:
 *                         {"time":…,"epoch":…,"size":…,"acknowledged":…,"energy":"…" (mWh),
 *                          "reading":"0x…" (if one was taken), "cause":… (why a log began, or must), "error":… (the last that
 *                          happened), "status":… (HTTP, of the oracle's last answer)}
 *   registration DETAILS  the body for the oracle's POST /registrations; DETAILS: 32 bytes in hexadecimal
 *
 * A line that is neither, or cannot be done, is answered {"error":…}. Returns the exit code.
 */
int lockstep(struct program *program);

#endif
