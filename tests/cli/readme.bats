#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The README's tour, which is the demonstration, does what it says.

load common

@test "the tour runs, and leaves nothing behind" {
	export TMPDIR=$BATS_TEST_TMPDIR/tmp
	mkdir "$TMPDIR"
	"$ROOT/tests/demo" "$TDS_BIN" >"$BATS_TEST_TMPDIR/out" 2>&1
	[ -z "$(files "$TMPDIR")" ]
	cd "$BATS_TEST_TMPDIR"
	grep -qx 'Wrote /.*/director/hello-1.0.tls' out
	grep -qx 'Validated "/.*/director/hello-1.0.tls" loadable with key /.*/director/example_tls.key' out
	grep -qx 'exit status 7' out
	grep -qx 'hello 1.1' out
	[ "$(grep . out | tail -n 1 | sed 's,.*/,,')" = hello-1.1.tls ]
}

@test "setup.sh says how it is used" {
	run "$ROOT/setup.sh"
	[ "$status" -eq 0 ]
	[[ $output == usage:* ]]
	run "$ROOT/setup.sh" nonsense
	[ "$status" -eq 2 ]
}
