#include "http_shelly.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/** ms that a measurement may take */
#define PATIENCE 2000

enum { HTTP_OK = 200, HTTP_NOT_FOUND = 404 };

static long milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000L + now.tv_nsec / 1000000L;
}

static size_t take(char *bytes, size_t size, size_t count, void *context) {
  struct http_shelly *shelly = context;
  size_t length = size * count;
  if (length > sizeof shelly->body - shelly->length) {
    shelly->was_too_long = true;
    return 0;
  }
  memcpy(shelly->body + shelly->length, bytes, length);
  shelly->length += length;
  return length;
}

enum ww_error http_shelly_open(struct http_shelly *shelly, const char *base, uint8_t source, const char *login) {
  memset(shelly, 0, sizeof *shelly);
  shelly->base = base;
  shelly->login = login;
  shelly->options.source = source;
  shelly->request = curl_easy_init();
  return shelly->request == NULL ? WW_METER_SILENT : WW_OK;
}

void http_shelly_close(struct http_shelly *shelly) {
  curl_easy_cleanup(shelly->request);
}

/**
 * Everything anew for each request but the connection: a nonce that the meter has forgotten, or counts otherwise, would be
 * given again for ever.
 */
static void prepare(struct http_shelly *shelly, const char *url, long milliseconds_left) {
  CURL *request = shelly->request;
  curl_easy_reset(request);
  curl_easy_setopt(request, CURLOPT_URL, url);
  curl_easy_setopt(request, CURLOPT_TIMEOUT_MS, milliseconds_left);
  curl_easy_setopt(request, CURLOPT_WRITEFUNCTION, take);
  curl_easy_setopt(request, CURLOPT_WRITEDATA, shelly);
  curl_easy_setopt(request, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(request, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(request, CURLOPT_NOSIGNAL, 1L);
}

/** Asks by this scheme where the meter wants to be told who asks, and tells nobody who does not want it. */
static enum ww_error ask_as(struct http_shelly *shelly, const char *path, long scheme, long deadline) {
  char url[512];
  long left = deadline - milliseconds();
  if (left <= 0 || snprintf(url, sizeof url, "%s%s", shelly->base, path) >= (int)sizeof url) {
    return WW_METER_SILENT;
  }
  prepare(shelly, url, left);
  if (shelly->login != NULL) {
    curl_easy_setopt(shelly->request, CURLOPT_USERPWD, shelly->login);
    curl_easy_setopt(shelly->request, CURLOPT_HTTPAUTH, scheme | (long)CURLAUTH_ONLY);
  }
  shelly->length = 0;
  shelly->status = 0;
  shelly->was_too_long = false;
  CURLcode result = curl_easy_perform(shelly->request);
  curl_easy_getinfo(shelly->request, CURLINFO_RESPONSE_CODE, &shelly->status);
  if (shelly->was_too_long) {
    return WW_METER_MALFORMED;
  }
  return result == CURLE_OK && shelly->status == HTTP_OK ? WW_OK : WW_METER_SILENT;
}

/** Only a first generation is told the password in clear: it knows nothing else. */
static enum ww_error recognise(struct http_shelly *shelly, long deadline) {
  WW_TRY(ask_as(shelly, WW_SHELLY_IDENTITY_PATH, (long)CURLAUTH_DIGEST, deadline));
  WW_TRY(ww_shelly_generation(shelly->body, shelly->length, &shelly->generation));
  shelly->generation_is_known = true;
  return WW_OK;
}

static enum ww_error read_meter(struct http_shelly *shelly, struct ww_measurement *measurement) {
  long deadline = milliseconds() + PATIENCE;
  if (!shelly->generation_is_known) {
    WW_TRY(recognise(shelly, deadline));
  }
  bool is_first = shelly->generation == WW_SHELLY_GEN1;
  long scheme = is_first ? (long)CURLAUTH_BASIC : (long)CURLAUTH_DIGEST;
  WW_TRY(ask_as(shelly, ww_shelly_path(shelly->generation), scheme, deadline));
  return ww_shelly_parse(&shelly->options, shelly->body, shelly->length, measurement);
}

/** Whether another generation may be there now: one that is only slow, or refuses, is asked as before. */
static bool is_doubtful(const struct http_shelly *shelly, enum ww_error error) {
  return error == WW_METER_MALFORMED || error == WW_METER_MISSING || shelly->status == HTTP_NOT_FOUND;
}

static enum ww_error measure(void *context, struct ww_measurement *measurement) {
  struct http_shelly *shelly = context;
  enum ww_error error = read_meter(shelly, measurement);
  shelly->generation_is_known = shelly->generation_is_known && !is_doubtful(shelly, error);
  return error;
}

struct ww_meter_port http_shelly_port(struct http_shelly *shelly) {
  return (struct ww_meter_port){.context = shelly, .measure = measure};
}
