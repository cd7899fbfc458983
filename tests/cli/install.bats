#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A staged install puts these files in their places and no others, and uninstall takes them all away again.

load common

compiled() {
	python3 -c 'import sys; print("__pycache__/\\1." + sys.implementation.cache_tag + ".pyc")'
}

expected() {
	plain
	plain | sed -n "s,\([A-Za-z_]*\)\.py$,$(compiled),p"
}

plain() {
	cat <<-'EOF'
		0644 usr/libexec/tds/host/__main__.py
		0644 usr/libexec/tds/host/tdsasync.py
		0644 usr/libexec/tds/host/tdschild.py
		0644 usr/libexec/tds/host/tdshost/__init__.py
		0644 usr/libexec/tds/host/tdshost/actor/__init__.py
		0644 usr/libexec/tds/host/tdshost/actor/children.py
		0644 usr/libexec/tds/host/tdshost/actor/host.py
		0644 usr/libexec/tds/host/tdshost/actor/life.py
		0644 usr/libexec/tds/host/tdshost/actor/links.py
		0644 usr/libexec/tds/host/tdshost/actor/ops.py
		0644 usr/libexec/tds/host/tdshost/actor/orders.py
		0644 usr/libexec/tds/host/tdshost/actor/reference.py
		0644 usr/libexec/tds/host/tdshost/actor/status.py
		0644 usr/libexec/tds/host/tdshost/actor/wakeups.py
		0644 usr/libexec/tds/host/tdshost/forkserver/__init__.py
		0644 usr/libexec/tds/host/tdshost/forkserver/classes.py
		0644 usr/libexec/tds/host/tdshost/forkserver/forkhooks.py
		0644 usr/libexec/tds/host/tdshost/forkserver/helpers.py
		0644 usr/libexec/tds/host/tdshost/forkserver/interpreter.py
		0644 usr/libexec/tds/host/tdshost/forkserver/library.py
		0644 usr/libexec/tds/host/tdshost/forkserver/main.py
		0644 usr/libexec/tds/host/tdshost/forkserver/rehearsal.py
		0644 usr/libexec/tds/host/tdshost/forkserver/sandbox.py
		0644 usr/libexec/tds/host/tdshost/forkserver/sourceprocess.py
		0644 usr/libexec/tds/host/tdshost/forkserver/spare.py
		0644 usr/libexec/tds/host/tdshost/inprocess/__init__.py
		0644 usr/libexec/tds/host/tdshost/inprocess/endpoint.py
		0644 usr/libexec/tds/host/tdshost/inprocess/engine.py
		0644 usr/libexec/tds/host/tdshost/inprocess/library.py
		0644 usr/libexec/tds/host/tdshost/inprocess/resident.py
		0644 usr/libexec/tds/host/tdshost/inprocess/system.py
		0644 usr/libexec/tds/host/tdshost/logger.py
		0644 usr/libexec/tds/host/tdshost/program/__init__.py
		0644 usr/libexec/tds/host/tdshost/program/endpoint.py
		0644 usr/libexec/tds/host/tdshost/program/launch.py
		0644 usr/libexec/tds/host/tdshost/program/logdefs.py
		0644 usr/libexec/tds/host/tdshost/program/opening.py
		0644 usr/libexec/tds/host/tdshost/program/place.py
		0644 usr/libexec/tds/host/tdshost/program/rundir.py
		0644 usr/libexec/tds/host/tdshost/program/system.py
		0644 usr/libexec/tds/host/tdshost/source/__init__.py
		0644 usr/libexec/tds/host/tdshost/source/archive.py
		0644 usr/libexec/tds/host/tdshost/source/children.py
		0644 usr/libexec/tds/host/tdshost/source/classes.py
		0644 usr/libexec/tds/host/tdshost/source/distributions.py
		0644 usr/libexec/tds/host/tdshost/source/resources.py
		0644 usr/libexec/tds/host/tdshost/source/sourceloader.py
		0644 usr/libexec/tds/host/tdshost/source/usersource.py
		0644 usr/libexec/tds/host/tdshost/wire/__init__.py
		0644 usr/libexec/tds/host/tdshost/wire/bounds.py
		0644 usr/libexec/tds/host/tdshost/wire/confine.py
		0644 usr/libexec/tds/host/tdshost/wire/failure.py
		0644 usr/libexec/tds/host/tdshost/wire/fields.py
		0644 usr/libexec/tds/host/tdshost/wire/link.py
		0644 usr/libexec/tds/host/tdshost/wire/logs.py
		0644 usr/libexec/tds/host/tdshost/wire/process.py
		0644 usr/libexec/tds/host/tdshost/wire/protocol.py
		0644 usr/libexec/tds/host/tdshost/wire/realm.py
		0644 usr/libexec/tds/host/tdshost/wire/refusal.py
		0644 usr/libexec/tds/host/tdshost/wire/tagged.py
		0644 usr/libexec/tds/host/tdshost/words/__init__.py
		0644 usr/libexec/tds/host/tdshost/words/actor.py
		0644 usr/libexec/tds/host/tdshost/words/address.py
		0644 usr/libexec/tds/host/tdshost/words/arguments.py
		0644 usr/libexec/tds/host/tdshost/words/base.py
		0644 usr/libexec/tds/host/tdshost/words/errors.py
		0644 usr/libexec/tds/host/tdshost/words/messages.py
		0644 usr/libexec/tds/host/tdshost/words/outside.py
		0644 usr/libexec/tds/host/tdshost/words/status.py
		0644 usr/libexec/tds/host/tdshost/words/timing.py
		0644 usr/libexec/tds/host/thespian/__init__.py
		0644 usr/libexec/tds/host/thespian/actors.py
		0644 usr/libexec/tds/host/thespian/director.py
		0644 usr/libexec/tds/host/thespian/importlib.py
		0644 usr/libexec/tds/host/thespian/initmsgs.py
		0644 usr/libexec/tds/host/thespian/local_importlib.py
		0644 usr/libexec/tds/host/thespian/runcommand.py
		0644 usr/libexec/tds/host/thespian/shell.py
		0644 usr/libexec/tds/host/thespian/system/__init__.py
		0644 usr/libexec/tds/host/thespian/system/logdirector.py
		0644 usr/libexec/tds/host/thespian/system/messages/__init__.py
		0644 usr/libexec/tds/host/thespian/system/messages/status.py
		0644 usr/libexec/tds/host/thespian/system/multiprocQueueBase.py
		0644 usr/libexec/tds/host/thespian/system/multiprocTCPBase.py
		0644 usr/libexec/tds/host/thespian/system/multiprocUDPBase.py
		0644 usr/libexec/tds/host/thespian/system/simpleSystemBase.py
		0644 usr/libexec/tds/host/thespian/system/timing.py
		0644 usr/libexec/tds/host/thespian/system/utilis.py
		0644 usr/libexec/tds/host/thespian/transient.py
		0644 usr/libexec/tds/host/thespian/troupe.py
		0644 usr/share/bash-completion/completions/_tds
		0644 usr/share/bash-completion/completions/tds-admin
		0644 usr/share/bash-completion/completions/tds-avail
		0644 usr/share/bash-completion/completions/tds-director
		0644 usr/share/bash-completion/completions/tds-gensrc
		0644 usr/share/bash-completion/completions/tds-load
		0644 usr/share/bash-completion/completions/tds-verify
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
		0644 usr/share/man/man7/tds-protocol.7
		0644 usr/share/man/man7/tds-sandbox.7
		0644 usr/share/man/man7/tds.7
		0644 usr/share/man/man7/tdsasync.7
		0644 usr/share/man/man7/thespian-compat.7
		0644 usr/share/tds/schemas/common.json
		0644 usr/share/tds/schemas/tds-admin-ask.json
		0644 usr/share/tds/schemas/tds-admin-bootstart.json
		0644 usr/share/tds/schemas/tds-admin-config.json
		0644 usr/share/tds/schemas/tds-admin-forget.json
		0644 usr/share/tds/schemas/tds-admin-history.json
		0644 usr/share/tds/schemas/tds-admin-keys.json
		0644 usr/share/tds/schemas/tds-admin-list.json
		0644 usr/share/tds/schemas/tds-admin-log.json
		0644 usr/share/tds/schemas/tds-admin-may.json
		0644 usr/share/tds/schemas/tds-admin-reload.json
		0644 usr/share/tds/schemas/tds-admin-restart.json
		0644 usr/share/tds/schemas/tds-admin-role.json
		0644 usr/share/tds/schemas/tds-admin-sandbox.json
		0644 usr/share/tds/schemas/tds-admin-setup.json
		0644 usr/share/tds/schemas/tds-admin-shutdown.json
		0644 usr/share/tds/schemas/tds-admin-start.json
		0644 usr/share/tds/schemas/tds-admin-status.json
		0644 usr/share/tds/schemas/tds-admin-tell.json
		0644 usr/share/tds/schemas/tds-admin-watch.json
		0644 usr/share/tds/schemas/tds-avail.json
		0644 usr/share/tds/schemas/tds-gensrc.json
		0644 usr/share/tds/schemas/tds-load.json
		0644 usr/share/tds/schemas/tds-verify.json
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
		0755 usr/libexec/tds/tds-remover
		0755 usr/libexec/tds/tds-verifier
	EOF
}

# make with the tools of this run, nothing built anew
staged() {
	make -s -C "$ROOT" BIN="$TDS_BIN" DESTDIR="$BATS_TEST_TMPDIR/my root" PREFIX=/usr "$@"
}

@test "install and uninstall" {
	staged stage
	cd "$BATS_TEST_TMPDIR/my root"
	diff <(expected | sort) <(find . -type f -printf '%#m %P\n' | sort)
	./usr/bin/tds-verify --version
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

@test "the release tarball is the same twice, and holds what is tracked" {
	git -C "$ROOT" rev-parse -q --verify HEAD >/dev/null 2>&1 || skip 'no commit here'
	cd "$BATS_TEST_TMPDIR"
	make -s -C "$ROOT" dist TARBALL="$PWD/first.tar.gz"
	make -s -C "$ROOT" dist TARBALL="$PWD/second.tar.gz"
	cmp first.tar.gz second.tar.gz
	diff <(tar -tzf first.tar.gz --quoting-style=literal | sed -n 's,^[^/]*/\(.*[^/]\)$,\1,p' | sort) \
		<(git -C "$ROOT" -c core.quotePath=false ls-tree -r --name-only HEAD | sort)
}
