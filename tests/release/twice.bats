#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Two builds of one commit, in different folders, at different times, by different hands, install the same bytes.

setup_file() {
	ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	export ROOT LC_ALL=C
	git -C "$ROOT" rev-parse -q --verify HEAD >/dev/null 2>&1 || skip 'no commit here'
}

# FOLDER [MAKE'S ARGUMENTS...]
built() {
	local folder=$BATS_TEST_TMPDIR/$1
	mkdir -p "$folder"
	git -C "$ROOT" archive HEAD | tar -x -C "$folder"
	nice make -s -C "$folder" "${@:2}" PREFIX=/usr DESTDIR="$BATS_TEST_TMPDIR/installed-$1" install
}

@test "two builds in different folders are byte-equal" {
	cd "$BATS_TEST_TMPDIR"
	built first -j"$(nproc)"
	(umask 077 && TZ=Asia/Tokyo LC_ALL=C.UTF-8 built the-second-one)
	[ -x installed-first/usr/bin/tds-admin ]
	diff -r installed-first installed-the-second-one
	diff <(find installed-first -type f -printf '%m %P\n' | sort) <(find installed-the-second-one -type f -printf '%m %P\n' | sort)
}
