#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# tds-admin may: the table, and what it comes to for groups and users. What the daemon makes of it: tests/cases/t_may.py.

load common
load admin

setup() {
	new_admin_dir birch
	cd "$BATS_TEST_TMPDIR" || return 1
	install -m 0600 "$KEYS/birch.pem" key.pem
	mkdir -p src
	echo 'A = 1' >src/a.py
}

teardown() {
	[ ! -e "$DIR/.tds/admin.sock" ] || end_admin
}

# pack GROUP VERSION TLI
pack() {
	echo "$3" >"src/$1.tli"
	tds-gensrc -q --no-check "$1" key.pem src "version:$2" a.py
}

@test 'the table in tds(7) is that of the tools' {
	"$ROOT/tests/may-page" <"$ROOT/man/tds.7" >page
	diff page "$ROOT/man/tds.7"
	mandoc -T ascii -O width=78 page | col -bx | sed -n '/DefineGroup  /,/ask any other/p' >table
	[ -s table ]
	[ "$(grep -cE '.{79}' table)" -eq 0 ]
}

@test 'each request of the daemon has a row' {
	sed -nE 's/^\t(REQUEST|IN_ANY_PROTOCOL)\("([A-Za-z]+)", .*answer_.*/\2/p' "$ROOT/libexec/daemon/door/requests.c" | sort >requests
	[ -s requests ]
	tds-admin -j may | jq -r '.Table[] | select(.Request) | .Name' | grep -v ' ' | sort | diff requests -
	tds-admin may | tail -n +2 | wc -l | diff - <(tds-admin -j may | jq '.Table | length')
}

@test 'a group: signed, declared, and what the machine leaves' {
	pack web 1 "{'May': ['load:web-*', 'capabilities']}"
	run tds-admin may web
	[ "$status" -eq 0 ]
	diff - <(echo "$output") <<-END
		web-1.tls, newest:
		  its own declaration      load:web-*, capabilities
		  web.tli                  load:web-*, capabilities
		may.cfg narrows nothing: there is no such file
		A right counts that each of them has.
	END
	echo "{'May': ['capabilities']}" >"$DIR/web.tli"
	printf '# ours\nw*: load:web-1, shutdown\nweb\n' >"$DIR/may.cfg"
	run tds-admin may web
	diff - <(echo "$output") <<-END
		web-1.tls, newest:
		  its own declaration      load:web-*, capabilities
		  web.tli                  capabilities
		may.cfg, line 2 leaves load:web-1, shutdown
		A right counts that each of them has.
	END
	tds-admin -j may web | jq -e '.Newest.Signed == ["load:web-*", "capabilities"] and .Machine == ["load:web-1", "shutdown"] and .Line == 2'
	echo 'other' >"$DIR/may.cfg"
	run tds-admin may web
	[[ "$output" = *$'\nmay.cfg leaves nothing: no line fits the group\n'* ]]
	echo 'w*:' >"$DIR/may.cfg"
	run tds-admin may web
	[[ "$output" = *$'\nmay.cfg, line 1 leaves nothing\n'* ]]
	echo yes >"$DIR/signedtli.cfg"
	tds-admin -j may web | jq -e '.Newest.Declared == ["load:web-*", "capabilities"] and .SignedAlone'
}

@test 'where what is signed decides alone, GROUP.tli is not said to' {
	local last=$'may.cfg narrows nothing: there is no such file\nweb.tli decides nothing: what is signed does (signedtli.cfg).\nA right counts that each of them has.'
	pack web 1 "{'May': ['capabilities']}"
	echo "{'May': ['shutdown']}" >"$DIR/web.tli"
	tds-load -q web
	echo yes >"$DIR/signedtli.cfg"
	run tds-admin may web
	[ "$output" = $'web-1.tls, newest:\n  its own declaration      capabilities\nweb-1.tls, active:\n  its own declaration      capabilities\n  web.tli                  shutdown\n'"$last" ]
	tds-admin -q shutdown
	rm src/web.tli
	tds-gensrc -q --no-check web key.pem src version:2 a.py
	run tds-admin may web
	[ "$output" = $'web-2.tls, newest:\n  its own declaration      nothing: no declaration is signed with it, and signedtli.cfg wants one\n'"$last" ]
	tds-admin -j may web | jq -e '.Newest == {"File": "web-2.tls", "Signed": [], "Declared": [], "Unsigned": true}'
	rm "$DIR/signedtli.cfg"
	run tds-admin may web
	[ "${lines[1]}" = '  its own declaration      nothing: no declaration is signed with it' ]
	[ "${lines[2]}" = '  web.tli                  shutdown' ]
}

@test 'what is active, where an admin process runs' {
	pack web 1 "{'May': ['load:web-*']}"
	tds-load -q web
	pack web 2 "{}"
	run tds-admin may web
	diff - <(echo "$output") <<-END
		web-2.tls, newest:
		  its own declaration      nothing
		  web.tli                  nothing
		web-1.tls, active:
		  its own declaration      load:web-*
		  web.tli                  load:web-*
		may.cfg narrows nothing: there is no such file
		A right counts that each of them has.
	END
}

