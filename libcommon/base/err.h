/* SPDX-License-Identifier: MIT */
/*
 * The one error convention of libcommon: functions return 0 or a negative enum tds_code, and say
 * why in the struct tds_err that the caller passes. Nothing here prints or exits.
 */
#ifndef TDS_ERR_H
#define TDS_ERR_H

#define TDS_MUST_CHECK __attribute__((warn_unused_result))
#define TDS_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/*
 * Each code with the exit status a tool ends with, and the words for it where there are no better
 * ones. The statuses are those of EXIT STATUS in every man page.
 */
#define TDS_CODES(X)                                                     \
	X(TDS_E_REFUSED, -1, 1, "refused")                               \
	X(TDS_E_SYNTAX, -2, 1, "syntax error")                           \
	X(TDS_E_USAGE, -3, 2, "wrong usage")                             \
	X(TDS_E_MISSING, -4, 4, "no such file, group or member")         \
	X(TDS_E_UNUSABLE, -5, 4, "cannot be used")                       \
	X(TDS_E_WRITE, -6, 5, "cannot be written")                       \
	X(TDS_E_NOMEM, -7, 5, "out of memory")                           \
	X(TDS_E_ARCHIVE, -8, 6, "the archive is damaged or unsafe")      \
	X(TDS_E_UNTRUSTED, -9, 7, "no key validates it")                 \
	X(TDS_E_NO_ADMIN, -10, 8, "the admin process cannot be reached") \
	X(TDS_E_TIMEOUT, -11, 9, "timed out")                            \
	X(TDS_E_PROTOCOL, -12, 8, "the admin process is of another tds")

enum tds_code {
	TDS_OK = 0,
#define TDS_CODE_ENUM(name, value, status, words) name = value,
	TDS_CODES(TDS_CODE_ENUM)
#undef TDS_CODE_ENUM
};

#define TDS_ERR_REASON_MAX 512 /* bytes, with the NUL; a longer reason is cut */

struct tds_err {
	enum tds_code code;
	unsigned line;   /* 1-based line in the text that is at fault; 0: no place */
	unsigned column; /* 1-based, in characters; 0: no place */
	char reason[TDS_ERR_REASON_MAX];
};

/*
 * Record a failure. All three return code, so that `return tds_err_set(...)` reads well; err may be
 * NULL.
 * set: replaces code, reason and place. sys: the same, with ": strerror(errno)" behind.
 * at: the same as set, with a place.
 */
int tds_err_set(struct tds_err *err, enum tds_code code, const char *fmt, ...) TDS_PRINTF(3, 4);
int tds_err_sys(struct tds_err *err, enum tds_code code, const char *fmt, ...) TDS_PRINTF(3, 4);
int tds_err_at(struct tds_err *err, enum tds_code code, unsigned line, unsigned column,
	       const char *fmt, ...) TDS_PRINTF(5, 6);

/* Put "PREFIX: " before the reason of a failure that is rising. Returns err's code. */
int tds_err_prefix(struct tds_err *err, const char *fmt, ...) TDS_PRINTF(2, 3);

/*
 * Name the file that a rising failure is about, where it is not the one that the caller reads: put "NAME: " or
 * "NAME:LINE:COLUMN: " before the reason, and leave no place in err. Returns err's code.
 */
int tds_err_name(struct tds_err *err, const char *name);

/* The exit status for a code (0 for TDS_OK), and its words. */
int tds_code_status(enum tds_code code);
const char *tds_code_words(enum tds_code code);

#endif
