/** Where a device may post to. */
#ifndef WW_ORACLE_URL_H
#define WW_ORACLE_URL_H

#include <stdbool.h>

/**
 * https://…, or http://… of a private, link-local or loopback IPv4 address (RFC 1918, 3927, 1122), written as four
 * decimal numbers: an oracle under the same roof. What is posted is signed and public, so that who changes plain HTTP can
 * withhold it, as any oracle can, or answer falsely, as any oracle can. Through the internet nobody need be given that.
 */
bool ww_oracle_url_is_allowed(const char *url);

#endif
