/* SPDX-License-Identifier: MIT */
/*
 * From a package to a verified source: signature, then archive, then the signed name, then every
 * member.
 */
#include "source.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "version.h"

#define COMMENT_MARK "tds1 "
#define COMMENT_GROUP "group="
#define COMMENT_VERSION " version="
#define COMMENT_EMPTY "%" /* an empty version, as that of foo-.tls; nothing else is escaped so */

TDS_PRINTF(5, 6)
static void tell(const struct tds_source_opts *opts, const char *what, int64_t offset, bool ok,
		 const char *fmt, ...)
{
	char detail[TDS_ERR_REASON_MAX];
	va_list ap;

	if (!opts->tell)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(detail, sizeof(detail), fmt, ap);
	va_end(ap);
	opts->tell(opts->ctx, &(struct tds_check){
				      .what = what, .offset = offset, .ok = ok, .detail = detail });
}

char *tds_source_comment(const char *group, const char *version)
{
	tds_autofree char *g = tds_text_percent(group);
	tds_autofree char *v = version && !*version ? strdup(COMMENT_EMPTY)
						    : tds_text_percent(version ? version : "");
	char *comment = NULL;

	if (!g || !v ||
	    asprintf(&comment, COMMENT_MARK COMMENT_GROUP "%s" COMMENT_VERSION "%s", g, v) < 0)
		return NULL;
	return comment;
}

/* *version NULL: the package has none. False: nothing that we write. */
static bool parse_version(const char *text, size_t len, char **version)
{
	if (len == 0)
		return true;
	if (len == strlen(COMMENT_EMPTY) && memcmp(text, COMMENT_EMPTY, len) == 0)
		*version = strdup("");
	else
		*version = tds_text_unpercent(text, len);
	return *version != NULL;
}

/*
 * The group and version that the comment of an archive signs; both NULL where it is somebody else's
 * comment.
 * Errors: TDS_E_ARCHIVE where it begins as ours and goes on as nothing that we write.
 */
static int parse_comment(const char *comment, size_t len, char **group, char **version,
			 struct tds_err *err)
{
	static const char head[] = COMMENT_MARK COMMENT_GROUP;
	bool fits = false;

	if (len < strlen(COMMENT_MARK) || memcmp(comment, COMMENT_MARK, strlen(COMMENT_MARK)) != 0)
		return 0;
	const char *middle = memmem(comment, len, COMMENT_VERSION, strlen(COMMENT_VERSION));
	if (middle && len > strlen(head) && memcmp(comment, head, strlen(head)) == 0) {
		const char *g = comment + strlen(head);
		const char *v = middle + strlen(COMMENT_VERSION);

		*group = tds_text_unpercent(g, middle > g ? (size_t)(middle - g) : 0);
		fits = *group && tds_group_name_ok(*group) &&
		       parse_version(v, (size_t)(comment + len - v), version);
	}
	if (!fits)
		return tds_err_set(err, TDS_E_ARCHIVE,
				   "the signed name in the ZIP comment is malformed");
	return 0;
}

/* What the signature is about, once it holds: which group a key must be allowed for. */
static int signed_group(const struct tds_package *package, char **group, struct tds_err *err)
{
	tds_autofree char *version = NULL;
	size_t end;
	int rc = tds_zip_find_end(package->zip, package->ziplen, &end, err);

	if (rc == 0)
		rc = parse_comment((const char *)package->zip + end + TDS_ZIP_END_LEN,
				   package->ziplen - end - TDS_ZIP_END_LEN, group, &version, err);
	return rc;
}

/* The outcome of trying the keys. */
struct trial {
	const struct tds_key *found;
	const struct tds_key *refused; /* its signature it is, but it may not be used */
	const char *refusal;
	size_t tried;
	size_t of_kind; /* of those: of the kind that the package is signed by */
	char *group;    /* that the key must be allowed for; NULL: not known, or not asked yet */
	bool asked;
	int fault; /* of the archive, seen when a key's limits had to be known */
};

