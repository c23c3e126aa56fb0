#include "hex.h"

#include <string.h>

char *ww_hex(char *out, const uint8_t *bytes, size_t length) {
  static const char DIGITS[] = "0123456789abcdef";
  *out++ = '0';
  *out++ = 'x';
  for (size_t i = 0; i < length; i++) {
    *out++ = DIGITS[bytes[i] >> 4];
    *out++ = DIGITS[bytes[i] & 15];
  }
  return out;
}

static int digit(char character) {
  if (character >= '0' && character <= '9') {
    return character - '0';
  }
  if (character >= 'a' && character <= 'f') {
    return character - 'a' + 10;
  }
  return character >= 'A' && character <= 'F' ? character - 'A' + 10 : -1;
}

bool ww_unhex(const char *text, uint8_t *bytes, size_t length) {
  if (text[0] == '0' && text[1] == 'x') {
    text += 2;
  }
  if (strlen(text) != 2 * length) {
    return false;
  }
  for (size_t i = 0; i < length; i++) {
    int high = digit(text[2 * i]);
    int low = digit(text[2 * i + 1]);
    if (high < 0 || low < 0) {
      return false;
    }
    bytes[i] = (uint8_t)(high << 4 | low);
  }
  return true;
}
