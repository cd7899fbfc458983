/* SPDX-License-Identifier: MIT */
/* RFC 3339, and times ago. */
#define _TIME_BITS \
	64 /* here alone: the libraries of systems of 32 bits have a smaller time_t in what they are called with */

#include "when.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "text.h"

#define AGO_MAX 100000000 /* of any unit */

int64_t tds_when_now(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void tds_when_text(int64_t wall_ms, char text[TDS_WHEN_MAX])
{
	int64_t ms = (wall_ms % 1000 + 1000) % 1000;
	time_t seconds = (time_t)((wall_ms - ms) / 1000);
	struct tm tm;

	if (!gmtime_r(&seconds, &tm) || tm.tm_year > 9999 - 1900 || tm.tm_year < -1900) {
		(void)strcpy(text, "-");
		return;
	}
	size_t n = strftime(text, TDS_WHEN_MAX, "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(text + n, TDS_WHEN_MAX - n, ".%03dZ", (int)ms);
}

/* So many digits, no more and no fewer, then end (0: whatever comes). False: they are not there. */
static bool take_digits(const char **p, int digits, char end, int *value)
{
	*value = 0;
	for (int i = 0; i < digits; i++, (*p)++) {
		if (**p < '0' || **p > '9')
			return false;
		*value = *value * 10 + (**p - '0');
	}
	return !end || *(*p)++ == end;
}

/* Digits behind a point, of which three count. */
static bool take_fraction(const char **p, int *ms)
{
	int scale = 100;

	*ms = 0;
	if (**p != '.')
		return true;
	const char *first = ++*p;
	for (; **p >= '0' && **p <= '9'; (*p)++, scale /= 10)
		*ms += (**p - '0') * scale;
	return *p > first;
}

/* Z, or +HH:MM: how far it is ahead of UTC. */
static bool take_offset(const char **p, int *offset_s)
{
	int sign = **p == '-' ? -1 : 1;
	int hours;
	int minutes;

	*offset_s = 0;
	if (**p == 'Z' || **p == 'z') {
		(*p)++;
		return true;
	}
	if (**p != '+' && **p != '-')
		return false;
	(*p)++;
	if (!take_digits(p, 2, ':', &hours) || !take_digits(p, 2, 0, &minutes) || hours > 23 ||
	    minutes > 59)
		return false;
	*offset_s = sign * (hours * 60 + minutes) * 60;
	return true;
}

static bool take_date(const char **p, struct tm *tm)
{
	if (!take_digits(p, 4, '-', &tm->tm_year) || !take_digits(p, 2, '-', &tm->tm_mon) ||
	    !take_digits(p, 2, 0, &tm->tm_mday))
		return false;
	struct tm there = { .tm_year = tm->tm_year -= 1900,
			    .tm_mon = tm->tm_mon -= 1,
			    .tm_mday = tm->tm_mday };
	/* A day that its month has not would be one of the next. */
	(void)timegm(&there);
	return there.tm_mon == tm->tm_mon && there.tm_mday == tm->tm_mday;
}

static bool parse_date(const char *p, int64_t *wall_ms)
{
	struct tm tm = { 0 };
	int ms = 0;
	int offset_s = 0;

	if (!take_date(&p, &tm))
		return false;
	if (*p == 'T' || *p == 't' || *p == ' ') {
		p++;
		if (!take_digits(&p, 2, ':', &tm.tm_hour) || !take_digits(&p, 2, ':', &tm.tm_min) ||
		    !take_digits(&p, 2, 0, &tm.tm_sec) || !take_fraction(&p, &ms) ||
		    !take_offset(&p, &offset_s) || tm.tm_hour > 23 || tm.tm_min > 59 ||
		    tm.tm_sec > 60)
			return false;
	}
	if (*p != '\0')
		return false;
	*wall_ms = ((int64_t)timegm(&tm) - offset_s) * 1000 + ms;
	return true;
}

/* The milliseconds of a unit; 0: there is none of that name. */
static int64_t unit_ms(char unit)
{
	static const struct {
		char name;
		int64_t ms;
	} units[] = { { 's', 1000 }, { 'm', 60000 }, { 'h', 3600000 }, { 'd', 86400000 } };

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (units[i].name == unit)
			return units[i].ms;
	return 0;
}

bool tds_when_parse(const char *text, int64_t now_wall_ms, int64_t *wall_ms)
{
	size_t len = strlen(text);
	int64_t unit = len > 1 ? unit_ms(text[len - 1]) : 0;
	uint64_t n;

	if (unit == 0)
		return parse_date(text, wall_ms);
	if (!tds_parse_uint(text, len - 1, AGO_MAX, &n))
		return false;
	*wall_ms = now_wall_ms - (int64_t)n * unit;
	return true;
}
