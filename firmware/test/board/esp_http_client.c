#include "esp_http_client.h"

#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sha256.h"

#define TEXT 256
#define DEFAULT_RETRIES 10
#define DEFAULT_BUFFER 512
#define DEFAULT_TIMEOUT_MS 5000
#define LOST_WITH_A_NONCE 40

enum state { CLOSED, SENT, ANSWERED };
enum scheme { NONE, BASIC, DIGEST };

struct esp_http_client {
  esp_http_client_config_t config;
  char host[TEXT], port[8], path[TEXT], header[TEXT];
  enum state state;
  enum scheme scheme;
  int socket;
  int status;
  long left; /* of the body; -1 = until the connection ends */
  char asked[2 * TEXT];
  char realm[TEXT], nonce[TEXT];
  unsigned nonce_count;
  int authorisations;
  size_t bytes;
};

static struct stand_in_tally tally;

struct stand_in_tally stand_in_tally(void) {
  return tally;
}

static void hold(esp_http_client_handle_t client, size_t bytes) {
  client->bytes += bytes;
  tally.bytes += bytes;
}

/* LIFE */

esp_http_client_handle_t esp_http_client_init(const esp_http_client_config_t *config) {
  esp_http_client_handle_t client = calloc(1, sizeof *client);
  if (client == NULL) {
    return NULL;
  }
  client->config = *config;
  client->socket = -1;
  int *retries = &client->config.max_authorization_retries;
  *retries = *retries == 0 ? DEFAULT_RETRIES : *retries == -1 ? 0 : *retries;
  client->config.timeout_ms = config->timeout_ms == 0 ? DEFAULT_TIMEOUT_MS : config->timeout_ms;
  client->config.buffer_size_tx = config->buffer_size_tx == 0 ? DEFAULT_BUFFER : config->buffer_size_tx;
  tally.made++;
  tally.alive++;
  hold(client, sizeof *client);
  if (esp_http_client_set_url(client, config->url) != ESP_OK) {
    esp_http_client_cleanup(client);
    return NULL;
  }
  return client;
}

esp_err_t esp_http_client_close(esp_http_client_handle_t client) {
  if (client->socket >= 0) {
    close(client->socket);
    tally.sockets--;
  }
  client->socket = -1;
  client->state = CLOSED;
  return ESP_OK;
}

esp_err_t esp_http_client_cleanup(esp_http_client_handle_t client) {
  esp_http_client_close(client);
  tally.alive--;
  tally.bytes -= client->bytes;
  free(client);
  return ESP_OK;
}

esp_err_t esp_http_client_set_url(esp_http_client_handle_t client, const char *url) {
  strcpy(client->port, "80");
  strcpy(client->path, "/");
  sscanf(url, "http://%*[^/]%255s", client->path);
  bool is_url = sscanf(url, "http://%255[^:/]:%7[0-9]", client->host, client->port) >= 1;
  return is_url ? ESP_OK : ESP_ERR_INVALID_ARG;
}

esp_err_t esp_http_client_set_header(esp_http_client_handle_t client, const char *key, const char *value) {
  snprintf(client->header, sizeof client->header, "%.100s: %.100s\r\n", key, value);
  return ESP_OK;
}

esp_err_t esp_http_client_set_timeout_ms(esp_http_client_handle_t client, int timeout_ms) {
  client->config.timeout_ms = timeout_ms;
  return ESP_OK;
}

/* AUTHENTICATION */

static bool parameter_of(const char *asked, const char *name, char value[TEXT]) {
  const char *found = strstr(asked, name);
  return found != NULL && sscanf(found + strlen(name), "=\"%255[^\"]", value) == 1;
}

