/**
 * The uplink of a PC: POSTs to the oracle by libcurl, which nothing waits for. TLS certificates are always verified, against
 * the system's authorities or one pinned file; no redirect is followed.
 */
#ifndef WW_HTTP_UPLINK_H
#define WW_HTTP_UPLINK_H

#include <curl/curl.h>

#include "ports.h"

struct http_uplink {
  CURLM *multi;
  CURL *request;
  struct curl_slist *headers;
  char *body;
  size_t length;   /* of the body under way */
  size_t received; /* of it, from the core */
  bool is_posting;
  struct ww_answer answer;
};

/** `oracle`: its base URL. `ca`: a file of certificates in PEM to trust instead of the system's; NULL = the system's. */
WW_RESULT http_uplink_open(struct http_uplink *uplink, const char *oracle, const char *ca);

void http_uplink_close(struct http_uplink *uplink);

/** Waits for the network, or until `file` can be read (-1 = none), or so long. */
void http_uplink_wait(struct http_uplink *uplink, int file, int milliseconds);

struct ww_uplink_port http_uplink_port(struct http_uplink *uplink);

#endif
