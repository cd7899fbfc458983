/* SPDX-License-Identifier: MIT */
/* The record of who leads, as the store gives it: what is taken holds what a candidate relies on, anything else is nobody. */
#include "fuzz.h"

#include "base/text.h"
#include "daemon/convention/lease.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lease_record record;

	if (lease_record_read(data, size, &record)) {
		CHECK(tds_system_name_fits(record.name, strlen(record.name)) && record.term >= 1 &&
		      record.term <= LEASE_TERM_MAX);
		CHECK(tds_text_is_hex(record.epoch, 32) && tds_text_is_hex(record.nonce, 32));
	} else {
		CHECK(record.term == 0 && !*record.name && !*record.epoch && !*record.nonce);
	}
	return 0;
}
