/** wattwitness-device: the firmware as a program, with a secure element on a bus or a key in a file in its place. */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "doctor.h"
#include "files.h"
#include "hex.h"
#include "program.h"
#include "qr.h"

static const char HELP[] =
    "WattWitness's firmware as a program: reads a meter, signs, and posts to an oracle.\n"
    "\n"
    "  wattwitness-device --settings FILE --data DIR\n"
    "\n"
    "  --settings FILE      a line each, `name value`: chain-id, registry, owner, capacity, channel, register,\n"
    "                       interval, upload-every, oracle, shelly, meter (see firmware/core/settings.h)\n"
    "  --data DIR           where key, counter and log are kept; made where it is missing\n"
    "  --chip BUS           sign with the ATECC608 on this bus, such as /dev/i2c-1, not with a key in a file\n"
    "  --console            and provision it: the console of the board at this terminal (see docs/board.md)\n"
    "  --doctor             tell what is there of it, and what to do; needs nothing else (BUS: /dev/i2c-1)\n"
    "  --ca FILE            trust these certificates (PEM) for the oracle, and no others\n"
    "  --meter sml:PATH     in the place of a Shelly, an optical head at this serial port, which hears SML; or a "
    "pipe,\n"
    "                       or a file with recorded telegrams. It goes with `channel all`\n"
    "  --shelly-login FILE  a line user:password, where the Shelly has a password\n"
    "  --register DETAILS   print what the oracle's POST /registrations wants, once a log has begun;\n"
    "                       DETAILS: SHA-256 of the document about the installation, in hexadecimal\n"
    "  --qr                 and show it as a QR code\n"
    "  --trust-clock        take the system's clock as right though nothing is known to synchronise it\n"
    "  --clock stdin        live at the times that are told on stdin, a Unix time a line, and answer each with a\n"
    "                       line of JSON (see firmware/pc/program.h); the default is --clock system\n"
    "  --no-sync            do not wait for the disk: faster, and a power cut may lose what was written\n"
    "  --sectors N          of 4,096 bytes for what no oracle has yet, from 3 on (224)\n"
    "  --help\n";

struct options {
  const char *settings;
  const char *data;
  const char *ca;
  const char *shelly_login;
  const char *serial; /* the path of a meter on a serial port; NULL = it is a Shelly */
  const char *sectors;
  const char *details;
  const char *chip; /* the path of its bus; NULL = a key in a file */
  bool has_console;
  bool is_ill;
  bool is_lockstep;
  bool is_durable;
  struct run_options run;
};

enum { PATH_LIMIT = 960 };

__attribute__((format(printf, 1, 2), noreturn)) static void fail(const char *format, ...) {
  va_list values;
  va_start(values, format);
  vfprintf(stderr, format, values);
  va_end(values);
  fputc('\n', stderr);
  exit(1);
}

/* OPTIONS */

/** The path in sml:PATH. */
static const char *read_meter(const char *text) {
  static const char SML[] = "sml:";
  size_t length = sizeof SML - 1;
  if (strncmp(text, SML, length) != 0 || text[length] == '\0') {
    fail("--meter %s: give sml: and a serial port, such as sml:/dev/ttyUSB0.", text);
  }
  return text + length;
}

