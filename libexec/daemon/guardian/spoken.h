/* SPDX-License-Identifier: MIT */
/* A text that the daemon says over its pulse: behind a word that announces it, up to a NUL. */
#ifndef TDS_DAEMON_SPOKEN_H
#define TDS_DAEMON_SPOKEN_H

#include <stdbool.h>
#include <stddef.h>

#define SPOKEN_MAX \
	4000 /* bytes of a text with its NUL: with the word it is one write to a pipe, whole or not at all */

/* A zeroed one was not said. */
struct spoken {
	char text[SPOKEN_MAX];
	size_t len;
	enum { SPOKEN_NOT, SPOKEN_PARTLY, SPOKEN_WHOLE } state;
};

/* A byte of the pulse. True: it belongs to the text. One that is too long is none. */
bool spoken_hear(struct spoken *spoken, char byte);

/* Its word came; the text before is forgotten. */
void spoken_begin(struct spoken *spoken);

#endif
