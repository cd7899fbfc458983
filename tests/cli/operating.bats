#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The examples for who operates it: the lines of the crontab as cron runs them, the timer as systemd reads it, logrotate.

load common
load admin

setup() {
	new_admin_dir birch
	cd "$BATS_TEST_TMPDIR" || return 1
	install -m 0600 "$KEYS/birch.pem" key.pem
}

teardown() {
	end_admin
}

# version N…: packages of group foo, of which two are kept.
version() {
	local n
	mkdir -p src/foo
	: >src/foo/__init__.py
	echo "{'Actors': {'foo.a.A': {'OnLoad': {'Role': 'foo'}}}, 'TLS_Keep_Limit': 2}" >src/foo.tli
	for n; do
		printf 'from thespian.actors import Actor\n\n\nclass A(Actor):\n    version = %d\n' "$n" >src/foo/a.py
		tds-gensrc -q --no-check foo key.pem src "version:$n" 'foo/*.py'
	done
}

# example FILE: with the paths of this test.
example() {
	sed "s,/opt/thespian/director,$DIR,g; s,/usr/local/bin:/usr/bin,$TDS_BIN:/usr/bin," "$ROOT/examples/operating/$1"
}

# cron PATTERN: the line of the crontab that has it, run as cron does: by sh, with no more in the environment than the file says.
cron() {
	local line variables
	[ "$(example tds.cron | grep -c "^[^#].* root .*$1")" -eq 1 ]
	line=$(example tds.cron | sed -n "s/^[^#].* root \(.*$1.*\)/\1/p")
	mapfile -t variables < <(example tds.cron | grep '^[A-Z_]*=')
	(cd / && env -i SHELL=/bin/sh LOGNAME=root HOME=/root "${variables[@]}" /bin/sh -c "$line")
}

packages() {
	(cd "$DIR" && echo *.tls)
}

events() { # EVENT: how many of them there are
	grep -c "\"Event\":\"$1\"" "$DIR/.tds/events.jsonl" || :
}

# audited: the audit log is whole, over so many files.
audited() {
	run -0 tds-admin log --audit
	[ "$(cat "$DIR"/.tds/audit.log* | wc -l)" -ge "$1" ]
}

@test "the crontab has only lines that cron reads" {
	run ! grep -vE '^(#|$|[A-Z_]+=[^ ]+$|([0-9*/]+ ){5}root [^%]+$)' "$ROOT/examples/operating/tds.cron"
}

@test "cron: what is new is loaded, what is superfluous goes, and nothing is said" {
	version 1
	tds-load -q foo
	expect 0 '' '' cron tds-load
	version 2 3 4
	expect 0 '' '' cron tds-load
	[ "$(tds-admin list -j | jq -r '.Groups.foo | .Sources[.ActiveHash].File')" = foo-4.tls ]
	version 5 6
	mv "$DIR/foo-6.tls" foo-6.tls # the admin process has seen 4 last
	expect 0 '' '' cron tds-avail
	[[ $(packages) != *foo-3* && $(packages) == *foo-4*foo-5* ]]
}

@test "cron: what fails is named once; without an admin process nothing is started" {
	version 1
	refused 8 cron tds-load
	[ ! -e "$DIR/.tds/admin.sock" ]
	tds-load -q foo
	echo broken >"$DIR/foo-2.tls"
	run --separate-stderr cron tds-load
	[[ $stderr == 'tds-load: foo: foo-2.tls: '* && $(wc -l <<<"$stderr") -eq 1 ]]
	run --separate-stderr cron tds-load
	[ -z "$stderr" ]
}

@test "refreshes and clean-ups at the same time harm nothing" {
	local jobs=() job
	version 1
	tds-load -q foo
	version 2 3 4
	for job in tds-load tds-avail tds-load tds-avail tds-load tds-load; do
		cron $job >"said.${#jobs[@]}" 2>&1 &
		jobs+=($!)
	done
	for job in "${jobs[@]}"; do wait "$job"; done
	run ! grep -H . said.*
	[ "$(events Loaded)" -eq 2 ] # 1, and 4 once
	[ "$(events Refused):$(events Undone)" = 0:0 ]
	[[ $(packages) == *'foo-3.tls foo-4.tls' ]]
	[ "$(tds-admin list -j | jq -r '.Groups.foo | .Sources[.ActiveHash].File')" = foo-4.tls ]
}

@test "systemd reads the timer, and its service says what the tools know" {
	local unit
	command -v systemd-analyze >/dev/null || skip 'there is no systemd-analyze here'
	mkdir units
	for unit in tds-refresh@.service tds-refresh@.timer; do
		sed '/^Documentation=/d' "$ROOT/examples/operating/$unit" >"units/${unit/@/@x}"
	done
	sed -i "s,^\(ExecStart=-\?\)tds-,\1$TDS_BIN/tds-," units/*.service
	# What it says of other units is of this machine.
	run systemd-analyze verify --man=no "$PWD"/units/*
	run ! grep -F tds-refresh <<<"$output"
	sed -i 's/^OnCalendar=.*/OnCalendar=never/; s/^Type=.*/Typ=oneshot/' units/*
	run systemd-analyze verify --man=no "$PWD"/units/*
	[ "$(grep -c tds-refresh <<<"$output")" -ge 2 ]
}

@test "the service does what its lines say" {
	local line lines
	version 1
	tds-load -q foo
	version 2 3 4
	mapfile -t lines < <(sed -n 's/^ExecStart=-\?//p' "$ROOT/examples/operating/tds-refresh@.service")
	[ "${#lines[@]}" -eq 2 ]
	for line in "${lines[@]}"; do
		# shellcheck disable=SC2086 # as systemd splits it
		expect 0 '' '' ${line//%f/$DIR}
	done
	[[ $(packages) == *'foo-3.tls foo-4.tls' ]]
}

@test "logrotate: all logs are opened anew, and the chain of the audit log goes on over the cut" {
	local PATH=$PATH:/usr/sbin log sizes=()
	command -v logrotate >/dev/null || skip 'there is no logrotate here'
	rotate() {
		logrotate -f -s "$PWD/state" "$PWD/conf"
	}
	example tds.logrotate >conf
	[ "$(id -u)" -ne 0 ] || chown 0:0 conf
	chmod 644 conf
	version 1 2 3
	tds-load -q foo-1.tls
	expect 0 '' '' rotate
	[ -s "$DIR/.tds/audit.log.1" ]
	for log in audit.log events.jsonl actors.log; do
		[ ! -e "$DIR/.tds/$log.1" ] || sizes+=("$(stat -c '%n %s' "$DIR/.tds/$log.1")")
	done
	tds-load -q foo-2.tls
	[ "$(wc -l <"$DIR/.tds/audit.log")" -eq 1 ]
	audited 2
	# Nothing was written to what was moved away.
	for log in "${sizes[@]}"; do [ "$(stat -c '%n %s' "${log% *}")" = "$log" ]; done
	# One that is started where the newest file is not there yet goes on with the chain, too.
	rotate
	tds-admin -q shutdown
	rotate
	tds-load -q foo-3.tls
	audited 3
	# It is a chain: what is taken out of it is missed.
	sed -i 1d "$DIR/.tds/audit.log.2"
	: >"$DIR/.tds/audit.log.1"
	run ! tds-admin log --audit
}
