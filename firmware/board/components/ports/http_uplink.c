#include "http_uplink.h"

#include <stdio.h>
#include <string.h>

#include "esp_http_client.h"
#include "priority.h"
#include "tls.h"

#define STACK 8192
/** Below the main loop: on one core a TLS handshake would hold up a reading, and the chip's watchdog. */
#define PRIORITY (PORTS_PRIORITY - 1)
#define BUFFER 2048
#define PATIENCE_MS 30000
#define SLICE_MS 500

enum { AT_REST, POSTING, ANSWERED, FAILED };

/* THE TASK */

/** The next piece of the body, as the core hands it over; 0 = it did not, or does not want to any more. */
static size_t next_piece(struct http_uplink *uplink, char *piece, size_t size) {
  size_t got = 0;
  for (int waited = 0; got == 0 && waited < PATIENCE_MS && !atomic_load(&uplink->is_cancelled); waited += SLICE_MS) {
    got = xStreamBufferReceive(uplink->body, piece, size, pdMS_TO_TICKS(SLICE_MS));
  }
  return got;
}

static bool write_all(esp_http_client_handle_t request, const char *bytes, size_t length) {
  while (length > 0) {
    int written = esp_http_client_write(request, bytes, (int)length);
    if (written <= 0) {
      return false;
    }
    bytes += written;
    length -= (size_t)written;
  }
  return true;
}

/** Where the oracle stops listening it may have answered before the body was whole: then that is the answer. */
static bool send_body(struct http_uplink *uplink, esp_http_client_handle_t request) {
  char piece[512];
  for (size_t sent = 0; sent < uplink->length;) {
    size_t length = next_piece(uplink, piece, sizeof piece);
    if (length == 0) {
      return false;
    }
    if (!write_all(request, piece, length)) {
      return true;
    }
    sent += length;
  }
  return true;
}

static bool receive_answer(struct http_uplink *uplink, esp_http_client_handle_t request) {
  if (esp_http_client_fetch_headers(request) < 0) {
    return false;
  }
  int got = esp_http_client_read_response(request, uplink->answer.body, sizeof uplink->answer.body);
  uplink->answer.status = esp_http_client_get_status_code(request);
  uplink->answer.length = got > 0 ? (size_t)got : 0;
  return got >= 0 && uplink->answer.status > 0;
}

static bool post(struct http_uplink *uplink) {
  esp_http_client_config_t config = {
      .url = uplink->url,
      .method = HTTP_METHOD_POST,
      .timeout_ms = PATIENCE_MS,
      .disable_auto_redirect = true,
      .buffer_size = 1024,
      .buffer_size_tx = 1024,
  };
  tls_trust(&config);
  esp_http_client_handle_t request = esp_http_client_init(&config);
  if (request == NULL) {
    return false;
  }
  bool is_answered = esp_http_client_set_header(request, "Content-Type", "application/json") == ESP_OK &&
                     esp_http_client_open(request, (int)uplink->length) == ESP_OK && send_body(uplink, request) &&
                     receive_answer(uplink, request);
  esp_http_client_cleanup(request);
  return is_answered;
}

static void run(void *context) {
  struct http_uplink *uplink = context;
  for (;;) {
    ulTaskNotifyTake(pdTRUE, portMAX_DELAY);
    bool is_answered = post(uplink);
    atomic_store(&uplink->state, is_answered ? ANSWERED : FAILED);
  }
}

/* THE PORT */

static enum ww_error begin(void *context, size_t length) {
  struct http_uplink *uplink = context;
  if (atomic_load(&uplink->state) == POSTING) {
    atomic_store(&uplink->is_cancelled, true); /* the core comes again */
    return WW_UPLINK_BUSY;
  }
  if (xStreamBufferReset(uplink->body) != pdPASS) {
    return WW_UPLINK_BUSY;
  }
  uplink->length = length;
  atomic_store(&uplink->is_cancelled, false);
  atomic_store(&uplink->state, POSTING);
  xTaskNotifyGive(uplink->task);
  return WW_OK;
}

static enum ww_error uplink_write(void *context, const void *bytes, size_t length, size_t *taken) {
  struct http_uplink *uplink = context;
  switch (atomic_load(&uplink->state)) {
    case POSTING: *taken = xStreamBufferSend(uplink->body, bytes, length, 0); return WW_OK;
    case ANSWERED: *taken = length; return WW_OK; /* too early, and an answer all the same */
    default: return WW_UPLINK_FAILED;
  }
}

static enum ww_error answer(void *context, struct ww_answer *answered) {
  struct http_uplink *uplink = context;
  switch (atomic_load(&uplink->state)) {
    case POSTING: return WW_UPLINK_BUSY;
    case ANSWERED:
      *answered = uplink->answer;
      atomic_store(&uplink->state, AT_REST);
      return WW_OK;
    default: return WW_UPLINK_FAILED;
  }
}

enum ww_error http_uplink_open(struct http_uplink *uplink, const char *oracle) {
  memset(uplink, 0, sizeof *uplink);
  snprintf(uplink->url, sizeof uplink->url, "%s/readings", oracle);
  uplink->body = xStreamBufferCreate(BUFFER, 1);
  if (uplink->body == NULL || xTaskCreate(run, "uplink", STACK, uplink, PRIORITY, &uplink->task) != pdPASS) {
    return WW_UPLINK_FAILED;
  }
  return WW_OK;
}

struct ww_uplink_port http_uplink_port(struct http_uplink *uplink) {
  return (struct ww_uplink_port){
      .context = uplink,
      .begin = begin,
      .write = uplink_write,
      .answer = answer,
  };
}
