/**
 * A device that lives a year in minutes: the real core, with a software key and a real connection to an oracle, on a
 * simulated roof on which everything happens that can happen. It is driven from outside:
 *
 *   wattwitness-soak SETTINGS-FILE KEY-FILE SEED START
 *   run T                            goes on to Unix time T, a multiple of 10 s
 *   calm T                           the same, and nothing happens but the sun
 *   registration DETAILS             the application to be registered
 *
 * Each command is answered by one line of JSON. What the device should have counted (`expected`) is added up beside it: of
 * every two readings in a row of one life of the meter's register, the difference of what the meter showed, but what it
 * showed less for a while, or for too short a time after a reset to be believed. With each swap the meter is one of another
 * kind (answers.h), and the device sees what its answer says.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answers.h"
#include "device.h"
#include "files.h"
#include "hex.h"
#include "http_uplink.h"
#include "psa_signer.h"
#include "registration.h"
#include "simulated_store.h"

enum { STEP = 10, MINUTE = 60, HOUR = 3600, DAY = 86400 };

/* THE ROOF */

struct measured {
  unsigned life; /* of the meter's register: another after each reset and swap */
  uint64_t total;
  uint32_t moment; /* of the device's clock */
  bool valid;
  bool dipped; /* it showed less than it counted */
  uint8_t meter;
};

static struct {
  uint32_t now; /* true time */
  uint64_t random;
  bool is_calm;

  uint64_t sun;  /* mWh that the roof made */
  uint64_t rest; /* mW s that are not a mWh yet */
  struct ww_measurement shown;
  enum answer_kind kind; /* of the meter */
  unsigned life;
  uint32_t silent_until;
  uint32_t invalid_until;
  uint32_t dips_until; /* the register shows less than it counted */

  int32_t clock_off;
  bool clock_is_known;
  uint32_t synchronised;
  uint32_t next_synchronisation;
  uint32_t boot; /* true time */
  uint32_t off_until;

  struct measured asked;    /* the newest measurement */
  struct measured taken;    /* the newest that became a reading, of the register that is believed */
  struct measured doubtful; /* the first of a lower register that is not believed yet, where it is another life's */
  bool has_taken;
  uint64_t expected;  /* mWh */
  uint64_t uncounted; /* mWh that the meter showed as an increase, and the device took for a jump */
  struct {
    unsigned reboots, cuts, resets, swaps, clock_steps, silences, invalid, dips, jumps;
  } happened;
  unsigned epochs[WW_CLOCK_WAS_AHEAD + 1]; /* begun, by cause */
} roof;

static struct simulated_store flash;
static struct psa_signer signer;
static struct http_uplink uplink;
static struct ww_settings settings;
static struct ww_ports ports;
static struct ww_device device;

/** splitmix64 (Steele, Lea, Flood 2014). */
static uint64_t next_random(void) {
  uint64_t z = roof.random += UINT64_C(0x9E3779B97F4A7C15);
  z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
  z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
  return z ^ z >> 31;
}

static uint32_t random_below(uint32_t limit) {
  return (uint32_t)(next_random() % limit);
}

/** True once in so many seconds, on average. */
static bool happens_every(uint32_t seconds) {
  return random_below(seconds / STEP) == 0;
}

/** mW: a parabola over the day under clouds of ten minutes. */
static int64_t power_at(uint32_t time) {
  int64_t second = time % DAY;
  int64_t after_sunrise = second - 6 * HOUR;
  int64_t before_sunset = 18 * HOUR - second;
  if (after_sunrise <= 0 || before_sunset <= 0) {
    return -2700; /* the inverter's own draw */
  }
  int64_t clear = 18000 * (after_sunrise * before_sunset / 10000) * 1000 / (12 * HOUR / 100) / (12 * HOUR / 100);
  uint32_t cloud = (time / 600 * 2654435761u) >> 22;
  return clear * (int64_t)(300 + cloud * 700 / 1024) / 1000;
}

