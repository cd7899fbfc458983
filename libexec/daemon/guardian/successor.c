/* SPDX-License-Identifier: MIT */
/* The name of the successor, heard byte by byte. */
#include "successor.h"

void successor_begin(struct successor *successor)
{
	successor->state = SUCCESSOR_BEING_NAMED;
	successor->len = 0;
}

bool successor_hear(struct successor *successor, char byte)
{
	if (successor->state != SUCCESSOR_BEING_NAMED)
		return false;
	if (successor->len == SUCCESSOR_MAX) {
		successor->state = SUCCESSOR_NONE;
		return false;
	}
	successor->program[successor->len++] = byte;
	if (byte == '\0')
		successor->state = successor->program[0] == '/' ? SUCCESSOR_NAMED : SUCCESSOR_NONE;
	return true;
}
