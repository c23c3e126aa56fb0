/** Whom TLS connections trust: oracle.pem where it is pinned, else ESP-IDF's bundle of authorities; nobody else. */
#ifndef WW_TLS_H
#define WW_TLS_H

#include "esp_http_client.h"

void tls_trust(esp_http_client_config_t *config);

#endif
