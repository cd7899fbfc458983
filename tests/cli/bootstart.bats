#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# tds-admin bootstart: what each manager of services gets to read, and is told; the units that are installed.
# shellcheck disable=SC2030,SC2031,SC2154 # bats sets them: status, output, stderr

load common

MANAGERS='systemd openrc runit s6 upstart sysv'

setup() {
	new_dir
	cd "$BATS_TEST_TMPDIR" || return
}

# fake NAME…: commands that write down what they are asked, and fail at what the file "fail" names.
fake() {
	local name
	mkdir -p fake
	for name; do
		# shellcheck disable=SC2016 # for the script
		printf '#!/bin/sh\ncd "%s" && echo "%s $*" >>asked\n[ "$1" != "$(cat fail)" ] || exit 3\n' "$PWD" "$name" >"fake/$name"
		chmod 755 "fake/$name"
	done
	touch fail
	PATH=$PWD/fake:$PATH
}

# own FOLDER… -- COMMAND…: run it where each folder, which is there, is an empty one of its own.
own() {
	local folders=()
	while [ "$1" != -- ]; do
		folders+=("$1")
		shift
	done
	shift
	# shellcheck disable=SC2016 # for the shell inside
	FOLDERS=${folders[*]} unshare --mount sh -c 'for f in $FOLDERS; do mount -t tmpfs none $f || exit; done; "$@"' sh "$@"
}

# A folder of each manager, below root.
make_root() {
	mkdir -p root/etc/{systemd/system,init.d,sv,service,s6/sv,init} root/run/service
}

@test "bootstart: the unit, below another root" {
	make_root
	fake systemctl
	run --separate-stderr tds-admin bootstart --root=root nostart
	is 0 '' ''
	[ ! -e asked ]
	unit=root/etc/systemd/system/thespian-director.service
	[ "$(stat -c %a $unit)" = 644 ]
	[ "$(files root/etc/systemd/system)" = thespian-director.service ]
	grep -Fx "ExecStart=\"$TDS_BIN/tds-admin\" -C \"$DIR\" start --foreground" $unit
	grep -Fx "ExecStartPost=-\"$TDS_BIN/tds-load\" -C \"$DIR\" --no-start --all" $unit
	for line in Type=notify NotifyAccess=main WatchdogSec=60 Delegate=yes LimitNOFILE=524288 RestartSec=5 \
		'RestartPreventExitStatus=2 4 CHDIR EXEC GROUP USER' 'CapabilityBoundingSet=CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER CAP_KILL CAP_SETGID CAP_SETUID'; do
		grep -Fx "$line" $unit
	done
	run ! grep -q '^User=\|@\(admin\|dir\|home\|load\|name\|setdir\|tmp\|user\|writable\)@\|^{' $unit
	echo daemon >"$DIR/adminuser.cfg"
	tds-admin bootstart --root=root nostart
	grep -Fx 'User=daemon' $unit
	grep -Fx 'CapabilityBoundingSet=' $unit
	echo root >"$DIR/adminuser.cfg"
	tds-admin bootstart --root=root nostart
	run ! grep -q '^User=' $unit
	tds-admin -j bootstart --root=root my.mill | jq -e '.Unit == "my-mill" and .Manager == "systemd"
		and .Path == "root/etc/systemd/system/my-mill.service"'
}

@test "bootstart: what it may write, and what is taken away of homes" {
	mkdir other
	echo /var/lib/tds/x >"$DIR/rundir.cfg"
	echo "$PWD/other" >"$DIR/datadir.cfg"
	tds-admin bootstart --print --manager=systemd >unit
	grep -Fx "ReadWritePaths=\"-$DIR\" \"-/var/lib/tds/x\" \"-$PWD/other\"" unit
	grep -Fx PrivateTmp=no unit
	echo /run/tds/x >"$DIR/rundir.cfg"
	echo /home/tds >"$DIR/datadir.cfg"
	tds-admin bootstart --print --manager=systemd >unit
	grep -Fx "ReadWritePaths=\"-$DIR\" \"-/run/tds\" \"-/home/tds\"" unit
	grep -Fx ProtectHome=read-only unit
	run --separate-stderr tds-admin bootstart --print --user --manager=systemd
	[ "$status" -eq 0 ]
	[[ $output == *$'\nWantedBy=default.target' && $output != *ProtectHome* ]]
}

