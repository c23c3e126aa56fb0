#include "http_shelly.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/** ms that a measurement may take */
#define PATIENCE 2000

enum { HTTP_OK = 200 };

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
  shelly->options.source = source;
  shelly->request = curl_easy_init();
  CURL *request = shelly->request;
  if (request == NULL) {
    return WW_METER_SILENT;
  }
  curl_easy_setopt(request, CURLOPT_WRITEFUNCTION, take);
  curl_easy_setopt(request, CURLOPT_WRITEDATA, shelly);
  curl_easy_setopt(request, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(request, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(request, CURLOPT_NOSIGNAL, 1L);
  if (login != NULL) {
    curl_easy_setopt(request, CURLOPT_USERPWD, login);
  }
  return WW_OK;
}

void http_shelly_close(struct http_shelly *shelly) {
  curl_easy_cleanup(shelly->request);
}

static enum ww_error ask(struct http_shelly *shelly, const char *path, long deadline) {
  char url[512];
  long left = deadline - milliseconds();
  if (left <= 0 || snprintf(url, sizeof url, "%s%s", shelly->base, path) >= (int)sizeof url) {
    return WW_METER_SILENT;
  }
  shelly->length = 0;
  shelly->status = 0;
  shelly->was_too_long = false;
  curl_easy_setopt(shelly->request, CURLOPT_URL, url);
  curl_easy_setopt(shelly->request, CURLOPT_TIMEOUT_MS, left);
  CURLcode result = curl_easy_perform(shelly->request);
  curl_easy_getinfo(shelly->request, CURLINFO_RESPONSE_CODE, &shelly->status);
  if (shelly->was_too_long) {
    return WW_METER_MALFORMED;
  }
  return result == CURLE_OK && shelly->status == HTTP_OK ? WW_OK : WW_METER_SILENT;
}

static enum ww_error recognise(struct http_shelly *shelly, long deadline) {
  /* a stranger must not be told the password in clear */
  curl_easy_setopt(shelly->request, CURLOPT_HTTPAUTH, (long)CURLAUTH_DIGEST);
  WW_TRY(ask(shelly, WW_SHELLY_IDENTITY_PATH, deadline));
  WW_TRY(ww_shelly_generation(shelly->body, shelly->length, &shelly->generation));
  long scheme = shelly->generation == WW_SHELLY_GEN1 ? (long)CURLAUTH_BASIC : (long)CURLAUTH_DIGEST;
  curl_easy_setopt(shelly->request, CURLOPT_HTTPAUTH, scheme);
  shelly->generation_is_known = true;
  return WW_OK;
}

static enum ww_error read_meter(struct http_shelly *shelly, struct ww_measurement *measurement) {
  long deadline = milliseconds() + PATIENCE;
  if (!shelly->generation_is_known) {
    WW_TRY(recognise(shelly, deadline));
  }
  WW_TRY(ask(shelly, ww_shelly_path(shelly->generation), deadline));
  return ww_shelly_parse(&shelly->options, shelly->body, shelly->length, measurement);
}

static enum ww_error measure(void *context, struct ww_measurement *measurement) {
  struct http_shelly *shelly = context;
  enum ww_error error = read_meter(shelly, measurement);
  shelly->generation_is_known = shelly->generation_is_known && error == WW_OK;
  return error;
}

struct ww_meter_port http_shelly_port(struct http_shelly *shelly) {
  return (struct ww_meter_port){.context = shelly, .measure = measure};
}
