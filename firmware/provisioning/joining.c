#include "joining.h"

#include <stdio.h>
#include <string.h>

/* ms */
#define SILENCE 500u
#define PATIENCE 30000u

#define FIRMWARE "WattWitness"

/* TELLING */

static void tell_byte(const struct ww_joining *joining, enum ww_improv_type type, unsigned value) {
  uint8_t packet[WW_IMPROV_PACKET_LIMIT];
  const uint8_t data[1] = {(uint8_t)value};
  joining->port.write(joining->port.context, packet, ww_improv_write(type, data, sizeof data, packet));
}

static void tell_result(const struct ww_joining *joining, enum ww_improv_command command, const char *const *texts) {
  uint8_t packet[WW_IMPROV_PACKET_LIMIT];
  joining->port.write(joining->port.context, packet, ww_improv_write_result(command, texts, packet));
}

/** One result of several texts; of none, where it ends a list or there is no page to go on at. */
#define TELL(joining, command, ...) tell_result(joining, command, (const char *const[]){__VA_ARGS__ NULL})

static struct ww_board_status describe(const struct ww_joining *joining) {
  const struct ww_console_port *port = &joining->console->port;
  struct ww_board_status status = {0};
  port->describe(port->context, &status);
  return status;
}

static void tell_joined(const struct ww_joining *joining, enum ww_improv_command command) {
  tell_byte(joining, WW_IMPROV_STATE, WW_IMPROV_JOINED);
  TELL(joining, command, );
}

static void fail(struct ww_joining *joining, enum ww_improv_error error) {
  joining->doing = WW_NOT_JOINING;
  tell_byte(joining, WW_IMPROV_ERROR, error);
}

/* COMMANDS */

static void join(struct ww_joining *joining, const uint8_t *data, size_t length, uint64_t now) {
  char ssid[WW_SSID_LIMIT + 1], password[WW_PASSWORD_LIMIT + 1];
  const struct ww_console_port *port = &joining->console->port;
  if (!ww_improv_read_network(data, length, ssid, password)) {
    fail(joining, WW_IMPROV_INVALID);
    return;
  }
  enum ww_error error = port->set_wifi(port->context, ssid, password);
  memset(password, 0, sizeof password);
  if (error != WW_OK) {
    fail(joining, WW_IMPROV_FAILED);
    return;
  }
  joining->doing = WW_JOINING;
  joining->since = now;
  tell_byte(joining, WW_IMPROV_ERROR, WW_IMPROV_NO_ERROR);
  tell_byte(joining, WW_IMPROV_STATE, WW_IMPROV_JOINING);
}

static void tell_state(const struct ww_joining *joining) {
  if (joining->doing == WW_JOINING) {
    tell_byte(joining, WW_IMPROV_STATE, WW_IMPROV_JOINING);
  } else if (describe(joining).network == WW_NETWORK_JOINED) {
    tell_joined(joining, WW_IMPROV_TELL_STATE);
  } else {
    tell_byte(joining, WW_IMPROV_STATE, WW_IMPROV_READY);
  }
}

static void tell_device(const struct ww_joining *joining) {
  struct ww_board_status status = describe(joining);
  TELL(joining, WW_IMPROV_TELL_DEVICE, FIRMWARE, status.version, status.chip, joining->console->board.name, );
}

static void look(struct ww_joining *joining, uint64_t now) {
  if (joining->port.look(joining->port.context) != WW_OK) {
    fail(joining, WW_IMPROV_FAILED);
    return;
  }
  joining->doing = WW_LOOKING;
  joining->since = now;
}

static void obey(struct ww_joining *joining, uint64_t now) {
  const struct ww_improv *improv = &joining->improv;
  const uint8_t *data = improv->data;
  if (improv->type != WW_IMPROV_COMMAND) {
    return; /* what a board says, and not what is said to one */
  }
  if (improv->length < 2 || data[1] != improv->length - 2) {
    fail(joining, WW_IMPROV_INVALID);
    return;
  }
  switch (data[0]) {
    case WW_IMPROV_JOIN: join(joining, data + 2, data[1], now); return;
    case WW_IMPROV_TELL_STATE: tell_state(joining); return;
    case WW_IMPROV_TELL_DEVICE: tell_device(joining); return;
    case WW_IMPROV_TELL_NETWORKS: look(joining, now); return;
    default: tell_byte(joining, WW_IMPROV_ERROR, WW_IMPROV_UNKNOWN); return;
  }
}

/* WHAT TAKES TIME */

static void tell_networks(const struct ww_joining *joining) {
  struct ww_network_seen network;
  char strength[12];
  for (unsigned i = 0; joining->port.seen(joining->port.context, i, &network); i++) {
    snprintf(strength, sizeof strength, "%d", network.strength);
    TELL(joining, WW_IMPROV_TELL_NETWORKS, network.ssid, strength, network.is_protected ? "YES" : "NO", );
  }
  TELL(joining, WW_IMPROV_TELL_NETWORKS, );
}

static void go_on(struct ww_joining *joining, uint64_t now) {
  bool is_late = now - joining->since >= PATIENCE;
  if (joining->doing == WW_JOINING && describe(joining).network == WW_NETWORK_JOINED) {
    joining->doing = WW_NOT_JOINING;
    tell_joined(joining, WW_IMPROV_JOIN);
  } else if (joining->doing == WW_LOOKING && joining->port.has_looked(joining->port.context)) {
    joining->doing = WW_NOT_JOINING;
    tell_networks(joining);
  } else if (joining->doing == WW_JOINING && is_late) {
    fail(joining, WW_IMPROV_NOT_JOINED);
    tell_byte(joining, WW_IMPROV_STATE, WW_IMPROV_READY);
  } else if (joining->doing == WW_LOOKING && is_late) {
    fail(joining, WW_IMPROV_FAILED);
  }
}

/* THE LINE */

static void take(struct ww_joining *joining, enum ww_improv_found found, uint64_t now) {
  struct ww_improv *improv = &joining->improv;
  switch (found) {
    case WW_IMPROV_NOTHING: return;
    case WW_IMPROV_TEXT: ww_console_input(joining->console, improv->text, improv->text_length); return;
    case WW_IMPROV_BROKEN: fail(joining, WW_IMPROV_INVALID); break;
    case WW_IMPROV_PACKET: obey(joining, now); break;
  }
  memset(improv, 0, sizeof *improv); /* a password may have been in it */
}

void ww_joining_step(struct ww_joining *joining, const char *bytes, size_t length, uint64_t now) {
  if (length > 0) {
    joining->heard_at = now;
  } else if (now - joining->heard_at >= SILENCE) {
    take(joining, ww_improv_give_up(&joining->improv), now);
  }
  for (size_t i = 0; i < length; i++) {
    take(joining, ww_improv_take(&joining->improv, (uint8_t)bytes[i]), now);
  }
  go_on(joining, now);
}

void ww_joining_begin(struct ww_joining *joining, struct ww_joining_port port, struct ww_console *console) {
  memset(joining, 0, sizeof *joining);
  joining->port = port;
  joining->console = console;
}
