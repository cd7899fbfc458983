#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A staged install puts these files in their places and no others, and uninstall takes them all away again.

load common

compiled() {
	python3 -c 'import sys; print("__pycache__/\\1." + sys.implementation.cache_tag + ".pyc")'
}

# The Python host is installed as it stands, and compiled.
host() {
	(cd "$ROOT/libexec/host" && find . -name '*.py' -printf '0644 usr/share/tds/host/%P\n')
}

expected() {
	host
	host | sed "s,\([A-Za-z_]*\)\.py$,$(compiled),"
	cat <<-'EOF'
		0644 usr/include/tds/client.h
		0644 usr/lib/libtds.a
		0644 usr/lib/pkgconfig/tds.pc
		0644 usr/share/bash-completion/completions/_tds
		0644 usr/share/bash-completion/completions/tds-admin
		0644 usr/share/bash-completion/completions/tds-avail
		0644 usr/share/bash-completion/completions/tds-director
		0644 usr/share/bash-completion/completions/tds-gensrc
		0644 usr/share/bash-completion/completions/tds-load
		0644 usr/share/bash-completion/completions/tds-verify
		0644 usr/share/doc/tds/examples/ask.c
		0644 usr/share/doc/tds/examples/operating/tds-refresh@.service
		0644 usr/share/doc/tds/examples/operating/tds-refresh@.timer
		0644 usr/share/doc/tds/examples/operating/tds.cron
		0644 usr/share/doc/tds/examples/operating/tds.logrotate
		0644 usr/share/fish/vendor_completions.d/_tds.fish
		0644 usr/share/fish/vendor_completions.d/tds-admin.fish
		0644 usr/share/fish/vendor_completions.d/tds-avail.fish
		0644 usr/share/fish/vendor_completions.d/tds-director.fish
		0644 usr/share/fish/vendor_completions.d/tds-gensrc.fish
		0644 usr/share/fish/vendor_completions.d/tds-load.fish
		0644 usr/share/fish/vendor_completions.d/tds-verify.fish
		0644 usr/share/man/man1/tds-admin.1
		0644 usr/share/man/man1/tds-avail.1
		0644 usr/share/man/man1/tds-director.1
		0644 usr/share/man/man1/tds-gensrc.1
		0644 usr/share/man/man1/tds-load.1
		0644 usr/share/man/man1/tds-verify.1
		0644 usr/share/man/man5/tds-director-dir.5
		0644 usr/share/man/man5/tds.cfg.5
		0644 usr/share/man/man5/tli.5
		0644 usr/share/man/man5/tls.5
		0644 usr/share/man/man7/tds-from-thespian.7
		0644 usr/share/man/man7/tds-operating.7
		0644 usr/share/man/man7/tds-protocol.7
		0644 usr/share/man/man7/tds-convention.7
		0644 usr/share/man/man7/tds-sandbox.7
		0644 usr/share/man/man7/tds.7
		0644 usr/share/man/man7/tdsasync.7
		0644 usr/share/man/man7/thespian-compat.7
		0644 usr/share/tds/schemas/common.json
		0644 usr/share/tds/schemas/tds-admin-ask.json
		0644 usr/share/tds/schemas/tds-admin-bootstart.json
		0644 usr/share/tds/schemas/tds-admin-config.json
		0644 usr/share/tds/schemas/tds-admin-convention.json
		0644 usr/share/tds/schemas/tds-admin-forget.json
		0644 usr/share/tds/schemas/tds-admin-history.json
		0644 usr/share/tds/schemas/tds-admin-keys.json
		0644 usr/share/tds/schemas/tds-admin-list.json
		0644 usr/share/tds/schemas/tds-admin-log.json
		0644 usr/share/tds/schemas/tds-admin-may.json
		0644 usr/share/tds/schemas/tds-admin-members.json
		0644 usr/share/tds/schemas/tds-admin-metrics.json
		0644 usr/share/tds/schemas/tds-admin-reload.json
		0644 usr/share/tds/schemas/tds-admin-restart.json
		0644 usr/share/tds/schemas/tds-admin-role.json
		0644 usr/share/tds/schemas/tds-admin-sandbox.json
		0644 usr/share/tds/schemas/tds-admin-setup.json
		0644 usr/share/tds/schemas/tds-admin-shutdown.json
		0644 usr/share/tds/schemas/tds-admin-start.json
		0644 usr/share/tds/schemas/tds-admin-status.json
		0644 usr/share/tds/schemas/tds-admin-tell.json
		0644 usr/share/tds/schemas/tds-admin-top.json
		0644 usr/share/tds/schemas/tds-admin-tree.json
		0644 usr/share/tds/schemas/tds-admin-watch.json
		0644 usr/share/tds/schemas/tds-avail.json
		0644 usr/share/tds/schemas/tds-gensrc.json
		0644 usr/share/tds/schemas/tds-load.json
		0644 usr/share/tds/schemas/tds-verify.json
		0644 usr/lib/systemd/system/tds-own@.service
		0644 usr/lib/systemd/system/tds@.service
		0644 usr/lib/systemd/user/tds@.service
		0644 usr/share/zsh/site-functions/_tds
		0644 usr/share/zsh/site-functions/_tds-admin
		0644 usr/share/zsh/site-functions/_tds-avail
		0644 usr/share/zsh/site-functions/_tds-director
		0644 usr/share/zsh/site-functions/_tds-gensrc
		0644 usr/share/zsh/site-functions/_tds-load
		0644 usr/share/zsh/site-functions/_tds-verify
		0755 usr/bin/tds-admin
		0755 usr/bin/tds-avail
		0755 usr/bin/tds-director
		0755 usr/bin/tds-gensrc
		0755 usr/bin/tds-load
		0755 usr/bin/tds-verify
		0755 usr/libexec/tds/tds-daemon
		0755 usr/libexec/tds/tds-link
		0755 usr/libexec/tds/tds-remover
		0755 usr/libexec/tds/tds-verifier
	EOF
}

