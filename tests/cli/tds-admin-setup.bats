#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# tds-admin setup: what it makes is found by what is installed, in a machine of its own, whose /etc, /opt and /var/lib are copies.

load common

setup_file() {
	export PREFIX=$BATS_FILE_TMPDIR/prefix
	make -s -C "$ROOT" BIN="$TDS_BIN" DESTDIR= PREFIX="$PREFIX" stage
}

# machine: run the script on standard input as root of such a machine, with the installed tools in /opt/tds/bin.
machine() {
	[ "$(id -u)" -eq 0 ] || skip 'not root'
	unshare --mount mount -t tmpfs tmpfs /opt || skip 'no mount can be made here'
	cat >"$BATS_TEST_TMPDIR/script"
	cp -a /etc "$BATS_TEST_TMPDIR/etc"
	cat >"$BATS_TEST_TMPDIR/begin" <<-END
		mount --bind "$BATS_TEST_TMPDIR/etc" /etc
		mount -t tmpfs -o mode=0755 tmpfs /var/lib
		mount -t tmpfs -o mode=0755 tmpfs /opt
		mkdir /opt/tds
		mount --bind "$PREFIX" /opt/tds
		cp -r "$KEYS" /opt/keys
		chmod -R go+rX /opt/keys
		PATH=/opt/tds/bin:\$PATH
		cd /opt
		. "$ROOT/tests/cli/machine.bash"
		. "$BATS_TEST_TMPDIR/script"
	END
	run unshare --mount --propagation private bash -euo pipefail "$BATS_TEST_TMPDIR/begin"
	echo "$output"
	[ "$status" -eq 0 ]
}

@test 'a user of its own: one command, and it runs' {
	machine <<-'END'
		says 0 "Made user tds: useradd --system --user-group --no-create-home --home-dir /var/lib/tds --shell /usr/sbin/nologin tds
		Made /opt/thespian, of root, mode 0755
		Made /opt/thespian/director, of root, mode 0755
		Wrote /opt/thespian/director/adminuser.cfg: tds
		Wrote /opt/thespian/director/rundir.cfg: /var/lib/tds/director
		Wrote /opt/thespian/director/sandbox.cfg: default
		Made /var/lib/tds, of root, mode 0755
		Made /var/lib/tds/director, of tds, mode 0711
		Made /var/lib/tds/director/data, of tds, mode 0711" tds-admin setup
		says 0 '/opt/thespian/director is set up already' tds-admin setup
		says 0 '' tds-admin -q setup
		says 0 '' tds-admin setup --print
		works
		[ "$(owner_of_actor)" = tds ]
		ends
		tree >before
		says 0 '/opt/thespian/director is set up already' tds-admin setup
		tree | diff before -
	END
}

@test 'root, with a uid for the actors of each group' {
	machine <<-'END'
		tds-admin setup --user=root >made
		[ "$(cat /opt/thespian/director/actoruser.cfg)" = dynamic ]
		[ "$(grep -c '^Wrote ' made)" -eq 4 ]
		says 0 '/opt/thespian/director is set up already' tds-admin setup --user=root
		works
		[ "$(tds-admin ask foo 1)" = "$(jq .Groups.foo /var/lib/tds/director/uids.json)" ]
		ends
		# The user of actors may be one that is there.
		mkdir other
		echo nobody >other/actoruser.cfg
		tds-admin setup --user=root other
		[ "$(cat other/actoruser.cfg)" = nobody ]
		# What sandbox.cfg says stays.
		[ "$(cat other/sandbox.cfg)" = default ]
		echo strict >other/sandbox.cfg
		says 0 '/opt/other is set up already' tds-admin setup --user=root other
		[ "$(cat other/sandbox.cfg)" = strict ]
	END
}

@test 'what it prints does the same' {
	machine <<-'END'
		tds-admin setup --print "it's" >commands
		[ ! -e "it's" ]
		no_user tds
		sh -e commands
		says 0 "/opt/it's is set up already" tds-admin setup "it's"
		tds-admin setup --print --user=root third | sh -e
		says 0 '/opt/third is set up already' tds-admin setup --user=root third
	END
}

@test 'two directories of one name have two run directories' {
	machine <<-'END'
		tds-admin -q setup a/director
		tds-admin -q setup b/director
		[ "$(cat a/director/rundir.cfg b/director/rundir.cfg)" = /var/lib/tds/director$'\n'/var/lib/tds/opt-b-director ]
		rm b/director/rundir.cfg
		says 1 'tds-admin: /var/lib/tds/opt-b-director is there already; /opt/b/director/rundir.cfg is to name another' tds-admin setup b/director
		echo /var/lib/tds/mine >b/director/rundir.cfg
		tds-admin -q setup b/director
		[ "$(stat -c %U:%a /var/lib/tds/mine /var/lib/tds/mine/data)" = tds:711$'\n'tds:711 ]
		mkdir c
		echo /srv/data >c/datadir.cfg
		tds-admin -q setup c
		[ -e /var/lib/tds/c ]
		[ ! -e /var/lib/tds/c/data ]
		[ ! -e /srv/data ]
	END
}

