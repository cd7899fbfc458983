/* SPDX-License-Identifier: MIT */
/* sandbox.cfg, read by rules. */
#include "sandboxcfg.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define REFUSE(value, ...) \
	tds_err_at(err, TDS_E_SYNTAX, (value)->line, (value)->column, __VA_ARGS__)

/* Both where only one is given; and the one within the other. */
static int complete(struct tds_sandbox_rule *rule, const struct tds_value *value,
		    struct tds_err *err)
{
	struct tds_err why;

	if (!rule->unasked && !rule->most)
		return REFUSE(value, "a sandbox needs 'Most' or 'Unasked'");
	if (!rule->unasked)
		rule->unasked = tds_sandbox_ref(rule->most);
	if (!rule->most)
		rule->most = tds_sandbox_ref(rule->unasked);
	return tds_sandbox_within(rule->unasked, rule->most, &why) == 0
		       ? 0
		       : REFUSE(value, "Unasked has what Most does not: %s", why.reason);
}

static bool is_key(const struct tds_value *key, const char *name)
{
	return key->type == TDS_VALUE_STR && strcmp(key->text, name) == 0;
}

static int read_key(struct tds_sandbox_rule *rule, const struct tds_value *key,
		    const struct tds_value *value, bool whole, struct tds_err *err)
{
	if (is_key(key, "Unasked"))
		return tds_sandbox_read(value, &rule->unasked, err);
	if (is_key(key, "Most"))
		return tds_sandbox_read(value, &rule->most, err);
	if (whole && is_key(key, "Groups"))
		return 0; /* they have rules of their own */
	return REFUSE(key, "no such key (%sUnasked, Most)", whole ? "Groups, " : "");
}

/* What counts for all, or for a pattern of groups. */
static int read_rule(const struct tds_value *value, const char *pattern,
		     struct tds_sandbox_rule *rule, struct tds_err *err)
{
	int rc = 0;

	if (pattern && !(rule->pattern = strdup(pattern)))
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	if (value->type == TDS_VALUE_STR)
		rc = tds_sandbox_read(value, &rule->most, err);
	else if (value->type != TDS_VALUE_DICT)
		return REFUSE(value, "a profile or a dictionary is expected, not %s",
			      tds_value_type_name(value));
	for (size_t i = 0; rc == 0 && value->type == TDS_VALUE_DICT && i < value->n; i++)
		rc = read_key(rule, value->items[2 * i], value->items[2 * i + 1], !pattern, err);
	return rc == 0 ? complete(rule, value, err) : rc;
}

static int read_groups(const struct tds_value *groups, struct tds_sandbox_policy *policy,
		       struct tds_err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && groups && i < groups->n; i++) {
		const struct tds_value *key = groups->items[2 * i];

		if (key->type != TDS_VALUE_STR || strlen(key->text) != key->len || key->len == 0)
			return REFUSE(key, "a pattern of groups is a str");
		rc = read_rule(groups->items[2 * i + 1], key->text, &policy->rules[policy->n++],
			       err);
	}
	return rc;
}

/* Without the file. */
static int trust_all(struct tds_sandbox_policy *policy, struct tds_err *err)
{
	struct tds_sandbox *trusted = tds_sandbox_of(TDS_PROFILE_TRUSTED);

	if (!trusted)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	policy->rules[policy->n++] =
		(struct tds_sandbox_rule){ .unasked = trusted, .most = tds_sandbox_ref(trusted) };
	return 0;
}

static int read_all(const struct tds_value *value, const struct tds_value *groups,
		    struct tds_sandbox_policy *policy, struct tds_err *err)
{
	int rc = read_groups(groups, policy, err);

	return rc == 0 ? read_rule(value, NULL, &policy->rules[policy->n++], err) : rc;
}

int tds_sandbox_policy_read(const struct tds_value *value, struct tds_sandbox_policy *policy,
			    struct tds_err *err)
{
	const struct tds_value *groups = value ? tds_value_get(value, "Groups") : NULL;
	struct tds_sandbox_policy own = { .is_there = value != NULL };

	*policy = (struct tds_sandbox_policy){ 0 };
	if (groups && groups->type != TDS_VALUE_DICT)
		return REFUSE(groups, "Groups is a dictionary, not %s",
			      tds_value_type_name(groups));
	own.rules = calloc((groups ? groups->n : 0) + 1, sizeof(*own.rules));
	if (!own.rules)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	int rc = value ? read_all(value, groups, &own, err) : trust_all(&own, err);
	if (rc == 0)
		*policy = own;
	else
		tds_sandbox_policy_fini(&own);
	return rc;
}

void tds_sandbox_policy_fini(struct tds_sandbox_policy *policy)
{
	for (size_t i = 0; i < policy->n; i++) {
		free(policy->rules[i].pattern);
		tds_sandbox_unref(policy->rules[i].unasked);
		tds_sandbox_unref(policy->rules[i].most);
	}
	free(policy->rules);
	*policy = (struct tds_sandbox_policy){ 0 };
}

const struct tds_sandbox_rule *tds_sandbox_rule_of(const struct tds_sandbox_policy *policy,
						   const char *group)
{
	size_t i = 0;

	while (policy->rules[i].pattern && fnmatch(policy->rules[i].pattern, group, 0) != 0)
		i++;
	return &policy->rules[i];
}
