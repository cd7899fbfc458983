#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# From a fresh Debian 12 to a demonstration, or to all tests, with one command.
set -eu
cd "$(dirname "$0")"

usage() {
	cat <<'EOF'
usage: ./setup.sh demo    build, and show what the tools do, in a folder that is removed afterwards
       ./setup.sh check   build, and run all tests
       ./setup.sh soak    the same with the long counts, which takes hours, and the Debian packages in a chroot

Debian packages that are missing are installed by apt, as root or through sudo.
EOF
}

to_build=(gcc libc6-dev make pkg-config libssl-dev libarchive-dev libjansson-dev libnats-dev libseccomp-dev libunistring2 libevent-dev)
to_demonstrate=(openssl jq python3)
to_boot=(e2fsprogs mmdebstrap systemd-container user-mode-linux) # machines of their own, for tests as root
to_test=(bats binutils g++ bsdextrautils bubblewrap clang clang-format fish git libclang-rt-14-dev libcmocka-dev logrotate mandoc nats-server python3-jsonschema shellcheck socat unzip zip zsh
	python3-pip)
to_soak=(debhelper dh-python dpkg-dev lintian mmdebstrap)
oracle=build/thespian # the real Thespian, which the tests compare with

die() {
	printf 'setup.sh: %s\n' "$*" >&2
	exit 1
}

as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

# Install those of the packages that are not there.
need() {
	local missing=() package
	command -v dpkg-query >/dev/null || die "this is no Debian; install what these packages hold, then run make: $*"
	for package; do
		[ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
	done
	[ "${#missing[@]}" -gt 0 ] || return 0
	[ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null ||
		die "neither root nor sudo; ask someone who may to run: apt-get install ${missing[*]}"
	echo "Installing ${missing[*]}"
	as_root apt-get -q update || die 'apt-get update failed'
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install "${missing[@]}" ||
		die "apt-get could not install ${missing[*]}"
	case " ${missing[*]} " in *' nats-server '*) stop_server ;; esac
}

# Debian's package starts a server that lets in everybody, now and at each boot. Tests run their own.
stop_server() {
	[ ! -d /run/systemd/system ] || as_root systemctl disable --now nats-server || die 'nats-server could not be stopped'
}

# Tests go on without it: then they compare with what it answered when that was recorded.
fetch_oracle() {
	[ -z "${TDS_THESPIAN-}" ] && [ ! -e "$oracle/thespian/director.py" ] || return 0
	echo "Installing Thespian 4.0.1 into $oracle, for the tests to compare with"
	rm -rf "$oracle"
	python3 -m pip install -q --disable-pip-version-check --retries 1 --timeout 15 --no-deps --target "$oracle" thespian==4.0.1 ||
		echo 'setup.sh: Thespian cannot be had: the tests compare with its recorded answers alone' >&2
}

case $#:${1-} in
	1:demo)
		need "${to_build[@]}" "${to_demonstrate[@]}"
		make -j"$(nproc)"
		exec tests/demo build/bin
		;;
	1:check)
		need "${to_build[@]}" "${to_demonstrate[@]}" "${to_test[@]}" "${to_boot[@]}"
		fetch_oracle
		exec make check
		;;
	1:soak)
		need "${to_build[@]}" "${to_demonstrate[@]}" "${to_test[@]}" "${to_boot[@]}" "${to_soak[@]}"
		fetch_oracle
		exec make soak
		;;
	0: | 1:-h | 1:--help) usage ;;
	*)
		usage >&2
		exit 2
		;;
esac
