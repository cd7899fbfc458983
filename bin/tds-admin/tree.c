/* SPDX-License-Identifier: MIT */
/* tds-admin tree: which actor was created by which, below the source or the user that each is of. */
#include <stdlib.h>
#include <string.h>

#include "actors.h"
#include "admin.h"
#include "base/jsontext.h"
#include "base/text.h"

const char admin_tree_help[] = "usage: tds-admin [options] tree\n"
			       "Print all actors, each below the one that created it: name, role, "
			       "address, process.\n";

struct tree {
	json_t *actors;   /* by address */
	json_t *children; /* address -> array of actors, the oldest first */
	json_t *roots;    /* those whose parent is not there, or no actor */
	json_t *lines;    /* all of them, as they are printed, each with its Depth */
};

static void sort_in(struct tree *tree, json_t *actor)
{
	const char *parent = actors_address(actor, "Parent");
	json_t *beside = tree->roots;

	if (json_object_get(tree->actors, parent)) {
		beside = json_object_get(tree->children, parent);
		if (!beside) {
			beside = json_array();
			(void)json_object_set_new(tree->children, parent, beside);
		}
	}
	/* The admin process has the newest first. */
	(void)json_array_insert(beside, 0, actor);
}

/* What an actor creates has it for its parent, which was there before: so nothing comes twice. */
static void add_lines(struct tree *tree, const json_t *beside, json_int_t depth)
{
	json_t *actor;
	size_t i;

	json_array_foreach(beside, i, actor)
	{
		json_t *children =
			json_object_get(tree->children, actors_address(actor, "ActorAddress"));

		(void)json_object_set_new(actor, "Depth", json_integer(depth));
		(void)json_array_append(tree->lines, actor);
		add_lines(tree, children, depth + 1);
	}
}

/* By group, then source, then user; those that are equal stay in their order. */
static int by_owner(const void *a, const void *b)
{
	const json_t *one = *(json_t *const *)a;
	const json_t *two = *(json_t *const *)b;
	int order =
		(json_object_get(one, "Group") == NULL) - (json_object_get(two, "Group") == NULL);

	if (order == 0)
		order = strcmp(tds_json_string(one, "Group"), tds_json_string(two, "Group"));
	if (order == 0)
		order = strcmp(tds_json_string(one, "SourceHash"),
			       tds_json_string(two, "SourceHash"));
	if (order == 0)
		order = (int)(json_integer_value(json_object_get(one, "Uid")) -
			      json_integer_value(json_object_get(two, "Uid")));
	return order;
}

/* An insertion sort, which is stable: sources are few, and their actors stand beside each other already. */
static void sort_roots(json_t *roots)
{
	for (size_t i = 1; i < json_array_size(roots); i++) {
		json_t *actor = json_incref(json_array_get(roots, i));
		size_t at = i;

		while (at > 0) {
			const json_t *before = json_array_get(roots, at - 1);

			if (by_owner(&before, &actor) <= 0)
				break;
			at--;
		}
		(void)json_array_remove(roots, i);
		(void)json_array_insert_new(roots, at, actor);
	}
}

static void grow(struct tree *tree, const json_t *answer)
{
	const json_t *actors = json_object_get(answer, "Actors");
	json_t *actor;
	size_t i;

	json_array_foreach(actors, i, actor)(void)
		json_object_set(tree->actors, actors_address(actor, "ActorAddress"), actor);
	json_array_foreach(actors, i, actor) sort_in(tree, actor);
	sort_roots(tree->roots);
	add_lines(tree, tree->roots, 0);
}

static bool is_same_owner(const json_t *one, const json_t *two)
{
	return one && by_owner(&one, &two) == 0;
}

static void print_text(FILE *out, const char *before, const char *text, const char *behind)
{
	if (!*text)
		return;
	(void)fputs(before, out);
	tds_text_print(out, text);
	(void)fputs(behind, out);
}

/* "Group foo, foo-1.tls", or "Programs of USER". */
static void print_owner(FILE *out, const json_t *answer, const json_t *actor)
{
	const char *name = tds_json_string(actor, "Group");
	const json_t *group = json_object_get(json_object_get(answer, "Groups"), name);
	const json_t *source = json_object_get(json_object_get(group, "Sources"),
					       tds_json_string(actor, "SourceHash"));

	print_text(out, "Group ", name, "");
	print_text(out, ", ", tds_json_string(source, "File"), "");
	if (!*name) {
		(void)fputs("Programs of ", out);
		admin_print_user(out, json_integer_value(json_object_get(actor, "Uid")));
	}
	(void)fputc('\n', out);
}

static void print_actor(FILE *out, const json_t *actor)
{
	json_int_t pid = json_integer_value(json_object_get(actor, "Pid"));

	(void)fprintf(out, "%*s",
		      (int)(2 + 2 * json_integer_value(json_object_get(actor, "Depth"))), "");
	print_text(out, "", tds_json_string(actor, "ActorClass"), "");
	print_text(out, " (", tds_json_string(actor, "Role"), ")");
	print_text(out, " @", tds_json_string(actor, "GlobalName"), "");
	(void)fprintf(out, "  ActorAddr-%s", actors_address(actor, "ActorAddress"));
	if (pid > 0)
		(void)fprintf(out, "  pid %lld", (long long)pid);
	if (!json_is_true(json_object_get(actor, "Up")))
		(void)fputs("  not up", out);
}

static void print_tree(FILE *out, const struct tree *tree, const json_t *answer)
{
	const json_t *root = NULL;
	const json_t *actor;
	size_t i;

	json_array_foreach(tree->lines, i, actor)
	{
		bool is_root = json_integer_value(json_object_get(actor, "Depth")) == 0;

		if (is_root && !is_same_owner(root, actor))
			print_owner(out, answer, actor);
		root = is_root ? actor : root;
		print_actor(out, actor);
		/* One that an actor of another source has created is still of its own. */
		if (!is_same_owner(root, actor))
			print_text(out, ", of group ", tds_json_string(actor, "Group"), "");
		(void)fputc('\n', out);
	}
}

void admin_tree(struct admin *admin, int argc, char **argv)
{
	struct tree tree = { json_object(), json_object(), json_array(), json_array() };
	struct tds_err err = { 0 };
	json_t *answer = NULL;

	(void)argv;
	if (argc > 0) {
		tds_cli_usage(&admin->cli, "tree: wrong number of operands");
	} else if (admin_request(admin, actors_request(), &answer, &err) != 0) {
		tds_cli_error(&admin->cli, NULL, &err);
	} else {
		grow(&tree, answer);
		if (admin->cli.json)
			tds_cli_print_document(&admin->cli,
					       json_pack("{s:O}", "Actors", tree.lines));
		else
			print_tree(admin->cli.out, &tree, answer);
	}
	json_decref(tree.actors);
	json_decref(tree.children);
	json_decref(tree.roots);
	json_decref(tree.lines);
	json_decref(answer);
}