static bool may_sign(struct trial *t, const struct tds_package *package,
		     const struct tds_source_opts *opts, const struct tds_key *key,
		     struct tds_err *err)
{
	if (opts->strict && (key->insecure || opts->ring->warning)) {
		t->refusal = key->insecure ? "others may write its file"
					   : "others may write in its folder, or to its limits";
		return false;
	}
	if (!key->limited)
		return true;
	if (!t->asked) {
		t->asked = true;
		t->fault = signed_group(package, &t->group, err);
		if (t->fault == 0 && !t->group && opts->owner && !(t->group = strdup(opts->owner)))
			t->fault = tds_err_set(err, TDS_E_NOMEM, "out of memory");
	}
	t->refusal = t->group ? "it may not sign for this group"
			      : "it signs for some groups only, and this one's is not known";
	return t->fault == 0 && tds_key_allows(key, t->group);
}

static void try_key(struct trial *t, const struct tds_package *package,
		    const struct tds_source_opts *opts, const struct tds_key *key,
		    struct tds_err *err)
{
	char text[TDS_PUBKEY_TEXT_MAX];
	struct tds_err why = { 0 };
	int64_t at = (int64_t)package->sig_at;

	if (!key->pub) {
		tell(opts, key->path, -1, false, "%s", key->fault.reason);
		return;
	}
	t->tried++;
	t->of_kind += tds_pubkey_kind(key->pub) == package->zip_signed.kind;
	if (tds_sig_verify(key->pub, &package->zip_signed, package->sig, package->header.siglen,
			   &why) != 0) {
		tell(opts, key->path, at, false, "%s", why.reason);
	} else if (!may_sign(t, package, opts, key, err)) {
		if (t->fault == 0)
			tell(opts, key->path, at, false, "the signature is this key's, but %s",
			     t->refusal);
		t->refused = key;
	} else {
		tell(opts, key->path, at, true, "the signature is this key's (%s)",
		     tds_pubkey_text(key->pub, text));
		t->found = t->found ? t->found : key;
	}
}

/* The first key that fits is the one. Where somebody listens, they hear about the others too. */
static int check_signature(const struct tds_package *package, const struct tds_source_opts *opts,
			   const struct tds_key **found, struct tds_err *err)
{
	const struct tds_keyring *ring = opts->ring;
	struct trial t = { 0 };

	for (size_t i = 0; i < ring->n && (!t.found || opts->tell) && t.fault == 0; i++)
		try_key(&t, package, opts, &ring->v[i], err);
	free(t.group);
	*found = t.found;
	if (t.found || t.fault != 0)
		return t.fault;
	if (t.refused)
		return tds_err_set(err, TDS_E_UNTRUSTED,
				   "no key validates it: it is signed with %s, but %s",
				   t.refused->path, t.refusal);
	if (t.tried == 0)
		return tds_err_set(err, TDS_E_UNTRUSTED,
				   "no key validates it: there is no usable key");
	if (t.of_kind == 0)
		return tds_err_set(err, TDS_E_UNTRUSTED,
				   "no key validates it: it is signed with one of %s, and there is "
				   "none of that",
				   tds_sig_kind_name(package->zip_signed.kind));
	return tds_err_set(err, TDS_E_UNTRUSTED, "no key validates it (%zu tried)", t.tried);
}

/*
 * The list has digests of files, and the header is not signed: a package that is revoked must not
 * come back in a file of another format. Where there is no end record there is no package, which
 * the archive's check says.
 */
static int check_revoked(const struct tds_package *package, const struct tds_source_opts *opts,
			 struct tds_err *err)
{
	bool revoked = false;
	size_t end;

	if (opts->ring->nrevoked == 0 ||
	    tds_zip_find_end(package->zip, package->ziplen, &end, NULL) != 0)
		return 0;
	for (int format = 0; format < TDS_FORMATS && !revoked; format++) {
		unsigned char sha256[TDS_SHA256_LEN];

		/* A signature of the one kind is none of the other. */
		if (tds_format_kind((enum tds_format)format) != package->zip_signed.kind)
			continue;
		int rc = tds_package_sha256_as(package, (enum tds_format)format, end, sha256, err);

		if (rc != 0)
			return rc;
		revoked = tds_keyring_revoked(opts->ring, sha256);
	}
	tell(opts, "revoked.cfg", 0, !revoked, revoked ? "revoked" : "not revoked");
	return revoked ? tds_err_set(err, TDS_E_UNTRUSTED, "is revoked") : 0;
}

