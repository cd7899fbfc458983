/* SPDX-License-Identifier: MIT */
/* tds-admin top: a table of all actors, again and again: on a terminal in its place, else one below the other. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "actors.h"
#include "admin.h"
#include "base/jsontext.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/when.h"
#include "screen.h"
#include "tool/client.h"
#include "tool/document.h"
#include "usage.h"

const char admin_top_help[] =
	"usage: tds-admin [options] top [--once] [-n N] [--delay=SECONDS] [--sort=COLUMN]\n"
	"Show a table of all actors, and what each uses, until q is typed. Keys c m s u r p n sort "
	"it "
	"by CPU,\n"
	"memory, messages, queue, restarts, pid and name; a blank has it written at once. Where "
	"standard\n"
	"output is no terminal, tables are printed one below the other.\n";

#define DELAY_S 2.0
#define DELAY_MIN_S 0.1

struct top {
	struct admin *admin;
	struct tds_client client;
	struct screen screen;
	bool on_terminal;
	const struct order *order;
	struct usages usages;
	bool asking;    /* the answer is on its way */
	int64_t due_ms; /* when the next is asked for */
	uint64_t shown; /* tables */
};

/* --- how they are sorted --- */

static int by_number(double one, double two)
{
	return (one < two) - (one > two);
}

static double number_of(const struct usage *usage, const char *key)
{
	return (double)json_integer_value(json_object_get(usage->actor, key));
}

static int by_name(const void *a, const void *b)
{
	static const char *const keys[] = { "Group", "Role", "ActorClass" };
	const struct usage *one = a;
	const struct usage *two = b;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		int order = strcmp(tds_json_string(one->actor, keys[i]),
				   tds_json_string(two->actor, keys[i]));

		if (order != 0)
			return order;
	}
	return strcmp(one->address, two->address);
}

/* Those that are equal stand by their names, and so do not jump about. */
static int or_name(int order, const void *a, const void *b)
{
	return order != 0 ? order : by_name(a, b);
}

static int by_cpu(const void *a, const void *b)
{
	return or_name(by_number(((const struct usage *)a)->cpu, ((const struct usage *)b)->cpu), a,
		       b);
}

static int by_memory(const void *a, const void *b)
{
	return or_name(by_number((double)((const struct usage *)a)->memory,
				 (double)((const struct usage *)b)->memory),
		       a, b);
}

static int by_rate(const void *a, const void *b)
{
	return or_name(by_number(((const struct usage *)a)->rate, ((const struct usage *)b)->rate),
		       a, b);
}

static int by_queue(const void *a, const void *b)
{
	return or_name(by_number(number_of(a, "Queued"), number_of(b, "Queued")), a, b);
}

static int by_restarts(const void *a, const void *b)
{
	return or_name(by_number(number_of(a, "Restarts"), number_of(b, "Restarts")), a, b);
}

static int by_pid(const void *a, const void *b)
{
	return or_name(by_number(number_of(b, "Pid"), number_of(a, "Pid")), a, b);
}

static const struct order {
	char key;
	const char *name;
	int (*compare)(const void *a, const void *b);
} orders[] = {
	{ 'c', "cpu", by_cpu },     { 'm', "memory", by_memory },     { 's', "messages", by_rate },
	{ 'u', "queue", by_queue }, { 'r', "restarts", by_restarts }, { 'p', "pid", by_pid },
	{ 'n', "name", by_name },
};
#define ORDERS (sizeof(orders) / sizeof(orders[0]))

/* By its key, or by its name where that is not NULL. NULL: none. */
static const struct order *find_order(char key, const char *name)
{
	for (size_t i = 0; i < ORDERS; i++)
		if (name ? strcmp(orders[i].name, name) == 0 : orders[i].key == key)
			return &orders[i];
	return NULL;
}

/* --- the table --- */

#define HEADING \
	"GROUP        ROLE                 PID   %CPU   MEMORY    MSG/S    QUEUE RESTARTS CLASS\n"

/* Escaped, and cut or filled to a width of columns; each character is taken for one. */
static void print_cut(FILE *out, const char *text, int width)
{
	tds_autofree char *escaped = tds_text_escaped(text);
	int columns = 0;

	if (!escaped)
		return;
	for (const char *p = escaped; *p; p++) {
		columns += ((unsigned char)*p & 0xc0) != 0x80;
		if (columns > width)
			break;
		(void)fputc(*p, out);
	}
	if (columns < width)
		(void)fprintf(out, "%*s", width - columns, "");
}

