/* SPDX-License-Identifier: MIT */
/*
 * Ed25519 (RFC 8032) public keys and signatures, by OpenSSL: what of them OpenSSL lets pass, and a key must not have, is
 * refused here. For sig.c.
 */
#ifndef TDS_ED25519_H
#define TDS_ED25519_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define TDS_ED25519_KEY_LEN 32
#define TDS_ED25519_SIG_LEN 64
#define TDS_ED25519_SPKI_LEN \
	44 /* of its SubjectPublicKeyInfo in DER, of which there is one form only */

/* Does a SubjectPublicKeyInfo say that it is of this kind? Its key and its length are not looked at. */
bool tds_ed25519_spki_is(const unsigned char *der, size_t len);

/*
 * The key in a SubjectPublicKeyInfo of this kind.
 * Errors: TDS_E_UNUSABLE: it has another length; the key is no canonical encoding, or of small order, so that a signature by
 *         it is no secret.
 */
int tds_ed25519_spki_read(const unsigned char *der, size_t len,
			  unsigned char key[TDS_ED25519_KEY_LEN],
			  struct tds_err *err) TDS_MUST_CHECK;

void tds_ed25519_spki_print(const unsigned char key[TDS_ED25519_KEY_LEN],
			    unsigned char der[TDS_ED25519_SPKI_LEN]);

/* Errors: TDS_E_UNTRUSTED, TDS_E_NOMEM. */
int tds_ed25519_verify(const unsigned char key[TDS_ED25519_KEY_LEN], const unsigned char *message,
		       size_t len, const unsigned char sig[TDS_ED25519_SIG_LEN],
		       struct tds_err *err) TDS_MUST_CHECK;

#endif
