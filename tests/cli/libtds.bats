#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What a C programmer has: header, library and pkg-config file of an installed tree, and the example, built as it says.

load common
load admin

setup_file() {
	make -s -C "$ROOT" BIN="$TDS_BIN" DESTDIR="$BATS_FILE_TMPDIR/root" PREFIX=/usr stage
}

setup() {
	new_admin_dir birch
	cd "$BATS_FILE_TMPDIR" || return 1
	PATH=$PWD/root/usr/bin:$PATH
	export PKG_CONFIG_PATH=$PWD/root/usr/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$PWD/root
}

teardown() {
	end_admin
}

# The command in the head of the example, strictly; the library of a sanitized build wants its runtime.
build() {
	local flags=(-Wall -Wextra -Wpedantic -Werror)
	case $TDS_BIN in */asan/bin) flags+=('-fsanitize=address,undefined') ;; esac
	# shellcheck disable=SC2046 # they are words
	cc "$1" "${flags[@]}" -o ask root/usr/share/doc/tds/examples/ask.c $(pkg-config --cflags --libs tds)
}

actor() {
	mkdir -p src/foo
	: >src/foo/__init__.py
	printf '%s\n' 'from thespian.actors import Actor' 'class A(Actor):' '    def receiveMessage(self, msg, sender):' \
		'        self.send(sender, msg)' >src/foo/a.py
	echo "{'Actors': {'foo.a.A': {'OnLoad': {'Role': 'foo'}}}}" >src/foo.tli
	install -m 0600 "$KEYS/birch.pem" key.pem
	tds-gensrc -q --no-check foo key.pem src version:1 'foo/*.py'
}

@test 'the header is C99, C11 and C++' {
	local header=root/usr/include/tds/client.h
	cc -std=c99 -Wall -Wextra -Wpedantic -Werror -fsyntax-only -x c "$header"
	cc -std=c11 -Wall -Wextra -Wpedantic -Werror -fsyntax-only -x c "$header"
	g++ -Wall -Wextra -Wpedantic -Werror -fsyntax-only -x c++ "$header"
}

@test 'pkg-config names this version and this protocol' {
	[ "tds $(pkg-config --modversion tds)" = "$(tds-admin --version | sed 's/tds-admin/tds/;q')" ]
	[ "$(pkg-config --variable=protocol tds)" = 1 ]
	[ -e "$(pkg-config --variable=schemadir tds)/common.json" ]
}

@test 'the library shows what the header declares, and nothing else' {
	diff <(nm -g --defined-only root/usr/lib/libtds.a | awk 'NF == 3 { print $3 }' | sort) \
		<(sed -n 's/^[a-z].*\<\(tds_[a-z_]*\)(.*);.*/\1/p' root/usr/include/tds/client.h | sort)
}

@test 'the example asks, is refused, and says why' {
	build -std=c11
	expect 8 '' 'ask: the admin process is not running' ./ask foo 1
	actor
	tds-load -q foo
	expect 0 "{'a': [1, None, 'ö']}" '' ./ask foo "{'a': [1, None, 'ö']}"
	expect 1 '' 'ask: no such role, global name or address' ./ask fox 1
	expect 2 '' "ask: '[' is never closed" ./ask foo '['
	THESPIAN_DIRECTOR_DIR=nowhere expect 4 '' 'ask: cannot be opened: No such file or directory' ./ask foo 1
}

@test 'the example watches until the admin process ends' {
	build -std=c99
	actor
	tds-admin start
	mkfifo told
	./ask --watch >told 2>why &
	exec 7<told
	read -r line <&7
	jq -e .Success <<<"$line"
	tds-load -q foo
	read -r line <&7
	jq -e .Event <<<"$line"
	tds-admin shutdown
	status=0
	wait $! || status=$?
	[ "$status" -eq 8 ]
	grep -q '^ask: the admin process ended the connection$' why
}
