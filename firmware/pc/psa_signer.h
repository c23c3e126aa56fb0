/**
 * The signer of a PC, in a secure element's place: a P-256 key in a file, used by PSA Crypto (Mbed TLS 2.28 and later), and
 * its monotonic counter in a file beside it.
 *
 *   NAME          the private key, 32 bytes in hexadecimal; made where it is missing, readable by its owner only
 *   NAME.counter  the number of the newest epoch, decimal
 *
 * The counter is written beside its name, synchronised and renamed, so that a cut leaves the old or the new one. It is made
 * before the key: a key whose counter is missing is refused, because counting from 0 again would sign two histories under
 * one number.
 */
#ifndef WW_PSA_SIGNER_H
#define WW_PSA_SIGNER_H

#include <psa/crypto.h>

#include "ports.h"
#include "statement.h"

#define PSA_SIGNER_PATH_LIMIT 1024

struct psa_signer {
  psa_key_id_t key;
  uint8_t public_key[WW_PUBLIC_KEY_LENGTH];
  char counter_path[PSA_SIGNER_PATH_LIMIT];
  bool is_durable;
};

/** Returns NULL, or what is wrong in a sentence that says what to do. `is_durable`: waits for the disk. */
const char *psa_signer_open(struct psa_signer *signer, const char *path, bool is_durable);

void psa_signer_close(struct psa_signer *signer);

/** Its counter ends where an ATECC608's does. */
struct ww_signer_port psa_signer_port(struct psa_signer *signer);

#endif
