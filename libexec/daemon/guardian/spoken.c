/* SPDX-License-Identifier: MIT */
/* A text, heard byte by byte. */
#include "spoken.h"

void spoken_begin(struct spoken *spoken)
{
	spoken->state = SPOKEN_PARTLY;
	spoken->len = 0;
}

bool spoken_hear(struct spoken *spoken, char byte)
{
	if (spoken->state != SPOKEN_PARTLY)
		return false;
	if (spoken->len == SPOKEN_MAX) {
		spoken->state = SPOKEN_NOT;
		return false;
	}
	spoken->text[spoken->len++] = byte;
	if (byte == '\0')
		spoken->state = SPOKEN_WHOLE;
	return true;
}
