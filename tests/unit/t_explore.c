/* SPDX-License-Identifier: MIT */
/*
 * Every order in which things can happen to the Director, as far as time allows. First all histories of a small world, by
 * breadth: each state is expanded once. Then histories of a larger world by chance, from a seed that is printed; TDS_SEED
 * plays one of them again. TDS_SCALE says how far it goes; under a sanitizer, which is slow, time does.
 */
#include <errno.h>
#include <signal.h>
#include <time.h>

#include "base/mem.h"
#include "fake_events.h"
#include "unit.h"

#define DEPTH_MAX 18
#define STEPS_MAX 40 /* of a history by chance */
#define CHANCES (scale() >= 20 ? 10000000 : 100000)
#define DEPTH (scale() >= 20 ? DEPTH_MAX : 12)
#ifdef __SANITIZE_ADDRESS__
#define CHANCES_S (scale() >= 20 ? 900 : 8)
#define DEPTH_S (scale() >= 20 ? 120 : 5) /* for each world */
#else
#define CHANCES_S 1e9
#define DEPTH_S 1e9
#endif

#define PLAIN "{'Actors': {'a.A': {'OnLoad': {'Role': '@', 'GlobalName': '#'}}}}"
#define UNLOADS                                                                              \
	"{'AutoUnload': True, 'Actors': {'a.A': {'OnLoad': {'Role': '@', 'GlobalName': '#'," \
	" 'Message': 1}}}}"
#define TWO_ACTORS                                                                            \
	"{'Actors': {'a.A': {'OnLoad': {'Role': '@', 'GlobalName': '#'}}, 'a.B': {'OnLoad': " \
	"{'Message': 1}, 'OnReactivate': {'Message': 2}}}}"
#define READY_FIRST                                                                         \
	"{'AutoUnload': 1, 'Activate': 'ready-first', 'Health': {'Message': 2}, 'Actors': " \
	"{'a.A': {'OnLoad': {'Role': '@',"                                                  \
	" 'GlobalName': '#'}}}}"

/* The history at hand, for whoever finds that it goes wrong, an assertion or a sanitizer. */
static unsigned char history[STEPS_MAX];
static size_t nhistory;

static void print_history(void)
{
	char *text = fake_history(history, nhistory);

	(void)fprintf(stderr, "# history: %s\n", text);
	free(text);
}

static void on_abort(int sig)
{
	print_history();
	(void)signal(sig, SIG_DFL);
	(void)raise(sig);
}

void __asan_on_error(void);
void __asan_on_error(void)
{
	print_history();
}

/* Millions of small allocations: where each comes from is a matter for one history alone. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "malloc_context_size=1:quarantine_size_mb=8";
}

/* No jitter: a history leads to the same state each time. */
ssize_t getrandom(void *buf, size_t len, unsigned flags);
ssize_t getrandom(void *buf, size_t len, unsigned flags)
{
	(void)flags;
	memset(buf, 0, len);
	return (ssize_t)len;
}

static void must(const char *broken)
{
	if (!broken)
		return;
	print_history();
	fail_msg("%s", broken);
}

static unsigned scale(void)
{
	const char *text = getenv("TDS_SCALE");

	return text ? (unsigned)strtoul(text, NULL, 10) : 1;
}

