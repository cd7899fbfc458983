/* SPDX-License-Identifier: MIT */
/* Who signs: the private key in KEYFILE, or a command that has it, and then KEYFILE is the public key. */
#include "gensrc.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/io.h"
#include "base/mem.h"

#define KEY_MAX_BYTES (32 << 10)
#define SIGNER "--signer" /* whom a message is about */
#define ALGORITHM "TDS_SIGN_ALG"

static const char *const algorithms[] = {
	[TDS_SIG_RSA] = "rsa-pkcs1-sha256",
	[TDS_SIG_ED25519] = "ed25519",
};

static void warn_of_weakness(struct opts *o, const struct tds_pubkey *pub)
{
	if (tds_pubkey_kind(pub) != TDS_SIG_RSA)
		return;
	if (tds_pubkey_bits(pub) < TDS_KEY_GOOD_BITS)
		tds_cli_warn(&o->cli, o->keyfile,
			     "an RSA key of %u bits is too short to be safe; use %u or more",
			     tds_pubkey_bits(pub), TDS_KEY_GOOD_BITS);
	unsigned long long e = tds_pubkey_exponent(pub);
	if (e != 0 && e < TDS_KEY_GOOD_EXPONENT)
		tds_cli_warn(&o->cli, o->keyfile,
			     "the public exponent %llu is too small to be safe; use %u", e,
			     TDS_KEY_GOOD_EXPONENT);
}

static int read_public(const struct opts *o, struct tds_pubkey **pub, struct tds_err *err)
{
	tds_autofree char *text = NULL;
	size_t len;
	int rc = tds_io_slurp(AT_FDCWD, o->keyfile, KEY_MAX_BYTES, &text, &len, err);

	return rc == 0 ? tds_pubkey_parse(text, len, pub, err) : rc;
}

/* The key decides, where nobody has asked for a format. */
static int choose_format(struct opts *o, enum tds_sig_kind kind, struct tds_err *err)
{
	if (!o->format_given)
		o->format = kind == TDS_SIG_RSA ? TDS_FORMAT_DIRECTOR1 : TDS_FORMAT_TDS1;
	if (tds_format_kind(o->format) == kind)
		return 0;
	return tds_err_set(err, TDS_E_UNUSABLE,
			   "is a key of %s, and packages of format %s are signed with keys of %s",
			   tds_sig_kind_name(kind), tds_format_name(o->format),
			   tds_sig_kind_name(tds_format_kind(o->format)));
}

bool signer_open(struct opts *o, struct signer *signer)
{
	struct tds_err err = { 0 };
	int rc = 0;

	*signer = (struct signer){ 0 };
	if (!o->signer && !read_key(o, &signer->key))
		return false;
	rc = o->signer ? read_public(o, &signer->pub, &err)
		       : tds_privkey_public(signer->key, &signer->pub, &err);
	if (rc == 0)
		rc = choose_format(o, tds_pubkey_kind(signer->pub), &err);
	if (rc != 0)
		return fail(o, o->keyfile, &err);
	warn_of_weakness(o, signer->pub);
	return true;
}

void signer_close(struct signer *signer)
{
	tds_privkey_free(signer->key);
	tds_pubkey_free(signer->pub);
	*signer = (struct signer){ 0 };
}

/* --- the command --- */

/* What is to be signed, as a file: a command may ask for its length, or read it twice. */
static int message_file(const struct tds_signed *what, int *fd, struct tds_err *err)
{
	unsigned char message[TDS_SIG_MESSAGE_MAX];
	size_t len = tds_sig_message(what, message);

	*fd = tds_io_memfd("tds-message");
	if (*fd < 0 || tds_io_write(*fd, message, len) != 0 || tds_io_seal(*fd) != 0 ||
	    lseek(*fd, 0, SEEK_SET) != 0)
		return tds_err_sys(err, TDS_E_NOMEM, "no memory file for what is to be signed");
	return 0;
}

