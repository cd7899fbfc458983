#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The Debian packages of the last commit: built, judged by lintian, and installed, used, upgraded, removed and purged in a
# chroot of their own, each in processes that end with the test. Needs root, and Debian's archive for the chroot.

bats_require_minimum_version 1.5.0

setup_file() {
	export LC_ALL=C ROOT
	ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	[ "$(id -u)" -eq 0 ] || skip 'not root'
	local tool
	for tool in dpkg-buildpackage lintian mmdebstrap dh_python3; do
		command -v "$tool" >/dev/null || skip "no $tool"
	done
	cd "$BATS_FILE_TMPDIR" || return
	mkdir source
	git -C "$ROOT" archive HEAD | tar -x -C source
	(cd source && DEB_BUILD_OPTIONS="nocheck parallel=$(nproc)" nice dpkg-buildpackage -us -uc) >built 2>&1 || { cat built && return 1; }
	make_next
	make_root >made 2>&1 || { cat made && return 1; }
	mkdir root/packages
	cp -r ./*.deb next source/debian/tests source/tests/demo source/tests/shown "$ROOT/tests/release/upgrade" root/packages
}

# The same once more, as the version that follows.
make_next() {
	dpkg-deb -R tds_*.deb next.d
	sed -i 's/^Version: .*/&+next/' next.d/DEBIAN/control
	mkdir next
	dpkg-deb -b next.d next/tds.deb
}

make_root() {
	local needed suite
	suite=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
	needed=$(for deb in *.deb; do dpkg-deb -f "$deb" Depends; done | tr ',' '\n' | sed 's/(.*//; s/:any//; s/|.*//; s/ //g' |
		grep -v '^tds$' | sort -u | paste -sd,)
	nice mmdebstrap --variant=minbase --include="$needed,gcc,jq,libc6-dev,openssl,passwd,pkg-config" "$suite" root
}

# within COMMAND…: in the chroot; its processes go with it.
within() {
	# shellcheck disable=SC2016 # the shell within expands that
	unshare --mount --pid --fork --kill-child=KILL chroot "$BATS_FILE_TMPDIR/root" \
		sh -ec 'mount -t proc proc /proc; cd /packages; export HOME=/root AUTOPKGTEST_TMP=$(mktemp -d); "$@"' sh "$@"
}

# All that stands in the chroot, but for what dpkg, Python and this test keep.
everything() {
	find "$BATS_FILE_TMPDIR/root" -xdev ! -path '*/var/lib/dpkg/*' ! -path '*/var/cache/*' ! -path '*/var/log/*' ! -path '*/tmp/*' \
		! -path '*/packages/*' ! -path '*/run/*' ! -path '*/srv*' -printf '%P %M\n' | sort
}

@test 'lintian finds nothing' {
	cd "$BATS_FILE_TMPDIR"
	lintian --allow-root --fail-on error,warning ./*.changes
}

@test 'nothing of the build is in the packages' {
	cd "$BATS_FILE_TMPDIR"
	run grep -rlF "$BATS_FILE_TMPDIR/source" next.d
	[ "$status:$output" = 1: ]
	run find next.d -name '*.pyc'
	[ "$output" = '' ]
}

@test 'installed, it is used by its README; the example in C asks; purged, nothing is left' {
	everything >"$BATS_FILE_TMPDIR/before"
	within sh -c 'dpkg -i tds_*.deb libtds-dev_*.deb'
	within ./tests/client
	within sh -c 'mkdir x x/tests && cp demo shown x/tests && cd x && ../tests/readme'
	within dpkg --purge tds libtds-dev
	diff "$BATS_FILE_TMPDIR/before" <(everything)
}

@test 'an upgrade loses no request; a removal ends what runs; a purge leaves the director directory alone' {
	within sh -c 'dpkg -i tds_*.deb libtds-dev_*.deb'
	within ./upgrade
	within dpkg --purge tds libtds-dev
	diff "$BATS_FILE_TMPDIR/before" <(everything)
	[ -e "$BATS_FILE_TMPDIR/root/srv/director/example_tls.key" ]
}
