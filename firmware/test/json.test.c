#include "json.h"

#include <string.h>

#include "test.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static bool parse(const char *text, struct ww_json *value) {
  return ww_json_parse(text, strlen(text), value);
}

static bool is_json(const char *text) {
  struct ww_json value;
  return parse(text, &value);
}

static bool decimal(const char *text, unsigned decimals, int64_t *number) {
  struct ww_json value;
  return parse(text, &value) && ww_json_decimal(value, decimals, number);
}

static int64_t decimal_or_minus_7(const char *text, unsigned decimals) {
  int64_t number = -7;
  return decimal(text, decimals, &number) ? number : -7;
}

static bool u64(const char *text, uint64_t *number) {
  struct ww_json value;
  return parse(text, &value) && ww_json_u64(value, number);
}

static bool equals(const char *text, const char *string) {
  struct ww_json value;
  return parse(text, &value) && ww_json_equals(value, string);
}

static bool member(const char *text, const char *key, struct ww_json *value) {
  struct ww_json object;
  return parse(text, &object) && ww_json_member(object, key, value);
}

static bool element(const char *text, size_t index, struct ww_json *value) {
  struct ww_json array;
  return parse(text, &array) && ww_json_element(array, index, value);
}

/* TEXTS */

TEST("refuses what is not JSON") {
  static const char *const texts[] = {
      "",      " ",         "{",          "}",           "[",         "]",
      "{]",    "[}",        "[1,]",       "[,1]",        "[1 2]",     "[1,,2]",
      "{,}",   "{\"a\"}",   "{\"a\":}",   "{\"a\":1,}",  "{a:1}",     "{'a':1}",
      "{1:1}", "{\"a\" 1}", "{:1}",       "{\"a\":1:2}", "{\"a\",1}", "[\"a\":1]",
      "1 2",   "{} {}",     "[]]",        "{}}",         "nul",       "nulll",
      "True",  "tru",       "undefined",  "//1",         "/**/1",     "\xEF\xBB\xBF{}",
      "\v1",   "\f1",       "\xC2\xA0[]",
  };
  for (size_t i = 0; i < COUNT(texts); i++) {
    if (is_json(texts[i])) {
      test_fail(__FILE__, __LINE__, texts[i]);
    }
  }
}

TEST("refuses what is not a number") {
  static const char *const texts[] = {
      "00",  "01",       "-",         "-01", "--1",   "+1",    "1.",   ".5",       "-.5",   "1.e1", "1e",
      "1e+", "1E",       "1e-",       "e1",  "1e1.5", "1.2.3", "0x10", "1_000",    "1,5",   "NaN",  "-NaN",
      "nan", "Infinity", "-Infinity", "inf", "1a",    "1 .5",  "- 1",  "\xC2\xBD", "1e1e1",
  };
  for (size_t i = 0; i < COUNT(texts); i++) {
    if (is_json(texts[i])) {
      test_fail(__FILE__, __LINE__, texts[i]);
    }
  }
}

TEST("refuses what is not a string") {
  static const char *const texts[] = {
      "\"",        "\"a",         "a\"",      "'a'",         "\"\\\"",  "\"\\",     "\"\\x\"",  "\"\\u\"",
      "\"\\u12\"", "\"\\u123g\"", "\"\\u123", "\"\\U1234\"", "\"\\0\"", "\"a\nb\"", "\"a\tb\"", "\"\x1F\"",
  };
  for (size_t i = 0; i < COUNT(texts); i++) {
    if (is_json(texts[i])) {
      test_fail(__FILE__, __LINE__, texts[i]);
    }
  }
}

TEST("refuses a zero byte wherever it is") {
  static const char texts[][5] = {{'1', 0, 0, 0, 0}, {'"', 0, '"', ' ', ' '}, {'"', '\\', 0, '"', ' '}, {0, '1'}};
  for (size_t i = 0; i < COUNT(texts); i++) {
    struct ww_json value;
    CHECK(!ww_json_parse(texts[i], sizeof texts[i], &value));
  }
}