/* The command finds the algorithm in its environment, in the place of whatever was there. */
static int spawn(const struct opts *o, enum tds_sig_kind kind, int in, int out, pid_t *pid)
{
	const char *const argv[] = { "/bin/sh", "-c", o->signer, NULL };
	posix_spawn_file_actions_t actions;

	if (unsetenv(ALGORITHM) != 0 || setenv(ALGORITHM, algorithms[kind], 1) != 0 ||
	    posix_spawn_file_actions_init(&actions) != 0)
		return ENOMEM;
	int rc = posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	if (rc == 0)
		rc = posix_spawn(pid, argv[0], &actions, NULL, (char *const *)(uintptr_t)argv,
				 environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	return rc;
}

static int check_end(int status, struct tds_err *err)
{
	if (WIFSIGNALED(status))
		return tds_err_set(err, TDS_E_UNUSABLE, "was killed by signal %d (%s)",
				   WTERMSIG(status), strsignal(WTERMSIG(status)));
	if (WEXITSTATUS(status) != 0)
		return tds_err_set(err, TDS_E_UNUSABLE, "ended with status %d",
				   WEXITSTATUS(status));
	return 0;
}

/* Its output to the end, and how it ended: what it printed does not count where that was not well. */
static int hear(int fd, pid_t pid, struct signature *sig, struct tds_err *err)
{
	unsigned char more;
	ssize_t n = tds_io_read(fd, sig->bytes, sizeof(sig->bytes));
	int errnum = errno;
	bool too_much = n == (ssize_t)sizeof(sig->bytes) && tds_io_read(fd, &more, 1) == 1;
	int status = 0;

	if (too_much || n < 0)
		(void)kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	errno = errnum;
	if (n < 0)
		return tds_err_sys(err, TDS_E_UNUSABLE, "its output cannot be read");
	sig->len = (size_t)n;
	return too_much ? tds_err_set(err, TDS_E_UNUSABLE, "printed more than a signature can have")
			: check_end(status, err);
}

static int ask_command(const struct opts *o, const struct tds_signed *what, struct signature *sig,
		       struct tds_err *err)
{
	tds_autofd int in = -1;
	int ends[2];
	pid_t pid;
	int rc = message_file(what, &in, err);

	if (rc != 0)
		return rc;
	if (pipe2(ends, O_CLOEXEC) != 0)
		return tds_err_sys(err, TDS_E_UNUSABLE, "cannot be started");
	errno = spawn(o, what->kind, in, ends[1], &pid);
	rc = errno == 0 ? 0 : tds_err_sys(err, TDS_E_UNUSABLE, "cannot be started");
	(void)close(ends[1]);
	if (rc == 0)
		rc = hear(ends[0], pid, sig, err);
	(void)close(ends[0]);
	return rc;
}

/* --- the signature --- */

static int digest_archive(const struct archive_bytes *archive, struct tds_signed *what,
			  struct tds_err *err)
{
	bool ok =
		tds_digest_of(tds_sig_digest(what->kind), archive->zip, archive->len, what->digest);

	return ok ? 0 : tds_err_set(err, TDS_E_NOMEM, "the digest cannot be computed");
}

bool sign_archive(struct opts *o, const struct signer *signer, const struct archive_bytes *archive,
		  struct signature *sig)
{
	struct tds_signed what = { .kind = tds_pubkey_kind(signer->pub) };
	struct tds_err err = { 0 };
	int rc = digest_archive(archive, &what, &err);

	if (rc == 0)
		rc = signer->key ? tds_sig_sign(signer->key, &what, sig->bytes, &sig->len, &err)
				 : ask_command(o, &what, sig, &err);
	if (rc == 0) {
		rc = tds_sig_verify(signer->pub, &what, sig->bytes, sig->len, &err);
		if (rc != 0) {
			err.code = TDS_E_UNUSABLE;
			(void)tds_err_prefix(&err, "no signature that %s validates", o->keyfile);
		}
	}
	return rc == 0 || fail(o, signer->key ? o->keyfile : SIGNER, &err);
}
