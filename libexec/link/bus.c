/* SPDX-License-Identifier: MIT */
#include "bus.h"

#include <string.h>

#include "convention/subject.h"
#include "out.h"

/* In a thread of libnats. Where more of the subscription waits, it comes to be written right after this one. */
static void on_message(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *closure)
{
	const char *subject = natsMsg_GetSubject(msg);
	int more = 0;

	(void)nc, (void)closure;
	(void)natsSubscription_GetPending(sub, &more, NULL);
	out_frame(&(struct tds_linkframe){ .kind = TDS_LINK_MESSAGE,
					   .name = subject,
					   .name_len = strlen(subject),
					   .data = natsMsg_GetData(msg),
					   .len = (size_t)natsMsg_GetDataLength(msg) },
		  more > 0);
	natsMsg_Destroy(msg);
}

int bus_subscribe(natsConnection *nc, const char *system, struct tds_err *err)
{
	natsSubscription *sub;
	char mine[TDS_SUBJECT_MAX];
	char all[TDS_SUBJECT_MAX];
	natsStatus s =
		tds_subject_mine(mine, system) && tds_subject_all(all) ? NATS_OK : NATS_INVALID_ARG;

	if (s == NATS_OK)
		s = natsConnection_Subscribe(&sub, nc, mine, on_message, NULL);
	if (s == NATS_OK)
		s = natsConnection_Subscribe(&sub, nc, all, on_message, NULL);
	return s == NATS_OK ? 0 : tds_err_set(err, TDS_E_REFUSED, "%s", natsStatus_GetText(s));
}

void bus_publish(natsConnection *nc, const struct tds_linkframe *frame)
{
	char subject[TDS_LINKFRAME_NAME_MAX + 1];

	memcpy(subject, frame->name, frame->name_len);
	subject[frame->name_len] = '\0';
	/* A blank or a line's end would be another command to the server. */
	if (strlen(subject) != frame->name_len || strpbrk(subject, " \t\r\n")) {
		out_trouble(TDS_LINK_BUS, TDS_LINK_NOT_SENT, "no such subject can be");
		return;
	}
	/* libnats would keep it for later, when nobody knows any more what it was good for. */
	natsStatus s = nc ? natsConnection_Publish(nc, subject, frame->data, (int)frame->len)
			  : NATS_CONNECTION_DISCONNECTED;
	if (s != NATS_OK)
		out_trouble(TDS_LINK_BUS, TDS_LINK_NOT_SENT, natsStatus_GetText(s));
}
