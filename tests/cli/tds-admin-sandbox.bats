#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# tds-admin sandbox: what a package would be granted, and why, in both forms. That it is so: tests/cases/t_sandbox.py.

load common
load admin

setup() {
	new_dir birch
	cd "$BATS_TEST_TMPDIR" || return 1
	install -m 0600 "$KEYS/birch.pem" key.pem
	mkdir src
	: >src/a.py
	export TDS_LANDLOCK_ABI=4
}

# pack VERSION SANDBOX: foo-VERSION.tls, which asks for it; empty: for nothing.
pack() {
	echo "{'Actors': {}${2:+,
	'Sandbox': $2}}" >src/foo.tli
	tds-gensrc -q --no-check foo key.pem src "version:$1" a.py
}

sandbox() {
	tds-admin sandbox "$@"
}

@test 'what is granted, part by part' {
	pack 1 "{'Read': ['/etc/hosts', '$PWD'], 'Write': ['$PWD/src'], 'Connect': [53, 443], 'Listen': [8080], 'Run': ['/bin/sh'], 'Env': ['EDITOR'], 'Memory': 1 << 30, 'Files': 100}"
	echo "{'Most': 'trusted', 'Unasked': 'strict'}" >"$DIR/sandbox.cfg"
	expect 0 "foo: $DIR/foo-1.tls
  asks for    default, Read /etc/hosts $PWD, Write $PWD/src, Run /bin/sh, Env EDITOR, Connect 53 443, Listen 8080, Memory 1073741824, Files 100 (its signed declaration)
  allowed     trusted (sandbox.cfg, line 1, all groups)
  kernel      Landlock 4, filters of system calls
  granted     default, Read /etc/hosts $PWD, Write $PWD/src, Run $(realpath /bin/sh), Env EDITOR, Connect 53 443, Listen 8080, Memory 1073741824, Files 100
  read        the interpreter's files, its archive, /usr, /usr/share/zoneinfo, /etc/localtime, /etc/ssl/certs, /etc/ssl/openssl.cnf, /etc/hosts, $PWD
  write       $DIR/.tds/data/foo, $PWD/src
  processes   its actors, $(realpath /bin/sh)
  environment that of all actors, EDITOR
  connect     53 443
  listen      8080
  signals     to the source's process group as a whole
  Memory      1073741824
  Files       100" '' sandbox foo
	sandbox -j foo-1.tls | jq -e '.Granted | .Connect == [53, 443] and .Memory == 1073741824 and (.Write | length) == 1 and (.Data | endswith("/data/foo"))'
}

@test 'what is refused, and why: 1' {
	local why="its signed declaration asks for 'net': net is not allowed by sandbox.cfg, line 3: 'default'"
	pack 1 "'net'"
	printf "\n\n%s\n" "{'Groups': {'f*': 'default'}, 'Most': 'trusted'}" >"$DIR/sandbox.cfg"
	expect 1 "foo: $DIR/foo-1.tls
  asks for    net (its signed declaration)
  allowed     default (sandbox.cfg, line 3, f*)
  kernel      Landlock 4, filters of system calls
  granted     refused" "tds-admin: foo: $why" sandbox foo
	pack 2 "{'Connect': [443]}"
	rm "$DIR/sandbox.cfg"
	TDS_LANDLOCK_ABI=3 expect 1 "foo: $DIR/foo-2.tls
  asks for    default, Connect 443 (its signed declaration)
  allowed     trusted (there is no sandbox.cfg)
  kernel      Landlock 3, filters of system calls
  granted     refused" "tds-admin: foo: its signed declaration asks for 'default, Connect 443': ports need version 4 of Landlock, and this kernel has 3" \
		sandbox foo
	TDS_LANDLOCK_ABI=0 run ! sandbox foo
	[[ $output == *'needs Landlock, which this kernel does not have'*'no Landlock, filters of system calls'* ]]
}

@test 'who asks' {
	pack 1 ''
	echo "{'Most': 'trusted', 'Unasked': 'strict'}" >"$DIR/sandbox.cfg"
	run sandbox foo
	[ "${lines[1]}" = '  asks for    nothing, which is given strict' ]
	pack 2 "'net'"
	echo "{'Actors': {}, 'Sandbox': 'strict'}" >"$DIR/foo.tli"
	run sandbox foo
	[ "${lines[1]}" = '  asks for    strict (its definition, line 1)' ]
	echo "{'Actors': {}, 'Sandbox': 'trusted'}" >"$DIR/foo.tli"
	run sandbox foo
	[ "${lines[1]}" = '  asks for    net (its signed declaration)' ]
	[ "${lines[2]}" = "              the definition asks for 'trusted', which is more than its signed declaration: 'net' counts" ]
	echo yes >"$DIR/signedtli.cfg"
	run sandbox foo
	[ "${lines[2]}" = '  allowed     trusted (sandbox.cfg, line 1, all groups)' ]
	pack 3 "'trusted'"
	run sandbox foo
	[ "${lines[4]}${lines[5]}" = '  granted     trusted  actors      whatever their user may' ]
}

@test 'what is not there, or no package' {
	pack 1 "'net'"
	expect 4 '' 'tds-admin: fooo: no such group (did you mean "foo"?)' sandbox fooo
	echo 'no package' >"$DIR/foo-2.tls"
	expect 7 '' 'tds-admin: foo: not a package (byte 0: no format name that is known)' sandbox foo
	expect 2 '' "tds-admin: sandbox: wrong number of operands; see 'tds-admin --help'" sandbox
	echo loose >"$DIR/sandbox.cfg"
	expect 1 '' "tds-admin: foo-1.tls: sandbox.cfg:1:1: a profile is 'strict', 'default', 'net' or 'trusted'" sandbox foo-1.tls
}
