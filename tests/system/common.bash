# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What the scripts of the machines share: TAP over several boots, a package, waiting, who is there.

# holds WHAT FUNCTION: one result; the function is run with -e in a shell of its own, and shown where it fails. What comes after
# a failure began with what failed, and says nothing: it is not run.
holds() {
	local n status=0
	[ ! -e /host/failed ] || return
	n=$(($(cat /host/count 2>/dev/null || echo 0) + 1))
	echo $n >/host/count
	(set -eux && "$2") >/host/said 2>&1
	status=$?
	if [ $status -eq 0 ]; then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1"
		touch /host/failed
		tail -n 25 /host/said | sed 's/^/# /'
		! pidof -q systemd || journalctl -o cat -n 20 | sed 's/^/#   /'
	fi
}

plan() {
	echo "1..$(cat /host/count)"
}

# refuses COMMAND…: what `!` alone would not fail on.
refuses() {
	if "$@"; then return 1; fi
}

# until_so COMMAND…: for what nobody tells: ask again and again; where it never comes, that fails.
until_so() {
	local end=$((SECONDS + 60))
	{ set +x; } 2>/dev/null
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || { echo "never: $*" && return 1; }
		sleep 0.05
	done
}

# give_stock DIR: the key, and the example's group in two versions. In a sandbox, where the kernel has one.
give_stock() {
	local version
	python3 -c 'import ctypes, sys; sys.exit(ctypes.CDLL(None).syscall(444, None, 0, 1) < 1)' || echo trusted >"$1/sandbox.cfg"
	install -m 0644 /host/keys/cedar_tls.key "$1/"
	for version in 1 2; do give_version $version "$1"; done
}

give_version() { # VERSION DIR
	tds-gensrc -q -C "$2" stock /host/keys/cedar.pem /host/examples "version:$1" 'stock/*.py'
}

answers() { # DIR
	tds-admin -C "$1" ask stock "{'op': 'count', 'item': 'bolt'}"
}

version_of() { # DIR: the active one of stock
	tds-admin -C "$1" list -j | jq -er '.Groups.stock | .Sources[.ActiveHash].Version'
}

pid_of_daemon() {
	tds-admin -C "$1" status -j | jq -e .Pid
}

# another_than PID DIR: a daemon that came later answers, and its actors do.
another_than() {
	[ "$(pid_of_daemon "$2")" != "$1" ] && answers "$2"
}

actor_of() { # DIR [GROUP]: the process of its first actor
	tds-admin -C "$1" list "${2-stock}" -j | jq -er --arg group "${2-stock}" '[.Groups[$group].Running[][].Pid][0]'
}

parent_of() {
	sed -n 's/^PPid:[^0-9]*//p' "/proc/$1/status"
}

# Those of actors, daemons and guardians, and nobody else's.
processes() {
	local exe
	for exe in /proc/[0-9]*/exe; do
		case $(readlink "$exe" 2>/dev/null) in
			*/tds-*) echo "$exe" ;;
			*/python3*) ! grep -qsa TDS_ADMIN_RUN "${exe%exe}environ" || echo "$exe" ;;
		esac
	done
}

none_left() {
	[ -z "$(processes)" ]
}
