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

@test "the tour prints what the README shows, and leaves nothing behind" {
	"$ROOT/tests/demo" "$TDS_BIN" --compare >out 2>&1
	[ -z "$(leftovers)" ]
	# shellcheck disable=SC2016
	[ "$(grep . out | tail -n 1)" = '$ tds-admin shutdown' ]
}

@test "what stands above the tour is of it" {
	awk '/^## / { on = /^## In a minute/ } on && /^    /' "$ROOT/README.md" >minute
	awk '/^## / { on = /^## A tour/ } on && /^    /' "$ROOT/README.md" >tour
	[ "$(grep -c '^    \$ ' minute)" -ge 5 ]
	run grep -vxFf tour minute
	[ "$output" = '' ]
}

# shellcheck disable=SC2016 # nothing here is to be expanded
@test "what is printed otherwise than it is shown is found" {
	printf '    $ %s\n' 'a=1' 'echo $a [x]; echo /y/director/z' >good
	printf '    %s\n' '1 [x]' '/w/director/z' '$ seq 9' 1 ... 9 >>good
	"$ROOT/tests/shown" --compare <good >out
	[ "$(tail -n 2 out)" = $'8\n9' ]
	sed 's/^    1 \[x\]/    1 x/' good >bad
	run ! "$ROOT/tests/shown" --compare <bad
	[[ $output == *'other than is shown'* ]]
	"$ROOT/tests/shown" <bad
	echo '    more' >>good
	run ! "$ROOT/tests/shown" --compare <good
	printf '%s\n' '.Bd -literal' "\$ printf '%s\\en' a \\e" '> \&.b' 'a' '\&.b' '.Ed' '    $ true' '    x' >page.7
	run ! "$ROOT/tests/shown" --compare <page.7
	[[ $output == *$'\na\n.b\n'*'other than is shown, which is'$'\nx' ]]
}

@test "a tour that fails says so, and leaves nothing behind" {
	mkdir here
	cp -r "$ROOT/examples" here
	install -D -t here/tests "$ROOT/tests/demo" "$ROOT/tests/shown"
	# shellcheck disable=SC2016 # it is the demonstration that expands this
	sed 's/^    \$ tds-admin log$/    $ kill -STOP $(tds-admin list -j | jq .Groups.stock.Running[][].Pid); false/' \
		"$ROOT/README.md" >here/README.md
	run here/tests/demo "$TDS_BIN"
	[ "$status" -eq 1 ]
	[[ ${lines[-2]} == *'$ kill -STOP'* ]]
	[ "${lines[-1]}" = 'tests/shown: status 1' ]
	[ -z "$(leftovers)" ]
}

@test "setup.sh says how it is used" {
	run "$ROOT/setup.sh"
	[ "$status" -eq 0 ]
	[[ $output == usage:* ]]
	run "$ROOT/setup.sh" nonsense
	[ "$status" -eq 2 ]
}
