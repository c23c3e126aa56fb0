/**
 * The board's HTTP ports as they are, above stand-ins for what ESP-IDF gives them (include/): what board.test.ts tells it on
 * standard input, a line each, is done, and answered by a line of JSON.
 *
 *   measure        {"error":…,"power":…,"total":…,"milliseconds":…, and the client's tally}
 *   post LENGTH    of so many bytes: {"error":…,"status":…,"body":…, and the client's tally}
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "esp_http_client.h"
#include "esp_timer.h"
#include "http_shelly.h"
#include "http_uplink.h"

static struct http_shelly shelly;
static struct http_uplink uplink;

static void tell_tally(void) {
  struct stand_in_tally tally = stand_in_tally();
  printf(",\"made\":%u,\"alive\":%u,\"sockets\":%u,\"bytes\":%zu}\n", tally.made, tally.alive, tally.sockets,
         tally.bytes);
  fflush(stdout);
}

static void measure(void) {
  struct ww_meter_port port = http_shelly_port(&shelly);
  struct ww_measurement measurement = {0};
  int64_t before = esp_timer_get_time();
  enum ww_error error = port.measure(port.context, &measurement);
  printf("{\"error\":\"%s\",\"power\":%" PRId64 ",\"total\":%" PRIu64 ",\"milliseconds\":%" PRId64,
         error == WW_OK ? "" : ww_error_text(error), measurement.power, measurement.total,
         (esp_timer_get_time() - before) / 1000);
  tell_tally();
}

static void wait(void) {
  const struct timespec pause = {.tv_nsec = 1000000};
  nanosleep(&pause, NULL);
}

static enum ww_error post(size_t length, struct ww_answer *answer) {
  struct ww_uplink_port port = http_uplink_port(&uplink);
  enum ww_error error = WW_UPLINK_BUSY;
  char piece[300];
  memset(piece, 'a', sizeof piece);
  WW_TRY(port.begin(port.context, length));
  for (size_t sent = 0; sent < length;) {
    size_t left = length - sent;
    size_t taken;
    WW_TRY(port.write(port.context, piece, left < sizeof piece ? left : sizeof piece, &taken));
    sent += taken;
    if (taken == 0) {
      wait();
    }
  }
  for (; error == WW_UPLINK_BUSY; wait()) {
    error = port.answer(port.context, answer);
  }
  return error;
}

static void tell_post(size_t length) {
  struct ww_answer answer = {0};
  enum ww_error error = post(length, &answer);
  printf("{\"error\":\"%s\",\"status\":%d,\"length\":%zu", error == WW_OK ? "" : ww_error_text(error), answer.status,
         answer.length);
  tell_tally();
}

int main(int count, char **arguments) {
  char line[64];
  size_t length;
  if (count != 4 || http_shelly_open(&shelly, arguments[1], 0, arguments[2], arguments[3]) != WW_OK ||
      http_uplink_open(&uplink, arguments[1]) != WW_OK) {
    return 2;
  }
  while (fgets(line, sizeof line, stdin) != NULL) {
    if (strcmp(line, "measure\n") == 0) {
      measure();
    } else if (sscanf(line, "post %zu", &length) == 1) {
      tell_post(length);
    } else {
      return 2;
    }
  }
  return 0;
}
