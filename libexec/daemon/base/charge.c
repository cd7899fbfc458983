/* SPDX-License-Identifier: MIT */
/* Charges of messages that are under way. */
#include "charge.h"

#include <stdlib.h>

struct account *account_new(void)
{
	struct account *account = malloc(sizeof(*account));

	if (account)
		*account = (struct account){ .refs = 1 };
	return account;
}

void account_unref(struct account *account)
{
	if (account && --account->refs == 0)
		free(account);
}

struct charge *charge_new(struct account *account, size_t bytes)
{
	struct charge *charge = malloc(sizeof(*charge));

	if (!charge)
		return NULL;
	*charge = (struct charge){ .refs = 1, .bytes = bytes + CHARGE_WEIGHT, .account = account };
	account->refs++;
	account->bytes += charge->bytes;
	return charge;
}

struct charge *charge_ref(struct charge *charge)
{
	if (charge)
		charge->refs++;
	return charge;
}

void charge_unref(struct charge *charge)
{
	if (!charge || --charge->refs > 0)
		return;
	charge->account->bytes -= charge->bytes;
	account_unref(charge->account);
	free(charge);
}
