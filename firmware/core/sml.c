#include "sml.h"

#include <string.h>

#include "reading.h"

#define ESCAPE 0x1B
#define ESCAPES 4
#define CODE_BEGIN 0x01
#define CODE_END 0x1A

#define LIMIT (INT64_C(1) << 50)
#define KIND 0x90 /* in a measurement's channels, beside a Shelly's */

/* TRANSPORT */

static uint16_t crc_with(uint16_t crc, uint8_t byte) {
  crc ^= byte;
  for (unsigned bit = 0; bit < 8; bit++) {
    crc = (uint16_t)(crc & 1 ? crc >> 1 ^ 0x8408 : crc >> 1);
  }
  return crc;
}

void ww_sml_begin(struct ww_sml *sml) {
  sml->is_begun = false;
  sml->escapes = 0;
  sml->codes = 0;
}

/** Here, as anywhere else, what does not fit is no telegram, and the next beginning is waited for. */
static void keep(struct ww_sml *sml, uint8_t byte) {
  if (!sml->is_begun) {
    return;
  }
  if (sml->length == sizeof sml->messages) {
    sml->is_begun = false;
    return;
  }
  sml->messages[sml->length++] = byte;
}

static void keep_escapes(struct ww_sml *sml, uint8_t count) {
  while (count-- > 0) {
    keep(sml, ESCAPE);
  }
}

static void begin_telegram(struct ww_sml *sml) {
  static const uint8_t beginning[] = {ESCAPE, ESCAPE, ESCAPE, ESCAPE, CODE_BEGIN, CODE_BEGIN, CODE_BEGIN, CODE_BEGIN};
  sml->is_begun = true;
  sml->length = 0;
  sml->crc = 0xFFFF;
  for (size_t i = 0; i < sizeof beginning; i++) {
    sml->crc = crc_with(sml->crc, beginning[i]);
  }
}

/** Whether it is whole. */
static bool end_telegram(struct ww_sml *sml) {
  uint8_t padding = sml->code[1];
  uint16_t crc = sml->crc;
  bool was_begun = sml->is_begun;
  sml->is_begun = false;
  crc = (uint16_t)~crc_with(crc_with(crc, CODE_END), padding);
  if (!was_begun || padding >= ESCAPES || padding > sml->length || sml->code[2] != (crc & 0xFF) ||
      sml->code[3] != crc >> 8) {
    return false;
  }
  sml->length -= padding;
  return true;
}

/** Whether a telegram is whole with this byte of an escape sequence. */
static bool take_code(struct ww_sml *sml, uint8_t byte) {
  sml->code[sml->codes++] = byte;
  if (sml->code[0] != CODE_END && byte != CODE_BEGIN) {
    ww_sml_begin(sml); /* what else there is no meter sends by itself */
    sml->escapes = byte == ESCAPE;
    return false;
  }
  if (sml->codes < sizeof sml->code) {
    return false;
  }
  sml->codes = 0;
  if (sml->code[0] == CODE_END) {
    return end_telegram(sml);
  }
  begin_telegram(sml);
  return false;
}

bool ww_sml_take(struct ww_sml *sml, uint8_t byte) {
  if (sml->codes > 0) {
    return take_code(sml, byte);
  }
  if (byte == ESCAPE) {
    sml->crc = crc_with(sml->crc, byte);
    if (++sml->escapes == 2 * ESCAPES) {
      keep_escapes(sml, ESCAPES);
      sml->escapes = 0;
    }
    return false;
  }
  uint8_t escapes = sml->escapes;
  sml->escapes = 0;
  if (escapes >= ESCAPES) {
    keep_escapes(sml, (uint8_t)(escapes - ESCAPES)); /* messages may end with some */
    return take_code(sml, byte);
  }
  keep_escapes(sml, escapes);
  sml->crc = crc_with(sml->crc, byte);
  keep(sml, byte);
  return false;
}

/* VALUES */

enum type { OCTETS = 0, BOOLEAN = 4, SIGNED = 5, UNSIGNED = 6, LIST = 7 };

struct reader {
  const uint8_t *at;
  size_t left;
};

struct value {
  enum type type;
  size_t length; /* of a list: elements, which follow; else bytes */
  const uint8_t *bytes;
};

/** A value's first byte: what continues it, its type, and four bits of its length, which counts these bytes, too. */
static bool read_value(struct reader *reader, struct value *value) {
  size_t length = 0;
  size_t header = 0;
  uint8_t byte;
  do {
    if (reader->left == 0 || header == 3) {
      return false;
    }
    byte = *reader->at++;
    reader->left--;
    value->type = header == 0 ? (enum type)(byte >> 4 & 7) : value->type;
    length = length << 4 | (byte & 0x0F);
    header++;
  } while (byte & 0x80);
  value->bytes = reader->at;
  if (value->type == LIST) {
    value->length = length;
    return true;
  }
  if (length < header || length - header > reader->left) {
    return false;
  }
  value->length = length - header;
  reader->at += value->length;
  reader->left -= value->length;
  return true;
}

