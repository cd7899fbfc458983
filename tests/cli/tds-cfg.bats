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

@test 'a section for each known name, and for no other' {
	grep -oE '"[a-z]+\.cfg"' "$ROOT/libcommon/director/config.c" | tr -d '"' | sort -u >"$BATS_TEST_TMPDIR/known"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/known")" -ge 19 ]
	sections | sort | diff "$BATS_TEST_TMPDIR/known" -
}

@test 'each section tells form, default and when it counts' {
	local name item
	for name in $(sections); do
		for item in Form Default Counts; do
			[ -n "$(part "$name" "$item")" ] || { echo "$name: no $item"; return 1; }
		done
		[[ $(part "$name" Counts) =~ ^(at\ start|at\ each\ verification|at\ each\ use|never)$ ]] || { echo "$name"; return 1; }
	done
}

@test 'each example is good' {
	local name
	new_dir
	for name in $(sections); do
		part "$name" Example | sed "s/^tds$/nobody/" >"$DIR/$name" # a user that is there
		[ -s "$DIR/$name" ]
		echo "$name: $(tds-admin check "$DIR/$name" 2>&1)" | tee -a "$BATS_TEST_TMPDIR/said"
		tds-admin check --strict "$DIR/$name"
	done
	run ! grep -v ": \$" "$BATS_TEST_TMPDIR/said"
}
