/**
 * The meter of a PC: a Shelly, asked over HTTP by libcurl. Which generation it is it is asked once, and again after it did
 * not answer as that. Where it wants to know who asks, Gen1 is told by basic, later ones by digest authentication (RFC 7616),
 * and nothing is told before it wants to know.
 */
#ifndef WW_HTTP_SHELLY_H
#define WW_HTTP_SHELLY_H

#include <curl/curl.h>

#include "ports.h"
#include "shelly.h"

/** Bytes of an answer at most. */
#define HTTP_SHELLY_LIMIT 8192

struct http_shelly {
  CURL *request;
  const char *base; /* URL */
  const char *login;
  struct ww_shelly_options options;
  bool generation_is_known;
  enum ww_shelly_generation generation;
  long status; /* HTTP, of the last answer; 0 = there was none */
  bool was_too_long;
  size_t length;
  char body[HTTP_SHELLY_LIMIT];
};

/** `base` and `login` must live as long. `login`: user:password; NULL = none. */
WW_RESULT http_shelly_open(struct http_shelly *shelly, const char *base, uint8_t source, const char *login);

void http_shelly_close(struct http_shelly *shelly);

struct ww_meter_port http_shelly_port(struct http_shelly *shelly);

#endif
