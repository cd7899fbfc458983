#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# tds.cfg(5): a section for each configuration file that is known, whole, with an example that is good.

load common

PAGE=$ROOT/man/tds.cfg.5

sections() {
	sed -nE 's/^\.Ss ([a-z]+\.cfg)$/\1/p' "$PAGE"
}

# part NAME ITEM: what stands under an item of a section, of an example the text alone.
part() {
	awk -v name="$1" -v item="$2" '
		/^\.Ss / { here = $2 == name; next }
		!here { next }
		/^\.It / { found = $2 == item; next }
		/^\.El/ { found = 0 }
		found && !/^\.(Bd|Ed)/' "$PAGE"
}

# The table of files in C: name, and when it counts in the words of the page.
table() {
	sed -nE 's/^\t\{ (NEVER|AT_RELOAD|AT_RESTART|HALF|AT_VERIFICATION|AT_USE)\("([a-z]+\.cfg)".*/\2 \1/p' "$ROOT/libcommon/director/config.c" |
		sed 's/NEVER/never/; s/AT_RELOAD/at reload/; s/AT_RESTART\|HALF/at restart/; s/AT_VERIFICATION/at each verification/; s/AT_USE/at each use/' | sort
}

@test 'a section for each file of the table, for no other, and when it counts' {
	local name
	table >"$BATS_TEST_TMPDIR/table"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/table")" -ge 20 ]
	for name in $(sections); do
		echo "$name $(part "$name" Counts)"
	done | sort | diff "$BATS_TEST_TMPDIR/table" -
}

@test 'each section tells form and default' {
	local name item
	for name in $(sections); do
		for item in Form Default; do
			[ -n "$(part "$name" "$item")" ] || { echo "$name: no $item"; return 1; }
		done
	done
}

@test 'each example is good, and what it says is so, or said not to be' {
	local name
	new_dir
	tds-admin -q convention init alpha --folder="$BATS_TEST_TMPDIR/convention"
	echo "$BATS_TEST_TMPDIR/convention/systems/alpha" >"$DIR/convtls.cfg" # which the bus needs
	echo alpha >"$DIR/convsystem.cfg"
	for name in $(sections); do
		part "$name" Example | sed "s/^tds$/nobody/" >"$DIR/$name" # a user that is there
		[ -s "$DIR/$name" ]
		[ "$name" != convtls.cfg ] || echo "$BATS_TEST_TMPDIR/convention/systems/alpha" >"$DIR/$name" # a folder that is
		tds-admin check "$DIR/$name" 2>>"$BATS_TEST_TMPDIR/said"
	done
	sed -nE "s/^tds-admin: .*\/([a-z]+\.cfg): warning: .*(has no effect|no convention).*/\1/p" "$BATS_TEST_TMPDIR/said" | sort >"$BATS_TEST_TMPDIR/without"
	sed -nE 's/^\t\{ (NEVER|HALF)\("([a-z]+\.cfg)".*/\2/p' "$ROOT/libcommon/director/config.c" | grep -vx thespbase.cfg | sort | diff - "$BATS_TEST_TMPDIR/without"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/said")" -eq "$(wc -l <"$BATS_TEST_TMPDIR/without")" ]
}
