#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The admin's socket as a shell user has it: socat and jq. Each op and field is in tests/cases/t_protocol.py.

load common
load admin

setup() {
	new_admin_dir birch
	cd "$BATS_TEST_TMPDIR" || return 1
	install -m 0600 "$KEYS/birch.pem" key.pem
	mkdir -p src/foo
	: >src/foo/__init__.py
	echo "{'Actors': {'foo.a.A': {'OnLoad': {'Role': 'foo'}}}}" >src/foo.tli
	cat >src/foo/a.py <<-END
		from thespian.actors import Actor


		class A(Actor):
		    def receiveMessage(self, msg, sender):
		        self.send(sender, msg)
	END
	tds-gensrc -q --no-check foo key.pem src version:1 'foo/*.py'
	tds-admin start
}

teardown() {
	end_admin
}

# say: requests from standard input, answers to standard output.
say() {
	socat -t 30 - "UNIX:$DIR/.tds/admin.sock"
}

@test 'everything can be driven with socat and jq' {
	jq -nc '{DirectorOp: "LoadSource", Source: "foo"}' | say >answer
	jq -e '.Success and .DirectorResponse == "SourceLoaded"' answer
	hash=$(jq -r .SourceHash answer)
	jq -nc '{DirectorOp: "Ask", Target: "foo", Message: {a: [1, null]}}' | say | jq -e '.Message == {a: [1, null]}'
	jq -nc '{DirectorOp: "RetrieveRole", Role: "foo"}' | say | jq -e '.ActorAddress.ActorAddress'
	jq -nc --arg h "$hash" '{DirectorOp: "RetrieveAll"}, {DirectorOp: "UnloadSource", SourceHash: $h}, {DirectorOp: "Status"}' |
		say | jq -es 'map(.DirectorResponse) == ["AllAddresses", "SourceUnloaded", "Status"]'
	[ "$(jq -c .Sources "$DIR/.tds/loaded.json")" = '[]' ]
}

@test 'garbage is answered, and the next line taken' {
	run say <<<$'x\n{"DirectorOp":"Status"}'
	[ "$(jq -c .Success <<<"$output" | tr '\n' ' ')" = 'false true ' ]
}

@test 'shutdown over the socket' {
	echo '{"DirectorOp":"Shutdown","Grace":1}' | say | jq -e .Success
	run tds-admin status
	[ "$status" -eq 8 ]
}

@test 'tds-protocol(7) lists the requests of the table, with the names of their answers' {
	sed -nE 's/^\t(REQUEST|IN_ANY_PROTOCOL)\("([A-Za-z]+)", "([A-Za-z]+)", .*answer_.*/\2 \3/p' "$ROOT/libexec/daemon/door/requests.c" | sort >table
	[ -s table ]
	sed -nE 's/^\.It Li ([A-Za-z]+) , No answered by Li ([A-Za-z]+)$/\1 \2/p' "$ROOT/man/tds-protocol.7" | sort >page
	diff table page
}