TEST("refuses what is nested too deep, and nothing else for its depth") {
  char text[2 * WW_JSON_DEPTH + 3];
  struct ww_json value;
  for (size_t depth = 1; depth <= WW_JSON_DEPTH + 1; depth++) {
    memset(text, '[', depth);
    memset(text + depth, ']', depth);
    CHECK_EQUAL(ww_json_parse(text, 2 * depth, &value), depth <= WW_JSON_DEPTH);
  }
}

TEST("refuses a hundred thousand open brackets without falling") {
  static char text[100000];
  struct ww_json value;
  memset(text, '[', sizeof text);
  CHECK(!ww_json_parse(text, sizeof text, &value));
  for (size_t i = 0; i + 5 <= sizeof text; i += 5) {
    memcpy(text + i, "{\"a\":", 5);
  }
  CHECK(!ww_json_parse(text, sizeof text, &value));
}

TEST("refuses every truncation of a good text") {
  static const char text[] = "{\"a\":[1.5e-3,true,{\"b\\u0041\\n\":null}],\"c\":\"d\"}";
  struct ww_json value;
  for (size_t length = 0; length < sizeof text - 1; length++) {
    CHECK(!ww_json_parse(text, length, &value));
  }
  CHECK(ww_json_parse(text, sizeof text - 1, &value));
}

TEST("leaves the value untouched when it refuses") {
  struct ww_json value = {"mine", 4};
  CHECK(!parse("{\"a\":1}}", &value));
  CHECK(value.length == 4 && memcmp(value.text, "mine", 4) == 0);
}

TEST("takes every kind of value, and the space around it is not part of it") {
  static const char *const texts[] = {"{}", "[]", "\"\"", "0", "-0", "1.5E+3", "true", "false", "null", "{\"\":[{}]}"};
  char text[32];
  for (size_t i = 0; i < COUNT(texts); i++) {
    struct ww_json value;
    size_t length = strlen(texts[i]);
    memset(text, ' ', sizeof text);
    memcpy(text, " \t\r\n", 4);
    memcpy(text + 4, texts[i], length);
    CHECK(ww_json_parse(text, sizeof text, &value));
    CHECK_EQUAL(value.length, length);
    CHECK_BYTES(value.text, texts[i], length);
  }
}

TEST("takes bytes that are not UTF-8 in a string as they are") {
  CHECK(is_json("\"\xFF\xC0\x80\""));
  CHECK(equals("\"caf\xC3\xA9\"", "caf\xC3\xA9"));
}

/* STRUCTURE */

TEST("finds no member of what is no object, nor one that is not there") {
  struct ww_json value;
  CHECK(!member("[\"a\",1]", "a", &value));
  CHECK(!member("\"a\"", "a", &value));
  CHECK(!member("{}", "a", &value));
  CHECK(!member("{\"b\":{\"a\":1}}", "a", &value));
  CHECK(!member("{\"b\":\"a\"}", "a", &value));
  CHECK(!member("{\"aa\":1,\"A\":1,\"\":1}", "a", &value));
  CHECK(!member("{\"a\\u0000\":1}", "a", &value));
}

TEST("finds a member behind others of every kind") {
  struct ww_json value;
  CHECK(member("{\"b\" : [1,{\"a\":2}], \"c\":\"\\\"a\\\":3\",\"d\":-1.5,\"e\":null , \"a\" : 4 }", "a", &value));
  CHECK(value.length == 1 && *value.text == '4');
}

TEST("takes the first of two members with the same key, however they are written") {
  struct ww_json value;
  CHECK(member("{\"a\":1,\"a\":2}", "a", &value) && *value.text == '1');
  CHECK(member("{\"\\u0061\":1,\"a\":2}", "a", &value) && *value.text == '1');
}

TEST("understands escapes in a key") {
  struct ww_json value;
  CHECK(member("{\"\\u0074\\u006Ft\\u0061l\":1}", "total", &value));
  CHECK(member("{\"a\\/b\\\"\\\\\":1}", "a/b\"\\", &value));
  CHECK(!member("{\"t\\u00EFtal\":1,\"tot\\u0161l\":1,\"\\ud83d\\ude00\":1,\"\\udead\":1}", "total", &value));
}