static void tell_header(const struct tds_package *package, const struct tds_source_opts *opts)
{
	const struct tds_header *header = &package->header;

	tell(opts, "header", 0, true, "format %s, %s", tds_format_name(header->format),
	     tds_format_kind(header->format) == TDS_SIG_RSA ? "SHA-256" : "SHA-512");
	tell(opts, "header", (int64_t)header->siglen_at, true, "signature of %zu bytes",
	     header->siglen);
	if (tds_format_has_end(header->format))
		tell(opts, "header", (int64_t)header->end_at, true,
		     "end record at archive byte %ju", (uintmax_t)header->end);
}

static int check_structure(const struct tds_source_opts *opts, struct tds_source *source,
			   struct tds_err *err)
{
	const struct tds_package *package = &source->package;
	int rc = tds_zip_open(package->zip, package->ziplen, &opts->limits, &source->zip, err);

	/*
	 * The header is not signed. Another offset can restore the same archive, but is not how it
	 * was written.
	 */
	if (rc == 0 && tds_format_has_end(package->header.format) &&
	    source->zip.end != package->header.end)
		rc = tds_err_set(err, TDS_E_ARCHIVE,
				 "byte %zu: the end record is at archive byte %zu, not at %ju",
				 package->header.end_at, source->zip.end,
				 (uintmax_t)package->header.end);
	if (rc == 0)
		tell(opts, "archive", (int64_t)tds_package_offset(package, source->zip.end), true,
		     "structure: %zu members of %ju bytes", source->zip.n,
		     (uintmax_t)source->zip.bytes);
	return rc;
}

/* Does the file's name say what the signed name says? version NULL: there is none. */
static bool name_agrees(const char *name, const char *group, const char *version)
{
	const char *base = strrchr(name, '/');
	const char *said = NULL;

	base = base ? base + 1 : name;
	if (!tds_group_fits(group, base, &said))
		return false;
	if (!said || !version)
		return !said && !version;
	size_t n = strlen(said) - strlen(".tls");
	return strlen(version) == n && memcmp(said, version, n) == 0;
}

#define VERSION_TEXT_MAX 300 /* bytes; longer than any file name */

static const char *version_text(const char *version, char text[VERSION_TEXT_MAX])
{
	if (!version)
		return "without a version";
	(void)snprintf(text, VERSION_TEXT_MAX, "version \"%s\"", version);
	return text;
}

static int check_name(const struct tds_source_opts *opts, struct tds_source *source,
		      struct tds_err *err)
{
	char version[VERSION_TEXT_MAX];
	int64_t at =
		(int64_t)tds_package_offset(&source->package, source->zip.end + TDS_ZIP_END_LEN);
	int rc = parse_comment(source->zip.comment, source->zip.comment_len, &source->group,
			       &source->version, err);

	if (rc != 0)
		return rc;
	if (!source->group) {
		if (opts->strict)
			return tds_err_set(err, TDS_E_ARCHIVE, "has no signed group and version");
		if (opts->strict_names && !source->key->vouches)
			return tds_err_set(err, TDS_E_ARCHIVE,
					   "has no signed group and version, which strictnames.cfg "
					   "demands");
		tell(opts, "signed name", -1, true, "none");
		return 0;
	}
	if (opts->name && !name_agrees(opts->name, source->group, source->version))
		return tds_err_set(err, TDS_E_ARCHIVE,
				   "is signed as group %s %s, which is not what its name says",
				   source->group, version_text(source->version, version));
	if (opts->owner && strcmp(opts->owner, source->group) != 0)
		return tds_err_set(err, TDS_E_ARCHIVE,
				   "is signed as group %s, but its name is one of group %s",
				   source->group, opts->owner);
	tell(opts, "signed name", at, true, "group %s, %s", source->group,
	     version_text(source->version, version));
	return 0;
}