static void shine(uint32_t seconds) {
  int64_t power = power_at(roof.now);
  roof.shown.power = power;
  if (power > 0) {
    roof.rest += (uint64_t)power * seconds;
    roof.shown.total += roof.rest / 3600;
    roof.sun += roof.rest / 3600;
    roof.rest %= 3600;
  }
  roof.now += seconds;
}

/* PORTS */

static enum ww_error measure(void *context, struct ww_measurement *measurement) {
  (void)context;
  if (roof.now < roof.silent_until) {
    return WW_METER_SILENT;
  }
  struct ww_measurement shown = roof.shown;
  shown.valid = roof.now >= roof.invalid_until;
  if (roof.now < roof.dips_until) {
    shown.total = random_below(2) == 0 ? 0 : next_random() % (roof.shown.total + 1);
  }
  WW_TRY(answer_through(roof.kind, &shown, measurement));
  uint32_t now = roof.now + (uint32_t)roof.clock_off;
  roof.asked = (struct measured){
      .life = roof.life,
      .total = measurement->total,
      .moment = now - now % ww_device_interval(&device),
      .valid = measurement->valid,
      .dipped = shown.total != roof.shown.total,
      .meter = roof.shown.meter[5],
  };
  return WW_OK;
}

static struct ww_time read_clock(void *context) {
  (void)context;
  if (!roof.clock_is_known) {
    return (struct ww_time){0};
  }
  return (struct ww_time){.now = roof.now + (uint32_t)roof.clock_off, .synchronised = roof.synchronised};
}

static void require(bool holds, const char *what) {
  if (!holds) {
    fprintf(stderr, "%s\n", what);
    exit(1);
  }
}

static void boot(void) {
  store_reboot(&flash);
  roof.boot = roof.now;
  roof.clock_is_known = false;
  roof.clock_off = 0;
  roof.synchronised = 0;
  roof.next_synchronisation = roof.now + 5 + random_below(MINUTE);
  require(ww_device_start(&device, &settings, &ports) == WW_OK, "the device does not start");
}

/* WHAT HAPPENS */

static void another_life(void) {
  roof.life++;
  roof.rest = 0;
}

static void let_things_happen(void) {
  if (happens_every(20 * DAY)) {
    another_life();
    roof.shown.total = 0;
    roof.happened.resets++;
  }
  if (happens_every(15 * DAY)) {
    another_life();
    roof.shown.total = next_random() % 1000000000;
    roof.shown.meter[5]++;
    roof.kind = (roof.kind + 1) % ANSWER_KINDS;
    roof.happened.swaps++;
  }
  if (happens_every(2 * DAY)) {
    roof.silent_until = roof.now + random_below(HOUR);
    roof.happened.silences++;
  }
  if (happens_every(4 * DAY)) {
    roof.invalid_until = roof.now + random_below(20 * MINUTE);
    roof.happened.invalid++;
  }
  if (roof.now >= roof.dips_until && happens_every(DAY)) {
    roof.dips_until = roof.now + STEP * (1 + random_below(50));
    roof.happened.dips++;
  }
  if (roof.clock_is_known && roof.clock_off == 0 && happens_every(10 * DAY)) {
    /* far ahead, a little ahead, or behind; until the next synchronisation */
    uint32_t kind = random_below(3);
    roof.clock_off = kind == 0   ? (int32_t)(50 * HOUR + random_below(30 * DAY))
                     : kind == 1 ? (int32_t)random_below(280)
                                 : -(int32_t)random_below(2 * DAY);
    roof.happened.clock_steps++;
  }
  if (happens_every(30 * DAY)) {
    roof.next_synchronisation = roof.now + 36 * HOUR;
  }
  if (happens_every(DAY)) {
    roof.happened.reboots++;
    roof.off_until = roof.now + (random_below(8) == 0 ? random_below(3 * HOUR) : random_below(2 * MINUTE));
    if (random_below(2) == 0) {
      flash.cut_at = flash.changed + 1 + random_below(300); /* in the middle of a write that is coming */
    } else {
      flash.is_dead = true;
    }
  }
}

