/**
 * A stand-in for ESP-IDF's HTTP client, not ESP-IDF: its functions that the board's ports call, on plain sockets, so that
 * the ports themselves run here. In what matters to them it does as ESP-IDF 5.4 does:
 *
 * - a login is told only after esp_http_client_add_auth, which reads what the last answer asked for, and at most
 *   `max_authorization_retries` times in the life of a client (0 = 10, -1 = never);
 * - from then on every request of the client repeats it, with the nonce that was given then, however old;
 * - each new nonce costs some memory until the client is cleaned up;
 * - no line of a request may be longer than `buffer_size_tx`, 512 unless it is told;
 * - a timeout holds for one operation, not for all of a request.
 *
 * Of digest authentication it speaks SHA-256 with qop=auth, as Shellies of the second generation do. There is no TLS, no
 * chunked body and no redirect, and connections are not kept.
 */
#ifndef STAND_IN_ESP_HTTP_CLIENT_H
#define STAND_IN_ESP_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"

#define ESP_ERR_HTTP_EAGAIN 0x7007

enum { HttpStatus_Ok = 200, HttpStatus_Unauthorized = 401, HttpStatus_NotFound = 404 };

typedef enum { HTTP_METHOD_GET, HTTP_METHOD_POST } esp_http_client_method_t;

typedef enum { HTTP_EVENT_ON_HEADER } esp_http_client_event_id_t;

typedef struct esp_http_client *esp_http_client_handle_t;

typedef struct {
  esp_http_client_event_id_t event_id;
  void *user_data;
  char *header_key;
  char *header_value;
} esp_http_client_event_t;

typedef struct {
  const char *url;
  const char *username;
  const char *password;
  const char *cert_pem;
  esp_err_t (*crt_bundle_attach)(void *configuration);
  esp_http_client_method_t method;
  int timeout_ms;
  bool disable_auto_redirect;
  int max_authorization_retries;
  esp_err_t (*event_handler)(esp_http_client_event_t *event);
  int buffer_size;
  int buffer_size_tx;
  void *user_data;
  bool keep_alive_enable;
} esp_http_client_config_t;

esp_http_client_handle_t esp_http_client_init(const esp_http_client_config_t *config);
esp_err_t esp_http_client_cleanup(esp_http_client_handle_t client);
esp_err_t esp_http_client_set_url(esp_http_client_handle_t client, const char *url);
esp_err_t esp_http_client_set_header(esp_http_client_handle_t client, const char *key, const char *value);
esp_err_t esp_http_client_set_timeout_ms(esp_http_client_handle_t client, int timeout_ms);
esp_err_t esp_http_client_add_auth(esp_http_client_handle_t client);
esp_err_t esp_http_client_open(esp_http_client_handle_t client, int write_len);
int esp_http_client_write(esp_http_client_handle_t client, const char *bytes, int length);
int64_t esp_http_client_fetch_headers(esp_http_client_handle_t client);
int esp_http_client_get_status_code(esp_http_client_handle_t client);
int esp_http_client_read(esp_http_client_handle_t client, char *bytes, int length);
int esp_http_client_read_response(esp_http_client_handle_t client, char *bytes, int length);
esp_err_t esp_http_client_close(esp_http_client_handle_t client);

/** What a test looks at. */
struct stand_in_tally {
  unsigned made;
  unsigned alive;   /* clients */
  unsigned sockets; /* open */
  size_t bytes;     /* that the clients hold */
};

struct stand_in_tally stand_in_tally(void);

#endif
