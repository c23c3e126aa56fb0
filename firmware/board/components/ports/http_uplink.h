/**
 * The uplink of the board: a task of its own POSTs what the core hands it piece by piece through a buffer, so that the
 * core never waits for the network.
 */
#ifndef WW_HTTP_UPLINK_H
#define WW_HTTP_UPLINK_H

#include <stdatomic.h>

#include "freertos/FreeRTOS.h"
#include "freertos/stream_buffer.h"
#include "freertos/task.h"
#include "ports.h"
#include "settings.h"

struct http_uplink {
  char url[WW_URL_LIMIT + 16];
  TaskHandle_t task;
  StreamBufferHandle_t body;
  /** The task writes what follows while it is posting, the core while it is not. */
  atomic_int state;
  atomic_bool is_cancelled;
  size_t length; /* of the body */
  struct ww_answer answer;
};

/**
 * `oracle`: its base URL. WW_SETTING_INVALID: it is neither https:// nor of a private address. WW_UPLINK_FAILED: no
 * memory.
 */
WW_RESULT http_uplink_open(struct http_uplink *uplink, const char *oracle);

struct ww_uplink_port http_uplink_port(struct http_uplink *uplink);

#endif
