#include "json.h"

#include <string.h>

struct cursor {
  const char *at;
  const char *end;
};

static struct cursor cursor_of(struct ww_json value) {
  return (struct cursor){value.text, value.text + value.length};
}

static struct ww_json between(const char *start, const char *end) {
  return (struct ww_json){start, (size_t)(end - start)};
}

static bool at_digit(const struct cursor *cursor) {
  return cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9';
}

static unsigned take_digit(struct cursor *cursor) {
  return (unsigned)(*cursor->at++ - '0');
}

static bool take_digits(struct cursor *cursor) {
  const char *start = cursor->at;
  while (at_digit(cursor)) {
    cursor->at++;
  }
  return cursor->at > start;
}

static bool take(struct cursor *cursor, char character) {
  if (cursor->at == cursor->end || *cursor->at != character) {
    return false;
  }
  cursor->at++;
  return true;
}

static bool take_word(struct cursor *cursor, const char *word) {
  size_t length = strlen(word);
  if ((size_t)(cursor->end - cursor->at) < length || memcmp(cursor->at, word, length) != 0) {
    return false;
  }
  cursor->at += length;
  return true;
}

static void skip_space(struct cursor *cursor) {
  while (take(cursor, ' ') || take(cursor, '\t') || take(cursor, '\n') || take(cursor, '\r')) {
  }
}

static bool take_mark(struct cursor *cursor, char mark) {
  skip_space(cursor);
  return take(cursor, mark);
}

/* GRAMMAR */

static int hex_digit(char character) {
  if (character >= '0' && character <= '9') {
    return character - '0';
  }
  if (character >= 'a' && character <= 'f') {
    return character - 'a' + 10;
  }
  if (character >= 'A' && character <= 'F') {
    return character - 'A' + 10;
  }
  return -1;
}

static bool scan_escape(struct cursor *cursor) {
  if (!take(cursor, 'u')) {
    return cursor->at < cursor->end && *cursor->at != '\0' && strchr("\"\\/bfnrt", *cursor->at++) != NULL;
  }
  for (int i = 0; i < 4; i++) {
    if (cursor->at == cursor->end || hex_digit(*cursor->at++) < 0) {
      return false;
    }
  }
  return true;
}

static bool scan_string(struct cursor *cursor) {
  if (!take(cursor, '"')) {
    return false;
  }
  while (cursor->at < cursor->end) {
    char character = *cursor->at++;
    if (character == '"') {
      return true;
    }
    if ((unsigned char)character < 0x20 || (character == '\\' && !scan_escape(cursor))) {
      return false;
    }
  }
  return false;
}

static bool scan_number(struct cursor *cursor) {
  take(cursor, '-');
  if (!take(cursor, '0') && !take_digits(cursor)) {
    return false;
  }
  if (take(cursor, '.') && !take_digits(cursor)) {
    return false;
  }
  if (!take(cursor, 'e') && !take(cursor, 'E')) {
    return true;
  }
  if (!take(cursor, '-')) {
    take(cursor, '+');
  }
  return take_digits(cursor);
}

static bool scan_value(struct cursor *cursor, unsigned depth, struct ww_json *value);

static bool scan_member(struct cursor *cursor, unsigned depth, struct ww_json *key, struct ww_json *member) {
  skip_space(cursor);
  const char *start = cursor->at;
  if (!scan_string(cursor)) {
    return false;
  }
  *key = between(start, cursor->at);
  return take_mark(cursor, ':') && scan_value(cursor, depth, member);
}

static bool scan_object(struct cursor *cursor, unsigned depth) {
  if (take_mark(cursor, '}')) {
    return true;
  }
  do {
    struct ww_json key, member;
    if (!scan_member(cursor, depth, &key, &member)) {
      return false;
    }
  } while (take_mark(cursor, ','));
  return take_mark(cursor, '}');
}

static bool scan_array(struct cursor *cursor, unsigned depth) {
  if (take_mark(cursor, ']')) {
    return true;
  }
  do {
    struct ww_json element;
    if (!scan_value(cursor, depth, &element)) {
      return false;
    }
  } while (take_mark(cursor, ','));
  return take_mark(cursor, ']');
}

static bool scan_anything(struct cursor *cursor, unsigned depth) {
  if (take(cursor, '{')) {
    return depth > 0 && scan_object(cursor, depth - 1);
  }
  if (take(cursor, '[')) {
    return depth > 0 && scan_array(cursor, depth - 1);
  }
  return take_word(cursor, "true") || take_word(cursor, "false") || take_word(cursor, "null") || scan_string(cursor) ||
         scan_number(cursor);
}

/** `depth` is how many objects and arrays may still be entered, so that the recursion has an end. */
static bool scan_value(struct cursor *cursor, unsigned depth, struct ww_json *value) {
  skip_space(cursor);
  const char *start = cursor->at;
  if (!scan_anything(cursor, depth)) {
    return false;
  }
  *value = between(start, cursor->at);
  return true;
}

/* STRUCTURE */

bool ww_json_parse(const char *text, size_t length, struct ww_json *value) {
  struct cursor cursor = {text, text + length};
  struct ww_json whole;
  if (!scan_value(&cursor, WW_JSON_DEPTH, &whole)) {
    return false;
  }
  skip_space(&cursor);
  if (cursor.at != cursor.end) {
    return false;
  }
  *value = whole;
  return true;
}

bool ww_json_member(struct ww_json object, const char *key, struct ww_json *member) {
  struct cursor cursor = cursor_of(object);
  struct ww_json its_key, its_value;
  if (!take(&cursor, '{')) {
    return false;
  }
  do {
    if (!scan_member(&cursor, WW_JSON_DEPTH, &its_key, &its_value)) {
      return false;
    }
    if (ww_json_equals(its_key, key)) {
      *member = its_value;
      return true;
    }
  } while (take_mark(&cursor, ','));
  return false;
}

