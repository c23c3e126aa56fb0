#include "tls.h"

#include "esp_crt_bundle.h"
#include "sdkconfig.h"

#ifdef CONFIG_WW_PINNED_CERTIFICATE
extern const char pinned[] asm("_binary_oracle_pem_start");
#endif

void tls_trust(esp_http_client_config_t *config) {
#ifdef CONFIG_WW_PINNED_CERTIFICATE
  config->cert_pem = pinned;
#else
  config->crt_bundle_attach = esp_crt_bundle_attach;
#endif
}
