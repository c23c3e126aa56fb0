#include "sntp_clock.h"

#include <stdatomic.h>
#include <sys/time.h>
#include <time.h>

#include "esp_event.h"
#include "esp_netif.h"
#include "esp_netif_sntp.h"
#include "esp_timer.h"

static atomic_uint_least32_t synchronised;
static atomic_int_least32_t moved; /* ms, by which it was set right last */
static atomic_bool was_moved;

/** The clock goes on by the timer: what it is ahead of it changes only where it is set. */
static void remember(struct timeval *now) {
  static int64_t ahead;
  int64_t before = ahead;
  ahead = ((int64_t)now->tv_sec * 1000000 + now->tv_usec - esp_timer_get_time()) / 1000;
  if (atomic_load(&synchronised) != 0) {
    int64_t by = ahead - before;
    atomic_store(&moved, (int32_t)(by > INT32_MAX ? INT32_MAX : by < INT32_MIN ? INT32_MIN : by));
    atomic_store(&was_moved, true);
  }
  atomic_store(&synchronised, (uint32_t)now->tv_sec);
}

/** Without it the first question goes out before there is a network, and the next one up to minutes later. */
static void ask_again(void *context, esp_event_base_t base, int32_t event, void *data) {
  (void)context;
  (void)base;
  (void)event;
  (void)data;
  esp_netif_sntp_start();
}

void sntp_clock_start(const char *server) {
  esp_sntp_config_t config = ESP_NETIF_SNTP_DEFAULT_CONFIG(server);
  config.sync_cb = remember;
  config.wait_for_sync = false;
  ESP_ERROR_CHECK(esp_netif_sntp_init(&config));
  ESP_ERROR_CHECK(esp_event_handler_instance_register(IP_EVENT, IP_EVENT_STA_GOT_IP, ask_again, NULL, NULL));
}

static struct ww_time read_clock(void *context) {
  (void)context;
  uint32_t last = atomic_load(&synchronised);
  return (struct ww_time){.now = last == 0 ? 0 : (uint32_t)time(NULL), .synchronised = last};
}

bool sntp_clock_was_moved(int32_t *by) {
  *by = atomic_load(&moved);
  return atomic_load(&was_moved);
}

struct ww_clock_port sntp_clock_port(void) {
  return (struct ww_clock_port){.context = NULL, .read = read_clock};
}