/* "1234K", "56M": a width of 8. */
static void print_bytes(FILE *out, int64_t bytes)
{
	static const char units[] = "BKMGT";
	size_t unit = 0;

	if (bytes < 0) {
		(void)fputs("        -", out);
		return;
	}
	for (; bytes > 9999 && units[unit + 1]; unit++)
		bytes = (bytes + 512) / 1024;
	(void)fprintf(out, " %7lld%c", (long long)bytes, units[unit]);
}

static void print_number(FILE *out, int width, double number)
{
	if (number < 0)
		(void)fprintf(out, " %*s", width, "-");
	else
		(void)fprintf(out, " %*.1f", width, number);
}

/* A + behind the messages: there are more, on direct links. */
static void print_row(FILE *out, const struct usage *usage)
{
	const json_t *actor = usage->actor;
	const char *group = tds_json_string(actor, "Group");
	const char *role = tds_json_string(actor, "Role");
	const char *class_name = tds_json_string(actor, "ActorClass");
	long long pid = json_integer_value(json_object_get(actor, "Pid"));
	bool has_links = json_integer_value(json_object_get(actor, "DirectLinks")) > 0;

	print_cut(out, *group ? group : "-", 12);
	(void)fputc(' ', out);
	print_cut(out, *role ? role : "-", 16);
	if (pid > 0)
		(void)fprintf(out, " %7lld", pid);
	else
		(void)fputs("       -", out);
	print_number(out, 6, usage->cpu);
	print_bytes(out, usage->memory);
	print_number(out, 7, usage->rate);
	(void)fputc(has_links ? '+' : ' ', out);
	print_bytes(out, (int64_t)number_of(usage, "Queued"));
	(void)fprintf(out, " %8lld ", (long long)number_of(usage, "Restarts"));
	tds_text_print(out, class_name);
	(void)fputc('\n', out);
}

static void print_title(FILE *out, const struct top *top)
{
	const char *dir = top->admin->cli.dir;
	double cpu = 0;
	char now[16] = "";
	struct tm tm;
	time_t t = time(NULL);

	for (size_t i = 0; i < top->usages.n; i++)
		cpu += top->usages.v[i].cpu > 0 ? top->usages.v[i].cpu : 0;
	if (localtime_r(&t, &tm))
		(void)strftime(now, sizeof(now), "%T", &tm);
	(void)fprintf(out, "%s  %zu actor%s, CPU %.1f %%, by %s  ", now, top->usages.n,
		      top->usages.n == 1 ? "" : "s", cpu, top->order->name);
	tds_text_print(out, dir);
	(void)fputc('\n', out);
}

static void print_table(FILE *out, const struct top *top)
{
	print_title(out, top);
	(void)fputs(HEADING, out);
	for (size_t i = 0; i < top->usages.n; i++)
		print_row(out, &top->usages.v[i]);
}

static void show_on_terminal(struct top *top)
{
	tds_autofree char *text = NULL;
	size_t len = 0;
	FILE *memory = open_memstream(&text, &len);

	if (memory)
		print_table(memory, top);
	if (memory && fclose(memory) == 0)
		screen_show(&top->screen, text, len);
}

/* --- as JSON --- */

static void set_number(json_t *to, const char *key, double number)
{
	if (number >= 0)
		(void)json_object_set_new(to, key, json_real(number));
}

static json_t *table_json(const struct usages *usages)
{
	json_t *all = json_array();

	for (size_t i = 0; i < usages->n; i++) {
		const struct usage *usage = &usages->v[i];
		json_t *to = json_copy((json_t *)(uintptr_t)usage->actor);

		set_number(to, "CPU", usage->cpu);
		set_number(to, "MessagesPerSecond", usage->rate);
		if (usage->memory >= 0)
			(void)json_object_set_new(to, "Memory", json_integer(usage->memory));
		(void)json_array_append_new(all, to);
	}
	return json_pack("{s:o, s:o}", "Time", tds_document_time(tds_when_now()), "Actors", all);
}

/* --- again and again --- */

