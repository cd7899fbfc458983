/* SPDX-License-Identifier: MIT */
/* The terminal, by the few sequences that every one of today knows. */
#include "screen.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"

#define ENTER "\033[?1049h\033[?25l" /* the other screen, without a cursor */
#define LEAVE "\033[?25h\033[?1049l" /* back to what it showed before */
#define HOME "\033[H"
#define REST_OF_LINE "\033[K"
#define REST_OF_SCREEN "\033[J"

static const int heeded[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGWINCH };
#define HEEDED (sizeof(heeded) / sizeof(heeded[0]))

static void say(const struct screen *screen, const char *text)
{
	if (screen->in >= 0)
		(void)tds_io_write(screen->out, text, strlen(text));
}

/*
 * Keys come one by one, and are not shown; ^C and ^Z are signals still. What is typed already stays: who goes on after a stop
 * comes here twice, the second time for the SIGCONT, and may have typed since the first.
 */
static bool enter(const struct screen *screen)
{
	struct termios raw = screen->found;

	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	if (screen->in >= 0 && tcsetattr(screen->in, TCSANOW, &raw) != 0)
		return false;
	say(screen, ENTER);
	return true;
}

static void leave(const struct screen *screen)
{
	say(screen, LEAVE);
	if (screen->in >= 0)
		(void)tcsetattr(screen->in, TCSAFLUSH, &screen->found);
}

/* One that whoever started us has ignored stays so: nohup, a shell's background. */
static void set_of_heeded(sigset_t *set)
{
	(void)sigemptyset(set);
	for (size_t i = 0; i < HEEDED; i++) {
		struct sigaction before;

		if (sigaction(heeded[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
			(void)sigaddset(set, heeded[i]);
	}
}

int screen_open(struct screen *screen, struct tds_err *err)
{
	sigset_t set;

	*screen = (struct screen){ .in = -1, .out = STDOUT_FILENO, .signals = -1 };
	set_of_heeded(&set);
	screen->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (screen->signals < 0 || sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		return tds_err_sys(err, TDS_E_WRITE, "signals");
	if (tcgetattr(STDIN_FILENO, &screen->found) != 0)
		return tds_err_sys(err, TDS_E_WRITE, "the terminal");
	screen->in = STDIN_FILENO;
	if (enter(screen))
		return 0;
	screen->in = -1;
	return tds_err_sys(err, TDS_E_WRITE, "the terminal");
}

void screen_close(struct screen *screen)
{
	sigset_t set;

	if (screen->signals < 0)
		return;
	leave(screen);
	screen->in = -1;
	tds_close_fd(&screen->signals);
	set_of_heeded(&set);
	(void)sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static void screen_size(const struct screen *screen, int *rows, int *columns)
{
	struct winsize size = { 0 };

	(void)ioctl(screen->out, TIOCGWINSZ, &size);
	*rows = size.ws_row > 0 ? size.ws_row : 24;
	*columns = size.ws_col > 0 ? size.ws_col : 80;
}

/* Bytes of so many columns at most; each character is taken for one. */
static size_t cut(const char *line, size_t len, int columns)
{
	size_t n = 0;

	for (; n < len; n++) {
		columns -= ((unsigned char)line[n] & 0xc0) != 0x80;
		if (columns < 0)
			break;
	}
	return n;
}

/* What is left of the line before is cleared, not the whole screen first: nothing flickers. */
void screen_show(const struct screen *screen, const char *lines, size_t len)
{
	const char *end = lines + len;
	int rows, columns;

	screen_size(screen, &rows, &columns);
	say(screen, HOME);
	for (int row = 1; lines < end; row++) {
		const char *newline = memchr(lines, '\n', (size_t)(end - lines));
		size_t n = (size_t)((newline ? newline : end) - lines);

		(void)tds_io_write(screen->out, lines, cut(lines, n, columns));
		say(screen, REST_OF_LINE);
		lines += n + 1;
		if (row == rows)
			return; /* a newline there would move all up */
		say(screen, "\r\n");
	}
	say(screen, REST_OF_SCREEN);
}

/* Let a signal do what it does to those that do not know it. It returns where it only stops, and is to go on. */
static void yield_to(struct screen *screen, int signal)
{
	sigset_t set;

	leave(screen);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, signal);
	(void)raise(signal); /* held, until here */
	(void)sigprocmask(SIG_UNBLOCK, &set, NULL);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	(void)enter(screen);
}

/* False: nothing to show anew. */
static bool take_signal(struct screen *screen)
{
	struct signalfd_siginfo info;

	if (read(screen->signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return false;
	if (info.ssi_signo != SIGWINCH && info.ssi_signo != SIGCONT)
		yield_to(screen, (int)info.ssi_signo);
	else if (info.ssi_signo == SIGCONT) /* after a SIGSTOP the shell may have changed it */
		(void)enter(screen);
	return true;
}

enum screen_event screen_wait(struct screen *screen, int fd, int wait_ms, char *key)
{
	struct pollfd on[] = { { .fd = screen->signals, .events = POLLIN },
			       { .fd = screen->in, .events = POLLIN },
			       { .fd = fd, .events = POLLIN } };

	if (poll(on, 3, wait_ms) < 0)
		return errno == EINTR ? SCREEN_RESIZE : SCREEN_END;
	if (on[0].revents && take_signal(screen))
		return SCREEN_RESIZE;
	if (on[1].revents)
		return read(screen->in, key, 1) == 1 ? SCREEN_KEY : SCREEN_END;
	return on[2].revents ? SCREEN_READY : SCREEN_TIME;
}
