#include "http_shelly.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "esp_timer.h"
#include "settings.h"

/** us that a measurement may take */
#define PATIENCE 2000000
#define US_PER_MS 1000

/** Lets the next operation take what is left of the time. */
static bool has_time(struct http_shelly *shelly) {
  int64_t left = (shelly->deadline - esp_timer_get_time()) / US_PER_MS;
  return left > 0 && esp_http_client_set_timeout_ms(shelly->request, (int)left) == ESP_OK;
}

/** The status; 0 = there was none. */
static int request_once(struct http_shelly *shelly) {
  bool has_answered = has_time(shelly) && esp_http_client_open(shelly->request, 0) == ESP_OK && has_time(shelly) &&
                      esp_http_client_fetch_headers(shelly->request) >= 0;
  return has_answered ? esp_http_client_get_status_code(shelly->request) : 0;
}

/** Remembers by which scheme the meter wants to know who asks. */
static esp_err_t look_at(esp_http_client_event_t *event) {
  struct http_shelly *shelly = event->user_data;
  if (event->event_id == HTTP_EVENT_ON_HEADER && strcasecmp(event->header_key, "WWW-Authenticate") == 0) {
    shelly->wants_digest = strncasecmp(event->header_value, "Digest", strlen("Digest")) == 0;
  }
  return ESP_OK;
}

/** Only a first generation is told the password in clear: it knows nothing else. */
static bool may_tell_login(const struct http_shelly *shelly) {
  bool is_first = shelly->generation_is_known && shelly->generation == WW_SHELLY_GEN1;
  return shelly->has_login && (shelly->wants_digest || is_first);
}

static int request(struct http_shelly *shelly) {
  shelly->wants_digest = false;
  shelly->status = request_once(shelly);
  if (shelly->status == HttpStatus_Unauthorized && may_tell_login(shelly)) {
    esp_http_client_add_auth(shelly->request);
    esp_http_client_close(shelly->request);
    shelly->status = request_once(shelly);
  }
  return shelly->status;
}

static enum ww_error read_body(struct http_shelly *shelly) {
  shelly->length = 0;
  while (has_time(shelly)) {
    int got = esp_http_client_read(shelly->request, shelly->body + shelly->length,
                                   (int)(sizeof shelly->body - shelly->length));
    if (got < 0) {
      return WW_METER_SILENT;
    }
    shelly->length += (size_t)got;
    if (shelly->length == sizeof shelly->body) {
      return WW_METER_MALFORMED;
    }
    if (got == 0) {
      return WW_OK; /* where it was cut short it is no JSON */
    }
  }
  return WW_METER_SILENT;
}

static enum ww_error ask(struct http_shelly *shelly, const char *path) {
  char url[WW_URL_LIMIT + 64];
  if (snprintf(url, sizeof url, "%s%s", shelly->base, path) >= (int)sizeof url ||
      esp_http_client_set_url(shelly->request, url) != ESP_OK) {
    return WW_METER_SILENT;
  }
  enum ww_error error = request(shelly) == HttpStatus_Ok ? read_body(shelly) : WW_METER_SILENT;
  esp_http_client_close(shelly->request);
  return error;
}

static enum ww_error recognise(struct http_shelly *shelly) {
  WW_TRY(ask(shelly, WW_SHELLY_IDENTITY_PATH));
  WW_TRY(ww_shelly_generation(shelly->body, shelly->length, &shelly->generation));
  shelly->generation_is_known = true;
  return WW_OK;
}

static enum ww_error read_meter(struct http_shelly *shelly, struct ww_measurement *measurement) {
  if (!shelly->generation_is_known) {
    WW_TRY(recognise(shelly));
  }
  WW_TRY(ask(shelly, ww_shelly_path(shelly->generation)));
  return ww_shelly_parse(&shelly->options, shelly->body, shelly->length, measurement);
}

/** Whether another generation may be there now: one that is only slow, or refuses, is asked as before. */
static bool is_doubtful(const struct http_shelly *shelly, enum ww_error error) {
  return error == WW_METER_MALFORMED || error == WW_METER_MISSING || shelly->status == HttpStatus_NotFound;
}

/**
 * With a client of its own, which knows no login before it is asked for one: a nonce that the meter has forgotten would be
 * given again for ever, and a client that lives on loses some memory with every new one.
 */
static enum ww_error measure(void *context, struct ww_measurement *measurement) {
  struct http_shelly *shelly = context;
  const esp_http_client_config_t config = {
      .url = shelly->base,
      .username = shelly->has_login ? shelly->user : NULL,
      .password = shelly->has_login ? shelly->password : NULL,
      .event_handler = look_at,
      .user_data = shelly,
      .disable_auto_redirect = true,
      .buffer_size = 1024,
  };
  shelly->deadline = esp_timer_get_time() + PATIENCE;
  shelly->status = 0;
  shelly->request = esp_http_client_init(&config);
  if (shelly->request == NULL) {
    return WW_METER_SILENT;
  }
  enum ww_error error = read_meter(shelly, measurement);
  esp_http_client_cleanup(shelly->request);
  shelly->generation_is_known = shelly->generation_is_known && !is_doubtful(shelly, error);
  return error;
}

enum ww_error http_shelly_open(struct http_shelly *shelly, const char *base, uint8_t source, const char *user,
                               const char *password) {
  memset(shelly, 0, sizeof *shelly);
  shelly->base = base;
  shelly->options.source = source;
  shelly->user = user;
  shelly->password = password;
  shelly->has_login = user[0] != '\0';
  return WW_OK;
}

struct ww_meter_port http_shelly_port(struct http_shelly *shelly) {
  return (struct ww_meter_port){.context = shelly, .measure = measure};
}
