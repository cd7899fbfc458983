/* SPDX-License-Identifier: MIT */
/* A connection to a server of the bus, in TLS or without. */
#include "convtls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/mem.h"
#include "convention/pem.h"

struct convtls {
	int fd;
	SSL_CTX *ctx; /* both NULL: without TLS */
	SSL *ssl;
};

/* --- TCP --- */

static int connect_to(const struct addrinfo *address, const struct timeval *wait)
{
	int fd = socket(address->ai_family, address->ai_socktype | SOCK_CLOEXEC, 0);

	/* The time to send is also that of connect. */
	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, wait, sizeof(*wait)) == 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, wait, sizeof(*wait)) == 0 &&
	    connect(fd, address->ai_addr, address->ai_addrlen) == 0)
		return fd;
	int failed = errno;
	tds_close_fd(&fd);
	errno = failed == EINPROGRESS ? ETIMEDOUT : failed;
	return -1;
}

int convtls_connect(const struct tds_bus_server *server, int64_t wait_ms, struct convtls **tls,
		    struct tds_err *err)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	const struct timeval wait = { .tv_sec = wait_ms / 1000, .tv_usec = wait_ms % 1000 * 1000 };
	struct addrinfo *found = NULL;
	char port[8];
	int fd = -1;

	*tls = NULL;
	(void)snprintf(port, sizeof(port), "%u", (unsigned)server->port);
	int rc = getaddrinfo(server->host, port, &hints, &found);
	if (rc != 0)
		return tds_err_set(err, TDS_E_REFUSED, "%s", gai_strerror(rc));
	for (const struct addrinfo *a = found; a && fd < 0; a = a->ai_next)
		fd = connect_to(a, &wait);
	if (fd < 0)
		rc = tds_err_set(err, TDS_E_REFUSED, "%s", strerror(errno));
	freeaddrinfo(found);
	if (rc != 0)
		return rc;
	*tls = calloc(1, sizeof(**tls));
	if (*tls) {
		(*tls)->fd = fd;
		return 0;
	}
	tds_close_fd(&fd);
	return tds_err_set(err, TDS_E_NOMEM, "out of memory");
}

void convtls_free(struct convtls *tls)
{
	if (!tls)
		return;
	SSL_free(tls->ssl);
	SSL_CTX_free(tls->ctx);
	tds_close_fd(&tls->fd);
	free(tls);
}

/* --- TLS --- */

/* The files were judged before: what fails here is memory. */
static bool take_pems(SSL_CTX *ctx, const struct tds_convention_pems *pems)
{
	X509 *ca = tds_pem_cert(pems->ca);
	X509 *cert = tds_pem_cert(pems->cert);
	EVP_PKEY *key = tds_pem_key(pems->key);
	bool taken =
		ca && cert && key && X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), ca) == 1 &&
		SSL_CTX_use_certificate(ctx, cert) == 1 && SSL_CTX_use_PrivateKey(ctx, key) == 1;

	X509_free(ca);
	X509_free(cert);
	EVP_PKEY_free(key);
	return taken;
}

/* Whom the server has to be. */
static bool expect_host(SSL *ssl, const char *host)
{
	struct in6_addr any;
	bool is_address =
		inet_pton(AF_INET, host, &any) == 1 || inet_pton(AF_INET6, host, &any) == 1;

	return is_address
		       ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1
		       : SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
}

static bool prepare(struct convtls *tls, const struct tds_bus_server *server,
		    const struct tds_convention_pems *pems)
{
	tls->ctx = SSL_CTX_new(TLS_client_method());
	if (!tls->ctx || SSL_CTX_set_min_proto_version(tls->ctx, TLS1_2_VERSION) != 1 ||
	    !take_pems(tls->ctx, pems))
		return false;
	SSL_CTX_set_verify(tls->ctx, SSL_VERIFY_PEER, NULL);
	tls->ssl = SSL_new(tls->ctx);
	return tls->ssl && SSL_set_fd(tls->ssl, tls->fd) == 1 &&
	       expect_host(tls->ssl, server->host);
}

/* What ended it: an alert of the other side, or its silence. */
static int tell_end(const struct convtls *tls, int result, struct tds_err *err)
{
	unsigned long e = ERR_peek_last_error();
	const char *reason = e ? ERR_reason_error_string(e) : NULL;
	bool waits = tls->ssl ? SSL_get_error(tls->ssl, result) == SSL_ERROR_WANT_READ
			      : result < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);

	ERR_clear_error();
	return waits ? tds_err_set(err, TDS_E_TIMEOUT, "no answer in time")
		     : tds_err_set(err, TDS_E_REFUSED, "%s", reason ? reason : "it hung up");
}

enum convtls_end convtls_secure(struct convtls *tls, const struct tds_bus_server *server,
				const struct tds_convention_pems *pems, struct tds_err *err)
{
	ERR_clear_error();
	if (!prepare(tls, server, pems)) {
		tds_err_set(err, TDS_E_NOMEM, "OpenSSL is out of memory");
		return CONVTLS_FAILED;
	}
	int result = SSL_connect(tls->ssl);
	long verdict = SSL_get_verify_result(tls->ssl);
	if (result == 1)
		return CONVTLS_DONE;
	if (verdict != X509_V_OK) {
		ERR_clear_error();
		tds_err_set(err, TDS_E_REFUSED, "%s", X509_verify_cert_error_string(verdict));
		return CONVTLS_UNTRUSTED;
	}
	tell_end(tls, result, err);
	return CONVTLS_FAILED;
}

ssize_t convtls_read(struct convtls *tls, char *data, size_t len, struct tds_err *err)
{
	ssize_t n;

	ERR_clear_error();
	do
		n = tls->ssl ? SSL_read(tls->ssl, data, (int)len) : recv(tls->fd, data, len, 0);
	while (!tls->ssl && n < 0 && errno == EINTR);
	if (n > 0)
		return n;
	tell_end(tls, (int)n, err);
	return -1;
}

int convtls_write(struct convtls *tls, const char *data, size_t len, struct tds_err *err)
{
	ERR_clear_error();
	while (len > 0) {
		ssize_t n = tls->ssl ? SSL_write(tls->ssl, data, (int)len)
				     : send(tls->fd, data, len, MSG_NOSIGNAL);

		if (n <= 0 && !tls->ssl && errno == EINTR)
			continue;
		if (n <= 0)
			return tell_end(tls, (int)n, err);
		data += n;
		len -= (size_t)n;
	}
	return 0;
}