@test "bootstart: a directory whose name is read otherwise, in each manager's file" {
	dir="$BATS_TEST_TMPDIR/a 'b\" %h \$HOME"
	mkdir "$dir"
	tds-admin -C "$dir" bootstart --print --manager=systemd >unit
	grep -Fx "Environment=\"THESPIAN_DIRECTOR_DIR=$BATS_TEST_TMPDIR/a 'b\\\" %%h \$HOME\"" unit
	grep -F -- "-C \"$BATS_TEST_TMPDIR/a 'b\\\" %%h \$\$HOME\" start" unit
	# the others are scripts, or have one: as a shell reads it the name is the name
	for manager in sysv openrc runit s6 upstart; do
		tds-admin -C "$dir" bootstart --print "--manager=$manager" >$manager
		word=$(sed -nE "s/^(.*-C |directory=)('.*\\\$HOME').*/\\2/p" $manager | head -n 1)
		[ "$(eval "printf %s $word")" = "$dir" ] || { echo "$manager: $word"; return 1; }
	done
	mkdir "$PWD/two"$'\n'lines
	run --separate-stderr tds-admin -C "$PWD/two"$'\n'lines bootstart --print --manager=upstart
	[ "$status" -eq 4 ]
	[[ $stderr == *'cannot be named in a file of upstart' ]]
}

@test "bootstart: each file is what its manager can read" {
	for manager in sysv openrc; do
		tds-admin bootstart --print "--manager=$manager" >$manager
		sh -n $manager
	done
	head -n 1 sysv openrc runit 2>/dev/null | grep -Fx '#!/sbin/openrc-run'
	for key in Provides Required-Start Required-Stop Default-Start Default-Stop Short-Description Description; do
		sed -n '/^### BEGIN INIT INFO$/,/^### END INIT INFO$/p' sysv | grep -q "^# $key: "
	done
	for manager in runit s6; do
		tds-admin -j bootstart --print "--manager=$manager" >$manager.json
		for name in run finish; do
			jq -er --arg n $name '.Files[] | select(.Name == $n and .Mode == 493).Text' $manager.json | sh -n
		done
	done
	jq -e '.Files[] | select(.Name == "notification-fd").Text == "3\n"' s6.json
	jq -e '.Files[] | select(.Name == "run").Text | contains("--notify-fd=3 ")' s6.json
}

# refuses_job OLD NEW WHAT: upstart's file is not taken with NEW in the place of OLD.
refuses_job() {
	python3 -c 'import sys; old, new = sys.argv[1:3]; t = open("upstart").read(); assert old in t; print(t.replace(old, new), end="")' \
		"$1" "$2" >wrong
	run ! python3 -B "$ROOT/tests/cli/upstart.py" <wrong
	[[ $output == "line "*": $3"* ]]
}

@test "bootstart: upstart's file keeps to the grammar of its manager" {
	tds-admin bootstart --print --manager=upstart >upstart
	run -0 python3 -B "$ROOT/tests/cli/upstart.py" <upstart
	[ -z "$output" ]
	# what keeps the grammar is seen to
	refuses_job 'stop on' 'stops on' 'no such stanza: stops'
	refuses_job 'respawn limit 5 60' 'respawn limit 5' 'a count and an interval are expected'
	refuses_job 'respawn limit' 'respawn most' 'nothing is expected behind it'
	refuses_job 'TERM INT' 'TERM INTR' 'not a number up to 255: INTR'
	refuses_job 'exit 0 2' 'exit 0 256' 'not a number up to 255: 256'
	refuses_job 'kill timeout 60' 'kill timeout 1min' 'not a number up to 2147483647: 1min'
	refuses_job 'nofile 65536' 'files 65536' 'a resource, its soft and its hard limit are expected'
	refuses_job 'console log' 'console journal' 'not one of none, log, output, owner: journal'
	refuses_job 'start on runlevel' 'start on (runlevel' 'a bracket is open'
	refuses_job 'start on runlevel' 'start on and' 'an event is expected before "and"'
	refuses_job 'console log' 'kill timeout 5' 'comes twice: kill timeout'
	refuses_job 'sources"' 'sources' 'No closing quotation'
	refuses_job 'set +a; }' 'set +a; ' 'the script is none: '
	refuses_job 'console log' 'exec true' 'one of exec and script is expected'
	refuses_job 'end script' 'end' 'no end script'
	run ! python3 -B "$ROOT/tests/cli/upstart.py" <<<'description x'
	[ "$output" = 'nothing is run' ]
}