@test 'what is there and otherwise is refused, and nothing is changed' {
	machine <<-'END'
		useradd --system alice
		mkdir -p d theirs/d writable/d closed/d
		chown alice theirs
		chmod go+w writable
		chmod 0700 closed
		echo alice >d/adminuser.cfg
		echo /elsewhere/run >d/rundir.cfg
		touch file
		tree >before
		says 1 'tds-admin: /opt/d/adminuser.cfg: is there, and says "alice", not "tds"' tds-admin setup d
		says 1 'tds-admin: /opt/theirs: belongs to uid '"$(id -u alice)"', who could put something else in the place of what is in it' tds-admin setup theirs/d
		says 1 'tds-admin: /opt/writable: others may write it, and could put something else in the place of what is in it' tds-admin setup writable/d
		says 1 'tds-admin: /opt/closed: other users may not enter it' tds-admin setup closed/d
		says 1 'tds-admin: /opt/file: is no folder' tds-admin setup file
		says 1 'tds-admin: /opt/theirs: belongs to uid '"$(id -u alice)"', not to root' tds-admin setup theirs
		says 1 'tds-admin: /opt/writable: others may write it' tds-admin setup writable
		says 1 'tds-admin: /opt/closed: its mode is 0700, not 0755' tds-admin setup closed
		echo nobody >writable/d/actoruser.cfg
		says 1 'tds-admin: /opt/writable/d/actoruser.cfg names nobody: only an admin process of root (--user=root) runs actors as another user' tds-admin setup writable/d
		rm writable/d/actoruser.cfg
		tree | diff before -
		says 1 'tds-admin: only root can set it up (--print says how)' as alice tds-admin setup e
		no_user tds
	END
}

@test 'a user that cannot be made' {
	machine <<-'END'
		printf '#!/bin/sh\nexit 9\n' >useradd
		chmod +x useradd
		says 1 'tds-admin: tds: useradd: failed with status 9' env PATH="$PWD:$PATH" tds-admin setup d
		[ ! -e d ]
	END
}

@test 'without useradd: adduser' {
	machine <<-'END'
		mkdir bin
		printf '#!/bin/sh\necho "$(basename "$0") $*" >>/opt/ran\n' >bin/adduser
		chmod +x bin/adduser
		ln bin/adduser bin/addgroup
		mount --bind bin /usr/sbin
		says 0 'addgroup -S tds
		adduser -S -D -H -h /var/lib/tds -s /usr/sbin/nologin -G tds tds' head -2 <(PATH=/opt/tds/bin:/usr/sbin:/bin:/usr/bin tds-admin setup --print d)
		PATH=/opt/tds/bin:/usr/sbin:/bin:/usr/bin tds-admin -q setup d || true
		says 0 'addgroup -S tds
		adduser -S -D -H -h /var/lib/tds -s /usr/sbin/nologin -G tds tds' cat ran
	END
}

@test '--root' {
	[ "$(id -u)" -eq 0 ] || skip 'not root'
	cd "$BATS_TEST_TMPDIR"
	mkdir -p root/etc
	echo 'root:x:0:0::/root:/bin/sh' >root/etc/passwd
	echo 'root:x:0:' >root/etc/group
	tds-admin setup --root=root /srv/d
	uid=$(sed -n 's/^tds:[^:]*:\([0-9]*\):.*/\1/p' root/etc/passwd)
	[ "$(stat -c %u:%a root/var/lib/tds/d)" = "$uid:711" ]
	[ "$(cat root/srv/d/rundir.cfg)" = /var/lib/tds/d ]
	run --separate-stderr tds-admin -j setup --root=root /srv/d
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	jq -e '.Success and .Directory == "/srv/d" and .RunDirectory == "/var/lib/tds/d" and ([.Steps[].State] | unique) == ["There"]' <<<"$output"
}

@test 'usage' {
	local words
	while IFS='|' read -r words message; do
		# shellcheck disable=SC2086
		run --separate-stderr tds-admin setup $words
		[ "$status" -eq 2 ]
		[ -z "$output" ]
		[ "$stderr" = "tds-admin: $message; see 'tds-admin --help'" ] || { echo "$stderr"; return 1; }
	done <<-'END'
		a b|setup takes one folder
		a/../b|".." in the name of a folder: a/../b
		/|not a possible director directory: "/"
		--user=1000 d|not a possible name of a user: "1000"
		--user=-x d|not a possible name of a user: "-x"
		--root=/ --print d|--print does not go with --root
	END
	run --separate-stderr tds-admin setup --root=/nowhere-here d
	[ "$status" -eq 4 ]
	[ "$stderr" = 'tds-admin: /nowhere-here: no such folder' ]
}
