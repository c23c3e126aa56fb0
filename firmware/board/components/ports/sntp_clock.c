#include "sntp_clock.h"

#include <stdatomic.h>
#include <sys/time.h>
#include <time.h>

#include "esp_netif_sntp.h"

static atomic_uint_least32_t synchronised;

static void remember(struct timeval *now) {
  atomic_store(&synchronised, (uint32_t)now->tv_sec);
}

void sntp_clock_start(const char *server) {
  esp_sntp_config_t config = ESP_NETIF_SNTP_DEFAULT_CONFIG(server);
  config.sync_cb = remember;
  config.wait_for_sync = false;
  ESP_ERROR_CHECK(esp_netif_sntp_init(&config));
}

static struct ww_time read_clock(void *context) {
  (void)context;
  uint32_t last = atomic_load(&synchronised);
  return (struct ww_time){.now = last == 0 ? 0 : (uint32_t)time(NULL), .synchronised = last};
}

struct ww_clock_port sntp_clock_port(void) {
  return (struct ww_clock_port){.context = NULL, .read = read_clock};
}
