#include "http_uplink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** s without progress after which it gives up */
#define PATIENCE 30L

/** Keeps the beginning of the answer: what an oracle has to say is shorter. */
static size_t take(char *bytes, size_t size, size_t count, void *context) {
  struct ww_answer *answer = context;
  size_t length = size * count;
  size_t room = sizeof answer->body - answer->length;
  size_t kept = length < room ? length : room;
  memcpy(answer->body + answer->length, bytes, kept);
  answer->length += kept;
  return length;
}

enum ww_error http_uplink_open(struct http_uplink *uplink, const char *oracle, const char *ca) {
  char url[512];
  memset(uplink, 0, sizeof *uplink);
  if (snprintf(url, sizeof url, "%s/readings", oracle) >= (int)sizeof url) {
    return WW_UPLINK_FAILED;
  }
  uplink->multi = curl_multi_init();
  uplink->request = curl_easy_init();
  uplink->headers = curl_slist_append(curl_slist_append(NULL, "content-type: application/json"), "expect:");
  if (uplink->multi == NULL || uplink->request == NULL || uplink->headers == NULL) {
    return WW_UPLINK_FAILED;
  }
  CURL *request = uplink->request;
  curl_easy_setopt(request, CURLOPT_URL, url);
  curl_easy_setopt(request, CURLOPT_HTTPHEADER, uplink->headers);
  curl_easy_setopt(request, CURLOPT_WRITEFUNCTION, take);
  curl_easy_setopt(request, CURLOPT_WRITEDATA, &uplink->answer);
  curl_easy_setopt(request, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(request, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(request, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(request, CURLOPT_CONNECTTIMEOUT, PATIENCE);
  curl_easy_setopt(request, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(request, CURLOPT_LOW_SPEED_TIME, PATIENCE);
  curl_easy_setopt(request, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(request, CURLOPT_NOSIGNAL, 1L);
  if (ca != NULL) {
    curl_easy_setopt(request, CURLOPT_CAINFO, ca);
    curl_easy_setopt(request, CURLOPT_CAPATH, NULL);
  }
  return WW_OK;
}

static void end(struct http_uplink *uplink) {
  if (uplink->is_posting) {
    curl_multi_remove_handle(uplink->multi, uplink->request);
    uplink->is_posting = false;
  }
  free(uplink->body);
  uplink->body = NULL;
}

void http_uplink_close(struct http_uplink *uplink) {
  end(uplink);
  curl_easy_cleanup(uplink->request);
  curl_multi_cleanup(uplink->multi);
  curl_slist_free_all(uplink->headers);
}

void http_uplink_wait(struct http_uplink *uplink, int file, int milliseconds) {
  struct curl_waitfd also = {.fd = file, .events = CURL_WAIT_POLLIN};
  curl_multi_poll(uplink->multi, &also, file < 0 ? 0 : 1, milliseconds, NULL);
}

/* THE PORT */

static enum ww_error begin(void *context, size_t length) {
  struct http_uplink *uplink = context;
  end(uplink);
  uplink->body = malloc(length);
  uplink->length = length;
  uplink->received = 0;
  uplink->answer.length = 0;
  return uplink->body == NULL ? WW_UPLINK_FAILED : WW_OK;
}

static enum ww_error post(struct http_uplink *uplink) {
  curl_easy_setopt(uplink->request, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)uplink->length);
  curl_easy_setopt(uplink->request, CURLOPT_POSTFIELDS, uplink->body);
  uplink->is_posting = curl_multi_add_handle(uplink->multi, uplink->request) == CURLM_OK;
  return uplink->is_posting ? WW_OK : WW_UPLINK_FAILED;
}

static enum ww_error uplink_write(void *context, const void *bytes, size_t length, size_t *taken) {
  struct http_uplink *uplink = context;
  if (uplink->body == NULL || length > uplink->length - uplink->received) {
    return WW_UPLINK_FAILED;
  }
  memcpy(uplink->body + uplink->received, bytes, length);
  uplink->received += length;
  *taken = length;
  return uplink->received == uplink->length ? post(uplink) : WW_OK;
}

static enum ww_error conclude(struct http_uplink *uplink, CURLcode result, struct ww_answer *answer) {
  long status = 0;
  curl_easy_getinfo(uplink->request, CURLINFO_RESPONSE_CODE, &status);
  end(uplink);
  if (result != CURLE_OK || status == 0) {
    return WW_UPLINK_FAILED;
  }
  *answer = uplink->answer;
  answer->status = (int)status;
  return WW_OK;
}

static enum ww_error answer(void *context, struct ww_answer *answered) {
  struct http_uplink *uplink = context;
  int running, left;
  if (!uplink->is_posting || curl_multi_perform(uplink->multi, &running) != CURLM_OK) {
    end(uplink);
    return WW_UPLINK_FAILED;
  }
  const CURLMsg *message = curl_multi_info_read(uplink->multi, &left);
  if (message == NULL || message->msg != CURLMSG_DONE) {
    return WW_UPLINK_BUSY;
  }
  return conclude(uplink, message->data.result, answered);
}

struct ww_uplink_port http_uplink_port(struct http_uplink *uplink) {
  return (struct ww_uplink_port){
      .context = uplink,
      .begin = begin,
      .write = uplink_write,
      .answer = answer,
  };
}
