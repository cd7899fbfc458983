/* SPDX-License-Identifier: MIT */
/* What a source takes of its limits, and whom the kernel killed, as the files of its cgroup say. */
#include "daemon/local/local.h"
#include "unit.h"

/* A source with a cgroup in the folder of the test, where a test writes what a kernel would. */
struct made {
	struct tds_cgroup cgroup;
	struct settings settings;
	struct engine_config config;
	struct local engine;
	struct realm realm;
};

static void make(struct folder *folder, struct made *m)
{
	*m = (struct made){ .cgroup = { .path = folder->path, .id = "tds-1", .has_memory = true } };
	m->config = (struct engine_config){ .settings = &m->settings, .cgroup = &m->cgroup };
	m->engine.config = &m->config;
	m->realm = (struct realm){
		.engine = &m->engine, .kind = REALM_PACKAGE, .number = 7, .has_cgroup = true
	};
	m->engine.realms = &m->realm;
	assert_int_equal(mkdirat(folder->fd, "tds-1-source-7", 0755), 0);
}

static void kernel_says(const struct folder *folder, const char *file, const char *text)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "tds-1-source-7/%s", file);
	put(folder, path, 0644, text);
}

/* Two kills explain two ends, and no third one. */
static void each_kill_is_told_once(void **state)
{
	struct folder *folder = *state;
	struct made m;

	make(folder, &m);
	assert_false(limits_killed(&m.realm));
	kernel_says(folder, "memory.events", "oom 0\noom_kill 0\n");
	assert_false(limits_killed(&m.realm));
	kernel_says(folder, "memory.events", "oom 3\noom_kill 2\n");
	assert_true(limits_killed(&m.realm));
	assert_true(limits_killed(&m.realm));
	assert_false(limits_killed(&m.realm));
	m.realm.has_cgroup = false;
	m.realm.oom_kills = 0;
	assert_false(limits_killed(&m.realm));
}

static void note(void *ctx, const struct engine_limits_view *view)
{
	*(struct tds_cgroup_use *)ctx = view->use;
}

static void what_it_takes(void **state)
{
	struct folder *folder = *state;
	struct made m;
	struct tds_cgroup_use use = { 0 };

	make(folder, &m);
	kernel_says(folder, "pids.current", "5\n");
	kernel_says(folder, "pids.max", "2048\n");
	kernel_says(folder, "memory.current", "8192\n");
	kernel_says(folder, "memory.max", "max\n");
	limits_show(&m.engine.engine, note, &use);
	assert_true(use.pids == 5 && use.most.pids == 2048 && use.memory == 8192);
	assert_true(use.most.memory == TDS_CGROUP_NONE);
	/* One that is warm is nobody's yet. */
	use.pids = 0;
	m.realm.kind = REALM_WARM;
	limits_show(&m.engine.engine, note, &use);
	assert_int_equal(use.pids, 0);
}

/* The machine's limits hold from the first process on; those of a sandbox, where they are lower, when it is known. */
static void the_lower_limit_holds(void **state)
{
	struct folder *folder = *state;
	struct made m;
	struct tds_sandbox sandbox = { 0 };
	struct tds_cgroup_use use = { 0 };
	struct tds_err err;

	make(folder, &m);
	m.settings.pids_max = 100;
	m.settings.memory_max = 4096;
	kernel_says(folder, "pids.max", "");
	kernel_says(folder, "memory.max", "");
	sandbox.limits[TDS_SANDBOX_PROCESSES] = 10;
	m.realm.sandbox = &sandbox;
	assert_true(limits_hold(&m.realm, &err));
	limits_show(&m.engine.engine, note, &use);
	assert_true(use.most.pids == 10 && use.most.memory == 4096);
	sandbox.limits[TDS_SANDBOX_PROCESSES] = 1000;
	assert_true(limits_hold(&m.realm, &err));
	limits_show(&m.engine.engine, note, &use);
	assert_int_equal(use.most.pids, 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_kill_is_told_once, folder_make, folder_remove),
		cmocka_unit_test_setup_teardown(what_it_takes, folder_make, folder_remove),
		cmocka_unit_test_setup_teardown(the_lower_limit_holds, folder_make, folder_remove),
	};

	return cmocka_run_group_tests_name("limits", tests, NULL, NULL);
}