@test "systemd reads the units, whose exposure is at most 3.0, and 2.0 of a user of its own" {
	command -v systemd-analyze >/dev/null || skip 'there is no systemd-analyze here'
	make -s -C "$ROOT" stage BIN="$TDS_BIN" DESTDIR="$PWD/dest" PREFIX=/usr
	tds-admin bootstart --print --manager=systemd >root.service
	echo daemon >"$DIR/adminuser.cfg"
	tds-admin bootstart --print --manager=systemd >own.service
	sed -i 's/^\(PrivateTmp\|ProtectHome\)=.*/\1=yes/' root.service own.service # the tests may be in either
	cp dest/usr/lib/systemd/system/*.service .
	while read -r most unit; do
		run -0 systemd-analyze security --no-pager --offline=true "--threshold=$most" "$PWD/$unit"
		run ! grep -qF 'Unknown' <<<"$output"
	done <<-'EOF'
		30 root.service
		20 own.service
		30 tds@.service
		20 tds-own@.service
	EOF
	# the threshold counts
	run ! systemd-analyze security --no-pager --offline=true --threshold=10 "$PWD/own.service"
	# what it says of pages and programs is of this machine
	for unit in *.service dest/usr/lib/systemd/user/*.service; do
		sed -i '/^Documentation=/d; s,^\(Exec[A-Za-z]*\)=.*,\1=/bin/true,' "$unit"
		run -0 systemd-analyze verify --man=no "$PWD/$unit"
		[ -z "$output" ]
	done
}

@test "bootstart: never over a file of somebody else's, nor is that removed" {
	make_root
	for manager in $MANAGERS; do
		tds-admin bootstart --root=root "--manager=$manager" mill
		file=$(tds-admin -j bootstart --root=root "--manager=$manager" mill | jq -r .Path)
		grep -Fx '# Written by tds-admin bootstart.' "$file"
		echo mine >"$file"
		for how in '' --remove; do
			run --separate-stderr tds-admin bootstart --root=root "--manager=$manager" $how mill
			is 5 '' "tds-admin: $file: was not written by bootstart, and stays as it is"
			[ "$(cat "$file")" = mine ]
		done
		rm "$file"
		ln -s /etc/passwd "$file"
		run tds-admin bootstart --root=root "--manager=$manager" mill
		[ "$status" -eq 5 ]
		rm -r "$file"
		[ "$manager" != openrc ] || rm -rf root/etc/init.d/*
	done
}

@test "bootstart --remove leaves nothing, and where nothing is does nothing" {
	make_root
	before=$(find root | sort)
	for manager in $MANAGERS; do
		tds-admin bootstart --root=root "--manager=$manager" mill
		[ "$(find root | sort)" != "$before" ]
		[ "$manager" != runit ] || [ "$(readlink root/etc/service/mill)" = /etc/sv/mill ]
		[ "$manager" != s6 ] || [ "$(readlink root/run/service/mill)" = /etc/s6/sv/mill ]
		for _ in 1 2; do
			run --separate-stderr tds-admin -C /nowhere bootstart --root=root "--manager=$manager" --remove mill
			is 0 '' ''
			diff <(printf '%s\n' "$before") <(find root | sort)
		done
	done
	tds-admin bootstart --root=root --manager=runit mill nostart
	[ -x root/etc/sv/mill/run ]
	[ ! -e root/etc/service/mill ]
	[ ! -L root/etc/service/mill ]
}

@test "bootstart --remove takes what a supervisor has left, where none is there any more" {
	make_root
	for manager in runit:root/etc/sv/mill s6:root/etc/s6/sv/mill; do
		remove=(tds-admin bootstart --root=root "--manager=${manager%%:*}" --remove mill)
		folder=${manager#*:}
		before=$(find root | sort)
		tds-admin bootstart --root=root "--manager=${manager%%:*}" mill
		mkdir -m 0700 "$folder/supervise" "$folder/event"
		mkfifo "$folder/supervise/control"
		touch "$folder/supervise/status"
		exec 7<>"$folder/supervise/control" # who reads it looks after the service
		find root -path '*/service/mill' -delete # not by bootstart: it does not wait
		run --separate-stderr "${remove[@]}"
		is 1 '' "tds-admin: $folder: a supervisor looks after it, and does not end"
		[ -s "$folder/run" ]
		[ -e "$folder/supervise/status" ]
		exec 7<&-
		run --separate-stderr "${remove[@]}"
		is 0 '' ''
		diff <(printf '%s\n' "$before") <(find root | sort)
	done
	tds-admin bootstart --root=root --manager=runit mill
	echo mine >root/etc/sv/mill/mine
	tds-admin bootstart --root=root --manager=runit --remove mill
	[ "$(find root/etc/sv -type f)" = root/etc/sv/mill/mine ]
}

