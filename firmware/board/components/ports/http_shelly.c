#include "http_shelly.h"

#include <stdio.h>
#include <string.h>

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

static int request(struct http_shelly *shelly) {
  int status = request_once(shelly);
  if (status == HttpStatus_Unauthorized && shelly->has_login) {
    esp_http_client_add_auth(shelly->request);
    esp_http_client_close(shelly->request);
    status = request_once(shelly);
  }
  return status;
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
  if (shelly->has_login) {
    bool is_first = shelly->generation == WW_SHELLY_GEN1;
    esp_http_client_set_authtype(shelly->request, is_first ? HTTP_AUTH_TYPE_BASIC : HTTP_AUTH_TYPE_DIGEST);
  }
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

static enum ww_error measure(void *context, struct ww_measurement *measurement) {
  struct http_shelly *shelly = context;
  shelly->deadline = esp_timer_get_time() + PATIENCE;
  enum ww_error error = read_meter(shelly, measurement);
  shelly->generation_is_known = shelly->generation_is_known && error == WW_OK;
  return error;
}

enum ww_error http_shelly_open(struct http_shelly *shelly, const char *base, uint8_t source, const char *user,
                               const char *password) {
  memset(shelly, 0, sizeof *shelly);
  shelly->base = base;
  shelly->options.source = source;
  shelly->has_login = user[0] != '\0';
  const esp_http_client_config_t config = {
      .url = base,
      .username = shelly->has_login ? user : NULL,
      .password = shelly->has_login ? password : NULL,
      .disable_auto_redirect = true,
      .max_authorization_retries = -1,
      .buffer_size = 1024,
  };
  shelly->request = esp_http_client_init(&config);
  return shelly->request == NULL ? WW_METER_SILENT : WW_OK;
}

struct ww_meter_port http_shelly_port(struct http_shelly *shelly) {
  return (struct ww_meter_port){.context = shelly, .measure = measure};
}
