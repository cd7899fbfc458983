/* SPDX-License-Identifier: MIT */
/*
 * The private key, and its passphrase: from a file or from the terminal, never from the command line or the
 * environment, where others could see it.
 */
#include "gensrc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <termios.h>

#include <openssl/crypto.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/text.h"

#define KEY_MAX_BYTES (32 << 10)
#define PASSPHRASE_MAX_BYTES 4096

/* A file of secrets, opened; what is read of it is wiped. */
struct secret {
	const char *name;
	int fd; /* -1: none */
	char *text;
	size_t len;
};

static void secret_fini(struct secret *s)
{
	tds_close_fd(&s->fd);
	if (s->text)
		OPENSSL_cleanse(s->text, s->len);
	free(s->text);
}
#define tds_secret_cleanup secret_fini

static int open_secret(struct opts *o, struct secret *s, struct tds_err *err)
{
	struct stat st;
	int rc = tds_io_open(AT_FDCWD, s->name, true, &s->fd, &st, err);

	if (rc == 0 && S_ISREG(st.st_mode) && (st.st_mode & (S_IRGRP | S_IROTH)))
		tds_cli_warn(&o->cli, s->name, "others may read it");
	return rc;
}

static volatile sig_atomic_t caught;

static void note_signal(int sig)
{
	caught = sig;
}

static const int fatal[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP };
#define FATAL (sizeof(fatal) / sizeof(fatal[0]))

/*
 * Read one line of at most size bytes from a terminal, without its end. Signals arrive only while it waits, by mask.
 * Returns the length; -1 with errno.
 */
static int read_line(int tty, const sigset_t *mask, char *buf, int size)
{
	struct pollfd poller = { .fd = tty, .events = POLLIN };
	int n = 0;
	char c = 0;

	for (;;) {
		if (ppoll(&poller, 1, NULL, mask) < 0 || read(tty, &c, 1) < 0)
			return -1;
		if (poller.revents & (POLLHUP | POLLERR) && !(poller.revents & POLLIN))
			return 0;
		if (c == '\n' || c == '\0')
			return n;
		if (n == size) {
			errno = EMSGSIZE;
			return -1;
		}
		buf[n++] = c;
		c = 0;
	}
}

/* Read a line from the terminal, which shows none of it, and is as before afterwards whatever happens. */
static int ask_terminal(int tty, const char *keyfile, char *buf, int size)
{
	struct sigaction old[FATAL];
	struct sigaction note = { .sa_handler = note_signal };
	tds_autofree char *name = tds_text_escaped(keyfile);
	struct termios shown;
	struct termios hidden;
	sigset_t blocked;
	sigset_t mask;

	if (tcgetattr(tty, &shown) != 0)
		return -1;
	hidden = shown;
	hidden.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
	caught = 0;
	(void)sigemptyset(&blocked);
	for (size_t i = 0; i < FATAL; i++) {
		(void)sigaddset(&blocked, fatal[i]);
		(void)sigaction(fatal[i], &note, &old[i]);
	}
	(void)sigprocmask(SIG_BLOCK, &blocked, &mask);
	int n = tcsetattr(tty, TCSAFLUSH, &hidden);
	if (n == 0) {
		(void)dprintf(tty, "Passphrase for %s: ", name ? name : "the key");
		n = read_line(tty, &mask, buf, size);
	}
	int errnum = errno;
	(void)tcsetattr(tty, TCSAFLUSH, &shown);
	(void)dprintf(tty, "\n");
	for (size_t i = 0; i < FATAL; i++)
		(void)sigaction(fatal[i], &old[i], NULL);
	/* Now that the terminal is itself again, the signal does what it would have done. */
	(void)sigprocmask(SIG_SETMASK, &mask, NULL);
	if (caught)
		(void)raise(caught);
	errno = errnum;
	return n;
}

/* Where a passphrase comes from. */
struct asker {
	const char *keyfile;
	struct secret *file; /* NULL: the terminal */
	struct tds_err err;  /* why there is none */
};

static int passphrase_of_file(struct asker *a, char *buf, int size)
{
	struct secret *s = a->file;

	if (tds_io_slurp_fd(s->fd, PASSPHRASE_MAX_BYTES, &s->text, &s->len, &a->err) != 0) {
		tds_err_prefix(&a->err, "%s", s->name);
		return -1;
	}
	size_t n = strcspn(s->text, "\r\n");
	if (n > (size_t)size || n == 0) {
		tds_err_set(&a->err, TDS_E_UNUSABLE, "%s: %s", s->name,
			    n ? "the passphrase is too long"
			      : "holds no passphrase in its first line");
		return -1;
	}
	memcpy(buf, s->text, n);
	return (int)n;
}

/* A tds_passphrase_fn. */
static int passphrase(void *ctx, char *buf, int size)
{
	struct asker *a = ctx;

	/* OpenSSL asks again where the first answer was none. */
	if (a->err.code)
		return -1;
	if (a->file)
		return passphrase_of_file(a, buf, size);
	tds_autofd int tty = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (tty < 0) {
		tds_err_set(&a->err, TDS_E_UNUSABLE,
			    "is encrypted, and there is no terminal to ask for its passphrase "
			    "(--passphrase-file names a file)");
		return -1;
	}
	int n;
	do {
		/* After a stop (^Z) it is asked again; other signals do not come back from there. */
		n = ask_terminal(tty, a->keyfile, buf, size);
	} while (n < 0 && errno == EINTR);
	if (n <= 0) {
		tds_err_set(&a->err, TDS_E_UNUSABLE, "is encrypted, and no passphrase was given");
		return -1;
	}
	return n;
}

static void leave_no_core(void)
{
	(void)prctl(PR_SET_DUMPABLE, 0);
	(void)setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
}

bool read_key(struct opts *o, struct tds_privkey **key)
{
	tds_auto(secret) struct secret file = { .name = o->keyfile, .fd = -1 };
	tds_auto(secret) struct secret phrase = { .name = o->passphrase_file, .fd = -1 };
	struct asker asker = { .keyfile = o->keyfile, .file = o->passphrase_file ? &phrase : NULL };
	struct tds_err err = { 0 };

	if (o->passphrase_file && open_secret(o, &phrase, &err) != 0)
		return fail(o, o->passphrase_file, &err);
	int rc = open_secret(o, &file, &err);
	/* Before the first secret is read. */
	leave_no_core();
	if (rc == 0)
		rc = tds_io_slurp_fd(file.fd, KEY_MAX_BYTES, &file.text, &file.len, &err);
	if (rc == 0)
		rc = tds_privkey_parse(file.text, file.len, passphrase, &asker, key, &err);
	if (rc != 0)
		return fail(o, o->keyfile, asker.err.code ? &asker.err : &err);
	return true;
}
