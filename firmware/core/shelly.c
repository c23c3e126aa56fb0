#include "shelly.h"

#include <string.h>

#include "hex.h"
#include "json.h"

#define CHANNEL_MASK 0x0F
#define ALL_PHASES 15
#define EXPORT_BIT 0x10

#define LIMIT (INT64_C(1) << 50)
#define MAC_LENGTH 6

/** Where a channel tells what it counted. */
enum counting {
  PLAIN,        /* in Wh, a field each way */
  WATT_MINUTES, /* in Watt-minutes, one field for both ways */
  NESTED,       /* in Wh, `total` of an object each way; what was exported is in the import's, too */
};

/** Added to the kind of a channel that is NESTED where the one way could be told from the other. */
#define SEPARATED 0x20

/** What the fields of a channel are called. */
struct names {
  uint8_t kind; /* in a measurement's channels */
  enum counting counting;
  const char *power;
  const char *imported;
  const char *exported;
  const char *voltage;
  const char *current;
  const char *errors;
};

static const struct names emeter_names = {0x10,      PLAIN,     "power", "total", "total_returned",
                                          "voltage", "current", "errors"};

static const struct names em1_names = {0x20,      PLAIN,     "act_power", "total_act_energy", "total_act_ret_energy",
                                       "voltage", "current", "errors"};

static const struct names phase_names[3] = {
    {0x30, PLAIN, "a_act_power", "a_total_act_energy", "a_total_act_ret_energy", "a_voltage", "a_current", "a_errors"},
    {0x30, PLAIN, "b_act_power", "b_total_act_energy", "b_total_act_ret_energy", "b_voltage", "b_current", "b_errors"},
    {0x30, PLAIN, "c_act_power", "c_total_act_energy", "c_total_act_ret_energy", "c_voltage", "c_current", "c_errors"},
};

static const struct names meter_names = {0x40, WATT_MINUTES, "power", "total", NULL, "voltage", "current", "errors"};

static const struct names switch_names = {0x50,          NESTED,    "apower",  "aenergy",
                                          "ret_aenergy", "voltage", "current", "errors"};

static const struct names pm1_names = {0x60,          NESTED,    "apower",  "aenergy",
                                       "ret_aenergy", "voltage", "current", "errors"};

/** A channel of an answer: what it shows now and what it has counted, which may be the same object. */
struct channel {
  struct ww_json live;
  struct ww_json counted;
  const struct names *names;
};

/** What a channel has counted one way. */
struct total {
  int64_t energy; /* mWh */
  uint8_t kind;   /* in a measurement's channels */
};

/** Of all channels so far. */
struct sums {
  int64_t power;   /* mW, consumption positive */
  int64_t total;   /* mWh */
  int64_t voltage; /* mV */
  int64_t current; /* mA */
  uint32_t channels;
  uint8_t kind;
  uint32_t voltages; /* channels whose voltage is measured */
  uint32_t currents; /* channels whose current is measured */
  bool valid;
};

/* FIELDS */

static bool find(struct ww_json object, const char *key, struct ww_json *field) {
  struct ww_json member;
  if (!ww_json_member(object, key, &member) || ww_json_is_null(member)) {
    return false;
  }
  *field = member;
  return true;
}

/** In thousandths, from `lowest` to `highest`. */
static WW_RESULT read_number(struct ww_json object, const char *key, int64_t lowest, int64_t highest, int64_t *number) {
  struct ww_json field;
  int64_t value;
  if (!find(object, key, &field)) {
    return WW_METER_MISSING;
  }
  if (!ww_json_decimal(field, 3, &value) || value < lowest || value > highest) {
    return WW_METER_RANGE;
  }
  *number = value;
  return WW_OK;
}

/** Adds what is measured, and counts it. */
static WW_RESULT add_measured(struct ww_json object, const char *key, int64_t *sum, uint32_t *count) {
  int64_t number;
  enum ww_error error = read_number(object, key, 0, WW_NOT_MEASURED_U32 - INT64_C(1), &number);
  if (error == WW_METER_MISSING) {
    return WW_OK;
  }
  WW_TRY(error);
  *sum += number;
  *count += 1;
  return WW_OK;
}

static bool is_valid(struct ww_json object) {
  struct ww_json field;
  bool truth = false;
  return !find(object, "is_valid", &field) || (ww_json_bool(field, &truth) && truth);
}

/** The order in which phases rotate changes nothing of what each delivers. */
static bool has_errors(struct ww_json object, const char *key) {
  struct ww_json errors, error;
  if (!ww_json_member(object, key, &errors)) {
    return false;
  }
  for (size_t i = 0; ww_json_element(errors, i, &error); i++) {
    if (!ww_json_equals(error, "phase_sequence")) {
      return true;
    }
  }
  return false;
}

