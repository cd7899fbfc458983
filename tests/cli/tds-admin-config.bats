#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# tds-admin config and bootstart: the Director's layout, JSON, what cannot be read; the unit, and what systemctl is told.

load common

setup() {
	new_dir
	cd "$BATS_TEST_TMPDIR" || return
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

# A systemctl that writes down what it is asked, and fails at what the file "fail" names.
fake_systemctl() {
	mkdir fake
	# shellcheck disable=SC2016 # for the script
	printf '#!/bin/sh\ncd "%s" && echo "$*" >>asked\n[ "$1" != "$(cat fail)" ] || exit 3\n' "$PWD" >fake/systemctl
	chmod 755 fake/systemctl
	touch fail
	PATH=$PWD/fake:$PATH
}

# Run a command where /etc/systemd/system is an empty folder of its own.
own_units() {
	unshare --mount sh -c 'mount -t tmpfs none /etc/systemd/system && "$@"' sh "$@"
}

@test "config: the Director's layout" {
	echo multiprocUDPBase >"$DIR/thespbase.cfg"
	echo multiprocTCPBase >"$DIR/oldthespbase.cfg"
	echo 2_961 >"$DIR/adminport.cfg"
	echo 10.0.0.1 >"$DIR/convleader.cfg"
	printf "{ 'a': 1,\r\n  'b': 2 }\n" >"$DIR/othercaps.cfg"
	echo /tmp >"$DIR/thesplogd.cfg"
	run --separate-stderr tds-admin config
	is 0 "   Sources location: $DIR
        System Base: multiprocUDPBase
    OLD System Base: multiprocTCPBase
         Admin Port: 2961
  Logging directory: /tmp
  Convention Leader: 10.0.0.1
 Other Capabilities: { 'a': 1,
                       'b': 2 }" "tds-admin: $DIR/thespbase.cfg: warning: it has no effect: actors run in the local engine
tds-admin: $DIR/oldthespbase.cfg: warning: it has no effect: there is no other system to shut down
tds-admin: $DIR/convleader.cfg: warning: no convention is joined: it is a capability that actors see"
	run --separate-stderr tds-admin -q config
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
}

@test "config: defaults, also without the directory" {
	echo /tmp >"$DIR/thesplogd.cfg"
	run --separate-stderr tds-admin config
	[[ $output == *'System Base: tdsLocalBase'*'Admin Port: 1900'*'Other Capabilities: {}' ]]
	run --separate-stderr tds-admin -C absent config
	[ "$status" -eq 0 ]
	[[ $output == '   Sources location: absent'*'Admin Port: 1900'* ]]
}

@test "config: JSON" {
	echo "{'x': (1, None)}" >"$DIR/othercaps.cfg"
	echo /tmp >"$DIR/thesplogd.cfg"
	tds-admin -j config | jq -e --arg dir "$DIR" '.Directory == $dir and .Base == "tdsLocalBase" and .OldBase == null
		and .AdminPort == 1900 and .LogDirectory == "/tmp" and .OtherCapabilities == "{'\''x'\'': (1, None)}"
		and .Capabilities.t == "dict" and .Log == null'
	rm "$DIR/thesplogd.cfg"
	tds-admin -j config | jq -e '.LogDirectory == null and .LogFile == null'
}

@test "config: what cannot be read is named with its place, and the rest is printed" {
	printf "{\n 'a': open('/etc/passwd')}\n" >"$DIR/othercaps.cfg"
	printf 'caf\351' >"$DIR/convleader.cfg"
	mkdir "$DIR/adminport.cfg"
	echo /tmp >"$DIR/thesplogd.cfg"
	run --separate-stderr tds-admin config
	is 4 "   Sources location: $DIR
        System Base: tdsLocalBase
         Admin Port: 1900
  Logging directory: /tmp
 Other Capabilities: {
                      'a': open('/etc/passwd')}" "tds-admin: $DIR/adminport.cfg: is a folder
tds-admin: $DIR/convleader.cfg:1:4: byte that is not UTF-8
tds-admin: $DIR/othercaps.cfg:2:7: call to open is not allowed"
	rmdir "$DIR/adminport.cfg"
	run tds-admin -q config
	[ "$status" -eq 1 ]
	run tds-admin config x
	[ "$status" -eq 2 ]
}

@test "bootstart: the unit, below another root" {
	mkdir -p root/etc/systemd/system
	fake_systemctl
	run --separate-stderr tds-admin bootstart --root=root nostart
	is 0 '' ''
	[ ! -e asked ]
	[ "$(stat -c %a root/etc/systemd/system/thespian-director.service)" = 644 ]
	[ "$(files root/etc/systemd/system)" = thespian-director.service ]
	grep -Fx "ExecStart=\"$TDS_BIN/tds-admin\" -C \"$DIR\" start --foreground" root/etc/systemd/system/*.service
	grep -Fx "ExecStartPost=-\"$TDS_BIN/tds-load\" -C \"$DIR\" --no-start --all" root/etc/systemd/system/*.service
	grep -Fx 'Type=notify' root/etc/systemd/system/*.service
	grep -Fx 'Delegate=yes' root/etc/systemd/system/*.service
	run ! grep -q '^User=' root/etc/systemd/system/*.service
	echo daemon >"$DIR/adminuser.cfg"
	tds-admin bootstart --root=root nostart
	grep -Fx 'User=daemon' root/etc/systemd/system/*.service
	echo root >"$DIR/adminuser.cfg"
	tds-admin bootstart --root=root nostart
	run ! grep -q '^User=' root/etc/systemd/system/*.service
	tds-admin -j bootstart --root=root my.mill | jq -e '.Unit == "my-mill"
		and .Path == "root/etc/systemd/system/my-mill.service"'
}

@test "bootstart: systemctl is told, as by the Director" {
	{ [ -d /etc/systemd/system ] && own_units true; } 2>/dev/null || skip 'no file system of its own to be had'
	fake_systemctl
	run --separate-stderr own_units tds-admin bootstart
	is 0 'systemctl enable thespian-director
systemctl daemon-reload
systemctl start --no-block thespian-director' ''
	diff <(printf "%s\n" "${output//systemctl /}") asked
	run --separate-stderr own_units tds-director bootstart mill nostart
	is 0 'systemctl enable mill
systemctl daemon-reload' ''
	echo daemon-reload >fail
	run --separate-stderr own_units tds-admin -q bootstart mill
	is 1 '' 'tds-admin: systemctl daemon-reload: failed with status 3'
}

@test "bootstart: a directory whose name systemd would read otherwise" {
	mkdir -p root/etc/systemd/system "$BATS_TEST_TMPDIR/a \"b\" %h \$HOME"
	tds-admin -C "a \"b\" %h \$HOME" bootstart --root=root
	grep -F "Environment=\"THESPIAN_DIRECTOR_DIR=$BATS_TEST_TMPDIR/a \\\"b\\\" %%h \$HOME\"" root/etc/systemd/system/*
	grep -F -- "-C \"$BATS_TEST_TMPDIR/a \\\"b\\\" %%h \$\$HOME\" start" root/etc/systemd/system/*
}

@test "bootstart: what cannot be" {
	run --separate-stderr tds-admin bootstart --root=nowhere
	is 5 '' 'tds-admin: nowhere/etc/systemd/system/thespian-director.service: cannot be written: No such file or directory'
	for name in a/b -x ''\''' 'a b' "$(printf 'a%.0s' {1..300})"; do
		run tds-admin bootstart --root=nowhere -- "$name"
		[ "$status" -eq 2 ]
	done
	run tds-admin bootstart --root=nowhere a b
	[ "$status" -eq 2 ]
	run tds-admin -C absent bootstart --root=nowhere
	[ "$status" -eq 4 ]
}

@test "tds-director bootstart" {
	run --separate-stderr env THESPIAN_DIRECTOR_DIR=absent tds-director bootstart nostart
	is 5 '' 'THESPIAN_DIRECTOR_DIR "absent" does not exist; cannot create boot start configuration'
	run tds-director bootstart a/b
	[ "$status" -eq 2 ]
}
