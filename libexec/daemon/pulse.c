/* SPDX-License-Identifier: MIT */
/* What the guardian is told of how the daemon is, again and again, since what is said once may be lost. */
#include "daemon/guardian/ward.h"
#include "inside.h"

void pulse_say(const struct daemon *d)
{
	if (d->ending == ENDING_RESTART)
		(void)ward_name_successor(d->ward, d->successor);
	else if (d->ending == ENDING_FOR_GOOD)
		ward_say(d->ward, WARD_LEAVING);
	else if (!d->restored)
		ward_say(d->ward, WARD_LIVES);
	else
		ward_say(d->ward, d->reload.waiting ? WARD_RELOADING
				  : d->settled      ? WARD_SETTLED
						    : WARD_UP);
}