/** Leaves out so many values, with all that is in them. */
static bool skip(struct reader *reader, size_t count) {
  struct value value;
  for (; count > 0; count--) {
    if (!read_value(reader, &value)) {
      return false;
    }
    count += value.type == LIST ? value.length : 0;
  }
  return true;
}

static bool read_list(struct reader *reader, size_t length) {
  struct value list;
  return read_value(reader, &list) && list.type == LIST && list.length == length;
}

static bool read_number(const struct value *value, int64_t *number) {
  bool is_negative = value->type == SIGNED && value->length > 0 && value->bytes[0] & 0x80;
  uint64_t bits = is_negative ? UINT64_MAX : 0;
  if ((value->type != SIGNED && value->type != UNSIGNED) || value->length == 0 || value->length > 8) {
    return false;
  }
  for (size_t i = 0; i < value->length; i++) {
    bits = bits << 8 | value->bytes[i];
  }
  if (!is_negative && bits > INT64_MAX) {
    return false;
  }
  *number = is_negative ? -(int64_t)~bits - 1 : (int64_t)bits;
  return true;
}

/* ENTRIES */

enum unit { WATT = 27, WATT_HOUR = 30, AMPERE = 33, VOLT = 35 };

enum quantity {
  IMPORTED,
  EXPORTED,
  BALANCE, /* the power that is imported, less the one that is exported */
  IMPORTING,
  EXPORTING,
  VOLTAGES,
  CURRENTS = VOLTAGES + 3,
  QUANTITIES = CURRENTS + 3,
};

/** What stands for C and D in 1-0:C.D.0*255. */
static const struct {
  uint8_t c, d;
  uint8_t unit;
} NAMES[QUANTITIES] = {
    {1, 8, WATT_HOUR}, {2, 8, WATT_HOUR}, {16, 7, WATT},   {1, 7, WATT},    {2, 7, WATT},    {32, 7, VOLT},
    {52, 7, VOLT},     {72, 7, VOLT},     {31, 7, AMPERE}, {51, 7, AMPERE}, {71, 7, AMPERE},
};

struct entries {
  bool is_there[QUANTITIES];
  bool is_wrong[QUANTITIES];  /* no number, or not in its unit */
  int64_t number[QUANTITIES]; /* thousandths */
  bool has_meter;
  uint8_t meter[WW_METER_ID_LENGTH];
};

static enum quantity quantity_of(const struct value *name) {
  enum quantity quantity = 0;
  if (name->type != OCTETS || name->length != 6 || name->bytes[0] != 1 || name->bytes[1] != 0 || name->bytes[4] != 0 ||
      name->bytes[5] != 255) {
    return QUANTITIES;
  }
  while (quantity < QUANTITIES && (name->bytes[2] != NAMES[quantity].c || name->bytes[3] != NAMES[quantity].d)) {
    quantity++;
  }
  return quantity;
}

/** Times ten to the power of its scaler, in thousandths; what is 2^50 or more either way is only known to be that. */
static int64_t scale(int64_t number, int64_t scaler) {
  for (; scaler > -3 && number > -LIMIT && number < LIMIT && number != 0; scaler--) {
    number *= 10;
  }
  for (; scaler < -3 && number != 0; scaler++) {
    number /= 10;
  }
  return number;
}

static bool is_omitted(const struct value *value) {
  return value->type == OCTETS && value->length == 0;
}

static bool read_scaled(enum quantity quantity, const struct value *unit, const struct value *scaler,
                        const struct value *value, int64_t *number) {
  int64_t unit_number, exponent = 0;
  if (!read_number(unit, &unit_number) || unit_number != NAMES[quantity].unit ||
      (!is_omitted(scaler) && !read_number(scaler, &exponent)) || exponent < INT8_MIN || exponent > INT8_MAX ||
      !read_number(value, number)) {
    return false;
  }
  *number = scale(*number, exponent);
  return true;
}

/** objName, status, valTime, unit, scaler, value, valueSignature */
static bool read_entry(struct reader *reader, struct entries *entries) {
  struct value name, unit, scaler, value;
  if (!read_list(reader, 7) || !read_value(reader, &name) || name.type == LIST || !skip(reader, 2) ||
      !read_value(reader, &unit) || !read_value(reader, &scaler)) {
    return false;
  }
  struct reader before = *reader;
  if (!skip(reader, 1) || !read_value(&before, &value) || !skip(reader, 1)) {
    return false;
  }
  enum quantity quantity = quantity_of(&name);
  if (quantity < QUANTITIES && !entries->is_there[quantity]) {
    entries->is_there[quantity] = true;
    entries->is_wrong[quantity] = !read_scaled(quantity, &unit, &scaler, &value, &entries->number[quantity]);
  }
  return true;
}

