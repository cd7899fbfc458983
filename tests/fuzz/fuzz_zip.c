/* SPDX-License-Identifier: MIT */
/*
 * The archive profile: what is taken tiles the archive, has names that stay below a folder, and
 * unpacks to the sizes and CRCs that it declares.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "archive/zip.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)          \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

/* What comes out of the unpacking. */
struct output {
	const struct tds_zip *zip;
	const struct tds_zip_entry *entry; /* that is being unpacked */
	uint64_t size;
	uint32_t crc;
	size_t members;
};

static uint32_t crc32_of(uint32_t crc, const unsigned char *data, size_t len)
{
	crc = ~crc;
	for (size_t i = 0; i < len; i++) {
		crc ^= data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}

static void check_entry_done(const struct output *out)
{
	CHECK(!out->entry || (out->size == out->entry->size && out->crc == out->entry->crc));
}

static int take(void *ctx, const struct tds_zip_entry *entry, const void *data, size_t len,
		struct tds_err *err)
{
	struct output *out = ctx;

	(void)err;
	if (!data) {
		check_entry_done(out);
		CHECK(len == 0 && entry >= out->zip->v && entry < out->zip->v + out->zip->n);
		out->entry = entry;
		out->size = 0;
		out->crc = 0;
		out->members++;
		return 0;
	}
	CHECK(len > 0 && entry == out->entry);
	out->size += len;
	CHECK(out->size <= entry->size);
	out->crc = crc32_of(out->crc, data, len);
	return 0;
}

static void check_name(const struct tds_zip_entry *entry)
{
	char *name = strndup(entry->name, entry->name_len);

	CHECK(name && strlen(name) == entry->name_len);
	CHECK(name[0] != '\0' && name[0] != '/' && !strchr(name, '\\') && !strstr(name, "//"));
	CHECK(tds_text_is_utf8(name, strlen(name)));
	for (const char *part = name; part;
	     part = strchr(part, '/') ? strchr(part, '/') + 1 : NULL) {
		size_t n = strcspn(part, "/");

		CHECK(!(n == 1 && part[0] == '.') && !(n == 2 && part[0] == '.' && part[1] == '.'));
	}
	CHECK(entry->folder == (name[strlen(name) - 1] == '/'));
	free(name);
}

static int compare_at(const void *a, const void *b)
{
	uint64_t x = (*(const struct tds_zip_entry *const *)a)->at;
	uint64_t y = (*(const struct tds_zip_entry *const *)b)->at;

	return x < y ? -1 : x > y;
}

/*
 * Each member begins where the one before ends, its data descriptor included; all lie before the
 * end record.
 */
static void check_tiles(const struct tds_zip *zip)
{
	const struct tds_zip_entry **sorted = calloc(zip->n + 1, sizeof(*sorted));
	uint64_t at = 0;
	uint64_t bytes = 0;

	CHECK(sorted);
	for (size_t i = 0; i < zip->n; i++) {
		sorted[i] = &zip->v[i];
		bytes += zip->v[i].size;
	}
	qsort(sorted, zip->n, sizeof(*sorted), compare_at);
	for (size_t i = 0; i < zip->n; i++) {
		uint64_t end = (uint64_t)sorted[i]->data + sorted[i]->packed;

		CHECK(sorted[i]->at == at ||
		      (i > 0 && (sorted[i]->at == at + 12 || sorted[i]->at == at + 16)));
		CHECK(sorted[i]->data >= sorted[i]->at + 30 && end <= zip->end);
		at = end;
	}
	CHECK(bytes == zip->bytes);
	free(sorted);
}

/* Not even two names that differ only in a slash at their end. */
static void check_no_file_is_a_folder(const struct tds_zip *zip)
{
	for (size_t i = 0; i < zip->n; i++) {
		size_t n = zip->v[i].name_len;

		for (size_t j = 0; j < zip->n && !zip->v[i].folder; j++)
			CHECK(zip->v[j].name_len <= n || zip->v[j].name[n] != '/' ||
			      memcmp(zip->v[i].name, zip->v[j].name, n) != 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct tds_zip_limits limits = { .entries = 500, .bytes = 1 << 20 };
	struct tds_zip zip;
	struct tds_err err = { 0 };
	int rc = tds_zip_open(data, size, &limits, &zip, &err);

	CHECK(rc == 0 || (rc == TDS_E_ARCHIVE && err.code == rc && err.reason[0]));
	if (rc != 0)
		return 0;
	CHECK(zip.n <= limits.entries && zip.bytes <= limits.bytes);
	CHECK(zip.end + TDS_ZIP_END_LEN + zip.comment_len == size);
	CHECK(!memmem(zip.comment, zip.comment_len, "PK\5\6", 4));
	for (size_t i = 0; i < zip.n; i++) {
		check_name(&zip.v[i]);
		CHECK(!zip.v[i].folder || zip.v[i].size == 0);
	}
	check_tiles(&zip);
	check_no_file_is_a_folder(&zip);
	struct output out = { .zip = &zip };
	rc = tds_zip_unpack(&zip, NULL, take, &out, &err);
	CHECK(rc == 0 || (rc == TDS_E_ARCHIVE && err.code == rc && err.reason[0]));
	if (rc == 0) {
		check_entry_done(&out);
		CHECK(out.members == zip.n);
	}
	CHECK(tds_zip_unpack(&zip, NULL, NULL, NULL, &err) == rc);
	tds_zip_close(&zip);
	return 0;
}
