/* SPDX-License-Identifier: MIT */
/* An explanation of a sandbox: who asks for what, what is allowed, and what each of it comes to. */
#include "sandboxtext.h"

#include <inttypes.h>
#include <stdarg.h>

#include "base/landlock.h"
#include "base/text.h"
#include "tool/document.h"

#define NAME "  %-12s"

/* --- how it came about --- */

static void print_asked(FILE *out, const struct tds_sandbox_decision *d)
{
	(void)fprintf(out, NAME, "asks for");
	if (d->by == TDS_ASKED_NOBODY)
		(void)fputs("nothing, which is given ", out);
	tds_text_print(out, d->asked->words);
	if (d->by == TDS_ASKED_DEFINED)
		(void)fprintf(out, " (%s, line %u)", tds_sandbox_asker_words(d->by),
			      d->asked->line);
	else if (d->by == TDS_ASKED_SIGNED)
		(void)fprintf(out, " (%s)", tds_sandbox_asker_words(d->by));
	(void)fputc('\n', out);
	if (!d->note)
		return;
	(void)fprintf(out, NAME, "");
	tds_text_print(out, d->note);
	(void)fputc('\n', out);
}

static void print_allowed(FILE *out, const struct explained *x)
{
	const struct tds_sandbox_rule *rule = x->decision.rule;

	(void)fprintf(out, NAME, "allowed");
	tds_text_print(out, rule->most->words);
	if (!x->policy.is_there) {
		(void)fputs(" (there is no " TDS_SANDBOX_CFG ")\n", out);
		return;
	}
	(void)fprintf(out, " (" TDS_SANDBOX_CFG ", line %u, ", rule->most->line);
	tds_text_print(out, rule->pattern ? rule->pattern : "all groups");
	(void)fputs(")\n", out);
}

static void print_kernel(FILE *out, const struct tds_sandbox_kernel *kernel)
{
	(void)fprintf(out, NAME, "kernel");
	if (kernel->landlock > 0)
		(void)fprintf(out, "Landlock %d", kernel->landlock);
	else
		(void)fputs("no Landlock", out);
	(void)fprintf(out, ", %sfilters of system calls\n", kernel->seccomp ? "" : "no ");
}

/* --- what it comes to --- */

static void print_items(FILE *out, const struct tds_sandbox *s, enum tds_sandbox_list list)
{
	for (size_t i = 0; i < s->nlist[list]; i++) {
		(void)fputs(", ", out);
		tds_text_print(out, s->lists[list][i]);
	}
}

static void print_read(FILE *out, const struct tds_sandbox *s)
{
	const char *const *path = tds_profile_reads(s->profile);

	(void)fprintf(out, NAME "the interpreter's files, its archive", "read");
	for (; *path; path++)
		(void)fprintf(out, ", %s", *path);
	print_items(out, s, TDS_SANDBOX_READ);
	(void)fputc('\n', out);
}

/* The folder for what actors keep, where it has it. */
static const char *data_of(const struct explained *x)
{
	return x->decision.granted->profile == TDS_PROFILE_STRICT ? NULL : x->data;
}

static void print_write(FILE *out, const struct explained *x)
{
	const struct tds_sandbox *s = x->decision.granted;
	const char *data = data_of(x);

	(void)fprintf(out, NAME, "write");
	if (data)
		tds_text_print(out, data);
	else
		(void)fputs("nothing of its own", out);
	print_items(out, s, TDS_SANDBOX_WRITE);
	(void)fputc('\n', out);
}

static void print_named(FILE *out, const struct tds_sandbox *s, const char *name,
			enum tds_sandbox_list list, const char *base)
{
	(void)fprintf(out, NAME "%s", name, base);
	print_items(out, s, list);
	(void)fputc('\n', out);
}

static bool connects_anywhere(const struct tds_sandbox *s)
{
	return s->ports[TDS_SANDBOX_CONNECT].any || s->profile >= TDS_PROFILE_NET;
}

static void print_ports(FILE *out, const struct tds_ports *ports, const char *name, bool any)
{
	(void)fprintf(out, NAME, name);
	if (any)
		(void)fputs("any port", out);
	else if (ports->n == 0)
		(void)fputs("no", out);
	for (size_t i = 0; !any && i < ports->n; i++)
		(void)fprintf(out, "%s%u", i ? " " : "", ports->numbers[i]);
	(void)fputc('\n', out);
}

static void print_signals(FILE *out, const struct explained *x)
{
	(void)fprintf(out, NAME "%s\n", "signals",
		      x->kernel.landlock >= TDS_LANDLOCK_HOLDS_SIGNALS
			      ? "to processes of the source"
		      : x->own_uid ? "to processes of the group's uid"
				   : "to the source's process group as a whole");
}

static void print_limits(FILE *out, const struct tds_sandbox *s)
{
	for (size_t i = 0; i < TDS_SANDBOX_LIMITS; i++)
		if (s->limits[i])
			(void)fprintf(out, NAME "%" PRIu64 "\n",
				      tds_sandbox_limit_name((enum tds_sandbox_limit)i),
				      s->limits[i]);
}

