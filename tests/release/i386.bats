#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The unit tests of the last commit, and the replayed corpora of the fuzzers, where a pointer, a long and a time have 32 bits.
# Needs root, a processor that runs such programs, and Debian's archive for a chroot.

setup() {
	export LC_ALL=C ROOT
	ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	[ "$(id -u)" -eq 0 ] || skip 'not root'
	[ "$(uname -m)" = x86_64 ] || skip "this is no x86_64"
	command -v mmdebstrap >/dev/null || skip 'no mmdebstrap'
}

# Of Debian's main archive alone: what mends it may not be there for other architectures at the same moment.
make_root() {
	local suite archive
	suite=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
	# shellcheck disable=SC2016 # apt-get expands that
	archive=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' "Codename: $suite" | head -n 1)
	nice mmdebstrap --architectures=i386 --variant=minbase \
		--include=gcc,libc6-dev,libcmocka-dev,make,pkg-config,python3,"$(needed)" "$suite" root "deb $archive $suite main"
}

# What setup.sh installs of libraries to build with.
needed() {
	sed -n 's/^to_build=(\(.*\))$/\1/p' "$ROOT/setup.sh" | tr ' ' '\n' | grep '^lib' | paste -sd,
}

@test 'unit tests on i386' {
	cd "$BATS_TEST_TMPDIR"
	make_root >made 2>&1 || { cat made && return 1; }
	mkdir root/source
	git -C "$ROOT" archive HEAD | tar -x -C root/source
	# shellcheck disable=SC2016 # the shell within expands that
	unshare --mount --pid --fork --kill-child=KILL setarch i686 chroot root \
		sh -ec 'mount -t proc proc /proc; cd /source; nice make -s -j"$(nproc)" WERROR=1 unit >built 2>&1 || { cat built; exit 1; }; nice tests/run unit' >said ||
		grep -vE '^plain [a-z_]+: [0-9]+ passed(, [0-9]+ s)?$' said
	grep -q '^[1-9][0-9]* passed, 0 failed' said
}