esp_err_t esp_http_client_add_auth(esp_http_client_handle_t client) {
  if (client->state != ANSWERED) {
    return ESP_OK;
  }
  if (client->authorisations >= client->config.max_authorization_retries) {
    return ESP_FAIL;
  }
  client->authorisations++;
  if (strncasecmp(client->asked, "Basic", 5) == 0) {
    client->scheme = BASIC;
    return ESP_OK;
  }
  bool is_known = strncasecmp(client->asked, "Digest", 6) == 0 && strstr(client->asked, "SHA-256") != NULL &&
                  parameter_of(client->asked, "realm", client->realm) &&
                  parameter_of(client->asked, "nonce", client->nonce);
  client->scheme = is_known ? DIGEST : NONE;
  client->nonce_count = 0;
  hold(client, LOST_WITH_A_NONCE);
  return is_known ? ESP_OK : ESP_ERR_NOT_SUPPORTED;
}

static void hash(const char *text, char hex[65]) {
  uint8_t digest[WW_HASH_LENGTH];
  ww_sha256(text, strlen(text), digest);
  for (size_t i = 0; i < sizeof digest; i++) {
    sprintf(hex + 2 * i, "%02x", digest[i]);
  }
}

static void write_digest(esp_http_client_handle_t client, char *line, size_t size) {
  char text[4 * TEXT], who[65], what[65], response[65];
  snprintf(text, sizeof text, "%s:%s:%s", client->config.username, client->realm, client->config.password);
  hash(text, who);
  snprintf(text, sizeof text, "GET:%s", client->path);
  hash(text, what);
  client->nonce_count++;
  snprintf(text, sizeof text, "%s:%s:%08x:0123456789abcdef:auth:%s", who, client->nonce, client->nonce_count, what);
  hash(text, response);
  snprintf(line, size,
           "Authorization: Digest username=\"%s\", realm=\"%s\", nonce=\"%s\", uri=\"%s\", algorithm=SHA-256, "
           "response=\"%s\", qop=auth, nc=%08x, cnonce=\"0123456789abcdef\"\r\n",
           client->config.username, client->realm, client->nonce, client->path, response, client->nonce_count);
}

static void write_basic(esp_http_client_handle_t client, char *line, size_t size) {
  static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  char login[TEXT], encoded[2 * TEXT], *out = encoded;
  int length = snprintf(login, sizeof login, "%s:%s", client->config.username, client->config.password);
  memset(login + length, 0, sizeof login - (size_t)length);
  for (int i = 0; i < length; i += 3) {
    unsigned bits = (unsigned)(uint8_t)login[i] << 16 | (unsigned)(uint8_t)login[i + 1] << 8 | (uint8_t)login[i + 2];
    for (int digit = 0; digit < 4; digit++) {
      *out++ = i + digit > length ? '=' : DIGITS[bits >> (18 - 6 * digit) & 63];
    }
  }
  *out = '\0';
  snprintf(line, size, "Authorization: Basic %s\r\n", encoded);
}

/* REQUEST */

static bool is_ready(esp_http_client_handle_t client, short event) {
  struct pollfd waiting = {.fd = client->socket, .events = event};
  return poll(&waiting, 1, client->config.timeout_ms) == 1;
}

static bool connect_to(esp_http_client_handle_t client) {
  struct addrinfo *address;
  const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
  if (client->socket >= 0) {
    return true;
  }
  if (getaddrinfo(client->host, client->port, &hints, &address) != 0) {
    return false;
  }
  client->socket = socket(AF_INET, SOCK_STREAM, 0);
  tally.sockets++;
  bool is_connected = connect(client->socket, address->ai_addr, address->ai_addrlen) == 0;
  freeaddrinfo(address);
  return is_connected;
}

static bool send_line(esp_http_client_handle_t client, const char *line) {
  size_t length = strlen(line);
  return length <= (size_t)client->config.buffer_size_tx &&
         send(client->socket, line, length, MSG_NOSIGNAL) == (ssize_t)length;
}

