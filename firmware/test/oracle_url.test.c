#include "oracle_url.h"

#include "test.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

TEST("refuses plain HTTP to a name, and to any address of the internet") {
  static const char *const URLS[] = {
      "http://oracle.example",
      "http://localhost",
      "http://8.8.8.8",
      "http://11.0.0.1",
      "http://172.15.0.1",
      "http://172.32.0.1",
      "http://192.169.0.1",
      "http://169.253.0.1",
      "http://10.0.0",
      "http://10.0.0.256",
      "http://10.0.0.0001",
      "http://10.0.0.1.example.com",
      "http://10.0.0.1.",
      "http://10.0.0.1@8.8.8.8",
      "http://10.0.0.1:80@8.8.8.8",
      "http://10.0.0.1:",
      "http://10.0.0.1:123456",
      "http://10.0.0.1?",
      "http://10.0.0.1#",
      "http://10.0.0.1\\@8.8.8.8",
      "http://167772161",
      "http://[::1]",
      "http:///10.0.0.1",
      "http://",
      "http://4294967306.0.0.1",
      "ftp://10.0.0.1",
      "10.0.0.1",
      "",
  };
  for (size_t i = 0; i < COUNT(URLS); i++) {
    if (ww_oracle_url_is_allowed(URLS[i])) {
      test_fail(__FILE__, __LINE__, URLS[i]);
    }
  }
}

TEST("allows TLS to anyone, and plain HTTP to a private, link-local or loopback address") {
  static const char *const URLS[] = {
      "https://oracle.example",          "https://8.8.8.8",       "http://10.0.0.1",
      "http://10.255.255.255:8080/base", "http://172.16.0.1",     "http://172.31.255.255/",
      "http://192.168.178.20:80",        "http://127.0.0.1:3000", "http://169.254.1.1",
  };
  for (size_t i = 0; i < COUNT(URLS); i++) {
    if (!ww_oracle_url_is_allowed(URLS[i])) {
      test_fail(__FILE__, __LINE__, URLS[i]);
    }
  }
}
