#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# tds-director: what recorded sessions cannot show, for they end.

load common
load admin

setup() {
	new_admin_dir birch
	export THESPIAN_DIRECTOR_DIR=$DIR
}

teardown() {
	end_admin
}

# started PID: it has started the system, and asked it how it is.
started() {
	while ! [ "$(tds-admin -j status 2>/dev/null | jq .Clients)" = 2 ]; do
		kill -0 "$1" || return
	done
}

@test "start wait stays until the system ends, and prints no more than start" {
	cd "$BATS_TEST_TMPDIR" || return
	tds-director start wait >out 2>err 3>&- &
	started $!
	tds-director shutdown
	wait $!
	[ ! -s out ]
	[ ! -s err ]
}

@test "a signal ends start wait alone" {
	tds-director start wait 3>&- &
	started $!
	kill -TERM $!
	wait $! || [ $? -eq 143 ]
	tds-admin status
}

@test "start wait does not stay where a load failed" {
	echo '{' >"$DIR/foo.tli"
	: >"$DIR/foo-1.tls"
	run --separate-stderr tds-director start wait
	[ "$status" -ne 0 ]
	tds-admin status
}

@test "--help, --version, and what may be meant" {
	[ "$(tds-director --help)" = "$(tds-director help)" ]
	expect 0 "tds-director $(tds-admin --version | cut -d' ' -f2)" '' tds-director --version
	expect 2 'Unrecognized command; use the "help" command to get usage information.' \
		'tds-director: did you mean "refresh"?' tds-director refesh
	expect 2 'Unrecognized command; use the "help" command to get usage information.' '' tds-director frobnicate
}