/* COUNTING */

static uint64_t counted(void) {
  const struct ww_register *reg = &device.queue.state.reg;
  return reg->energy + reg->owed;
}

/** What the newest measurement adds by `increase`, or, where the register began at 0 and nobody saw it, by `most`. */
static void expect(uint64_t increase, uint64_t most) {
  uint64_t now = counted();
  if (now >= roof.expected + increase && now <= roof.expected + most) {
    roof.expected = now;
  } else {
    roof.uncounted += increase;
    roof.happened.jumps++;
  }
}

/** Takes the newest measurement for what the meter's register is now. */
static void believe(void) {
  roof.taken = roof.asked;
  roof.has_taken = true;
  roof.doubtful.life = roof.asked.life;
}

/** What the newest measurement adds, once it is a reading. */
static void account(void) {
  const struct measured *asked = &roof.asked;
  if (!asked->valid) {
    return;
  }
  if (!roof.has_taken || asked->meter != roof.taken.meter) {
    believe();
  } else if (asked->total >= roof.taken.total) {
    expect(asked->total - roof.taken.total, asked->total - roof.taken.total);
    believe();
  } else if (!asked->dipped) {
    if (roof.doubtful.life != asked->life) {
      roof.doubtful = *asked;
    }
    if (device.queue.state.reg.lowers == 0) {
      expect(asked->total - roof.doubtful.total, asked->total);
      believe();
    }
  }
}

static void step(void) {
  uint32_t taken = device.tally.taken;
  uint32_t epochs = device.tally.epochs;
  uint64_t uptime = (uint64_t)(roof.now - roof.boot) * 1000;
  for (;;) {
    ww_device_step(&device, uptime);
    if (device.tally.taken != taken) {
      taken = device.tally.taken;
      account();
    }
    if (device.tally.epochs != epochs) {
      epochs = device.tally.epochs;
      roof.epochs[device.begun_for]++;
    }
    if (device.phase == WW_AT_REST || flash.is_dead) {
      return;
    }
    http_uplink_wait(&uplink, -1, 20);
  }
}

static void lose_power(void) {
  roof.happened.cuts += flash.cut_at != NEVER;
  uint32_t before = device.queue.state.reg.timestamp;
  while (roof.now + STEP < roof.off_until) {
    shine(STEP);
  }
  boot();
  /* the cut may have come after its last byte */
  if (device.queue.state.reg.timestamp != before && device.queue.state.reg.timestamp == roof.asked.moment) {
    account();
  }
}

static void synchronise(void) {
  roof.clock_off = 0;
  roof.clock_is_known = true;
  roof.synchronised = roof.now;
  roof.next_synchronisation = roof.now + HOUR;
}

static void run(uint32_t until) {
  while (roof.now < until) {
    shine(STEP - roof.now % STEP);
    if (roof.now >= roof.next_synchronisation || (roof.is_calm && !roof.clock_is_known)) {
      synchronise();
    }
    if (!roof.is_calm) {
      let_things_happen();
    }
    if (!flash.is_dead) {
      step();
    }
    if (flash.is_dead) {
      lose_power();
    }
  }
}

/* COMMANDS */

