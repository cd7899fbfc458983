/* SPDX-License-Identifier: MIT */
/* Pack sources and sign them: the order in which things are done. */
#include "gensrc.h"

#include <malloc.h>
#include <stdlib.h>
#include <time.h>

#include "base/cores.h"
#include "base/mem.h"

/* libarchive writes times in the local zone, and the same sources are to give the same bytes everywhere. */
static void use_utc(void)
{
	(void)setenv("TZ", "UTC0", 1);
	tzset();
}

/*
 * libarchive allocates its compressor anew for each member. Given back to the system and fetched again each time,
 * that would cost as much as a third of the compressing.
 */
static void keep_memory(void)
{
	(void)mallopt(M_MMAP_THRESHOLD, 1 << 20);
	(void)mallopt(M_TRIM_THRESHOLD, 16 << 20);
}

static void make_package(struct opts *o)
{
	struct place place = PLACE_NONE;
	struct members members = { 0 };
	struct archive_bytes archive = { 0 };
	struct signer signer = { 0 };
	struct signature sig = { .len = 0 };
	struct verified verified = { 0 };

	use_utc();
	keep_memory();
	if (open_places(o, &place) && read_tli(o, &place) && check_owner(o, &place) &&
	    signer_open(o, &signer) && collect_members(o, &members) &&
	    pack_members(o, &members, &place, &archive) &&
	    sign_archive(o, &signer, &archive, &sig) &&
	    write_files(o, &place, &archive, &sig, signer.pub, &verified))
		report_package(o, &place, members.n, &verified);
	signer_close(&signer);
	free(archive.zip);
	members_fini(&members);
	place_fini(&place);
}

int main(int argc, char **argv)
{
	struct opts o = {
		.python = "python3", .check = true, .format = TDS_FORMAT_DIRECTOR1, .srcfd = -1
	};

	tds_cli_start(&o.cli, "tds-gensrc", argv);
	tds_cores_off();
	if (parse_opts(&o, argc, argv))
		make_package(&o);
	tds_close_fd(&o.srcfd);
	tds_names_fini(&o.sources);
	return tds_cli_finish(&o.cli);
}