@test 'a package that is none, files that are wrong, a group without packages' {
	echo '{}' >"$DIR/web.tli"
	run tds-admin may web
	[ "$status" -eq 0 ]
	[ "$output" = $'may.cfg narrows nothing: there is no such file\nA right counts that each of them has.' ]
	echo 'no package' >"$DIR/web-1.tls"
	run tds-admin may web
	[ "$status" -eq 7 ]
	[[ "$output" = 'tds-admin: web: web-1.tls: '* ]]
	rm "$DIR/web-1.tls"
	echo 'w*: lode' >"$DIR/may.cfg"
	run tds-admin may web
	[ "$status" -eq 1 ]
	[ "$output" = "tds-admin: web: may.cfg:1:5: no such right: 'lode'" ]
	echo 'root: lode' >"$DIR/adminusers.cfg"
	run tds-admin may nobody
	[ "$status" -eq 1 ]
	[ "$output" = "tds-admin: nobody: adminusers.cfg:1:7: no such right: 'lode'" ]
	echo 'nobody: list' >"$DIR/adminusers.cfg"
	chmod 0666 "$DIR/adminusers.cfg"
	run tds-admin may nobody
	[ "$status" -eq 0 ]
	[ "${lines[0]}" = "tds-admin: $DIR/adminusers.cfg: warning: others may write it" ]
	run tds-admin check "$DIR/may.cfg"
	[ "$status" -eq 1 ]
	[ "$output" = "tds-admin: $DIR/may.cfg:1:5: no such right: 'lode'" ]
}

@test 'check names a pattern that fits no group' {
	echo '{}' >"$DIR/web.tli"
	printf 'web\nwbe: load\n*\n' >"$DIR/may.cfg"
	run tds-admin check "$DIR/may.cfg"
	[ "$status" -eq 0 ]
	[ "$output" = "tds-admin: $DIR/may.cfg:2:1: warning: 'wbe' fits no group that is declared here" ]
}

@test 'check names a line that never counts' {
	echo '{}' >"$DIR/web.tli"
	printf 'w?b: load\nw*\nweb: unload\nwe*: load\nw*\n' >"$DIR/may.cfg"
	run tds-admin check "$DIR/may.cfg"
	[ "$status" -eq 0 ]
	diff - <(echo "$output") <<-END
		tds-admin: $DIR/may.cfg:3:1: warning: 'web' never counts: line 1 comes before it
		tds-admin: $DIR/may.cfg:4:1: warning: 'we*' never counts: line 2 comes before it
		tds-admin: $DIR/may.cfg:5:1: warning: 'w*' never counts: line 2 comes before it
	END
	printf 'nobody: ask\n\n65534: load\nroot: list\n' >"$DIR/adminusers.cfg"
	run tds-admin check "$DIR/adminusers.cfg"
	[ "$status" -eq 0 ]
	diff - <(echo "$output") <<-END
		tds-admin: $DIR/adminusers.cfg:3:1: warning: '65534' never counts: line 1 comes before it
		tds-admin: $DIR/adminusers.cfg:4:1: warning: 'root' is root or the admin process's own user, who may everything
	END
}

@test 'users' {
	printf '# on call\nnobody: list, load:web-*\n65534: shutdown\n' >"$DIR/adminusers.cfg"
	run tds-admin may root
	[ "$output" = $'root, root or the admin process\'s own user: all\nprograms: they may join' ]
	run tds-admin may nobody
	[ "$output" = $'nobody (adminusers.cfg, line 2): list, load:web-*\nprograms: they may not join (guests.cfg)' ]
	echo nobody >"$DIR/guests.cfg"
	tds-admin -j may nobody | jq -e '.Rights == ["list", "load:web-*"] and .Line == 2 and .Joins and (.Own | not)'
	run tds-admin may daemon
	[ "$output" = $'daemon, whom adminusers.cfg does not name: nothing\nprograms: they may not join (guests.cfg)' ]
	echo nobody >"$DIR/adminusers.cfg"
	tds-admin -j may nobody | jq -e '.Rights == ["all"]'
	run tds-admin may no-such-user
	[ "$status" -eq 4 ]
	[[ "$output" = 'tds-admin: no-such-user: neither a group nor a user: '* ]]
	echo 'nobody: watch, create:x' >"$DIR/adminusers.cfg"
	run tds-admin check "$DIR/adminusers.cfg"
	[ "$output" = "tds-admin: $DIR/adminusers.cfg:1:16: 'create' is not a right of users" ]
	echo 'nobody-here: ask' >"$DIR/adminusers.cfg"
	run tds-admin check "$DIR/adminusers.cfg"
	[ "$output" = "tds-admin: $DIR/adminusers.cfg:1:1: no such user: nobody-here" ]
	run tds-admin may a b
	[ "$status" -eq 2 ]
}
