/* SPDX-License-Identifier: MIT */
/* The words of the channels. */
#include "bus.h"

#include <string.h>

static const char *const words[] = {
#define BUS_CHANNEL_WORD(name, word) [name] = word,
	BUS_CHANNELS(BUS_CHANNEL_WORD)
#undef BUS_CHANNEL_WORD
};

#define NCHANNELS (sizeof(words) / sizeof(words[0]))

const char *bus_channel_word(enum bus_channel channel)
{
	return words[channel];
}

bool bus_channel_of(const char *word, enum bus_channel *channel)
{
	for (size_t i = 0; i < NCHANNELS; i++) {
		if (strcmp(words[i], word) == 0) {
			*channel = (enum bus_channel)i;
			return true;
		}
	}
	return false;
}
