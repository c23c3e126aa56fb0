/**
 * The meter of the board: a Shelly, asked over HTTP. Which generation it is it is asked once, and again after it did
 * not answer as that. Where it wants to know who asks, Gen1 is told by basic, later ones by digest authentication, and
 * nothing is told before it wants to know.
 */
#ifndef WW_HTTP_SHELLY_H
#define WW_HTTP_SHELLY_H

#include "esp_http_client.h"
#include "ports.h"
#include "shelly.h"

/** Bytes of an answer at most. */
#define HTTP_SHELLY_LIMIT 8192

struct http_shelly {
  esp_http_client_handle_t request; /* of the measurement that is under way */
  const char *base;                 /* URL */
  const char *user;
  const char *password;
  struct ww_shelly_options options;
  bool has_login;
  bool wants_digest; /* the meter, of who asks */
  bool generation_is_known;
  enum ww_shelly_generation generation;
  int64_t deadline; /* us */
  int status;       /* HTTP, of the last answer; 0 = there was none */
  size_t length;
  char body[HTTP_SHELLY_LIMIT];
};

/** `base`, `user` and `password` must live as long; an empty user = no login. */
WW_RESULT http_shelly_open(struct http_shelly *shelly, const char *base, uint8_t source, const char *user,
                           const char *password);

struct ww_meter_port http_shelly_port(struct http_shelly *shelly);

#endif