static void show(struct top *top)
{
	FILE *out = top->admin->cli.out;

	qsort(top->usages.v, top->usages.n, sizeof(*top->usages.v), top->order->compare);
	if (top->on_terminal) {
		show_on_terminal(top);
	} else if (top->admin->cli.json) {
		tds_cli_print_record(&top->admin->cli, table_json(&top->usages));
	} else {
		(void)fputs(top->shown > 0 ? "\n" : "", out);
		print_table(out, top);
		(void)fflush(out);
	}
}

static int64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Where the connection was ended, what can still be received says why. */
static int ask(struct top *top, struct tds_err *err)
{
	int rc = tds_client_send(&top->client, actors_request(), err);

	top->asking = true;
	return rc == TDS_E_NO_ADMIN ? 0 : rc;
}

static int receive(struct top *top, struct tds_err *err)
{
	double delay_s = top->admin->delay_s >= 0 ? top->admin->delay_s : DELAY_S;
	struct usages usages;
	json_t *answer = NULL;
	int rc = tds_client_receive(&top->client, &answer, err);

	if (rc == 0 && !json_is_true(json_object_get(answer, "Success"))) {
		rc = tds_err_set(err, TDS_E_REFUSED, "%s", tds_json_string(answer, "Message"));
		json_decref(answer);
	}
	if (rc != 0)
		return rc;
	int taken = usages_take(&usages, answer, &top->usages);
	usages_fini(&top->usages);
	top->usages = usages;
	if (!taken)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	show(top);
	top->shown++;
	top->asking = false;
	top->due_ms = now_ms() + (int64_t)(delay_s * 1000);
	return 0;
}

/* False: it is to end. */
static bool take_key(struct top *top, char key)
{
	const struct order *order = find_order(key, NULL);

	if (order)
		top->order = order;
	if (order && top->shown > 0)
		show(top);
	if (key == ' ')
		top->due_ms = now_ms();
	return key != 'q' && key != 'Q';
}

static bool is_over(const struct top *top)
{
	uint64_t tables = top->admin->once ? 1 : top->admin->lines;

	return top->shown >= tables || ferror(top->admin->cli.out);
}

static int run(struct top *top, struct tds_err *err)
{
	bool goes_on = true;
	char key = '\0';
	int rc = 0;

	while (rc == 0 && goes_on && !is_over(top)) {
		int64_t left_ms = top->due_ms - now_ms();
		int wait_ms = top->asking ? -1 : left_ms > 0 ? (int)left_ms : 0;

		switch (screen_wait(&top->screen, top->asking ? top->client.fd : -1, wait_ms,
				    &key)) {
		case SCREEN_TIME:
			rc = ask(top, err);
			break;
		case SCREEN_READY:
			rc = receive(top, err);
			break;
		case SCREEN_KEY:
			goes_on = take_key(top, key);
			break;
		case SCREEN_RESIZE:
			if (top->shown > 0)
				show(top);
			break;
		case SCREEN_END:
			goes_on = false;
			break;
		}
	}
	return rc;
}

/* False: reported already. */
static bool check(struct top *top, int argc)
{
	struct admin *admin = top->admin;

	top->order = find_order('\0', admin->sort ? admin->sort : "cpu");
	if (argc > 0)
		tds_cli_usage(&admin->cli, "top: wrong number of operands");
	else if (!top->order)
		tds_cli_usage(&admin->cli, "--sort: no such column: %s", admin->sort);
	else if (admin->delay_s >= 0 && admin->delay_s < DELAY_MIN_S)
		tds_cli_usage(&admin->cli, "--delay: less than %.1f seconds", DELAY_MIN_S);
	else
		return true;
	return false;
}

void admin_top(struct admin *admin, int argc, char **argv)
{
	struct top top = { .admin = admin, .client = { .fd = -1 }, .screen = SCREEN_NONE };
	struct tds_err err = { 0 };

	(void)argv;
	if (!check(&top, argc))
		return;
	top.on_terminal =
		!admin->once && !admin->cli.json && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	int rc = admin_connect(admin, &top.client, &err);
	if (rc == 0 && top.on_terminal)
		rc = screen_open(&top.screen, &err);
	if (rc == 0)
		rc = run(&top, &err);
	screen_close(&top.screen);
	if (rc != 0)
		tds_cli_error(&admin->cli, NULL, &err);
	usages_fini(&top.usages);
	tds_client_close(&top.client);
}