static WW_RESULT read_mac(struct ww_json object, uint8_t meter[WW_METER_ID_LENGTH]) {
  struct ww_json field;
  char text[2 * MAC_LENGTH + 1];
  if (!find(object, "mac", &field)) {
    return WW_METER_MISSING;
  }
  memset(meter, 0, WW_METER_ID_LENGTH);
  return ww_json_copy(field, text, sizeof text) && ww_unhex(text, meter, MAC_LENGTH) ? WW_OK : WW_METER_RANGE;
}

/* CHANNELS */

/** Writes "em1:" and 12 as "em1:12"; `number` is below 100. */
static void write_key(char key[12], const char *prefix, unsigned number) {
  size_t length = strlen(prefix);
  memcpy(key, prefix, length);
  if (number >= 10) {
    key[length++] = (char)('0' + number / 10);
  }
  key[length++] = (char)('0' + number % 10);
  key[length] = '\0';
}

static const struct ww_json nothing = {"", 0};

static bool find_element(struct ww_json array, unsigned number, const struct names *names, struct channel *channel) {
  channel->names = names;
  return ww_json_element(array, number, &channel->live) && ww_json_element(array, number, &channel->counted);
}

static bool find_component(struct ww_json answer, const char *prefix, unsigned number, const struct names *names,
                           struct channel *channel) {
  char key[12];
  write_key(key, prefix, number);
  channel->names = names;
  return ww_json_member(answer, key, &channel->live) && ww_json_member(answer, key, &channel->counted);
}

/** A channel that counts nothing is still one: left out of a sum it would make the register go backward. */
static bool find_pair(struct ww_json answer, const char *live, const char *counted, struct channel *channel) {
  if (!ww_json_member(answer, counted, &channel->counted)) {
    channel->counted = nothing;
  }
  return ww_json_member(answer, live, &channel->live);
}

static bool find_phase(struct ww_json answer, unsigned number, struct channel *channel) {
  if (number >= 3) {
    return false;
  }
  channel->names = &phase_names[number];
  return find_pair(answer, "em:0", "emdata:0", channel);
}

static bool find_em1(struct ww_json answer, unsigned number, struct channel *channel) {
  char live[12], counted[12];
  write_key(live, "em1:", number);
  write_key(counted, "em1data:", number);
  channel->names = &em1_names;
  return find_pair(answer, live, counted, channel);
}

/** A meter's clamps go before its relay, which counts nothing. */
static bool find_channel(struct ww_json answer, unsigned number, struct channel *channel) {
  struct ww_json found;
  if (ww_json_member(answer, "emeters", &found)) {
    return find_element(found, number, &emeter_names, channel);
  }
  if (ww_json_member(answer, "meters", &found)) {
    return find_element(found, number, &meter_names, channel);
  }
  if (ww_json_member(answer, "em:0", &found)) {
    return find_phase(answer, number, channel);
  }
  return find_em1(answer, number, channel) || find_component(answer, "pm1:", number, &pm1_names, channel) ||
         find_component(answer, "switch:", number, &switch_names, channel);
}

/* REGISTERS */

static WW_RESULT read_nested(struct ww_json object, const char *key, int64_t *energy) {
  struct ww_json counter;
  return find(object, key, &counter) ? read_number(counter, "total", 0, LIMIT - 1, energy) : WW_METER_MISSING;
}

/**
 * Of what is NESTED, what flowed back is taken out of the import: left in, an inverter's own draw would be production.
 * Where it is not told, that cannot be, and the register is one of another kind: the one is no step of the other.
 */
static WW_RESULT read_separated(const struct channel *channel, bool exported, struct total *total) {
  const struct names *names = channel->names;
  int64_t returned = 0;
  enum ww_error error = read_nested(channel->counted, names->exported, &returned);
  bool is_separated = error == WW_OK;
  if (exported || (!is_separated && error != WW_METER_MISSING)) {
    *total = (struct total){returned, names->kind};
    return error;
  }
  WW_TRY(read_nested(channel->counted, names->imported, &total->energy));
  total->energy -= returned;
  total->kind = (uint8_t)(names->kind + (is_separated ? SEPARATED : 0));
  return total->energy >= 0 ? WW_OK : WW_METER_RANGE;
}

