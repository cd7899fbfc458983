#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# tds-load: each option, each exit status, what it prints. The rules behind it are held in tests/cases/t_director.py.

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

# group NAME VERSION…: declare a group of one actor, which answers with its version, and pack versions of it.
group() {
	local name=$1 version
	shift
	mkdir -p "src/$name"
	: >"src/$name/__init__.py"
	echo "{'Actors': {'$name.a.A': {'OnLoad': {'Role': '$name'}}}}" >"src/$name.tli"
	for version; do
		cat >"src/$name/a.py" <<-END
			from thespian.actors import Actor


			class A(Actor):
			    def receiveMessage(self, msg, sender):
			        self.send(sender, '$version')
		END
		tds-gensrc -q --no-check "$name" key.pem src "version:$version" "$name/*.py"
	done
}

# sum FILE: its MD5, which is its name as a source.
sum() {
	md5sum "$1" | cut -d' ' -f1
}

loaded() {
	echo "Loaded \"$1\" $DIR/$2: $(sum "$DIR/$2")"
}

@test '0: a group, a file, a TLI file; the admin is started where needed' {
	group foo 1 2
	expect 0 "$(loaded foo foo-2.tls)" '' tds-load foo
	expect 0 "'2'" '' tds-admin ask foo 0
	expect 0 "$(loaded foo foo-1.tls)" '' tds-load foo-1.tls
	expect 0 "'1'" '' tds-admin ask foo 0
	expect 0 "$(loaded foo foo-2.tls)" '' tds-load foo.tli
	expect 0 '' '' tds-load -q foo
}

@test 'several names: each is tried, the worst status counts' {
	group foo 1
	group bar 1
	run --separate-stderr tds-load nowhere foo bar
	[ "$status" -eq 4 ]
	[ "$output" = "$(loaded foo foo-1.tls; loaded bar bar-1.tls)" ]
	[[ $(wc -l <<<"$stderr")$stderr == '1tds-load: nowhere: '* ]]
}

@test 'names from a pipe, one a line or ended by NUL' {
	group foo 1
	group bar 1
	expect 0 "$(loaded foo foo-1.tls; loaded bar bar-1.tls)" '' tds-load -T - <<<$'foo\nbar'
	expect 0 "$(loaded bar bar-1.tls)" '' tds-load -0 -T - < <(printf 'bar\0')
	expect 0 '' '' tds-load -T - </dev/null
	tds-avail -p --latest | tds-load -q -T -
	expect 4 '' 'tds-load: names.txt: cannot be opened: No such file or directory' tds-load -T names.txt
}

@test '1: a load that is undone' {
	group foo 1
	echo "{'Actors': {'foo.a.B': {}}}" >"$DIR/foo.tli"
	run --separate-stderr tds-load foo
	[ "$status" -eq 1 ]
	[ -z "$output" ]
	[[ $stderr == *'tds-load: foo: foo-1.tls: '*foo.a* ]]
	run --separate-stderr tds-load -j foo
	[ "$status" -eq 1 ]
	jq -e '.Success == false and .Status == 1 and .Group == "foo"' <<<"$output"
	jq -e --arg p "$DIR/foo-1.tls" '.Path == $p and .SourceHash == null' <<<"$output"
}

@test '2: usage' {
	for args in '' '--all foo' '--all --unload' '--wait=0 foo' '--wait=x foo' '--wait= foo' '--wait=-1 foo' '--bad' '--unload' '--hold' \
		'--hold foo 1 2' '--hold -T /dev/null foo' '--release' '--rollback' '--hold --release foo' '--rollback --unload foo' \
		'-a --hold' '-a --rollback' '-n --hold foo' '-n --release foo' '-n --rollback foo'; do
		# shellcheck disable=SC2086
		run --separate-stderr tds-load $args
		[ "$status" -eq 2 ]
		[ -z "$output" ]
		[[ $stderr == *tds-load* ]]
	done
	[ ! -e "$DIR/.tds/admin.sock" ]
}

