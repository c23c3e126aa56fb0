#include "improv.h"

#include <string.h>

static const char BEGIN[] = "IMPROV\x01";

#define BEGIN_LENGTH (sizeof BEGIN - 1)
#define TYPE BEGIN_LENGTH
#define LENGTH (TYPE + 1)
#define DATA (LENGTH + 1)

/* READING */

static enum ww_improv_found hand_on(struct ww_improv *improv, size_t length) {
  improv->text_length = length;
  improv->taken = 0;
  return length > 0 ? WW_IMPROV_TEXT : WW_IMPROV_NOTHING;
}

/** Of what was held and turned out to be no packet only the last byte can begin one: no other is an I. */
static enum ww_improv_found take_begin(struct ww_improv *improv, char c) {
  if (c == BEGIN[improv->taken]) {
    improv->taken++;
    return WW_IMPROV_NOTHING;
  }
  size_t held = improv->taken;
  memcpy(improv->text, BEGIN, held);
  if (c == BEGIN[0]) {
    enum ww_improv_found found = hand_on(improv, held);
    improv->taken = 1;
    return found;
  }
  improv->text[held] = c;
  return hand_on(improv, held + 1);
}

enum ww_improv_found ww_improv_take(struct ww_improv *improv, uint8_t byte) {
  if (improv->taken < BEGIN_LENGTH) {
    return take_begin(improv, (char)byte);
  }
  size_t at = improv->taken++;
  if (at == TYPE) {
    improv->sum = 0;
    for (size_t i = 0; i < BEGIN_LENGTH; i++) {
      improv->sum = (uint8_t)(improv->sum + (uint8_t)BEGIN[i]);
    }
    improv->type = byte;
  } else if (at == LENGTH) {
    improv->length = byte;
  } else if (at < DATA + improv->length) {
    improv->data[at - DATA] = byte;
  } else {
    improv->taken = 0;
    return byte == improv->sum ? WW_IMPROV_PACKET : WW_IMPROV_BROKEN;
  }
  improv->sum = (uint8_t)(improv->sum + byte);
  return WW_IMPROV_NOTHING;
}

enum ww_improv_found ww_improv_give_up(struct ww_improv *improv) {
  size_t held = improv->taken < BEGIN_LENGTH ? improv->taken : 0;
  memcpy(improv->text, BEGIN, held);
  return hand_on(improv, held);
}

/** Copies a text of these lengths, without a zero in it, and steps behind it. */
static bool read_text(const uint8_t **data, const uint8_t *end, size_t least, size_t most, char *text) {
  size_t length = *data < end ? *(*data)++ : 0;
  if (length < least || length > most || length > (size_t)(end - *data)) {
    return false;
  }
  memcpy(text, *data, length);
  text[length] = '\0';
  *data += length;
  return strlen(text) == length;
}

bool ww_improv_read_network(const uint8_t *data, size_t length, char ssid[WW_SSID_LIMIT + 1],
                            char password[WW_PASSWORD_LIMIT + 1]) {
  const uint8_t *end = data + length;
  return read_text(&data, end, 1, WW_SSID_LIMIT, ssid) &&
         read_text(&data, end, WW_PASSWORD_LEAST, WW_PASSWORD_LIMIT, password) && data == end;
}

/* WRITING */

size_t ww_improv_write(enum ww_improv_type type, const uint8_t *data, size_t length,
                       uint8_t packet[WW_IMPROV_PACKET_LIMIT]) {
  uint8_t sum = 0;
  memcpy(packet, BEGIN, BEGIN_LENGTH);
  packet[TYPE] = (uint8_t)type;
  packet[LENGTH] = (uint8_t)length;
  memcpy(packet + DATA, data, length);
  for (size_t i = 0; i < DATA + length; i++) {
    sum = (uint8_t)(sum + packet[i]);
  }
  packet[DATA + length] = sum;
  packet[DATA + length + 1] = '\n';
  return DATA + length + 2;
}

size_t ww_improv_write_result(enum ww_improv_command command, const char *const *texts,
                              uint8_t packet[WW_IMPROV_PACKET_LIMIT]) {
  uint8_t data[WW_IMPROV_DATA_LIMIT];
  size_t length = 2;
  for (; *texts != NULL && length < sizeof data; texts++) {
    size_t room = sizeof data - length - 1;
    size_t part = strlen(*texts) < room ? strlen(*texts) : room;
    data[length++] = (uint8_t)part;
    memcpy(data + length, *texts, part);
    length += part;
  }
  data[0] = (uint8_t)command;
  data[1] = (uint8_t)(length - 2);
  return ww_improv_write(WW_IMPROV_RESULT, data, length, packet);
}
