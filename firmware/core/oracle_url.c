#include "oracle_url.h"

#include <stdint.h>
#include <string.h>

#define PLAIN "http://"
#define SECURE "https://"

/** Reads a decimal number of at most `digits` digits; NULL where there is none. */
static const char *read_number(const char *text, unsigned digits, uint32_t *number) {
  const char *begin = text;
  *number = 0;
  for (; *text >= '0' && *text <= '9'; text++) {
    *number = *number * 10 + (uint32_t)(*text - '0');
    if ((size_t)(text - begin) == digits) {
      return NULL;
    }
  }
  return text == begin ? NULL : text;
}

/** Reads four numbers with dots between them; NULL where there are none. */
static const char *read_address(const char *text, uint32_t *address) {
  *address = 0;
  for (int i = 0; i < 4; i++) {
    uint32_t part;
    text = i > 0 && *text++ != '.' ? NULL : read_number(text, 3, &part);
    if (text == NULL || part > 255) {
      return NULL;
    }
    *address = *address << 8 | part;
  }
  return text;
}

static bool is_near(uint32_t address) {
  return address >> 24 == 10 || address >> 24 == 127 || address >> 20 == (172u << 4 | 1) ||
         address >> 16 == (192u << 8 | 168) || address >> 16 == (169u << 8 | 254);
}

bool ww_oracle_url_is_allowed(const char *url) {
  uint32_t address, port;
  if (strncmp(url, SECURE, sizeof SECURE - 1) == 0) {
    return true;
  }
  if (strncmp(url, PLAIN, sizeof PLAIN - 1) != 0) {
    return false;
  }
  const char *rest = read_address(url + sizeof PLAIN - 1, &address);
  if (rest != NULL && *rest == ':') {
    rest = read_number(rest + 1, 5, &port);
  }
  /* anything else after the address would make it a name, or a user's */
  return rest != NULL && (*rest == '\0' || *rest == '/') && is_near(address);
}