static double seconds(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* --- all histories --- */

struct node {
	unsigned char events[DEPTH_MAX];
	unsigned char depth;
	unsigned char npossible;
	unsigned char possible[FAKE_EVENTS_MAX];
};

struct search {
	const struct fake_alphabet *alphabet;
	struct node *nodes; /* each state that was found, in the order of depth */
	size_t nnodes;
	size_t capacity;
	uint64_t *seen; /* a table of digests, open addressing; 0: free */
	size_t mask;
	size_t plays;
};

/* False: it is known. */
static bool is_new(struct search *s, uint64_t digest)
{
	size_t at = digest & s->mask;

	digest = digest ? digest : 1;
	while (s->seen[at] && s->seen[at] != digest)
		at = (at + 1) & s->mask;
	if (s->seen[at])
		return false;
	s->seen[at] = digest;
	return true;
}

/* The history at hand is played; what its last event leads to is a new state, or known. */
static void play(struct search *s)
{
	static struct fake f; /* large, for a stack that is watched */

	s->plays++;
	fake_begin(&f, s->alphabet);
	for (size_t i = 0; i < nhistory; i++)
		fake_happens(&f, history[i]);
	must(fake_broken(&f));
	assert_true(s->nnodes < s->capacity);
	if (is_new(s, fake_digest(&f))) {
		struct node *node = &s->nodes[s->nnodes++];

		memcpy(node->events, history, nhistory);
		node->depth = (unsigned char)nhistory;
		node->npossible = (unsigned char)fake_possible(&f, s->alphabet, node->possible);
		must(fake_broken_at_rest(&f));
	}
	fake_close(&f);
}

static void expand(struct search *s, const struct node *node)
{
	for (unsigned i = 0; i < node->npossible; i++) {
		memcpy(history, node->events, node->depth);
		history[node->depth] = node->possible[i];
		nhistory = node->depth + 1u;
		play(s);
	}
}

static void search(const struct fake_alphabet *alphabet, unsigned depth, double budget_s)
{
	size_t capacity = 1 << 20;
	struct search s = { .alphabet = alphabet,
			    .nodes = malloc(capacity * sizeof(struct node)),
			    .capacity = capacity,
			    .seen = calloc(4 * capacity, sizeof(uint64_t)),
			    .mask = 4 * capacity - 1 };
	double begin = seconds();
	size_t at = 0;

	assert_true(s.nodes && s.seen);
	nhistory = 0;
	play(&s);
	while (at < s.nnodes && s.nodes[at].depth < depth && seconds() - begin < budget_s)
		expand(&s, &s.nodes[at++]);
	(void)printf("# %s: %zu states, %zu histories, depth %d%s, %.1f s\n", alphabet->name,
		     s.nnodes, s.plays, at < s.nnodes ? s.nodes[at].depth : (int)depth,
		     at == s.nnodes ? ": all there are" : "", seconds() - begin);
	free(s.nodes);
	free(s.seen);
}

/*
 * Left out: a full disk, and more than two changes in a queue; and what differs between the two groups of a world, or the
 * second group altogether.
 */
static void all_histories(void **state)
{
	static const struct fake_alphabet alphabets[] = {
		{ "one group", PLAIN, { 2, 0 }, 2, 2, FAKE_BUT(FAKE_DISK), false },
		{ "one group, AutoUnload", UNLOADS, { 2, 0 }, 2, 2, FAKE_BUT(FAKE_DISK), false },
		{ "one group, ready-first",
		  READY_FIRST,
		  { 3, 0 },
		  1,
		  2,
		  FAKE_BUT(FAKE_DISK),
		  false },
		{ "two groups", PLAIN, { 1, 1 }, 1, 1, FAKE_BUT(FAKE_DISK), false },
		{ "one group, held", UNLOADS, { 2, 0 }, 1, 2, FAKE_BUT(FAKE_DISK), true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(alphabets); i++)
		search(&alphabets[i], DEPTH, DEPTH_S);
}

/* --- histories by chance --- */

/* How often a kind of event is chosen where it is possible. */
static const unsigned char weights[16] = { 4, 3, 2, 16, 2, 16, 2, 16, 2, 16, 2, 3, 2, 6, 1, 1 };

static uint64_t next_random(uint64_t *random)
{
	*random ^= *random << 13;
	*random ^= *random >> 7;
	*random ^= *random << 17;
	return *random;
}

static unsigned char choose(const unsigned char *possible, size_t n, uint64_t *random)
{
	unsigned sum = 0;
	size_t i = 0;

	for (size_t k = 0; k < n; k++)
		sum += weights[possible[k] >> 4];
	unsigned at = (unsigned)(next_random(random) % sum);
	while (at >= weights[possible[i] >> 4])
		at -= weights[possible[i++] >> 4];
	return possible[i];
}

static void play_by_chance(const struct fake_alphabet *alphabet, uint64_t *random)
{
	unsigned char possible[FAKE_EVENTS_MAX];
	size_t n = 1 + next_random(random) % STEPS_MAX;
	static struct fake f;

	fake_begin(&f, alphabet);
	for (nhistory = 0; nhistory < n;) {
		size_t npossible = fake_possible(&f, alphabet, possible);

		history[nhistory++] = choose(possible, npossible, random);
		fake_happens(&f, history[nhistory - 1]);
		must(fake_broken(&f));
	}
	must(fake_broken_at_rest(&f));
	fake_close(&f);
}

static void by_chance(void **state)
{
	static const struct fake_alphabet alphabets[] = {
		{ "plain", PLAIN, { 3, 3 }, 3, 2, FAKE_ALL, false },
		{ "AutoUnload", UNLOADS, { 3, 3 }, 3, 1, FAKE_ALL, false },
		{ "ready-first", READY_FIRST, { 3, 3 }, 3, 1, FAKE_ALL, false },
		{ "two actors", TWO_ACTORS, { 3, 3 }, 3, 2, FAKE_ALL, false },
		{ "held", PLAIN, { 3, 3 }, 3, 2, FAKE_ALL, true },
		{ "held, AutoUnload", UNLOADS, { 3, 3 }, 3, 1, FAKE_ALL, true },
	};
	const char *given = getenv("TDS_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
	uint64_t random = seed * 0x9e3779b97f4a7c15 + 1;
	double begin = seconds();
	unsigned n = 0;

	(void)state;
	(void)printf("# TDS_SEED=%ju\n", (uintmax_t)seed);
	for (; n < CHANCES && seconds() - begin < CHANCES_S; n++)
		play_by_chance(&alphabets[n % COUNT(alphabets)], &random);
	(void)printf("# %u histories by chance, %.1f s\n", n, seconds() - begin);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_histories),
		cmocka_unit_test(by_chance),
	};

	(void)signal(SIGABRT, on_abort);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