static WW_RESULT read_total(const struct channel *channel, bool exported, struct total *total) {
  const struct names *names = channel->names;
  const char *key = exported ? names->exported : names->imported;
  if (names->counting == NESTED) {
    return read_separated(channel, exported, total);
  }
  if (key == NULL) {
    return WW_METER_MISSING;
  }
  WW_TRY(read_number(channel->counted, key, 0, LIMIT - 1, &total->energy));
  total->energy /= names->counting == WATT_MINUTES ? 60 : 1;
  total->kind = names->kind;
  return WW_OK;
}

/* MEASUREMENT */

static WW_RESULT add_channel(const struct channel *channel, bool exported, struct sums *sums) {
  const struct names *names = channel->names;
  struct total total;
  int64_t power;
  WW_TRY(read_number(channel->live, names->power, 1 - LIMIT, LIMIT - 1, &power));
  WW_TRY(read_total(channel, exported, &total));
  if (sums->channels > 0 && total.kind != sums->kind) {
    return WW_METER_MISSING;
  }
  WW_TRY(add_measured(channel->live, names->voltage, &sums->voltage, &sums->voltages));
  WW_TRY(add_measured(channel->live, names->current, &sums->current, &sums->currents));

  sums->power += power;
  sums->total += total.energy;
  sums->channels += 1;
  sums->kind = total.kind;
  sums->valid = sums->valid && is_valid(channel->live) && !has_errors(channel->live, names->errors) &&
                !has_errors(channel->live, "errors") && !has_errors(channel->counted, "errors");
  return WW_OK;
}

static WW_RESULT add_all_channels(struct ww_json answer, bool exported, struct sums *sums) {
  struct channel channel;
  for (unsigned number = 0; number < ALL_PHASES && find_channel(answer, number, &channel); number++) {
    WW_TRY(add_channel(&channel, exported, sums));
  }
  return sums->channels > 0 ? WW_OK : WW_METER_MISSING;
}

static WW_RESULT add_channels(struct ww_json answer, uint8_t source, struct sums *sums) {
  unsigned number = source & CHANNEL_MASK;
  bool exported = (source & EXPORT_BIT) != 0;
  struct channel channel;
  if (number == ALL_PHASES) {
    return add_all_channels(answer, exported, sums);
  }
  if (!find_channel(answer, number, &channel)) {
    return WW_METER_MISSING;
  }
  return add_channel(&channel, exported, sums);
}

static WW_RESULT conclude(const struct sums *sums, bool exported, struct ww_measurement *measurement) {
  bool current_measured = sums->currents == sums->channels;
  if (sums->power <= -LIMIT || sums->power >= LIMIT || sums->total >= LIMIT ||
      (current_measured && sums->current >= WW_NOT_MEASURED_U32)) {
    return WW_METER_RANGE;
  }
  measurement->power = exported ? -sums->power : sums->power;
  measurement->total = (uint64_t)sums->total;
  measurement->voltage = sums->voltages > 0 ? (uint32_t)(sums->voltage / sums->voltages) : WW_NOT_MEASURED_U32;
  measurement->current = current_measured ? (uint32_t)sums->current : WW_NOT_MEASURED_U32;
  measurement->temperature = WW_NOT_MEASURED_I16;
  measurement->valid = sums->valid;
  measurement->channels = (uint8_t)(sums->kind | sums->channels);
  return WW_OK;
}

WW_RESULT ww_shelly_parse(const struct ww_shelly_options *options, const char *text, size_t length,
                          struct ww_measurement *out) {
  struct ww_json answer, system;
  if (!ww_json_parse(text, length, &answer)) {
    return WW_METER_MALFORMED;
  }
  struct sums sums = {.valid = true};
  struct ww_measurement measurement;
  WW_TRY(add_channels(answer, options->source, &sums));
  WW_TRY(conclude(&sums, (options->source & EXPORT_BIT) != 0, &measurement));
  WW_TRY(read_mac(find(answer, "sys", &system) ? system : answer, measurement.meter));
  *out = measurement;
  return WW_OK;
}

/* GENERATION */

WW_RESULT ww_shelly_generation(const char *text, size_t length, enum ww_shelly_generation *generation) {
  struct ww_json answer, field;
  uint64_t number;
  if (!ww_json_parse(text, length, &answer)) {
    return WW_METER_MALFORMED;
  }
  if (find(answer, "gen", &field)) {
    if (!ww_json_u64(field, &number) || number < 2) {
      return WW_METER_RANGE;
    }
    *generation = WW_SHELLY_GEN2;
    return WW_OK;
  }
  if (!find(answer, "type", &field)) {
    return WW_METER_MISSING;
  }
  *generation = WW_SHELLY_GEN1;
  return WW_OK;
}

const char *ww_shelly_path(enum ww_shelly_generation generation) {
  return generation == WW_SHELLY_GEN1 ? "/status" : "/rpc/Shelly.GetStatus";
}
