#include "psa_signer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "hex.h"

enum { PRIVATE_KEY_LENGTH = 32, TEXT_LIMIT = 128 };

/** As of an ATECC608. */
#define COUNTER_LIMIT 2097151u

#define ALGORITHM PSA_ALG_ECDSA(PSA_ALG_SHA_256)

static char problem[PSA_SIGNER_PATH_LIMIT + 256];

static const char *problem_with(const char *path, const char *what) {
  snprintf(problem, sizeof problem, "%s: %s.", path, what);
  return problem;
}

/* THE COUNTER */

static enum ww_error read_counter(const char *path, uint32_t *value) {
  char text[TEXT_LIMIT];
  char *end;
  if (!file_read(path, text, sizeof text)) {
    return WW_CHIP_SILENT;
  }
  text[strcspn(text, "\r\n")] = '\0';
  unsigned long number = strtoul(text, &end, 10);
  if (text[0] < '0' || text[0] > '9' || *end != '\0' || number > COUNTER_LIMIT) {
    return WW_CHIP_FAULT;
  }
  *value = (uint32_t)number;
  return WW_OK;
}

static bool write_counter(const struct psa_signer *signer, uint32_t value) {
  char text[TEXT_LIMIT];
  snprintf(text, sizeof text, "%" PRIu32 "\n", value);
  return file_replace(signer->counter_path, text, signer->is_durable);
}

static enum ww_error counter(void *context, uint32_t *value) {
  const struct psa_signer *signer = context;
  return read_counter(signer->counter_path, value);
}

static enum ww_error increment(void *context, uint32_t *value) {
  const struct psa_signer *signer = context;
  uint32_t number;
  WW_TRY(read_counter(signer->counter_path, &number));
  if (number == COUNTER_LIMIT) {
    return WW_COUNTER_ENDED;
  }
  if (!write_counter(signer, number + 1)) {
    return WW_CHIP_FAULT;
  }
  *value = number + 1;
  return WW_OK;
}

/* THE KEY */

static void describe(psa_key_attributes_t *attributes, psa_key_usage_t usage) {
  psa_set_key_type(attributes, PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_SECP_R1));
  psa_set_key_bits(attributes, 8 * PRIVATE_KEY_LENGTH);
  psa_set_key_algorithm(attributes, ALGORITHM);
  psa_set_key_usage_flags(attributes, usage);
}

static bool generate(uint8_t private_key[PRIVATE_KEY_LENGTH]) {
  psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
  psa_key_id_t key;
  size_t length = 0;
  describe(&attributes, PSA_KEY_USAGE_EXPORT);
  if (psa_generate_key(&attributes, &key) != PSA_SUCCESS) {
    return false;
  }
  bool is_exported = psa_export_key(key, private_key, PRIVATE_KEY_LENGTH, &length) == PSA_SUCCESS;
  psa_destroy_key(key);
  return is_exported && length == PRIVATE_KEY_LENGTH;
}

static const char *make(const struct psa_signer *signer, const char *path) {
  uint8_t private_key[PRIVATE_KEY_LENGTH];
  char text[WW_HEX_LENGTH(PRIVATE_KEY_LENGTH) + 2];
  uint32_t value;
  if (!generate(private_key)) {
    return problem_with(path, "no key could be generated");
  }
  if (read_counter(signer->counter_path, &value) != WW_OK && !write_counter(signer, 0)) {
    return problem_with(signer->counter_path, strerror(errno));
  }
  char *end = ww_hex(text, private_key, sizeof private_key);
  memcpy(end, "\n", 2);
  bool is_written = file_replace(path, text, signer->is_durable);
  memset(private_key, 0, sizeof private_key);
  memset(text, 0, sizeof text);
  return is_written ? NULL : problem_with(path, strerror(errno));
}

static const char *import(struct psa_signer *signer, const char *path, const char *text) {
  psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
  uint8_t private_key[PRIVATE_KEY_LENGTH];
  uint8_t point[1 + WW_PUBLIC_KEY_LENGTH];
  size_t length;
  if (!ww_unhex(text, private_key, sizeof private_key)) {
    return problem_with(path, "is not a private key, 32 bytes in hexadecimal");
  }
  describe(&attributes, PSA_KEY_USAGE_SIGN_HASH);
  psa_status_t status = psa_import_key(&attributes, private_key, sizeof private_key, &signer->key);
  memset(private_key, 0, sizeof private_key);
  if (status != PSA_SUCCESS) {
    return problem_with(path, "is not a private key of P-256");
  }
  if (psa_export_public_key(signer->key, point, sizeof point, &length) != PSA_SUCCESS || length != sizeof point) {
    return problem_with(path, "has no public key");
  }
  memcpy(signer->public_key, point + 1, sizeof signer->public_key);
  return NULL;
}

const char *psa_signer_open(struct psa_signer *signer, const char *path, bool is_durable) {
  char text[TEXT_LIMIT];
  uint32_t value;
  memset(signer, 0, sizeof *signer);
  signer->is_durable = is_durable;
  int length = snprintf(signer->counter_path, sizeof signer->counter_path, "%s.counter", path);
  if (length >= (int)sizeof signer->counter_path) {
    return problem_with(path, strerror(ENAMETOOLONG));
  }
  if (psa_crypto_init() != PSA_SUCCESS) {
    return problem_with(path, "Mbed TLS could not be started");
  }
  if (!file_read(path, text, sizeof text)) {
    if (errno != ENOENT) {
      return problem_with(path, strerror(errno));
    }
    const char *why_not = make(signer, path);
    if (why_not != NULL) {
      return why_not;
    }
    if (!file_read(path, text, sizeof text)) {
      return problem_with(path, strerror(errno));
    }
  }
  text[strcspn(text, "\r\n")] = '\0';
  const char *why_not = import(signer, path, text);
  memset(text, 0, sizeof text);
  if (why_not != NULL) {
    return why_not;
  }
  if (read_counter(signer->counter_path, &value) != WW_OK) {
    return problem_with(
        signer->counter_path,
        "the key's counter is missing or unreadable. Never let it count from 0 again: write a number into "
        "it that no epoch of this key has reached (the oracle's GET /meters/KEY_ID lists them), or take "
        "another folder and have its new key rotated in");
  }
  return NULL;
}

void psa_signer_close(struct psa_signer *signer) {
  psa_destroy_key(signer->key);
}

/* THE PORT */

static enum ww_error public_key(void *context, uint8_t key[64]) {
  const struct psa_signer *signer = context;
  memcpy(key, signer->public_key, sizeof signer->public_key);
  return WW_OK;
}

static enum ww_error sign(void *context, const uint8_t digest[32], uint8_t signature[64]) {
  const struct psa_signer *signer = context;
  size_t length;
  psa_status_t status = psa_sign_hash(signer->key, ALGORITHM, digest, 32, signature, 64, &length);
  return status == PSA_SUCCESS && length == 64 ? WW_OK : WW_CHIP_FAULT;
}

struct ww_signer_port psa_signer_port(struct psa_signer *signer) {
  return (struct ww_signer_port){
      .context = signer,
      .public_key = public_key,
      .sign = sign,
      .counter = counter,
      .increment = increment,
  };
}
