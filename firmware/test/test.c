#include "test.h"

#include <string.h>

static struct test *first;
static struct test **last = &first;
static bool failed;

void test_add(struct test *test) {
  *last = test;
  last = &test->next;
}

void test_fail(const char *file, int line, const char *what) {
  failed = true;
  printf("# %s:%d: %s\n", file, line, what);
}

void test_fail_integers(const char *file, int line, const char *what, long long actual, long long expected) {
  failed = true;
  printf("# %s:%d: %s is %lld, expected %lld\n", file, line, what, actual, expected);
}

static void print_hex(const char *name, const uint8_t *bytes, size_t length) {
  printf("#   %s ", name);
  for (size_t i = 0; i < length; i++) {
    printf("%02x", bytes[i]);
  }
  printf("\n");
}

void test_check_bytes(const char *file, int line, const char *what, const void *actual, const void *expected,
                      size_t length) {
  if (memcmp(actual, expected, length) == 0) {
    return;
  }
  test_fail(file, line, what);
  print_hex("is      ", actual, length);
  print_hex("expected", expected, length);
}

int main(void) {
  int count = 0;
  int failures = 0;
  for (struct test *test = first; test != NULL; test = test->next) {
    failed = false;
    test->run();
    count++;
    failures += failed;
    printf("%s %d - %s\n", failed ? "not ok" : "ok", count, test->name);
  }
  printf("1..%d\n", count);
  return failures == 0 && count > 0 ? 0 : 1;
}
