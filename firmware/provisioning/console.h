/**
 * The provisioning console: a person types commands, and makes of a board a meter. It decides everything that is to be
 * decided there, behind a port; a board hands it what arrives on its serial line, a test does it from memory.
 *
 *   help                       lists the commands
 *   chip                       tells how far the secure element has come, and what is next
 *   chip configure             writes its configuration
 *   chip lock-configuration    IRREVERSIBLE
 *   chip make-key              makes its key, inside
 *   chip lock-data             IRREVERSIBLE
 *   chip lock-key              IRREVERSIBLE
 *   settings                   shows them, and what is missing
 *   set NAME VALUE             changes one (core/settings.h, board.h)
 *   save                       keeps them
 *   wifi SSID PASSWORD         keeps the network's credentials; an SSID with spaces stands in quotes
 *   status                     tells how the device is
 *   claim DETAILS              signs the application to be registered
 *   rotate NEW_KEY_ID          signs that another key succeeds this one
 *   begin-log                  begins another log, where the enclosure was opened in this one
 *   restart                    restarts the board
 *
 * What is irreversible, a rotation and another log are done only if the next line is the secure element's serial number or its last
 * four digits, and the element is still the same. Of a line from `wifi` nothing after the SSID is ever printed, and of one
 * that sets a secret nothing after its name.
 */
#ifndef WW_CONSOLE_H
#define WW_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "atecc608.h"
#include "board.h"
#include "device.h"

/** Bytes of a line, its zero included; a longer one is refused whole. */
#define WW_LINE_LIMIT 256u

struct ww_console_port {
  void *context;
  void (*print)(void *context, const char *text);
  /** Shows the text as a QR code. */
  void (*qr)(void *context, const char *text);
  /** The text of the settings that were saved last. WW_SETTING_MISSING: none were. */
  WW_RESULT (*load)(void *context, char text[WW_SETTINGS_TEXT_LIMIT]);
  WW_RESULT (*save)(void *context, const char *text);
  /** The text of the board's settings; never called where there is no board. */
  WW_RESULT (*save_board)(void *context, const char *text);
  /** Keeps the network, and begins to join it: until that is done `describe` tells that none is joined. */
  WW_RESULT (*set_wifi)(void *context, const char *ssid, const char *password);
  void (*describe)(void *context, struct ww_board_status *status);
  void (*restart)(void *context);
  bool has_other_meter; /* than a Shelly, whose address then need not be set */
};

/** What is done if the next line confirms it. */
enum ww_question { WW_NOTHING, WW_LOCK_CONFIGURATION, WW_LOCK_DATA, WW_LOCK_KEY, WW_ROTATE, WW_BEGIN_LOG };

struct ww_console {
  struct ww_console_port port;
  struct ww_atecc608 *chip;
  struct ww_device *device;    /* NULL = it has not started */
  enum ww_error why_not;       /* it has not */
  struct ww_settings settings; /* as they are edited */
  bool has_board;              /* that has settings of its own */
  struct ww_board_settings board;
  enum ww_question asked;
  uint8_t serial[WW_ATECC608_SERIAL_NUMBER_LENGTH]; /* of the chip that is asked about */
  uint8_t subject[64];                              /* the key to lock, or the new key's id */
  char line[WW_LINE_LIMIT];
  size_t length;
  bool is_too_long;
  bool had_return; /* a line feed after it is the same end of line */
};

/**
 * Loads the settings; the board's are those it runs with, NULL where there is none: a program on a machine that has pins, a
 * network and a name already. The device starts without it: ww_console_tell.
 */
void ww_console_begin(struct ww_console *console, struct ww_console_port port, struct ww_atecc608 *chip,
                      const struct ww_board_settings *board);

/** The device runs, or (NULL) why it does not. */
void ww_console_tell(struct ww_console *console, struct ww_device *device, enum ww_error why_not);

/** Takes what was typed, echoes it, and does what each whole line says. */
void ww_console_input(struct ww_console *console, const char *bytes, size_t length);

#endif
