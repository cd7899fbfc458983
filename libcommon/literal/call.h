/* SPDX-License-Identifier: MIT */
/* What an expression may call: functions, and methods of values. None has a side effect. */
#ifndef TDS_CALL_H
#define TDS_CALL_H

#include "eval.h"
#include "format.h"

#define TDS_CALL_MAX_SLOTS 3 /* arguments of one that is not variadic */
#define TDS_CALL_ANY 0xffu   /* as most: variadic */

/* A call that is made: the arguments in their places, NULL where they are left out; or, where variadic, as they are. */
struct tds_call {
	struct tds_eval *e;
	const char *name;
	struct tds_value *self; /* whose method it is; NULL: a function. It may be changed. */
	struct tds_arguments arguments;
};

struct tds_function {
	const char *name;
	int (*call)(const struct tds_call *call, struct tds_value **result);
	unsigned char least;
	unsigned char most;
	bool named; /* variadic: arguments may have names */
	const char *names
		[TDS_CALL_MAX_SLOTS]; /* by which arguments may be given; NULL: by its place only */
};

/* A value of the machine or its fields: "sys.platform". */
struct tds_constant {
	const char *name;
	int (*make)(struct tds_eval *e, struct tds_value **value);
	const char *const *fields; /* names of a tuple's items, the last NULL; NULL: it has none */
};

/* The tables of each file, which end with a row without a name. */
extern const struct tds_function tds_call_types[]; /* int, list, len, ... */
extern const struct tds_function tds_call_os[];    /* os.getenv, ... */
extern const struct tds_function tds_call_texts[]; /* methods of str */
extern const struct tds_function tds_call_dicts[]; /* methods of dict */
extern const struct tds_constant tds_call_constants[];

/* The fields of what a function gives ("os.uname"); NULL: it has none. */
const char *const *tds_call_fields(const struct tds_function *function);

/* Does the function ask the file system, or who has which home? */
bool tds_call_asks_files(const struct tds_function *function);

/* os.environ[NAME], and NAME in os.environ. Owner and errors as for calls. */
#define TDS_CALL_ENVIRON "os.environ"
int tds_call_environ_get(struct tds_eval *e, const struct tds_value *name,
			 struct tds_value **value) TDS_MUST_CHECK;
int tds_call_environ_has(struct tds_eval *e, const struct tds_value *name,
			 bool *has) TDS_MUST_CHECK;

/* call_cut.c: split and rsplit of a text, at blanks where separator is NULL; most < 0: without a limit. */
int tds_call_cut(struct tds_eval *e, const struct tds_value *text,
		 const struct tds_value *separator, long long most, bool from_right,
		 struct tds_value **list) TDS_MUST_CHECK;

/* call_number.c: what int and float read from a text. */
int tds_call_read_int(struct tds_eval *e, const struct tds_value *text, unsigned base,
		      struct tds_value **result) TDS_MUST_CHECK;
int tds_call_read_float(struct tds_eval *e, const struct tds_value *text,
			struct tds_value **result) TDS_MUST_CHECK;

/* call_bind.c: bind a function's arguments and call it; self as in struct tds_call. */
int tds_call_make(struct tds_eval *e, const struct tds_function *function, struct tds_value *self,
		  const struct tds_arguments *arguments, struct tds_value **result) TDS_MUST_CHECK;

#endif
