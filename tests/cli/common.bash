# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What all bats files share: where tools and recorded cases are, a quiet environment, a director directory.
# Load it with `load common`. The tools are first in PATH too.

bats_require_minimum_version 1.5.0

ROOT=$(cd "${BATS_TEST_DIRNAME:?}/../.." && pwd)
TDS_BIN=$(cd "${TDS_BIN:-$ROOT/build/bin}" && pwd) || exit 1
VECTORS=$ROOT/tests/vectors
KEYS=$VECTORS/keys
PATH=$TDS_BIN:$PATH
export ROOT TDS_BIN VECTORS KEYS PATH

export LC_ALL=C TZ=UTC
unset THESPIAN_DIRECTOR_DIR SOURCE_DATE_EPOCH CDPATH PYTHONPATH
umask 022

# new_dir [KEY…]: make an empty director directory, $DIR, with copies of the named public keys
# ($KEYS/KEY_tls.key) and let the tools use it.
new_dir() {
	local key
	DIR=$BATS_TEST_TMPDIR/director
	mkdir -m 0755 "$DIR"
	for key; do
		install -m 0644 "$KEYS/${key}_tls.key" "$DIR/"
	done
	export DIR THESPIAN_DIRECTOR_DIR=$DIR
}

# files DIR: what is in a folder, sorted, one a line, hidden files too.
files() {
	(cd "$1" && find . -mindepth 1 -printf '%P\n' | sort)
}

# sanitized: are the tools of this run built with ASan? Then their speed and memory prove nothing.
sanitized() {
	grep -q __asan_init "$TDS_BIN/tds-verify"
}

# not_root: skip a test of permissions for the user whom none holds back.
not_root() {
	[ "$(id -u)" -ne 0 ] || skip 'root may do everything'
}

# is STATUS OUTPUT ERRORS: what the last `run --separate-stderr` gave, whole.
is() {
	# shellcheck disable=SC2154
	[ "$status" -eq "$1" ] || {
		echo "status $status, not $1: $stderr"
		return 1
	}
	diff <(printf '%s\n' "$2") <(printf '%s\n' "$output")
	diff <(printf '%s\n' "$3") <(printf '%s\n' "$stderr")
}

# ended STATUS STDERR: how the last `run --separate-stderr` ended, whatever it printed.
ended() {
	[[ $status -eq $1 && $stderr == "$2" ]] || {
		printf 'status %s for %s:\n%s\n' "$status" "$1" "$stderr"
		return 1
	}
}

# untouched: it printed nothing, and the director directory is as it was at BEFORE=$(files "$DIR").
untouched() {
	[[ -z $output && $(files "$DIR") == "$BEFORE" ]] || {
		printf '%s\n' "$output"
		files "$DIR"
		return 1
	}
}