static void report(void) {
  const struct ww_state *state = &device.queue.state;
  printf("{\"now\":%" PRIu32 ",\"epoch\":%" PRIu32 ",\"size\":%" PRIu64 ",\"acknowledged\":%" PRIu64, roof.now,
         state->epoch, state->log.size, state->acknowledged);
  printf(",\"energy\":\"%" PRIu64 "\",\"owed\":\"%" PRIu64 "\",\"expected\":\"%" PRIu64 "\",\"sun\":\"%" PRIu64
         "\",\"uncounted\":\"%" PRIu64 "\",\"timestamp\":%" PRIu32,
         state->reg.energy, state->reg.owed, roof.expected, roof.sun, roof.uncounted, state->reg.timestamp);
  printf(",\"fill\":%u,\"interval\":%" PRIu32 ",\"status\":%d,\"error\":\"%s\",\"erasures\":%" PRIu32,
         ww_queue_fill(&device.queue), ww_device_interval(&device), device.status, ww_error_text(device.error),
         flash.erasures);
  printf(
      ",\"happened\":{\"reboots\":%u,\"cuts\":%u,\"resets\":%u,\"swaps\":%u,\"clockSteps\":%u,\"silences\":%u,"
      "\"invalid\":%u,\"dips\":%u,\"jumps\":%u},\"epochs\":{",
      roof.happened.reboots, roof.happened.cuts, roof.happened.resets, roof.happened.swaps, roof.happened.clock_steps,
      roof.happened.silences, roof.happened.invalid, roof.happened.dips, roof.happened.jumps);
  const char *comma = "";
  for (enum ww_cause cause = WW_FIRST; cause <= WW_CLOCK_WAS_AHEAD; cause++) {
    if (roof.epochs[cause] > 0) {
      printf("%s\"%s\":%u", comma, ww_cause_text(cause), roof.epochs[cause]);
      comma = ",";
    }
  }
  printf("}}\n");
}

static void apply(const char *details) {
  uint8_t hash[WW_HASH_LENGTH];
  struct ww_registration registration;
  char text[WW_REGISTRATION_TEXT_LIMIT];
  require(ww_unhex(details, hash, sizeof hash), "DETAILS are 32 bytes in hexadecimal");
  require(ww_registration_make(&device, hash, &registration) == WW_OK, "no log has begun");
  ww_registration_write(&registration, text);
  puts(text);
}

static void read_settings(const char *path) {
  char text[4096];
  unsigned line;
  require(file_read(path, text, sizeof text), "the settings cannot be read");
  require(ww_settings_read(&settings, text, &line) == WW_OK, "the settings are wrong");
}

int main(int count, char **arguments) {
  require(count == 5, "wattwitness-soak SETTINGS-FILE KEY-FILE SEED START");
  setvbuf(stdout, NULL, _IOLBF, 0);
  read_settings(arguments[1]);
  const char *problem = psa_signer_open(&signer, arguments[2], false);
  require(problem == NULL, problem);
  require(http_uplink_open(&uplink, settings.oracle, NULL) == WW_OK, "curl cannot be used");
  store_begin(&flash, SECTORS_LIMIT);
  roof.random = strtoull(arguments[3], NULL, 10);
  roof.now = (uint32_t)strtoul(arguments[4], NULL, 10);
  roof.is_calm = true;
  roof.shown = (struct ww_measurement){
      .total = 4311237300,
      .voltage = 231020,
      .current = WW_NOT_MEASURED_U32,
      .temperature = WW_NOT_MEASURED_I16,
      .meter = {0xEC, 0x64, 0xC9, 0xC0, 0x5E, 0x97},
  };
  ports = (struct ww_ports){
      .meter = {NULL, measure},
      .signer = psa_signer_port(&signer),
      .clock = {NULL, read_clock},
      .store = store_port(&flash),
      .uplink = http_uplink_port(&uplink),
  };
  boot();

  char line[256];
  while (fgets(line, sizeof line, stdin) != NULL) {
    line[strcspn(line, "\n")] = '\0';
    char *argument = strchr(line, ' ');
    require(argument != NULL, "run T, calm T, or registration DETAILS");
    *argument++ = '\0';
    if (strcmp(line, "registration") == 0) {
      apply(argument);
      continue;
    }
    roof.is_calm = strcmp(line, "calm") == 0;
    run((uint32_t)strtoul(argument, NULL, 10));
    require(!flash.was_misused, "the device writes where nothing may be written");
    report();
  }
  http_uplink_close(&uplink);
  psa_signer_close(&signer);
  return 0;
}