bool ww_json_element(struct ww_json array, size_t index, struct ww_json *element) {
  struct cursor cursor = cursor_of(array);
  struct ww_json value;
  if (!take(&cursor, '[')) {
    return false;
  }
  do {
    if (!scan_value(&cursor, WW_JSON_DEPTH, &value)) {
      return false;
    }
    if (index-- == 0) {
      *element = value;
      return true;
    }
  } while (take_mark(&cursor, ','));
  return false;
}

/* WORDS AND STRINGS */

static bool is_word(struct ww_json value, const char *word) {
  return value.length == strlen(word) && memcmp(value.text, word, value.length) == 0;
}

bool ww_json_is_null(struct ww_json value) {
  return is_word(value, "null");
}

bool ww_json_bool(struct ww_json value, bool *truth) {
  if (!is_word(value, "true") && !is_word(value, "false")) {
    return false;
  }
  *truth = is_word(value, "true");
  return true;
}

static bool is_string(struct ww_json value) {
  return value.length >= 2 && value.text[0] == '"';
}

static struct cursor inside(struct ww_json string) {
  return (struct cursor){string.text + 1, string.text + string.length - 1};
}

static int take_code_unit(struct cursor *cursor) {
  int code = 0;
  for (int i = 0; i < 4; i++) {
    code = code * 16 + hex_digit(*cursor->at++);
  }
  return code;
}

/** One character of a string that has been scanned: the byte, or what an escape means if that is ASCII, or -1. */
static int take_character(struct cursor *cursor) {
  static const char escapes[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
  if (!take(cursor, '\\')) {
    return (unsigned char)*cursor->at++;
  }
  if (!take(cursor, 'u')) {
    return meanings[strchr(escapes, *cursor->at++) - escapes];
  }
  int code = take_code_unit(cursor);
  return code < 0x80 ? code : -1;
}

bool ww_json_equals(struct ww_json value, const char *string) {
  if (!is_string(value)) {
    return false;
  }
  struct cursor cursor = inside(value);
  while (cursor.at < cursor.end && *string != '\0') {
    if (take_character(&cursor) != (unsigned char)*string++) {
      return false;
    }
  }
  return cursor.at == cursor.end && *string == '\0';
}

bool ww_json_copy(struct ww_json value, char *string, size_t size) {
  if (!is_string(value)) {
    return false;
  }
  struct cursor cursor = inside(value);
  size_t length = (size_t)(cursor.end - cursor.at);
  if (length >= size || memchr(cursor.at, '\\', length) != NULL) {
    return false;
  }
  memcpy(string, cursor.at, length);
  string[length] = '\0';
  return true;
}

/* NUMBERS */

static bool append_digit(uint64_t *number, unsigned digit) {
  if (*number > (UINT64_MAX - digit) / 10) {
    return false;
  }
  *number = *number * 10 + digit;
  return true;
}

bool ww_json_u64(struct ww_json value, uint64_t *number) {
  struct cursor cursor = cursor_of(value);
  uint64_t sum = 0;
  if (!at_digit(&cursor)) {
    return false;
  }
  while (at_digit(&cursor)) {
    if (!append_digit(&sum, take_digit(&cursor))) {
      return false;
    }
  }
  if (cursor.at != cursor.end) {
    return false;
  }
  *number = sum;
  return true;
}

/** No text has as many digits, so an exponent that is cut here means the same as the whole one. */
#define EXPONENT_LIMIT INT64_C(100000000000000000)

static int64_t take_exponent(struct cursor *cursor) {
  if (!take(cursor, 'e') && !take(cursor, 'E')) {
    return 0;
  }
  bool negative = take(cursor, '-');
  take(cursor, '+');
  int64_t exponent = 0;
  while (at_digit(cursor)) {
    unsigned digit = take_digit(cursor);
    if (exponent < EXPONENT_LIMIT) {
      exponent = exponent * 10 + digit;
    }
  }
  return negative ? -exponent : exponent;
}

/** Appends the first `count` digits from the cursor on, passing over a decimal point. */
static bool append_digits(uint64_t *number, struct cursor cursor, int64_t count) {
  for (int64_t i = 0; i < count; i++) {
    take(&cursor, '.');
    if (!append_digit(number, take_digit(&cursor))) {
      return false;
    }
  }
  return true;
}

static bool append_zeros(uint64_t *number, int64_t count) {
  for (int64_t i = 0; i < count && *number != 0; i++) {
    if (!append_digit(number, 0)) {
      return false;
    }
  }
  return true;
}

bool ww_json_decimal(struct ww_json value, unsigned decimals, int64_t *number) {
  struct cursor cursor = cursor_of(value);
  bool negative = take(&cursor, '-');
  if (!at_digit(&cursor)) {
    return false;
  }

  struct cursor first = cursor;
  take_digits(&cursor);
  int64_t whole = cursor.at - first.at;
  int64_t fraction = 0;
  if (take(&cursor, '.')) {
    const char *point = cursor.at;
    take_digits(&cursor);
    fraction = cursor.at - point;
  }

  /* The digits without their point, times 10^shift, are the result. */
  int64_t shift = (int64_t)decimals - fraction + take_exponent(&cursor);
  uint64_t magnitude = 0;
  if (!append_digits(&magnitude, first, shift < 0 ? whole + fraction + shift : whole + fraction) ||
      !append_zeros(&magnitude, shift) || magnitude > INT64_MAX) {
    return false;
  }
  *number = negative ? -(int64_t)magnitude : (int64_t)magnitude;
  return true;
}
