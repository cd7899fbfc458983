#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The README's tour, which is the demonstration, does what it says.

load common

# leftovers: what is left of a demonstration in $TMPDIR: files, and processes that name it.
leftovers() {
	local file
	files "$TMPDIR"
	for file in /proc/[0-9]*/cwd; do
		[[ $(readlink "$file") != "$TMPDIR"* ]] || echo "$file"
	done
	for file in /proc/[0-9]*/environ; do
		! tr '\0' '\n' <"$file" | grep -q "^THESPIAN_DIRECTOR_DIR=$TMPDIR" || echo "$file"
	done 2>/dev/null
}

setup() {
	export TMPDIR=$BATS_TEST_TMPDIR/tmp
	mkdir "$TMPDIR"
	chmod a+x "$BATS_RUN_TMPDIR" # actors of root's have uids of their own
	cd "$BATS_TEST_TMPDIR" || return
}

@test "the tour runs, and leaves nothing behind" {
	"$ROOT/tests/demo" "$TDS_BIN" >out 2>&1
	[ -z "$(leftovers)" ]
	grep -qx 'Wrote /.*/director/stock-1.tls' out
	grep -qx 'Validated "/.*/director/stock-1.tls" loadable with key /.*/director/example_tls.key' out
	grep -qx 'exit status 7' out
	[ "$(grep -cx 'Loaded "stock" /.*/director/stock-[12].tls: [0-9a-f]*' out)" -eq 2 ]
	grep -qx '  "Lost": 0,' out
	[ "$(grep -cx "{'item': 'bolt', 'count': 7}" out)" -eq 2 ]                # version 1, before and after
	[ "$(grep -cx "{'item': 'bolt', 'count': 7, 'low': True}" out)" -eq 1 ]  # version 2
	[ "$(grep -c 'Source hash .*ACTIVE' out)" -eq 2 ]
	# shellcheck disable=SC2016
	[ "$(grep . out | tail -n 1)" = '$ tds-admin shutdown' ]
}

@test "a tour that fails says so, and leaves nothing behind" {
	mkdir here
	cp -r "$ROOT/examples" here
	install -D "$ROOT/tests/demo" here/tests/demo
	# shellcheck disable=SC2016 # it is the demonstration that expands this
	sed 's/^    \$ tds-admin log$/    $ kill -STOP $(tds-admin list -j | jq .Groups.stock.Running[][].Pid); false/' \
		"$ROOT/README.md" >here/README.md
	run here/tests/demo "$TDS_BIN"
	[ "$status" -eq 1 ]
	[[ ${lines[-1]} == *'$ kill -STOP'* ]]
	[ -z "$(leftovers)" ]
}

@test "setup.sh says how it is used" {
	run "$ROOT/setup.sh"
	[ "$status" -eq 0 ]
	[[ $output == usage:* ]]
	run "$ROOT/setup.sh" nonsense
	[ "$status" -eq 2 ]
}
