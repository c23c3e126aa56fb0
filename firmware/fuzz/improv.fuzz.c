/**
 * Any bytes on a serial line: what is no packet is handed on as it came, nothing is handed on twice or out of order, and
 * a packet that is found is one that is written the same. The data of each is read as a network, too.
 */
#include <stdlib.h>
#include <string.h>

#include "improv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

static void check_packet(const struct ww_improv *improv, const uint8_t *end, const uint8_t *begin) {
  uint8_t packet[WW_IMPROV_PACKET_LIMIT];
  size_t size = ww_improv_write((enum ww_improv_type)improv->type, improv->data, improv->length, packet) - 1;
  if ((size_t)(end - begin) < size || memcmp(end - size, packet, size) != 0) {
    abort();
  }
  char ssid[WW_SSID_LIMIT + 1], password[WW_PASSWORD_LIMIT + 1];
  if (ww_improv_read_network(improv->data, improv->length, ssid, password) &&
      strlen(ssid) + strlen(password) + 2 != improv->length) {
    abort();
  }
}

/** Steps over what of the input is not the text, which can only be packets, whole, broken or given up. */
static const uint8_t *check_text(const struct ww_improv *improv, const uint8_t *at, const uint8_t *end) {
  while ((size_t)(end - at) >= improv->text_length) {
    if (memcmp(at, improv->text, improv->text_length) == 0) {
      return at + improv->text_length;
    }
    at++;
  }
  abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length) {
  struct ww_improv improv = {0};
  const uint8_t *handed_on = data;
  for (size_t i = 0; i < length; i++) {
    switch (ww_improv_take(&improv, data[i])) {
      case WW_IMPROV_TEXT: handed_on = check_text(&improv, handed_on, data + i + 1); break;
      case WW_IMPROV_PACKET: check_packet(&improv, data + i + 1, data); break;
      default: break;
    }
  }
  if (ww_improv_give_up(&improv) == WW_IMPROV_TEXT) {
    check_text(&improv, handed_on, data + length);
  }
  return 0;
}