static int check_members(const struct tds_source_opts *opts, struct tds_source *source,
			 struct tds_err *err)
{
	int rc = tds_zip_unpack(&source->zip, NULL, NULL, NULL, err);

	if (rc == 0)
		tell(opts, "members", (int64_t)tds_package_offset(&source->package, 0), true,
		     "all unpack to their sizes and CRCs");
	return rc;
}

static int check_archive(const struct tds_source_opts *opts, struct tds_source *source,
			 struct tds_err *err)
{
	int rc = check_structure(opts, source, err);

	if (rc == 0)
		rc = check_name(opts, source, err);
	if (rc == 0)
		rc = check_members(opts, source, err);
	if (rc != 0 && err)
		tell(opts, "archive", -1, false, "%s", err->reason);
	return rc;
}

int tds_source_verify(struct tds_package *package, const struct tds_source_opts *opts,
		      struct tds_source *source, struct tds_err *err)
{
	*source = (struct tds_source){ .package = *package };
	*package = (struct tds_package){ 0 };
	tell_header(&source->package, opts);
	int rc = check_signature(&source->package, opts, &source->key, err);
	if (rc == 0)
		rc = check_revoked(&source->package, opts, err);
	if (rc == 0)
		rc = check_archive(opts, source, err);
	if (rc == 0)
		return 0;
	const struct tds_key *key = source->key;
	tds_source_close(source);
	source->key = key;
	return rc;
}

char *tds_source_declaration_name(const char *group)
{
	char *name = NULL;

	return asprintf(&name, TDS_ZIP_INF "%s.tli", group) < 0 ? NULL : name;
}

/* The declaration that is looked for, and what was read of it. */
struct declaration {
	const char *name;
	char *text;
	size_t len;
};

static bool is_declaration(void *ctx, const struct tds_zip_entry *entry)
{
	const struct declaration *d = ctx;

	return !entry->repeated && entry->name_len == strlen(d->name) &&
	       memcmp(entry->name, d->name, entry->name_len) == 0;
}

/* There is room for as many bytes as the member has, which the reader sees to. */
static int take_piece(void *ctx, const struct tds_zip_entry *entry, const void *data, size_t len,
		      struct tds_err *err)
{
	struct declaration *d = ctx;

	(void)entry;
	(void)err;
	if (len > 0)
		memcpy(d->text + d->len, data, len);
	d->len += len;
	return 0;
}

static int read_member(const struct tds_zip *zip, const struct tds_zip_entry *entry, size_t max,
		       struct declaration *d, struct tds_err *err)
{
	if (entry->size > max)
		return tds_err_set(err, TDS_E_REFUSED, "%s has more than %zu bytes", d->name, max);
	d->text = calloc(1, (size_t)entry->size + 1);
	if (!d->text)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	return tds_zip_unpack(zip, is_declaration, take_piece, d, err);
}

int tds_source_declaration(const struct tds_source *source, size_t max, char **text, size_t *len,
			   struct tds_err *err)
{
	tds_autofree char *name = source->group ? tds_source_declaration_name(source->group) : NULL;
	struct declaration d = { .name = name };
	int rc = source->group && !name ? tds_err_set(err, TDS_E_NOMEM, "out of memory") : 0;

	for (size_t i = 0; name && !d.text && rc == 0 && i < source->zip.n; i++)
		if (is_declaration(&d, &source->zip.v[i]))
			rc = read_member(&source->zip, &source->zip.v[i], max, &d, err);
	if (rc != 0)
		free(tds_steal(&d.text));
	*text = d.text;
	*len = d.len;
	return rc;
}

const char *tds_source_warning(const struct tds_source *source)
{
	return source->group || source->key->vouches
		       ? NULL
		       : "has no signed group and version: its name could be another's";
}

void tds_source_close(struct tds_source *source)
{
	tds_zip_close(&source->zip);
	tds_package_close(&source->package);
	free(source->group);
	free(source->version);
	*source = (struct tds_source){ 0 };
}
