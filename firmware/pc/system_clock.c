#include "system_clock.h"

#include <time.h>

#if defined(__linux__) || defined(__APPLE__)
#include <sys/timex.h>
#endif

static bool is_kept_right(void) {
#if defined(__linux__)
  struct timex state = {.modes = 0};
  return adjtimex(&state) != TIME_ERROR;
#elif defined(__APPLE__)
  struct ntptimeval state;
  return ntp_gettime(&state) != TIME_ERROR;
#else
  return false;
#endif
}

static struct ww_time read_clock(void *context) {
  struct system_clock *clock = context;
  uint32_t now = (uint32_t)time(NULL);
  if (clock->is_trusted || is_kept_right()) {
    clock->synchronised = now;
  }
  return (struct ww_time){.now = now, .synchronised = clock->synchronised};
}

struct ww_clock_port system_clock_port(struct system_clock *clock) {
  return (struct ww_clock_port){.context = clock, .read = read_clock};
}

uint64_t system_uptime(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}