TEST("finds no element of what is no array, nor one beyond its end") {
  struct ww_json value;
  CHECK(!element("{\"0\":1}", 0, &value));
  CHECK(!element("[]", 0, &value));
  CHECK(!element("[1,2]", 2, &value));
  CHECK(!element("[[1,2,3]]", 1, &value));
  CHECK(!element("[1]", SIZE_MAX, &value));
}

TEST("finds an element behind others of every kind") {
  static const char text[] = "[ [1,2] , {\"a\":[3]},\"4,5\", null ,6 ]";
  struct ww_json value;
  CHECK(element(text, 1, &value) && value.length == 9);
  CHECK(element(text, 4, &value) && value.length == 1 && *value.text == '6');
}

TEST("tells null and booleans from what looks like them") {
  struct ww_json value;
  bool truth = false;
  CHECK(parse("null", &value) && ww_json_is_null(value) && !ww_json_bool(value, &truth));
  CHECK(parse("\"null\"", &value) && !ww_json_is_null(value));
  CHECK(parse("\"true\"", &value) && !ww_json_bool(value, &truth) && !truth);
  CHECK(parse("1", &value) && !ww_json_bool(value, &truth) && !truth);
  CHECK(parse("true", &value) && ww_json_bool(value, &truth) && truth);
  CHECK(parse("false", &value) && ww_json_bool(value, &truth) && !truth);
}

TEST("compares a string as a whole, its escapes understood") {
  CHECK(!equals("\"ab\"", "a") && !equals("\"a\"", "ab") && !equals("a", "a") && !equals("1", "1"));
  CHECK(!equals("\"\"", "a") && !equals("\"a\"", "") && !equals("\"\\u0000\"", ""));
  CHECK(equals("\"\"", ""));
  CHECK(equals("\"\\u0041\\b\\f\\n\\r\\t\\/\"", "A\b\f\n\r\t/"));
}

TEST("copies a string only if it fits with its end, and has no escapes") {
  struct ww_json value;
  char copy[4] = "no";
  CHECK(parse("\"abcd\"", &value) && !ww_json_copy(value, copy, sizeof copy));
  CHECK(parse("\"a\\n\"", &value) && !ww_json_copy(value, copy, sizeof copy));
  CHECK(parse("12", &value) && !ww_json_copy(value, copy, sizeof copy));
  CHECK(parse("\"\"", &value) && !ww_json_copy(value, copy, 0));
  CHECK(strcmp(copy, "no") == 0);
  CHECK(parse("\"abc\"", &value) && ww_json_copy(value, copy, sizeof copy) && strcmp(copy, "abc") == 0);
  CHECK(parse("\"\"", &value) && ww_json_copy(value, copy, 1) && strcmp(copy, "") == 0);
}

TEST("passes over a string of any length") {
  static char text[50000];
  struct ww_json value;
  memset(text, 'x', sizeof text);
  memcpy(text, "{\"a\":\"", 6);
  memcpy(text + sizeof text - 8, "\",\"b\":1}", 8);
  CHECK(ww_json_parse(text, sizeof text, &value));
  CHECK(ww_json_member(value, "b", &value) && *value.text == '1');
}

/* NUMBERS */

TEST("refuses a u64 with a sign, a fraction, an exponent, or more than fits") {
  static const char *const texts[] = {
      "-1",    "-0",   "1.0",  "1e3", "0e0", "18446744073709551616", "99999999999999999999",
      "\"1\"", "null", "true", "[1]", "{}",
  };
  uint64_t number = 7;
  for (size_t i = 0; i < COUNT(texts); i++) {
    CHECK(!u64(texts[i], &number));
  }
  CHECK_EQUAL(number, 7);
}

TEST("reads a u64 up to its largest") {
  uint64_t number;
  CHECK(u64("0", &number) && number == 0);
  CHECK(u64("12", &number) && number == 12);
  CHECK(u64("18446744073709551615", &number) && number == UINT64_MAX);
}