static void print_granted(FILE *out, const struct explained *x)
{
	const struct tds_sandbox *s = x->decision.granted;

	(void)fprintf(out, NAME, "granted");
	tds_text_print(out, s->words);
	(void)fputc('\n', out);
	if (s->profile == TDS_PROFILE_TRUSTED) {
		(void)fprintf(out, NAME "whatever their user may\n", "actors");
		print_limits(out, s);
		return;
	}
	print_read(out, s);
	print_write(out, x);
	print_named(out, s, "processes", TDS_SANDBOX_RUN, "its actors");
	print_named(out, s, "environment", TDS_SANDBOX_ENV, "that of all actors");
	print_ports(out, &s->ports[TDS_SANDBOX_CONNECT], "connect", connects_anywhere(s));
	print_ports(out, &s->ports[TDS_SANDBOX_LISTEN], "listen", s->ports[TDS_SANDBOX_LISTEN].any);
	print_signals(out, x);
	print_limits(out, s);
}

void explained_print(FILE *out, const struct explained *x)
{
	tds_text_print(out, x->group);
	if (x->file) {
		(void)fputs(": ", out);
		tds_text_print(out, x->file);
	}
	(void)fputc('\n', out);
	if (x->decision.asked)
		print_asked(out, &x->decision);
	print_allowed(out, x);
	print_kernel(out, &x->kernel);
	if (x->decision.granted)
		print_granted(out, x);
	else
		(void)fprintf(out, NAME "refused\n", "granted");
}

/* --- as JSON --- */

static json_t *list_json(const struct tds_sandbox *s, enum tds_sandbox_list list)
{
	json_t *array = json_array();

	for (size_t i = 0; i < s->nlist[list]; i++)
		(void)json_array_append_new(array, tds_document_text(s->lists[list][i]));
	return array;
}

static json_t *ports_json(const struct tds_ports *ports, bool any)
{
	json_t *array = any ? json_true() : json_array();

	for (size_t i = 0; !any && i < ports->n; i++)
		(void)json_array_append_new(array, json_integer(ports->numbers[i]));
	return array;
}

static json_t *granted_json(const struct explained *x)
{
	const struct tds_sandbox *s = x->decision.granted;
	const char *const *path = tds_profile_reads(s->profile);
	const char *data = data_of(x);
	json_t *read = list_json(s, TDS_SANDBOX_READ);
	json_t *granted = json_pack(
		"{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o*}", "Profile",
		tds_profile_name(s->profile), "Read", read, "Write",
		list_json(s, TDS_SANDBOX_WRITE), "Run", list_json(s, TDS_SANDBOX_RUN), "Env",
		list_json(s, TDS_SANDBOX_ENV), "Connect",
		ports_json(&s->ports[TDS_SANDBOX_CONNECT], connects_anywhere(s)), "Listen",
		ports_json(&s->ports[TDS_SANDBOX_LISTEN], s->ports[TDS_SANDBOX_LISTEN].any), "Data",
		data ? tds_document_text(data) : NULL);

	for (; granted && *path; path++)
		(void)json_array_append_new(read, json_string(*path));
	for (size_t i = 0; granted && i < TDS_SANDBOX_LIMITS; i++)
		if (s->limits[i])
			(void)json_object_set_new(granted,
						  tds_sandbox_limit_name((enum tds_sandbox_limit)i),
						  json_integer((json_int_t)s->limits[i]));
	return granted;
}

static void add_decision(json_t *doc, const struct explained *x)
{
	static const char *const by[] = {
		[TDS_ASKED_NOBODY] = "Nobody",
		[TDS_ASKED_SIGNED] = "SignedDeclaration",
		[TDS_ASKED_DEFINED] = "Definition",
	};
	const struct tds_sandbox_decision *d = &x->decision;

	(void)json_object_set_new(doc, "Kernel",
				  json_pack("{s:i, s:b}", "Landlock", x->kernel.landlock, "Seccomp",
					    x->kernel.seccomp));
	(void)json_object_set_new(
		doc, "Allowed",
		json_pack("{s:b, s:o?, s:o?, s:o?}", "There", x->policy.is_there, "Most",
			  tds_document_text(d->rule->most->words), "Unasked",
			  tds_document_text(d->rule->unasked->words), "Groups",
			  tds_document_text(d->rule->pattern ? d->rule->pattern : "*")));
	if (d->asked)
		(void)json_object_set_new(doc, "Asked",
					  json_pack("{s:s, s:o?}", "By", by[d->by], "Sandbox",
						    tds_document_text(d->asked->words)));
	if (d->note)
		(void)json_object_set_new(doc, "Note", tds_document_text(d->note));
	if (d->granted)
		(void)json_object_set_new(doc, "Granted", granted_json(x));
}

json_t *explained_json(const struct explained *x)
{
	json_t *doc = json_object();

	if (x->group)
		(void)json_object_set_new(doc, "Group", tds_document_text(x->group));
	if (x->file)
		(void)json_object_set_new(doc, "File", tds_document_text(x->file));
	if (doc && x->decision.rule)
		add_decision(doc, x);
	return doc;
}