# tds-link is there where libnats was when it was built.
without_link() {
	if [ -e "$TDS_BIN/../libexec/tds/tds-link" ]; then cat; else grep -v /tds-link; fi
}

# make with the tools of this run, nothing built anew
staged() {
	make -s -C "$ROOT" BIN="$TDS_BIN" DESTDIR="$BATS_TEST_TMPDIR/my root" PREFIX=/usr "$@"
}

@test "install and uninstall" {
	staged stage
	cd "$BATS_TEST_TMPDIR/my root"
	diff <(expected | sort | without_link) <(find . -type f -printf '%#m %P\n' | sort)
	./usr/bin/tds-verify --version
	# the compiler's and Python's notes of where sources were, too
	run grep -rlF "$ROOT" .
	[ "$status:$output" = 1: ]
	staged uninstall
	run find . ! -type d
	[ -z "$output" ]
}

# What unpacks archives takes longer to load than these tools take for most of what they do; they ask tds-verify.
@test "only what looks into packages loads libarchive" {
	local tool
	for tool in tds-admin tds-avail tds-director tds-load ../libexec/tds/tds-daemon ../libexec/tds/tds-remover; do
		[ -e "$TDS_BIN/$tool" ]
		run grep -c libarchive.so "$TDS_BIN/$tool"
		[ "$output" = 0 ]
	done
	grep -q libarchive.so "$TDS_BIN/tds-verify"
}

@test "only the link process loads libnats" {
	local tool
	[ -e "$TDS_BIN/../libexec/tds/tds-link" ] || skip 'it is built where libnats is'
	for tool in "$TDS_BIN"/tds-* "$TDS_BIN"/../libexec/tds/*; do
		run grep -c libnats.so "$tool"
		[ "$output" = "$([ "${tool##*/}" = tds-link ] && echo 1 || echo 0)" ]
	done
}

@test "the release tarball is the same twice, and holds what is tracked" {
	git -C "$ROOT" rev-parse -q --verify HEAD >/dev/null 2>&1 || skip 'no commit here'
	cd "$BATS_TEST_TMPDIR"
	make -s -C "$ROOT" dist TARBALL="$PWD/first.tar.gz"
	make -s -C "$ROOT" dist TARBALL="$PWD/second.tar.gz"
	cmp first.tar.gz second.tar.gz
	diff <(tar -tzf first.tar.gz --quoting-style=literal | sed -n 's,^[^/]*/\(.*[^/]\)$,\1,p' | sort) \
		<(git -C "$ROOT" -c core.quotePath=false ls-tree -r --name-only HEAD | sort)
}

@test "a signed release is a package that holds the tarball, the same twice" {
	git -C "$ROOT" rev-parse -q --verify HEAD >/dev/null 2>&1 || skip 'no commit here'
	cd "$BATS_TEST_TMPDIR"
	install -m 0600 "$KEYS/birch.pem" key.pem
	staged dist SIGN="$PWD/key.pem" TARBALL="$PWD/tds.tar.gz"
	mv tds-*.tls first
	staged dist SIGN="$PWD/key.pem" TARBALL="$PWD/tds.tar.gz"
	cmp first tds-*.tls
	tds-verify -k "$KEYS/birch_tls.key" -x tds.tar.gz tds-*.tls | cmp - tds.tar.gz
	run -7 tds-verify -k "$KEYS/cedar_tls.key" tds-*.tls
}