/** Its end is what tells meters apart: the beginning of a server id is its form. */
static void keep_meter(const struct value *server, struct entries *entries) {
  if (entries->has_meter || server->type != OCTETS || server->length == 0) {
    return;
  }
  size_t length = server->length < WW_METER_ID_LENGTH ? server->length : WW_METER_ID_LENGTH;
  memcpy(entries->meter, server->bytes + server->length - length, length);
  entries->has_meter = true;
}

/** clientId, serverId, listName, actSensorTime, valList, listSignature, actGatewayTime */
static bool read_values(struct reader *reader, struct entries *entries) {
  struct value server, list;
  if (!read_list(reader, 7) || !skip(reader, 1) || !read_value(reader, &server) || server.type == LIST ||
      !skip(reader, 2) || !read_value(reader, &list) || list.type != LIST) {
    return false;
  }
  keep_meter(&server, entries);
  for (size_t i = 0; i < list.length; i++) {
    if (!read_entry(reader, entries)) {
      return false;
    }
  }
  return skip(reader, 2);
}

#define VALUES 0x0701 /* GetList.Res */

/** transactionId, groupNo, abortOnError, messageBody: its kind and itself, crc16, endOfSmlMsg */
static bool read_message(struct reader *reader, struct entries *entries) {
  struct value kind;
  int64_t number;
  if (!read_list(reader, 6) || !skip(reader, 3) || !read_list(reader, 2) || !read_value(reader, &kind) ||
      !read_number(&kind, &number)) {
    return false;
  }
  if (!(number == VALUES ? read_values(reader, entries) : skip(reader, 1)) || !skip(reader, 1) || reader->left == 0) {
    return false;
  }
  reader->left--;
  return *reader->at++ == 0;
}

/* MEASUREMENT */

static WW_RESULT require_within(const struct entries *entries, enum quantity quantity, int64_t least, int64_t most) {
  int64_t number = entries->number[quantity];
  return entries->is_wrong[quantity] || number < least || number > most ? WW_METER_RANGE : WW_OK;
}

static WW_RESULT read_power(const struct entries *entries, int64_t *power) {
  *power = 0;
  if (entries->is_there[BALANCE]) {
    *power = entries->number[BALANCE];
    return require_within(entries, BALANCE, 1 - LIMIT, LIMIT - 1);
  }
  if (!entries->is_there[IMPORTING] && !entries->is_there[EXPORTING]) {
    return WW_METER_MISSING;
  }
  WW_TRY(require_within(entries, IMPORTING, 1 - LIMIT, LIMIT - 1));
  WW_TRY(require_within(entries, EXPORTING, 1 - LIMIT, LIMIT - 1));
  *power = entries->number[IMPORTING] - entries->number[EXPORTING];
  return *power > -LIMIT && *power < LIMIT ? WW_OK : WW_METER_RANGE;
}

/** Of the three phases from `first` on, their sum and how many tell it. */
static WW_RESULT sum_phases(const struct entries *entries, enum quantity first, int64_t *sum, int64_t *count) {
  *sum = *count = 0;
  for (enum quantity phase = first; phase < first + 3; phase++) {
    if (entries->is_there[phase]) {
      WW_TRY(require_within(entries, phase, 0, WW_NOT_MEASURED_U32 - INT64_C(1)));
      *sum += entries->number[phase];
      ++*count;
    }
  }
  return WW_OK;
}

static WW_RESULT conclude(const struct entries *entries, bool exported, struct ww_measurement *out) {
  enum quantity total = exported ? EXPORTED : IMPORTED;
  int64_t power, voltage, voltages, current, currents;
  if (!entries->is_there[total] || !entries->has_meter) {
    return WW_METER_MISSING;
  }
  WW_TRY(read_power(entries, &power));
  WW_TRY(require_within(entries, total, 0, LIMIT - 1));
  WW_TRY(sum_phases(entries, VOLTAGES, &voltage, &voltages));
  WW_TRY(sum_phases(entries, CURRENTS, &current, &currents));
  if (currents > 0 && current >= WW_NOT_MEASURED_U32) {
    return WW_METER_RANGE;
  }
  out->power = exported ? -power : power;
  out->total = (uint64_t)entries->number[total];
  out->voltage = voltages > 0 ? (uint32_t)(voltage / voltages) : WW_NOT_MEASURED_U32;
  out->current = currents > 0 ? (uint32_t)current : WW_NOT_MEASURED_U32;
  out->temperature = WW_NOT_MEASURED_I16;
  out->valid = true;
  memcpy(out->meter, entries->meter, sizeof out->meter);
  out->channels = KIND | 1;
  return WW_OK;
}

WW_RESULT ww_sml_parse(uint8_t source, const uint8_t *messages, size_t length, struct ww_measurement *out) {
  struct reader reader = {messages, length};
  struct entries entries;
  memset(&entries, 0, sizeof entries);
  while (reader.left > 0) {
    if (!read_message(&reader, &entries)) {
      return WW_METER_MALFORMED;
    }
  }
  return conclude(&entries, (source & WW_SOURCE_EXPORT) != 0, out);
}
