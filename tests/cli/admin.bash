# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What the tests with a running admin share. Load it after common, with `load admin`.

# name_actors DIR: root's admin process has to be told as whom actors run.
name_actors() {
	[ "$(id -u)" -ne 0 ] || echo root >"$1/actoruser.cfg"
}

# new_admin_dir [KEY…]: new_dir, for an admin process.
new_admin_dir() {
	new_dir "$@"
	name_actors "$DIR"
	echo trusted >"$DIR/sandbox.cfg"
}

# expect STATUS STDOUT STDERR COMMAND…: all three must be as said, but for a newline at the end.
expect() {
	local status_wanted=$1 out_wanted=$2 err_wanted=$3
	shift 3
	run --separate-stderr "$@"
	diff <(echo "$out_wanted") <(echo "${output:-}")
	diff <(echo "$err_wanted") <(echo "${stderr:-}")
	[ "${status:-}" -eq "$status_wanted" ]
}

# refused STATUS COMMAND…: it ends so, prints nothing, and says why in one line.
refused() {
	local status_wanted=$1
	shift
	run --separate-stderr "$@"
	[ "${status:-}" -eq "$status_wanted" ] || { echo "$*: status $status: $output$stderr"; return 1; }
	[ -z "${output:-}" ] && [ "$(wc -l <<<"${stderr:-}")" -eq 1 ] && [[ $stderr == tds-* ]]
}

# processes: those of this test's admins and actors, by what is in their environment.
processes() {
	local p comm
	for p in /proc/[0-9]*; do
		{ read -r comm <"$p/comm"; } 2>/dev/null || continue
		case $comm in tds-* | python3*) ;; *) continue ;; esac
		if grep -qsaF "$BATS_TEST_TMPDIR/" "$p/environ"; then echo "${p#/proc/}"; fi
	done
}

# end_admin: for teardown. Nothing may be left, and nothing is, whatever the test found.
end_admin() {
	local left tries
	tds-admin -q shutdown --grace=1 || true
	for ((tries = 0; tries < 100; tries++)); do
		left=$(processes)
		[ -n "$left" ] || return 0
	done
	echo "left: $left"
	# shellcheck disable=SC2086
	kill -9 $left
	return 1
}