static struct options read_options(int count, char **arguments) {
  enum {
    SETTINGS = 1,
    DATA,
    CHIP,
    CONSOLE,
    DOCTOR,
    CA,
    METER,
    LOGIN,
    REGISTER,
    QR,
    TRUST,
    CLOCK,
    NO_SYNC,
    SECTOR_COUNT,
    HELP_ASKED
  };
  static const struct option NAMES[] = {
      {"settings", required_argument, NULL, SETTINGS}, {"data", required_argument, NULL, DATA},
      {"chip", required_argument, NULL, CHIP},         {"console", no_argument, NULL, CONSOLE},
      {"doctor", no_argument, NULL, DOCTOR},           {"ca", required_argument, NULL, CA},
      {"meter", required_argument, NULL, METER},       {"shelly-login", required_argument, NULL, LOGIN},
      {"register", required_argument, NULL, REGISTER}, {"qr", no_argument, NULL, QR},
      {"trust-clock", no_argument, NULL, TRUST},       {"clock", required_argument, NULL, CLOCK},
      {"no-sync", no_argument, NULL, NO_SYNC},         {"sectors", required_argument, NULL, SECTOR_COUNT},
      {"help", no_argument, NULL, HELP_ASKED},         {0},
  };
  struct options options = {.sectors = "224", .is_durable = true};
  for (int option = getopt_long(count, arguments, "", NAMES, NULL); option != -1;
       option = getopt_long(count, arguments, "", NAMES, NULL)) {
    switch (option) {
      case SETTINGS: options.settings = optarg; break;
      case DATA: options.data = optarg; break;
      case CHIP: options.chip = optarg; break;
      case CONSOLE: options.has_console = true; break;
      case DOCTOR: options.is_ill = true; break;
      case CA: options.ca = optarg; break;
      case METER:
        options.serial = read_meter(optarg);
        options.run.has_other_meter = true;
        break;
      case LOGIN: options.shelly_login = optarg; break;
      case REGISTER: options.details = optarg; break;
      case QR: options.run.shows_qr = true; break;
      case TRUST: options.run.trusts_clock = true; break;
      case NO_SYNC: options.is_durable = false; break;
      case SECTOR_COUNT: options.sectors = optarg; break;
      case CLOCK:
        options.is_lockstep = strcmp(optarg, "stdin") == 0;
        if (!options.is_lockstep && strcmp(optarg, "system") != 0) {
          fail("--clock %s: give system or stdin.", optarg);
        }
        break;
      case HELP_ASKED: fputs(HELP, stdout); exit(0);
      default: fail("wattwitness-device --help lists the options.");
    }
  }
  if (optind < count) {
    fail("%s: is no option. wattwitness-device --help lists them.", arguments[optind]);
  }
  if (options.is_ill) {
    return options;
  }
  if (options.has_console && (options.chip == NULL || options.is_lockstep)) {
    fail("--console goes with --chip, and the system's clock.");
  }
  if (options.settings == NULL || options.data == NULL) {
    fail("Give --settings FILE and --data DIR. wattwitness-device --help says more.");
  }
  if (options.run.shows_qr && options.details == NULL) {
    fail("--qr goes with --register.");
  }
  if (options.run.shows_qr && !qr_is_there()) {
    fail("--qr needs libqrencode when wattwitness-device is built (Debian: libqrencode-dev).");
  }
  return options;
}

static uint32_t read_sectors(const char *text) {
  char *end;
  unsigned long sectors = strtoul(text, &end, 10);
  if (text[0] < '0' || text[0] > '9' || *end != '\0' || sectors < 3 || sectors > 65536) {
    fail("--sectors %s: give a number from 3 to 65536.", text);
  }
  return (uint32_t)sectors;
}

/* SETTINGS */

/** The name at the beginning of a line, for a message. */
static void name_in_line(const char *text, unsigned line, char name[32]) {
  while (line > 1) {
    text = ww_settings_next_line(text);
    line--;
  }
  if (sscanf(text, " %31s", name) != 1) {
    name[0] = '\0';
  }
}

static const char *rule_of(const char *name) {
  const char *rule = ww_settings_rule(name);
  return rule != NULL ? rule : "a line `name value`";
}

/** UTF-16, as some editors save it, is full of zeros. */
static bool is_utf16(const char *text) {
  return strncmp(text, "\xFF\xFE", 2) == 0 || strncmp(text, "\xFE\xFF", 2) == 0 || (text[0] != '\0' && text[1] == '\0');
}

/** Whether nothing is missing but the Shelly, and no Shelly is read. */
static bool needs_no_shelly(const struct ww_settings *settings, const struct options *options) {
  return options->serial != NULL && strcmp(ww_settings_missing(settings), "shelly") == 0;
}

static void read_settings(struct ww_settings *settings, const struct options *options) {
  const char *path = options->settings;
  char text[16384] = {0};
  char name[32];
  unsigned line;
  if (!file_read(path, text, sizeof text)) {
    fail("%s: %s.", path, strerror(errno));
  }
  if (is_utf16(text)) {
    fail("%s: is not UTF-8: save it as that.", path);
  }
  enum ww_error error = ww_settings_read(settings, text, &line);
  switch (error) {
    case WW_OK: return;
    case WW_SETTING_MISSING:
      if (needs_no_shelly(settings, options)) {
        return;
      }
      fail("%s: %s is missing. wattwitness-device --help lists the settings.", path, ww_settings_missing(settings));
    case WW_SETTING_INVALID:
      name_in_line(text, line, name);
      fail("%s:%u: %s: %s, only %s.", path, line, name, ww_error_text(error), rule_of(name));
    default: name_in_line(text, line, name); fail("%s:%u: %s: %s.", path, line, name, ww_error_text(error));
  }
}

/* OPENING */

static const char *in_folder(const char *folder, const char *name, char path[PATH_LIMIT]) {
  if (snprintf(path, PATH_LIMIT, "%s/%s", folder, name) >= PATH_LIMIT) {
    fail("%s: the name is too long.", folder);
  }
  return path;
}

static void check(const char *problem) {
  if (problem != NULL) {
    fail("%s", problem);
  }
}