@test 'a group is held, rolled back and released' {
	group foo 1 2 3
	tds-load -q foo-1.tls
	held() { echo "$1 \"foo\" $DIR/$2: $(sum "$DIR/$2")"; }
	why='group foo is held at version 2 (tds-load --release foo)'
	expect 0 "$(held Held foo-2.tls)" '' tds-load --hold foo 2
	expect 0 "$(held Held foo-2.tls)" '' tds-load --hold foo
	expect 0 '' '' tds-load -q --hold foo
	expect 0 "$(loaded foo foo-2.tls)" '' tds-load -a
	expect 1 '' "tds-load: foo: foo-3.tls: $why" tds-load foo
	expect 0 "Would keep \"foo\" $DIR/foo-2.tls: $(sum "$DIR/foo-2.tls") (it is held)" '' tds-load -na
	expect 1 '' "tds-load: foo: foo-3.tls: $why" tds-load -n foo
	expect 1 '' "tds-load: foo-1.tls: $why" tds-load -n foo-1.tls
	expect 0 "$(held 'Rolled back' foo-1.tls)" '' tds-load --rollback foo
	expect 4 '' 'tds-load: foo: no version before foo-1.tls was active' tds-load --rollback foo
	rm "$DIR"/foo-?.tls
	tds-admin shutdown
	run tds-load -jna
	[ "$(jq -r '.Plan, .Group, .Reason' <<<"$output" | tr '\n' ' ')" = 'load foo it is held ' ]
	tds-load -qa
	expect 0 "'1'" '' tds-admin ask foo 0
	run tds-load -n foo
	[ "$status" -eq 0 ]
	[[ $output == 'Would keep "foo" '*' (it is held)' ]]
	expect 0 'Released "foo"' '' tds-load --release foo
	expect 0 '' '' tds-load -q --release foo
	echo '{' >"$DIR/.tds/desired.json"
	refused 5 tds-load -na
}

@test '4: what is not there' {
	group foo 1
	for name in bar bar-1.tls foo-9.tls /nowhere/foo-1.tls; do
		refused 4 tds-load "$name"
	done
	run tds-load --unload 00112233445566778899aabbccddeeff
	[ "$status" -eq 4 ]
	run tds-load -C /nowhere foo
	[ "$status" -eq 4 ]
}

@test '5: a store that cannot be written' {
	group foo 1
	tds-admin start
	rm -rf "$DIR/.tds/store"
	: >"$DIR/.tds/store"
	run --separate-stderr tds-load foo
	[ "$status" -eq 5 ]
	[ -z "$output" ]
	[[ $stderr == 'tds-load: foo: '*store* ]]
	rm "$DIR/.tds/store"
	expect 0 "$(loaded foo foo-1.tls)" '' tds-load foo
}

@test '6 and 7: what is misnamed, and what no key validates' {
	group foo 1
	cp "$DIR/foo-1.tls" "$DIR/foo-2.tls"
	local why='is signed as group foo version "1", which is not what its name says'
	expect 6 '' "tds-load: foo: foo-2.tls: $why" tds-load foo
	expect 6 '' "tds-load: $DIR/foo-2.tls: $why" tds-load "$DIR/foo-2.tls"
	expect 6 '' "tds-load: foo: foo-2.tls: $why" tds-load -n foo
	echo >>"$DIR/foo-2.tls"
	why='no key validates it (1 tried)'
	expect 7 '' "tds-load: foo: foo-2.tls: $why" tds-load foo
	expect 7 '' "tds-load: foo-2.tls: $why" tds-load foo-2.tls
	expect 7 '' "tds-load: foo: foo-2.tls: $why" tds-load -n foo
	expect 0 "$(loaded foo foo-1.tls)" '' tds-load foo-1.tls
	rm "$DIR/birch_tls.key"
	run --separate-stderr tds-load foo-1.tls
	[ "$status" -eq 7 ]
	[ -z "$output" ]
}

@test '8: no admin, and none is to be started' {
	group foo 1
	expect 8 '' 'tds-load: the admin process is not running' tds-load --no-start foo
	expect 8 '' 'tds-load: the admin process is not running' tds-load --no-start --unload x
	[ ! -e "$DIR/.tds/admin.sock" ]
}

@test '9: --wait bounds a load' {
	group foo 1
	sed -i "1i import time\ntime.sleep(99)" src/foo/a.py
	tds-gensrc -q --no-check foo key.pem src version:1 'foo/*.py'
	run --separate-stderr tds-load --wait=1 foo
	[ "$status" -eq 9 ]
	[ -z "$output" ]
	[[ $stderr == 'tds-load: foo: foo-1.tls: '*time* ]]
}

@test '-j: one document for each name' {
	group foo 1
	run --separate-stderr tds-load -j foo
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	jq -e --arg h "$(sum "$DIR/foo-1.tls")" '.Success and .Changed and .Group == "foo" and .SourceHash == $h' <<<"$output"
	jq -e --arg p "$DIR/foo-1.tls" '.Path == $p' <<<"$output"
	run --separate-stderr tds-load -j foo
	jq -e '.Success and .Changed == false' <<<"$output"
	run --separate-stderr tds-load -j --unload "$(sum "$DIR/foo-1.tls")"
	[ "$status" -eq 0 ]
	jq -e '.Success and .DirectorResponse == "SourceUnloaded"' <<<"$output"
}

