/**
 * Tests as sentences: TEST("refuses …") { CHECK(…); }. Each file is a program of its own; what it prints is TAP
 * (testanything.org), so that a PC and QEMU's semihosting tell it in the same words.
 */
#ifndef WW_TEST_H
#define WW_TEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct test {
  const char *name;
  void (*run)(void);
  struct test *next;
};

void test_add(struct test *test);

/** Remembers that the test that runs has failed, and says why. */
void test_fail(const char *file, int line, const char *what);
void test_fail_integers(const char *file, int line, const char *what, long long actual, long long expected);
void test_check_bytes(const char *file, int line, const char *what, const void *actual, const void *expected,
                      size_t length);

#define TEST(title) TEST_WITH_ID(title, __COUNTER__)
#define TEST_WITH_ID(title, id) TEST_NAMED(title, id)
#define TEST_NAMED(title, id)                                         \
  static void test_run_##id(void);                                    \
  __attribute__((constructor)) static void test_register_##id(void) { \
    static struct test test = {title, test_run_##id, NULL};           \
    test_add(&test);                                                  \
  }                                                                   \
  static void test_run_##id(void)

/** Each ends the test where it does not hold. */
#define CHECK(condition)                         \
  do {                                           \
    if (!(condition)) {                          \
      test_fail(__FILE__, __LINE__, #condition); \
      return;                                    \
    }                                            \
  } while (0)
#define CHECK_EQUAL(actual, expected)                                                   \
  do {                                                                                  \
    long long test_actual = (long long)(actual), test_expected = (long long)(expected); \
    if (test_actual != test_expected) {                                                 \
      test_fail_integers(__FILE__, __LINE__, #actual, test_actual, test_expected);      \
      return;                                                                           \
    }                                                                                   \
  } while (0)
/** Goes on, because the bytes say most where all of them are seen. */
#define CHECK_BYTES(actual, expected, length) test_check_bytes(__FILE__, __LINE__, #actual, actual, expected, length)
#define CHECK_OK(expression) CHECK_EQUAL(expression, WW_OK)

#endif