static const char *read_login(const char *path) {
  static char login[256];
  if (path == NULL) {
    return NULL;
  }
  if (!file_read(path, login, sizeof login)) {
    fail("%s: %s.", path, strerror(errno));
  }
  login[strcspn(login, "\r\n")] = '\0';
  if (strchr(login, ':') == NULL) {
    fail("%s: is no line user:password.", path);
  }
  return login;
}

static struct ww_meter_port open_meter(struct program *program, const struct options *options) {
  const struct ww_settings *settings = &program->settings;
  program->is_serial = options->serial != NULL;
  if (program->is_serial) {
    if ((settings->source & WW_SOURCE_CHANNEL) != WW_ALL_PHASES) {
      fail("%s: a meter that speaks SML has one register for all phases: set `channel all`.", options->settings);
    }
    check(serial_meter_open(&program->serial, options->serial, settings->source));
    return serial_meter_port(&program->serial);
  }
  if (http_shelly_open(&program->shelly, settings->shelly, settings->source, read_login(options->shelly_login)) !=
      WW_OK) {
    fail("libcurl could not be started.");
  }
  return http_shelly_port(&program->shelly);
}

static void open_program(struct program *program, const struct options *options) {
  char path[PATH_LIMIT];
  const struct ww_settings *settings = &program->settings;
  if (mkdir(options->data, 0700) != 0 && errno != EEXIST) {
    fail("%s: %s.", options->data, strerror(errno));
  }
  /* the store first: it keeps a second program away from key and counter */
  check(file_store_open(&program->store, in_folder(options->data, "store", path), read_sectors(options->sectors),
                        options->is_durable));
  if (!program->has_chip) {
    check(psa_signer_open(&program->signer, in_folder(options->data, "key", path), options->is_durable));
  }
  if (options->ca != NULL && access(options->ca, R_OK) != 0) {
    fail("%s: %s.", options->ca, strerror(errno));
  }
  if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ||
      http_uplink_open(&program->uplink, settings->oracle, options->ca) != WW_OK) {
    fail("libcurl could not be started.");
  }
  program->ports = (struct ww_ports){
      .meter = open_meter(program, options),
      .signer = program->has_chip ? ww_atecc608_signer(&program->chip) : psa_signer_port(&program->signer),
      .store = file_store_port(&program->store),
      .uplink = http_uplink_port(&program->uplink),
  };
}

static void close_program(struct program *program) {
  if (program->is_serial) {
    serial_meter_close(&program->serial);
  } else {
    http_shelly_close(&program->shelly);
  }
  http_uplink_close(&program->uplink);
  curl_global_cleanup();
  if (!program->has_chip) {
    psa_signer_close(&program->signer);
  }
  file_store_close(&program->store);
}

static void open_chip(struct program *program, const char *path) {
  program->has_chip = path != NULL;
  if (program->has_chip) {
    check(i2c_chip_open(&program->bus, path));
    ww_atecc608_init(&program->chip, i2c_chip_port(&program->bus));
  }
}

/** Beside a console settings may be missing, or wrong: it is there to mend them. */
static int run_console(struct program *program, const struct options *options) {
  char text[WW_SETTINGS_TEXT_LIMIT] = {0};
  unsigned line;
  bool is_there = file_read(options->settings, text, sizeof text);
  enum ww_error opened = is_there ? ww_settings_read(&program->settings, text, &line) : WW_SETTING_MISSING;
  if (opened == WW_SETTING_MISSING && is_there && needs_no_shelly(&program->settings, options)) {
    opened = WW_OK;
  }
  if (opened == WW_OK) {
    open_program(program, options);
  }
  int code = converse(program, &options->run, options->settings, opened);
  if (opened == WW_OK) {
    close_program(program);
  }
  return code;
}

static int run_alone(struct program *program, const struct options *options) {
  read_settings(&program->settings, options);
  open_program(program, options);
  enum ww_error error = ww_device_start(&program->device, &program->settings, &program->ports);
  if (error != WW_OK) {
    fail("The device could not be started: %s.%s", ww_error_text(error),
         program->has_chip ? " wattwitness-device --doctor says more." : "");
  }
  int code = options->is_lockstep ? lockstep(program) : run(program, &options->run);
  close_program(program);
  return code;
}

int main(int count, char **arguments) {
  static struct program program;
  uint8_t details[WW_HASH_LENGTH];
  struct options options = read_options(count, arguments);
  if (options.is_ill) {
    return doctor(options.chip == NULL ? "/dev/i2c-1" : options.chip);
  }
  if (options.details != NULL) {
    if (!ww_unhex(options.details, details, sizeof details)) {
      fail("--register %s: give 32 bytes in hexadecimal.", options.details);
    }
    options.run.details = details;
  }
  open_chip(&program, options.chip);
  int code = options.has_console ? run_console(&program, &options) : run_alone(&program, &options);
  if (program.has_chip) {
    i2c_chip_close(&program.bus);
  }
  return code;
}