@test '--all: every group that has packages; a second time quietly nothing' {
	group foo 1
	group bar 1
	echo "{'Actors': {}}" >"$DIR/none.tli"
	run --separate-stderr tds-load -a
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	[ "$(sort <<<"$output")" = "$(loaded bar bar-1.tls; loaded foo foo-1.tls)" ]
	expect 0 '' '' tds-load -a -q
	rm "$DIR"/*.tls
	expect 0 '' '' tds-load -a -q
}

@test '--unload: says nothing, and leaves nothing' {
	group foo 1 2
	tds-load -q foo-1.tls foo-2.tls
	expect 0 '' '' tds-load --unload "$(sum "$DIR/foo-2.tls")"
	expect 0 "'1'" '' tds-admin ask foo 0
	expect 0 '' '' tds-load --unload "$(sum "$DIR/foo-1.tls")"
	[ "$(jq '.Sources | length' "$DIR/.tds/loaded.json")" -eq 0 ]
}

@test '--dry-run changes nothing' {
	group foo 1 2
	run --separate-stderr tds-load -n foo
	[ "$status" -eq 0 ]
	[[ $output == *foo-2.tls* ]]
	[ ! -e "$DIR/.tds/loaded.json" ]
	tds-load -q foo-1.tls
	run --separate-stderr tds-load -n -a
	[ "$status" -eq 0 ]
	[[ $output == *foo-2.tls* ]]
	expect 0 "'1'" '' tds-admin ask foo 0
	run tds-load -n nowhere
	[ "$status" -eq 4 ]
}

@test '--dry-run refuses a declaration as the load does' {
	group foo 1
	group bar 1
	echo "{'Actors': {}, 'AutoUnload': os.system('true')}" >"$DIR/foo.tli"
	local why='foo.tli:1:30: call to os.system is not allowed' dry
	for dry in -n -q; do
		expect 1 '' "tds-load: foo: $why" tds-load $dry foo
		expect 1 '' "tds-load: foo-1.tls: $why" tds-load $dry foo-1.tls
	done
	run --separate-stderr tds-load -n -a
	[ "$status" -eq 1 ]
	[ "$stderr" = "tds-load: foo: $why" ]
	[[ $(wc -l <<<"$output")$output == '1Would '*'"bar"'* ]]
	rm "$DIR/foo-1.tls"
	expect 1 '' "tds-load: foo: $why" tds-load -n foo
}

@test '--dry-run knows whose a role or a global name is, of what is loaded and of what would be' {
	group foo 1
	group bar 1
	group baz 1
	for name in bar baz; do
		echo "{'Actors': {'$name.a.A': {'OnLoad': {'Role': '$name', 'GlobalName': 'one'}}}}" >"$DIR/$name.tli"
	done
	local role='tds-load: foo: foo-1.tls: foo.a.A: its role foo belongs to group bar'
	local global='tds-load: baz: baz-1.tls: baz.a.A: its global name one belongs to group bar'
	run --separate-stderr tds-load -n -a
	[ "$status" -eq 1 ]
	[ "$stderr" = "$global" ]
	[[ $(wc -l <<<"$output")$output == '2Would load "bar"'* ]]
	sed -i "s/'Role': 'bar'/'Role': 'foo'/" "$DIR/bar.tli"
	tds-load -q bar
	for dry in -n -q; do
		expect 1 '' "$role" tds-load $dry foo
		expect 1 '' "$global" tds-load $dry baz
	done
	tds-load -n -j foo | jq -e '.Status == 1 and .Group == "foo" and (has("Plan") | not)'
	expect 0 '' '' tds-load -n -q bar
}

@test '--dry-run refuses a package in the words of the load' {
	group foo 1
	rm "$DIR"/*_tls.key
	for dry in -n -q; do
		expect 7 '' 'tds-load: foo: foo-1.tls: no key validates it: there is no usable key' tds-load $dry foo
		expect 7 '' 'tds-load: foo-1.tls: no key validates it: there is no usable key' tds-load $dry foo-1.tls
	done
}

@test 'a quiet refresh tells a refusal once' {
	group foo 1
	tds-load -q foo
	echo broken >"$DIR/foo-2.tls"
	expect 7 '' "tds-load: foo: foo-2.tls: not a package (byte 0: no format name that is known)" tds-load -qa
	expect 7 '' '' tds-load -qa
	tds-load -qaj | jq -e '.Status == 7 and .Again'
	expect 7 '' "tds-load: foo: foo-2.tls: not a package (byte 0: no format name that is known)" tds-load -a
	echo broken >"$DIR/foo-3.tls"
	expect 7 '' "tds-load: foo: foo-3.tls: not a package (byte 0: no format name that is known)" tds-load -qa # another one
	rm "$DIR/foo-2.tls" "$DIR/foo-3.tls"
	expect 0 '' '' tds-load -qa
	echo broken >"$DIR/foo-2.tls"
	expect 7 '' "tds-load: foo: foo-2.tls: not a package (byte 0: no format name that is known)" tds-load -qa # it was well in between
}

@test '--dry-run knows what was undone, where an admin runs' {
	group foo 1
	sed -i 's/class A/class B/' src/foo/a.py
	tds-gensrc -q --no-check foo key.pem src version:2 'foo/*.py'
	local why='tds-load: foo: foo-2.tls: its last load was undone; name it, or use --retry'
	run --separate-stderr tds-load -q foo
	[ "$status" -eq 1 ]
	[[ $stderr == 'tds-load: foo: foo-2.tls: '* ]]
	tds-admin list -j | jq -e --arg h "$(sha256sum "$DIR/foo-2.tls" | cut -d' ' -f1)" '.Groups.foo.Undone == $h'
	expect 1 '' "$why" tds-load -a
	expect 1 '' '' tds-load -qa # a crontab has told it once
	tds-load -qaj | jq -e '.Success == false and .LeftAlone'
	expect 1 '' "$why" tds-load -n -a
	for args in '-n foo' '-n -a --retry'; do
		# shellcheck disable=SC2086
		run --separate-stderr tds-load $args
		[ "$status" -eq 0 ]
		[[ $output == *foo-2.tls* ]]
		[ -z "$stderr" ]
	done
	tds-load -q foo-1.tls
	tds-admin list -j | jq -e '.Groups.foo | has("Undone") | not'
	tds-admin -q shutdown
	run --separate-stderr tds-load -n -a
	[ "$status" -eq 0 ]
	[[ $output == *foo-2.tls* ]]
	[ ! -e "$DIR/.tds/admin.sock" ]
}

@test 'what is printed goes nowhere: said' {
	group foo 1
	run bash -c 'tds-load foo >/dev/full'
	[ "$status" -eq 5 ]
}

@test 'names that mean nothing start no admin process, and are told what is there or may be meant' {
	printf '{}' >"$DIR/mill.tli"
	: >"$DIR/saw-1.tls"
	expect 4 '' "tds-load: nosuch: no such group
tds-load: mlil: no such group (did you mean \"mill\"?)
tds-load: saw: no such group: saw-1.tls is there, but no saw.tli
tds-load: saw-1.tls: belongs to no declared group: there is no saw.tli
tds-load: mill-9.tls: cannot be opened: No such file or directory" tds-load nosuch mlil saw saw-1.tls mill-9.tls
	expect 4 '' 'tds-load: 0123: no such source is loaded' tds-load --unload 0123
	expect 4 '' 'tds-load: mlil: no such group (did you mean "mill"?)' tds-load --hold mlil 1
	expect 4 '' 'tds-load: mlil: no such group (did you mean "mill"?)' tds-load --rollback mlil
	expect 4 '' 'tds-load: mlil: no such group (did you mean "mill"?)' tds-load -n mlil
	[ ! -e "$DIR/.tds" ]
	tds-admin start
	expect 4 '' 'tds-load: mlil: no such group (did you mean "mill"?)' tds-load mlil
	expect 4 '' 'tds-admin: mlil: no such group (did you mean "mill"?)' tds-admin list mlil
	expect 0 '' '' tds-admin list mill
	: >"$DIR/mill-1.tls"
	expect 4 '' 'tds-load: mill-2.tls: cannot be opened: No such file or directory (did you mean "mill-1.tls"?)' tds-load mill-2.tls
	expect 4 '' "tds-verify: mill-2.tls: no such file, package in $DIR, or group (did you mean \"mill-1.tls\"?)" tds-verify mill-2.tls
}

@test 'a slow load has a line that says so, on a terminal alone, and not with -q' {
	group slow 1
	sed -i '1i import time; time.sleep(1.6)' src/slow/a.py
	tds-gensrc -q --no-check slow key.pem src version:2 'slow/*.py'
	tds-gensrc -q --no-check slow key.pem src version:3 'slow/*.py'
	sed -i '2i # another' src/slow/a.py
	tds-gensrc -q --no-check slow key.pem src version:4 'slow/*.py'
	tds-admin start
	run python3 -B "$ROOT/tests/cli/on_terminal.py" '' tds-load slow-2.tls
	[[ $output == $'\rtds-load: slow-2.tls: 1 s '*$'\r'"$(loaded slow slow-2.tls)"* ]]
	run python3 -B "$ROOT/tests/cli/on_terminal.py" '' tds-load -q slow-4.tls
	[[ $output != *' s '* ]]
	expect 0 "$(loaded slow slow-3.tls)" '' tds-load slow-3.tls
}
