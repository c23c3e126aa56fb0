#include "world.h"

#include <stdio.h>
#include <string.h>

#include "bytes.h"
#include "hex.h"
#include "json.h"

enum { START = 1773964800 + 6 * 3600 };

static struct signed_head heads[WORLD_HEADS];
static size_t head_count;

/** Of the post that is under way: no world goes on while another's is. */
static char posted[1 << 16];

size_t heads_signed(void) {
  return head_count;
}

const struct signed_head *head_signed(size_t index) {
  return &heads[index];
}

void heads_forget(size_t count) {
  head_count = count;
}

bool heads_equivocate(size_t first) {
  for (size_t i = first; i < head_count; i++) {
    for (size_t j = 0; j < i; j++) {
      if (heads[i].epoch == heads[j].epoch && heads[i].size == heads[j].size &&
          memcmp(heads[i].digest, heads[j].digest, WW_HASH_LENGTH) != 0) {
        return true;
      }
    }
  }
  return false;
}

/* METER, SIGNER, CLOCK */

static enum ww_error measure(void *context, struct ww_measurement *measurement) {
  struct world *world = context;
  world->measured++;
  world->now += world->slow;
  if (world->meter_is_silent) {
    return WW_METER_SILENT;
  }
  if (world->last_total == 0) {
    world->first_total = world->shown.total;
  }
  world->last_total = world->shown.total;
  *measurement = world->shown;
  return WW_OK;
}

static enum ww_error public_key(void *context, uint8_t key[64]) {
  struct world *world = context;
  memcpy(key, world->key, sizeof world->key);
  return world->signer_is_silent ? WW_CHIP_SILENT : WW_OK;
}

static enum ww_error sign(void *context, const uint8_t digest[32], uint8_t signature[64]) {
  struct world *world = context;
  world->signatures++;
  memcpy(signature, digest, 32);
  memset(signature + 32, 1, 32);
  return world->signer_is_silent ? WW_CHIP_SILENT : WW_OK;
}

static enum ww_error counter(void *context, uint32_t *value) {
  struct world *world = context;
  *value = world->counter;
  return world->signer_is_silent ? WW_CHIP_SILENT : WW_OK;
}

static enum ww_error increment(void *context, uint32_t *value) {
  struct world *world = context;
  if (world->signer_is_silent) {
    return WW_CHIP_SILENT;
  }
  *value = ++world->counter;
  return WW_OK;
}

static struct ww_time read_clock(void *context) {
  struct world *world = context;
  if (!world->clock_is_known) {
    return (struct ww_time){0};
  }
  return (struct ww_time){.now = world->now + (uint32_t)world->clock_off, .synchronised = world->synchronised};
}

/* THE ORACLE */

static enum ww_error begin(void *context, size_t length) {
  struct world *world = context;
  const struct ww_post *post = &world->device.post;
  if (head_count < WORLD_HEADS) {
    struct signed_head *head = &heads[head_count++];
    head->epoch = post->epoch;
    head->size = post->size;
    memcpy(head->digest, post->signature, WW_HASH_LENGTH);
  }
  world->is_posting = true;
  world->expected = length;
  world->received = 0;
  return world->oracle_is_away || length > sizeof posted ? WW_UPLINK_FAILED : WW_OK;
}

/** Takes a few bytes at a time, and sometimes none. */
static enum ww_error uplink_write(void *context, const void *bytes, size_t length, size_t *taken) {
  struct world *world = context;
  static unsigned turn;
  if (world->oracle_is_away || !world->is_posting) {
    world->is_posting = false; /* a connection that broke stays broken */
    return WW_UPLINK_FAILED;
  }
  if (world->breaks_at != 0 && world->received >= world->breaks_at) {
    world->is_posting = false;
    return WW_UPLINK_FAILED;
  }
  *taken = turn++ % 5 == 4 ? 0 : length > 100 ? 100 : length;
  if (world->received + *taken > world->expected) {
    return WW_UPLINK_FAILED;
  }
  memcpy(posted + world->received, bytes, *taken);
  world->received += *taken;
  return WW_OK;
}

struct parsed_post {
  uint64_t epoch;
  uint64_t size;
  struct ww_json readings;
  uint64_t count;
  uint8_t signature[64];
};

static bool parse_post(const struct world *world, struct parsed_post *post) {
  struct ww_json body, member;
  char text[WW_HEX_LENGTH(64) + 1];
  uint8_t key_id[32];
  bool is_post = world->received == world->expected && ww_json_parse(posted, world->received, &body) &&
                 ww_json_member(body, "keyId", &member) && ww_json_copy(member, text, sizeof text) &&
                 ww_unhex(text, key_id, sizeof key_id) && memcmp(key_id, world->device.key_id, sizeof key_id) == 0 &&
                 ww_json_member(body, "epoch", &member) && ww_json_u64(member, &post->epoch) &&
                 ww_json_member(body, "size", &member) && ww_json_u64(member, &post->size) &&
                 ww_json_member(body, "signature", &member) && ww_json_copy(member, text, sizeof text) &&
                 ww_unhex(text, post->signature, sizeof post->signature) &&
                 ww_json_member(body, "readings", &post->readings);
  struct ww_json reading;
  for (post->count = 0; is_post && ww_json_element(post->readings, (size_t)post->count, &reading);) {
    post->count++;
  }
  return is_post && post->count > 0 && post->count <= post->size;
}

