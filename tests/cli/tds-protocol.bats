#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# tds-protocol(7) from the other side: a host that was written from the page alone, and what the admin process makes
# of one that breaks the grammar.

load common
load admin

setup() {
	new_admin_dir birch
	cd "$BATS_TEST_TMPDIR" || return
	mkdir -p bin libexec/tds share/tds src
	cp "$TDS_BIN"/tds-{admin,load} bin # real files: they look beside themselves
	cp "$TDS_BIN"/../libexec/tds/tds-{daemon,verifier} libexec/tds
	cp "$BATS_TEST_DIRNAME/otherhost.py" share/tds/host
	PATH=$PWD/bin:$PATH
	touch src/m.py
	install -m 0600 "$KEYS/birch.pem" key.pem
}

teardown() {
	tds-admin shutdown --grace=1
}

# load_next MESSAGE: the next version of the group, whose actor gets MESSAGE when it is loaded.
load_next() {
	version=$((${version-0} + 1))
	cat >src/m.tli <<-EOF
		{'Actors': {'m.X': {'OnLoad': {'Role': 'x', 'Message': '$1'}}},
		 'Health': {'Message': 'healthy?'}, 'Activate': 'ready-first', 'May': ['deadletters']}
	EOF
	echo "# $version" >src/m.py
	tds-gensrc -q m key.pem src "version:$version" m.py
	tds-load m
}

# soon COMMAND...: tries it until it succeeds, for a while.
soon() {
	local i
	for ((i = 0; i < 2000; i++)); do
		! "$@" || return 0
	done
	return 1
}

has_line() {
	tds-admin log | grep -q -- "$1\$"
}

# logged TEXT: a line of the log ends in it.
logged() {
	soon has_line "$1"
}

# The actor is another one than that of an address.
is_new() {
	local now
	now=$(tds-admin role x 2>&1) && [ "$now" != "$1" ]
}

@test "a host in another language" {
	load_next go
	[ "$(tds-admin ask x 1.5)" = "'got l 1.5'" ]
	[ "$(tds-admin ask --json-message x '[null]')" = "'got j [null]'" ]
	[ "$(printf "'%070000d'" 0 | tds-admin ask x -)" = "'got l of 70002 bytes'" ]
	tds-admin ask x "'child'"
	logged 'm - 1\.[0-9]* - from 1\.[0-9]*: t {"~tuple":\[1\]}'
	tds-admin ask x "'named'"
	logged '{"op": "named", "ref": 5, "address": "1\.[0-9]*"}'
	[ "$(tds-admin ask '@the other' 1)" = "'got l 1'" ]
	tds-admin ask x "'elsewhere'"
	logged '{"op": "exited", "address": "1\.[0-9]*", "never": true, "refused": true}'
	logged '{"op": "named", "ref": 6, "address": "1\.[0-9]*"}'
	tds-admin ask x "'dead'"
	logged 'dead letter: "lost"'
	run tds-admin ask x "'hopeless'"
	logged '{"op": "exited", "address": "1\.[0-9]*", "never": true, "system": false}'
	logged '\(back from [0-9]*: 116\|dead letter:\) "hello"'
}

@test "a load that its host refuses is undone" {
	load_next go
	run load_next fail
	[ "$status" -eq 1 ]
	[[ $output == *'told to fail'* ]]
	[ "$(tds-admin ask x 1)" = "'got l 1'" ]
}

@test "one that breaks the grammar ends, and no other" {
	load_next go
	tds-admin ask x "'named'"
	for word in long unsealed empty; do
		before=$(tds-admin role x)
		[ "$(tds-admin ask x "'$word'")" = "'on my way'" ]
		soon is_new "$before"
	done
	[ "$(tds-admin ask '@the other' 1)" = "'got l 1'" ]
	[ "$(tds-admin list -j | jq '.Groups.m.Running[][].Restarts')" -eq 3 ]
}

@test "descriptors that nobody asked for stay nowhere" {
	load_next go
	pid=$(tds-admin status -j | jq .Pid)
	tds-admin ask x "'surplus'"
	[ "$(tds-admin ask x 1)" = "'got l 1'" ]
	[ "$(find "/proc/$pid/fd" -mindepth 1 | wc -l)" -lt 64 ]
}