TEST("refuses a decimal beyond an int64, or what is no number") {
  static const char *const texts[] = {
      "9223372036854775808",
      "-9223372036854775808",
      "1e999",
      "-1e999",
      "1e19",
      "1e18446744073709551617",
      "1e99999999999999999999999999",
      "\"1\"",
      "null",
      "true",
      "[1]",
      "{}",
  };
  int64_t number = 7;
  for (size_t i = 0; i < COUNT(texts); i++) {
    CHECK(!decimal(texts[i], 0, &number));
  }
  CHECK(!decimal("9223372036854775.808", 3, &number));
  CHECK(!decimal("1", 19, &number));
  CHECK_EQUAL(number, 7);
}

TEST("reads a decimal exactly, where a double would not") {
  CHECK_EQUAL(decimal_or_minus_7("4311237.3", 3), 4311237300);
  CHECK_EQUAL(decimal_or_minus_7("1.005", 3), 1005);
  CHECK_EQUAL(decimal_or_minus_7("0.29", 2), 29);
  CHECK_EQUAL(decimal_or_minus_7("9007199254740.993", 3), INT64_C(9007199254740993));
  CHECK_EQUAL(decimal_or_minus_7("9223372036854775.807", 3), INT64_MAX);
  CHECK_EQUAL(decimal_or_minus_7("-9223372036854775807", 0), -INT64_MAX);
}

TEST("cuts a decimal off toward zero") {
  CHECK_EQUAL(decimal_or_minus_7("0.0019", 3), 1);
  CHECK_EQUAL(decimal_or_minus_7("-0.0019", 3), -1);
  CHECK_EQUAL(decimal_or_minus_7("1.9999999999999999999999999999999999", 0), 1);
  CHECK_EQUAL(decimal_or_minus_7("-0.9", 0), 0);
  CHECK_EQUAL(decimal_or_minus_7("1e-400", 3), 0);
  CHECK_EQUAL(decimal_or_minus_7("1e-99999999999999999999999999", 3), 0);
}

TEST("reads an exponent of a decimal exactly") {
  CHECK_EQUAL(decimal_or_minus_7("1.5e3", 0), 1500);
  CHECK_EQUAL(decimal_or_minus_7("2E-1", 3), 200);
  CHECK_EQUAL(decimal_or_minus_7("1234.5678e+2", 1), 1234567);
  CHECK_EQUAL(decimal_or_minus_7("1234.5678e-2", 3), 12345);
  CHECK_EQUAL(decimal_or_minus_7("0.000000000000000000000000000005e30", 0), 5);
  CHECK_EQUAL(decimal_or_minus_7("5000000000000000000000000000000e-30", 0), 5);
  CHECK_EQUAL(decimal_or_minus_7("1e0", 3), 1000);
  CHECK_EQUAL(decimal_or_minus_7("1e-3", 3), 1);
}

TEST("knows only one zero") {
  static const char *const texts[] = {
      "0", "-0", "0.000", "-0.0", "0e999", "-0e999", "0e-999", "0.0e99999999999999999999",
  };
  for (size_t i = 0; i < COUNT(texts); i++) {
    CHECK_EQUAL(decimal_or_minus_7(texts[i], 3), 0);
  }
}

TEST("reads back every decimal of three places that was written") {
  for (int64_t number = -2500; number <= 2500; number++) {
    int64_t magnitude = number < 0 ? -number : number;
    char text[16];
    snprintf(text, sizeof text, "%s%d.%03d", number < 0 ? "-" : "", (int)(magnitude / 1000), (int)(magnitude % 1000));
    CHECK_EQUAL(decimal_or_minus_7(text, 3), number);
  }
}

TEST("reads what an oracle answers") {
  static const char text[] = "{\"error\":{\"code\":\"GAP\",\"message\":\"begins at \\\"9\\\"\"},\"size\":12}";
  struct ww_json answer, error, field;
  uint64_t size;
  CHECK(parse(text, &answer));
  CHECK(ww_json_member(answer, "error", &error) && ww_json_member(error, "code", &field));
  CHECK(ww_json_equals(field, "GAP"));
  CHECK(ww_json_member(answer, "size", &field) && ww_json_u64(field, &size) && size == 12);
  CHECK(!ww_json_member(error, "size", &field));
}
