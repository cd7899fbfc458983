/* SPDX-License-Identifier: MIT */
/* What a convention consists of, for the files that run it and describe it. */
#ifndef TDS_DAEMON_CONVENTION_INSIDE_H
#define TDS_DAEMON_CONVENTION_INSIDE_H

#include "convention.h"
#include "lease.h"
#include "linkbus.h"
#include "linkprocess.h"
#include "members.h"
#include "tool/document.h"

enum bus_told { BUS_TOLD_NOTHING, BUS_TOLD_UP, BUS_TOLD_LOST };

struct convention {
	const struct convention_settings *settings;
	struct clock *clock;
	struct linkprocess_settings process_settings;
	struct linkprocess *process;
	struct linkbus link;
	struct members *members;
	struct lease *lease;    /* NULL: it is no candidate, or listens */
	struct timer listening; /* until it stands for the lease */
	struct timer unreached; /* until the bus is told as lost though it never was there */
	enum bus_told told;     /* what the event log has of the bus */
	char leader_epoch[REFERENCE_SIZE]; /* the last that was told; "": nobody */
	struct convention_past past;       /* what the next start is to know: this one's epoch */
	struct tds_err document_rc;        /* why what it has is not told to others */
	uint64_t dropped; /* messages that were not for it, or nothing that it knows */
	uint64_t link_ends;
	uint64_t troubles;
	char trouble[LINKBUS_WHY_MAX]; /* the last; hostile */
};

/* For people. */
const char *member_loss_words(enum member_loss loss);

#endif