@test "bootstart: each manager is told" {
	{ [ -d /etc/systemd/system ] && own /etc -- true; } 2>/dev/null || skip 'no file system of its own to be had'
	fake systemctl initctl rc-update rc-service update-rc.d service
	# shellcheck disable=SC2016 # for the shell inside
	in_etc=(own /etc -- sh -c 'mkdir -p /etc/systemd/system /etc/init.d /etc/init && "$@"' sh)
	while read -r manager file; do
		rm -f asked
		run --separate-stderr "${in_etc[@]}" sh -c "tds-admin bootstart --manager=$manager mill && [ -s $file ] &&
			tds-admin bootstart --manager=$manager --remove mill && [ ! -e $file ]"
		[ "$status" -eq 0 ]
		diff <(printf '%s\n' "$output") asked
		cat asked >>all
	done <<-'EOF'
		systemd /etc/systemd/system/mill.service
		openrc /etc/init.d/mill
		upstart /etc/init/mill.conf
		sysv /etc/init.d/mill
	EOF
	diff - all <<-'EOF'
		systemctl enable mill
		systemctl daemon-reload
		systemctl start --no-block mill
		systemctl disable --now mill
		systemctl daemon-reload
		rc-update add mill default
		rc-service mill start
		rc-service mill stop
		rc-update del mill default
		initctl reload-configuration
		initctl start --no-wait mill
		initctl stop mill
		initctl reload-configuration
		update-rc.d mill defaults
		service mill start
		service mill stop
		update-rc.d mill remove
	EOF
	echo daemon-reload >fail
	run --separate-stderr "${in_etc[@]}" tds-admin -q bootstart --manager=systemd mill
	is 1 '' 'tds-admin: systemctl daemon-reload: failed with status 3'
}

@test "bootstart --user is for the user's own systemd" {
	fake systemctl
	export HOME=$PWD/home
	unset XDG_CONFIG_HOME
	run --separate-stderr tds-admin bootstart --user --manager=systemd
	is 0 'systemctl --user enable thespian-director
systemctl --user daemon-reload
systemctl --user start --no-block thespian-director' 'tds-admin: it starts when the user logs in; at boot after loginctl enable-linger'
	[ -s home/.config/systemd/user/thespian-director.service ]
	XDG_CONFIG_HOME=$PWD/config tds-admin -q bootstart --user --manager=systemd x nostart
	[ -s config/systemd/user/x.service ]
	tds-admin -q bootstart --user --manager=systemd --remove
	[ ! -e home/.config/systemd/user/thespian-director.service ]
	run --separate-stderr tds-admin bootstart --user --manager=runit
	is 2 '' "tds-admin: --user goes only with systemd, not with runit; see 'tds-admin --help'"
}

@test "bootstart: where no manager is known" {
	[ ! -e /run/systemd/system ] && [ ! -e /etc/inittab ] && [ ! -e /run/openrc ] && [ ! -e /run/runit ] || skip 'there is one'
	run --separate-stderr tds-admin bootstart
	is 1 '' "tds-admin: no manager of services is known here; have one run: '$TDS_BIN/tds-admin' -C '$DIR' start --foreground --load-all"
	run --separate-stderr tds-director bootstart
	[ "$status" -eq 1 ]
}

@test "bootstart: what cannot be" {
	run --separate-stderr tds-admin bootstart --root=nowhere
	is 5 '' 'tds-admin: nowhere/etc/systemd/system/thespian-director.service: cannot be written: No such file or directory'
	for name in a/b -x ''\''' 'a b' "$(printf 'a%.0s' {1..300})"; do
		run tds-admin bootstart --root=nowhere -- "$name"
		[ "$status" -eq 2 ]
	done
	for args in 'a b' '--print --remove' --user=x --manager=launchd; do
		# shellcheck disable=SC2086
		run tds-admin bootstart --root=nowhere $args
		[ "$status" -eq 2 ]
	done
	run --separate-stderr tds-admin setup --user
	is 2 '' "tds-admin: --user=USER: which user?; see 'tds-admin --help'"
	run tds-admin -C absent bootstart --root=nowhere
	[ "$status" -eq 4 ]
}

@test "tds-director bootstart" {
	run --separate-stderr env THESPIAN_DIRECTOR_DIR=absent tds-director bootstart nostart
	is 5 '' 'THESPIAN_DIRECTOR_DIR "absent" does not exist; cannot create boot start configuration'
	run tds-director bootstart a/b
	[ "$status" -eq 2 ]
}