static int answer_to(struct world *world, char *body) {
  struct parsed_post post;
  static struct ww_log log;
  uint64_t has = 0;
  world->refusal = NULL;
  if (!parse_post(world, &post)) {
    world->refusal = "malformed";
    return 400;
  }
  world->most_readings = post.count > world->most_readings ? (unsigned)post.count : world->most_readings;
  if (post.epoch < world->epoch) {
    world->refusal = "wrong epoch";
    return 422;
  }
  ww_log_begin(&log);
  if (post.epoch == world->epoch) {
    log = world->log;
    has = log.size;
  }
  uint64_t start = post.size - post.count;
  if (start > has) {
    sprintf(body, "{\"rule\":\"gap\",\"detail\":\"\",\"size\":%u}", (unsigned)has);
    return 409;
  }
  if (post.size <= has) {
    sprintf(body, "{\"size\":%u}", (unsigned)has);
    return 200;
  }
  struct ww_head head = {.epoch = (uint32_t)post.epoch, .size = post.size};
  struct ww_reading last = {.energy = post.epoch == world->epoch ? world->energy : 0, .timestamp = world->timestamp};
  for (uint64_t i = has - start; i < post.count; i++) {
    struct ww_json element;
    char text[WW_HEX_LENGTH(WW_READING_LENGTH) + 1];
    struct ww_reading reading;
    if (!ww_json_element(post.readings, (size_t)i, &element) || !ww_json_copy(element, text, sizeof text) ||
        !ww_unhex(text, head.reading, WW_READING_LENGTH) ||
        ww_reading_decode(head.reading, WW_READING_LENGTH, &reading) != WW_OK ||
        ww_log_append(&log, head.reading) != WW_OK) {
      world->refusal = "wrong length";
      return 422;
    }
    if (reading.timestamp <= last.timestamp || reading.energy < last.energy) {
      world->refusal = reading.timestamp <= last.timestamp ? "time not forward" : "energy backward";
      return 422;
    }
    last = reading;
  }
  if (last.timestamp > world->now + 300) {
    sprintf(body, "{\"rule\":\"time ahead\"}");
    return 425;
  }
  uint8_t bytes[WW_HEAD_LENGTH];
  uint8_t digest[WW_HASH_LENGTH];
  ww_log_root(&log, head.root);
  if (ww_head_encode(&world->settings.place, &head, bytes) != WW_OK) {
    return 400;
  }
  ww_sha256(bytes, sizeof bytes, digest);
  if (memcmp(digest, post.signature, sizeof digest) != 0) {
    world->refusal = "bad signature";
    return 422;
  }
  world->epoch = (uint32_t)post.epoch;
  world->log = log;
  world->energy = last.energy;
  world->timestamp = last.timestamp;
  world->conditions = last.conditions;
  sprintf(body, "{\"size\":%u}", (unsigned)log.size);
  return 200;
}

static enum ww_error answer(void *context, struct ww_answer *out) {
  struct world *world = context;
  if (world->oracle_is_away || !world->is_posting) {
    world->is_posting = false;
    return WW_UPLINK_FAILED;
  }
  if (world->oracle_is_slow) {
    return WW_UPLINK_BUSY;
  }
  world->is_posting = false;
  world->posts++;
  strcpy(out->body, "{\"rule\":\"any\"}");
  if (world->says != 0) {
    out->status = world->says;
    strcpy(out->body, world->says_body);
  } else {
    out->status = answer_to(world, out->body);
  }
  out->length = strlen(out->body);
  return WW_OK;
}

/* THE WORLD */

void world_begin(struct world *world) {
  memset(world, 0, sizeof *world);
  head_count = 0;
  world->now = START - 30;
  world->clock_is_known = true;
  world->synchronised = world->now;
  world->shown = (struct ww_measurement){
      .power = 3600000,
      .total = 5000000,
      .voltage = 230000,
      .current = WW_NOT_MEASURED_U32,
      .temperature = WW_NOT_MEASURED_I16,
      .valid = true,
      .meter = {0xEC, 0x64, 0xC9, 0xC0, 0x5E, 0x97},
  };
  memset(world->key, 7, sizeof world->key);
  store_begin(&world->flash, 5);
  ww_settings_begin(&world->settings);
  world->settings.place.chain_id = 31337;
  world->settings.capacity = WORLD_CAPACITY;
  world->settings.source = 0x10;
  world->settings.interval = WORLD_INTERVAL;
  world->settings.upload_every = 1;
}

static void connect_ports(struct world *world) {
  world->ports = (struct ww_ports){
      .meter = {world, measure},
      .signer = {world, public_key, sign, counter, increment},
      .clock = {world, read_clock},
      .store = store_port(&world->flash),
      .uplink = {world, begin, uplink_write, answer},
  };
}

void world_copy(struct world *copy, const struct world *world) {
  *copy = *world;
  connect_ports(copy);
  copy->device.settings = &copy->settings;
  copy->device.ports = &copy->ports;
  copy->device.queue.store = &copy->ports.store;
}

void world_boot(struct world *world) {
  store_reboot(&world->flash);
  world_shine(world, 1);
  world->uptime = 0;
  world->is_posting = false;
  connect_ports(world);
  world->started = ww_device_start(&world->device, &world->settings, &world->ports);
}

void world_synchronise(struct world *world) {
  world->clock_off = 0;
  world->clock_is_known = true;
  world->synchronised = world->now;
}

void world_shine(struct world *world, uint32_t seconds) {
  uint64_t milliwatt_seconds = world->rest + (uint64_t)world->shown.power * seconds;
  world->shown.total += milliwatt_seconds / 3600;
  world->rest = milliwatt_seconds % 3600;
  world->now += seconds;
  world->uptime += (uint64_t)seconds * 1000;
}

void world_pass(struct world *world, uint32_t seconds) {
  for (uint32_t i = 0; i < seconds && !world->flash.is_dead; i++) {
    world_shine(world, 1);
    /* several steps, as a device takes them while it sends */
    for (int step = 0; step < 4 && !world->flash.is_dead; step++) {
      ww_device_step(&world->device, world->uptime);
    }
  }
}
