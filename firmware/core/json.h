/**
 * Reads JSON (RFC 8259) where it lies: nothing is copied, allocated or changed, and nothing beyond the given length is
 * looked at. A value is a piece of the text, and stays good as long as the text does.
 *
 *     struct ww_json answer, size;
 *     uint64_t number;
 *     if (ww_json_parse(text, length, &answer) && ww_json_member(answer, "size", &size) &&
 *         ww_json_u64(size, &number)) {
 *       …
 *     }
 *
 * Every function tells whether it succeeded, and leaves what it would have written untouched where it did not.
 *
 * Where the RFC leaves a choice: of members with the same key the first counts; bytes from 0x80 on are taken as they
 * are, UTF-8 or not (a device repeats the name of its Wi-Fi network, which may be any bytes); a byte order mark is
 * refused.
 */
#ifndef WW_JSON_H
#define WW_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Objects and arrays within one another; a deeper text is refused. */
#define WW_JSON_DEPTH 16

/** One value of a text that has been parsed, without the white space around it. */
struct ww_json {
  const char *text;
  size_t length;
};

/** Succeeds only if the whole text is one JSON value. Do this first: the functions below rely on it. */
bool ww_json_parse(const char *text, size_t length, struct ww_json *value);

/** The member of an object. Escapes in the text's keys are understood; `key` itself is ASCII. */
bool ww_json_member(struct ww_json object, const char *key, struct ww_json *member);

/** The element of an array, from 0. */
bool ww_json_element(struct ww_json array, size_t index, struct ww_json *element);

bool ww_json_is_null(struct ww_json value);

bool ww_json_bool(struct ww_json value, bool *truth);

/** Whether the value is this string. Escapes in the text are understood; `string` itself is ASCII. */
bool ww_json_equals(struct ww_json value, const char *string);

/** Copies a string of at most size - 1 bytes, and ends it with a zero. Refuses one with escapes in it. */
bool ww_json_copy(struct ww_json value, char *string, size_t size);

/** A whole number written with digits only: no sign, fraction or exponent. Refuses what is beyond a u64. */
bool ww_json_u64(struct ww_json value, uint64_t *number);

/**
 * A number in units of 10^-decimals: 4311237.3 with 3 decimals is 4311237300, and 1.5e3 with 0 is 1500. It is exact;
 * digits beyond the asked decimals are cut off, toward zero. Refuses what is beyond ±INT64_MAX.
 */
bool ww_json_decimal(struct ww_json value, unsigned decimals, int64_t *number);

#endif
