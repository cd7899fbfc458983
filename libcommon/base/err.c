/* SPDX-License-Identifier: MIT */
/* Codes, reasons and the exit statuses that belong to them. */
#include "err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

TDS_PRINTF(3, 0)
static void set_reason(struct tds_err *err, enum tds_code code, const char *fmt, va_list ap)
{
	char reason[TDS_ERR_REASON_MAX]; /* the reason before may be among the arguments */

	(void)vsnprintf(reason, sizeof(reason), fmt, ap);
	err->code = code;
	err->line = err->column = 0;
	memcpy(err->reason, reason, sizeof(reason));
}

int tds_err_set(struct tds_err *err, enum tds_code code, const char *fmt, ...)
{
	va_list ap;

	if (err) {
		va_start(ap, fmt);
		set_reason(err, code, fmt, ap);
		va_end(ap);
	}
	return code;
}

int tds_err_sys(struct tds_err *err, enum tds_code code, const char *fmt, ...)
{
	int errnum = errno;
	va_list ap;

	if (err) {
		va_start(ap, fmt);
		set_reason(err, code, fmt, ap);
		va_end(ap);
		size_t n = strlen(err->reason);
		(void)snprintf(err->reason + n, sizeof(err->reason) - n, "%s%s", n ? ": " : "",
			       strerror(errnum));
	}
	return code;
}

int tds_err_at(struct tds_err *err, enum tds_code code, unsigned line, unsigned column,
	       const char *fmt, ...)
{
	va_list ap;

	if (err) {
		va_start(ap, fmt);
		set_reason(err, code, fmt, ap);
		va_end(ap);
		err->line = line;
		err->column = column;
	}
	return code;
}

int tds_err_prefix(struct tds_err *err, const char *fmt, ...)
{
	char reason[TDS_ERR_REASON_MAX];
	va_list ap;

	if (!err)
		return TDS_E_REFUSED;
	memcpy(reason, err->reason, sizeof(reason));
	va_start(ap, fmt);
	(void)vsnprintf(err->reason, sizeof(err->reason), fmt, ap);
	va_end(ap);
	size_t n = strlen(err->reason);
	(void)snprintf(err->reason + n, sizeof(err->reason) - n, ": %s", reason);
	return err->code;
}

int tds_err_name(struct tds_err *err, const char *name)
{
	unsigned line = err->line;

	err->line = 0;
	if (line)
		(void)tds_err_prefix(err, "%s:%u:%u", name, line, err->column);
	else
		(void)tds_err_prefix(err, "%s", name);
	err->column = 0;
	return err->code;
}

int tds_code_status(enum tds_code code)
{
	switch (code) {
	case TDS_OK:
		return 0;
#define TDS_CODE_STATUS(name, value, status, words) \
	case name:                                  \
		return status;
		TDS_CODES(TDS_CODE_STATUS)
#undef TDS_CODE_STATUS
	}
	return 1;
}

const char *tds_code_words(enum tds_code code)
{
	switch (code) {
	case TDS_OK:
		return "done";
#define TDS_CODE_WORDS(name, value, status, words) \
	case name:                                 \
		return words;
		TDS_CODES(TDS_CODE_WORDS)
#undef TDS_CODE_WORDS
	}
	return "unknown failure";
}
