#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# tds-admin: the commands for the running admin, each exit status, what they print.

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

# foo VERSION…: pack versions of a group whose actor echoes, and fails on numbers; load the newest.
foo() {
	local version
	mkdir -p src/foo
	: >src/foo/__init__.py
	echo "{'Actors': {'foo.a.A': {'OnLoad': {'Role': 'foo', 'GlobalName': 'Foo'}}}}" >src/foo.tli
	for version; do
		cat >src/foo/a.py <<-END
			from thespian.actors import ActorTypeDispatcher


			class A(ActorTypeDispatcher):
			    def receiveMsg_str(self, msg, sender):
			        self.send(sender, msg)

			    def receiveMsg_dict(self, msg, sender):
			        self.send(sender, sorted(msg))

			    def receiveMsg_int(self, msg, sender):
			        self.send(sender, $version // msg)
		END
		tds-gensrc -q --no-check foo key.pem src "version:$version" 'foo/*.py'
	done
	tds-load -q foo >loaded
}

@test 'without an admin: 8, but shutdown has nothing to do' {
	expect 0 '' '' tds-admin shutdown
	for command in status list 'role foo' 'tell foo 1' 'ask foo 1' watch; do
		# shellcheck disable=SC2086
		refused 8 tds-admin $command
		[[ $stderr == *'the admin process is not running' ]]
	done
	expect 0 '' '' tds-admin start
	expect 0 '' '' tds-admin shutdown
	expect 8 '' 'tds-admin: the admin process is not running' tds-admin status
}

@test 'start twice: one; status says which' {
	expect 0 '' '' tds-admin start
	run --separate-stderr tds-admin status
	[[ $output =~ ^'running, pid '([0-9]+)$'\n'(tds [0-9.]+)$'\n''user '$(id -un)', and so are the actors: no user'"'"'s rights stand between them'$'\n''sandbox trusted'$ ]]
	[ "$status" -eq 0 ]
	pid=${BASH_REMATCH[1]} said=$output
	[ "${BASH_REMATCH[2]}" = "$(tds-admin --version | sed 's/tds-admin/tds/')" ]
	kill -0 "$pid"
	expect 0 '' '' tds-admin start
	expect 0 "$said" '' tds-admin status
	run tds-admin -j status
	jq -e --argjson p "$pid" '.Success and .Pid == $p' <<<"$output"
}

@test 'the daemon keeps nothing of what started it' {
	# A pipeline ends, though the daemon lives on.
	[ "$(tds-admin start 2>&1 | cat)" = '' ]
	pid=$(tds-admin -j status | jq .Pid)
	[ -r "/proc/$pid/fd" ] || skip 'root alone sees what a daemon holds'
	for fd in 0 1 2; do
		[ "$(readlink "/proc/$pid/fd/$fd")" = /dev/null ]
	done
	[ "$(readlink "/proc/$pid/cwd")" = / ]
	exec 9>held
	tds-admin shutdown
	tds-admin start
	pid=$(tds-admin -j status | jq .Pid)
	exec 9>&-
	run readlink /proc/"$pid"/fd/*
	[[ $output != *held* ]]
}

@test 'start --foreground stays, and tells the supervisor' {
	socat -u UNIX-RECV:notify OPEN:told,creat & listener=$!
	while [ ! -S notify ]; do :; done
	NOTIFY_SOCKET=$PWD/notify tds-admin start --foreground 3>&- & pid=$!
	while ! grep -q READY=1 told; do kill -0 "$pid"; done
	expect 0 '' '' tds-admin start
	expect 4 '' "tds-admin: $DIR: its admin process runs already, started by somebody else (tds-admin shutdown ends it)" \
		tds-admin start --foreground --load-all
	tds-admin status
	kill -TERM "$pid"
	wait "$pid"
	kill "$listener"
	grep -q STOPPING=1 told
	[ ! -e "$DIR/.tds/admin.sock" ]
}

@test 'usage: 2' {
	tds-admin start
	expect 2 '' "tds-admin: --load-all goes only with --foreground; see 'tds-admin --help'" tds-admin start --load-all
	expect 2 '' "tds-admin: --notify-fd goes only with --foreground; see 'tds-admin --help'" tds-admin start --notify-fd=3 3>/dev/null
	for n in 2 77 x '' -1; do
		expect 2 '' "tds-admin: --notify-fd: not an open descriptor above 2: $n; see 'tds-admin --help'" \
			tds-admin start --foreground "--notify-fd=$n" 77>&-
	done
	for args in '' nothing 'start x' 'shutdown x' 'status x' 'list a b' role 'role a b' 'tell a' 'tell a b c' 'ask a' 'ask' \
		'watch x' 'shutdown --grace=x' 'shutdown --grace=-1' 'ask --timeout=x foo 1' 'ask --timeout=-1 foo 1' 'help nothing' \
		'shutdown --grace=' 'shutdown --grace=1e9' 'ask --timeout=nan foo 1'; do
		# shellcheck disable=SC2086
		run --separate-stderr tds-admin $args
		[ "$status" -eq 2 ] || { echo "$args: $status"; return 1; }
		[ -z "$output" ]
		[[ $stderr == *tds-admin* ]]
	done
	tds-admin status
}

@test 'an option of another command is refused: each row of the help, with each command' {
	local option commands command value
	while read -r option commands; do
		case $option in
			--since=*) value='=10m' ;;
			--level=*) value='=ERROR' ;;
			--notify-fd=*) value='=7' ;;
			*=*) value='=1' ;;
			*) value= ;;
		esac
		for command in $(tds-admin --help | sed -nE 's/^  ([a-z]+) .*/\1/p'); do
			[[ $command != help && " ${commands//,/ } " != *" $command "* ]] || continue
			run --separate-stderr tds-admin "$command" "${option/=*}$value" 7>/dev/null
			[ "$status" -eq 2 ]
			[ -z "$output" ]
			[ "$stderr" = "tds-admin: ${option/=*} goes only with $commands, not with $command; see 'tds-admin --help'" ]
		done
	done < <(tds-admin --help | sed -nE 's/^ +(-., )?(--[a-z-]+)\[?(=[A-Z]+)?\]? +([a-z, ]+): .*/\2\3 \4/p')
	[ ! -e "$DIR/.tds" ]
}

@test 'did you mean' {
	local hint="; see 'tds-admin --help'"
	expect 2 '' "tds-admin: no such command: sttaus (did you mean \"status\"?)$hint" tds-admin sttaus
	expect 2 '' "tds-admin: no such command: lits (did you mean \"list\"?)$hint" tds-admin help lits
	expect 2 '' "tds-admin: unknown or ambiguous option: --follwo (did you mean \"--follow\"?)$hint" tds-admin log --follwo
	expect 2 '' "tds-admin: no such command: frobnicate$hint" tds-admin frobnicate
}

@test 'did you mean a role or a global name' {
	foo 1
	expect 1 '' 'tds-admin: fo0: no active actor has this role (did you mean "foo"?)' tds-admin role fo0
	expect 1 '' 'tds-admin: foo1: no such role, global name or address (did you mean "foo"?)' tds-admin ask foo1 1
	expect 1 '' 'tds-admin: @Fooo: no such role, global name or address (did you mean "Foo"?)' tds-admin tell @Fooo 1
	expect 1 '' 'tds-admin: other: no active actor has this role' tds-admin role other
	run --separate-stderr tds-admin ask foo 0 # its own failure is not the name's
	[ "$status" -eq 1 ]
	[[ $stderr != *'did you mean'* ]]
}

@test 'list' {
	foo 1 2
	tds-load -q foo-1.tls
	run --separate-stderr tds-admin list
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	[ "${lines[0]}" = 'Group foo::' ]
	grep -q "Source hash $(md5sum <"$DIR/foo-1.tls" | cut -c1-32)  \[ACTIVE\]" <<<"$output"
	grep -q "Source hash $(md5sum <"$DIR/foo-2.tls" | cut -c1-32)$" <<<"$output"
	[ "$(grep -c 'ActorAddr-.* -- foo.a.A (foo)  (since ' <<<"$output")" -eq 2 ]
	run tds-admin list foo
	[ "$status" -eq 0 ]
	[ "${lines[0]}" = 'Group foo::' ]
	run --separate-stderr tds-admin list bar
	[ "$status" -eq 4 ]
	[ -z "$output" ]
	[[ $stderr == 'tds-admin: bar: '* ]]
	run tds-admin -j list
	jq -e '.Groups.foo.Loaded | length == 2' <<<"$output"
}

# second: the line that list begins a group with, without the time.
second() {
	tds-admin list foo | sed -n 2p | sed -E 's/since [0-9T:.-]+Z/since TIME/'
}

@test 'list begins each group with an overview' {
	local key
	key="$(basename "$DIR"/*_tls.key) ($(openssl pkey -pubin -in "$DIR"/*_tls.key -outform DER | sha256sum | cut -c1-16))"
	foo 1 2 3
	tds-load -q foo-2.tls
	[ "$(second)" = "  Version 2, foo-2.tls, since TIME, by $key, sandbox trusted, newest foo-3.tls, floor 3" ]
	tds-load -q --hold foo
	tds-admin list -j | jq -e '.Groups.foo | .Newest == "foo-3.tls" and .Held.File == "foo-2.tls" and .Restarts == 0
		and (.Sources[.ActiveHash] | .ActiveSince and (.Key | endswith("_tls.key")))'
	kill -9 "$(tds-admin list -j | jq '.Groups.foo.Running[][].Pid | numbers' | head -1)"
	until [ "$(second)" = "  Version 2, foo-2.tls, since TIME, by $key, sandbox trusted, newest foo-3.tls, held, 1 restart" ]; do :; done
	tds-load -q --release foo
	tds-load -q foo
	[ "$(second)" = "  Version 3, foo-3.tls, since TIME, by $key, sandbox trusted" ]
	tds-admin list -j | jq -e '.Groups.foo | has("Newest") or has("Held") | not'
	touch "$DIR/foo-3.tls"
	[ "$(second)" = "  Version 3, foo-3.tls, since TIME, by $key, sandbox trusted" ]
	# Of the same name, and something else by now.
	cp "$DIR/foo-1.tls" "$DIR/foo-3.tls"
	[ "$(second)" = "  Version 3, foo-3.tls, since TIME, by $key, sandbox trusted, newest foo-3.tls" ]
	tds-load -q --hold foo 1
	tds-admin shutdown
	tds-admin start
	[ "$(second)" = '  Nothing is active, newest foo-3.tls, held at foo-1.tls, floor 1' ]
}

@test 'role' {
	foo 1
	run --separate-stderr tds-admin role foo
	[ "$status" -eq 0 ]
	[[ $output =~ ^[0-9]+\.[0-9]+$ ]]
	expect 0 "$output" '' tds-admin role --group=foo foo
	expect 0 "'x'" '' tds-admin ask "$(tds-admin role foo)" "'x'"
	expect 1 '' 'tds-admin: bar: no active actor has this role' tds-admin role bar
	expect 1 '' 'tds-admin: foo: no active actor has this role' tds-admin role --group=bar foo
	run tds-admin -j role foo
	jq -e '.Role == "foo" and .Group == "foo"' <<<"$output"
	run --separate-stderr tds-admin -j role bar
	[ "$status" -eq 1 ]
	jq -e '.Success == false' <<<"$output"
}

@test 'ask and tell' {
	foo 8
	expect 0 "'x'" '' tds-admin ask foo "'x'"
	expect 0 4 '' tds-admin ask @Foo 2
	expect 0 4 '' tds-admin ask foo - <<<2
	expect 0 "['a', 'b']" '' tds-admin ask --json-message foo '{"b": 1, "a": null}'
	run tds-admin -j ask foo 2
	jq -e '.Literal == "4" and .Message == 4' <<<"$output"
	expect 0 '' '' tds-admin tell foo "'x'"
	expect 0 '' '' tds-admin tell @Foo - <<<"{}"
	for command in ask tell; do
		for target in bar @Bar 9.9; do
			expect 1 '' "tds-admin: $target: no such role, global name or address" tds-admin "$command" "$target" 1
		done
		for message in x '(' 'os.getpid()' ''; do
			run --separate-stderr tds-admin "$command" foo "$message"
			[ "$status" -eq 2 ]
			[ -z "$output" ]
			[[ $stderr == 'tds-admin: MESSAGE'* ]]
		done
		run --separate-stderr tds-admin "$command" --json-message foo '{'
		[ "$status" -eq 2 ]
		[[ $stderr == 'tds-admin: MESSAGE'* ]]
	done
	refused 1 tds-admin ask foo 0
	refused 9 tds-admin ask --timeout=0.2 foo 1.5
}

@test 'watch prints each change, a line of JSON each' {
	foo 1 2
	tds-admin watch >changes 3>&- & watch=$!
	until [ "$(tds-admin -j status | jq .Clients)" -eq 2 ]; do :; done
	tds-load -q foo-1.tls
	tds-load --unload "$(md5sum <"$DIR/foo-1.tls" | cut -c1-32)"
	until grep -q Unloaded changes; do kill -0 "$watch"; done
	jq -es 'map(.Event) | index("Loaded") < index("Unloaded")' changes
	hash=$(md5sum <"$DIR/foo-1.tls" | cut -c1-32)
	jq -es --arg h "$hash" 'map(select(.Event == "Loaded")) | map([.SourceHash, .Group]) == [[$h, "foo"]]' changes
	tds-admin shutdown
	run wait "$watch"
}

@test 'shutdown --grace' {
	foo 1
	sed -i 's/self.send(sender, msg)/import signal; signal.pause()/' src/foo/a.py
	tds-gensrc -q --no-check foo key.pem src version:3 'foo/*.py'
	tds-load -q foo
	tds-admin tell foo "'hang'"
	before=$EPOCHREALTIME
	expect 0 '' '' tds-admin shutdown --grace=0.3
	[ "$(((${EPOCHREALTIME/./} - ${before/./}) / 1000))" -lt 2500 ]
	expect 0 '' '' tds-admin start
	expect 0 '' '' tds-admin shutdown --grace=0
}

@test 'a run directory of another user, or that cannot be made' {
	: >"$DIR/.tds"
	run --separate-stderr tds-admin start
	[ "$status" -eq 5 ]
	[[ $stderr == *rundir.cfg* ]]
	rm "$DIR/.tds"
	echo relative >"$DIR/rundir.cfg"
	run --separate-stderr tds-admin start
	[ "$status" -eq 4 ]
	[[ $stderr == *rundir.cfg* ]]
	mkdir -m 0755 elsewhere
	echo "$PWD/elsewhere/run" >"$DIR/rundir.cfg"
	expect 0 '' '' tds-admin start
	[ -S elsewhere/run/admin.sock ]
	[ "$(stat -c %a elsewhere/run elsewhere/run/admin.sock | tr '\n' ' ')" = '711 666 ' ]
	tds-admin shutdown
	rm "$DIR/rundir.cfg"
}

@test 'paths that are too long for a socket address' {
	long=$(printf 'x%.0s' {1..120})
	mkdir -m 0755 "$long"
	export THESPIAN_DIRECTOR_DIR=$PWD/$long
	name_actors "$long"
	expect 0 '' "tds-admin: $PWD/$long/sandbox.cfg: warning: is not there: packages are trusted, and their actors may do what their user may" tds-admin start
	run tds-admin status
	[ "${lines[3]}" = 'sandbox trusted: there is no sandbox.cfg' ]
	tds-admin status
	expect 0 '' '' tds-admin shutdown
}

@test 'start without its daemon: 5, and one line' {
	mkdir -p half/bin
	cp "$TDS_BIN/tds-admin" half/bin/
	for args in start 'start --foreground'; do
		# shellcheck disable=SC2086
		expect 5 '' "tds-admin: $PWD/half/libexec/tds/tds-daemon: No such file or directory" half/bin/tds-admin $args
	done
	expect 0 '' '' tds-admin start
}