esp_err_t esp_http_client_open(esp_http_client_handle_t client, int write_len) {
  char line[4 * TEXT], login[8 * TEXT] = "";
  const char *method = client->config.method == HTTP_METHOD_POST ? "POST" : "GET";
  if (!connect_to(client)) {
    return ESP_FAIL;
  }
  if (client->scheme == DIGEST) {
    write_digest(client, login, sizeof login);
  } else if (client->scheme == BASIC) {
    write_basic(client, login, sizeof login);
  }
  snprintf(line, sizeof line, "%s %s HTTP/1.1\r\n", method, client->path);
  bool is_sent = send_line(client, line);
  snprintf(line, sizeof line, "Host: %s:%s\r\nContent-Length: %d\r\n", client->host, client->port, write_len);
  is_sent = is_sent && send_line(client, line) && send_line(client, client->header) && send_line(client, login) &&
            send_line(client, "\r\n");
  client->state = SENT;
  return is_sent ? ESP_OK : ESP_FAIL;
}

int esp_http_client_write(esp_http_client_handle_t client, const char *bytes, int length) {
  return client->state == SENT ? (int)send(client->socket, bytes, (size_t)length, MSG_NOSIGNAL) : -1;
}

/* ANSWER */

/** A line without its end; false where there is none in time. */
static bool receive_line(esp_http_client_handle_t client, char *line, size_t size) {
  size_t length = 0;
  char c = '\0';
  while (c != '\n') {
    if (!is_ready(client, POLLIN) || recv(client->socket, &c, 1, 0) != 1 || length == size - 1) {
      return false;
    }
    line[length++] = c;
  }
  line[length] = '\0';
  line[strcspn(line, "\r\n")] = '\0';
  return true;
}

static void look_at_header(esp_http_client_handle_t client, char *line) {
  char *value = strchr(line, ':');
  if (value == NULL) {
    return;
  }
  *value++ = '\0';
  value += strspn(value, " ");
  if (strcasecmp(line, "WWW-Authenticate") == 0) {
    snprintf(client->asked, sizeof client->asked, "%s", value);
  } else if (strcasecmp(line, "Content-Length") == 0) {
    client->left = atol(value);
  }
  esp_http_client_event_t event = {HTTP_EVENT_ON_HEADER, client->config.user_data, line, value};
  if (client->config.event_handler != NULL) {
    client->config.event_handler(&event);
  }
}

int64_t esp_http_client_fetch_headers(esp_http_client_handle_t client) {
  char line[4 * TEXT];
  if (client->state != SENT) {
    return ESP_FAIL;
  }
  client->status = -1;
  client->left = -1;
  client->asked[0] = '\0';
  if (!receive_line(client, line, sizeof line) || sscanf(line, "HTTP/1.%*d %d", &client->status) != 1) {
    return ESP_FAIL;
  }
  do {
    if (!receive_line(client, line, sizeof line)) {
      return ESP_FAIL;
    }
    look_at_header(client, line);
  } while (line[0] != '\0');
  client->state = ANSWERED;
  return client->left > 0 ? client->left : 0;
}

int esp_http_client_get_status_code(esp_http_client_handle_t client) {
  return client->status;
}

int esp_http_client_read(esp_http_client_handle_t client, char *bytes, int length) {
  int got = 0;
  while (got < length && client->left != 0) {
    long want = client->left > 0 && client->left < length - got ? client->left : length - got;
    if (!is_ready(client, POLLIN)) {
      return got > 0 ? got : -ESP_ERR_HTTP_EAGAIN;
    }
    ssize_t part = recv(client->socket, bytes + got, (size_t)want, 0);
    if (part <= 0) {
      return part < 0 && got == 0 ? ESP_FAIL : got;
    }
    client->left -= client->left > 0 ? part : 0;
    got += (int)part;
  }
  return got;
}

int esp_http_client_read_response(esp_http_client_handle_t client, char *bytes, int length) {
  return esp_http_client_read(client, bytes, length);
}
