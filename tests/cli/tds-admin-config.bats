#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# tds-admin config: the Director's layout, JSON, what cannot be read.

load common

setup() {
	new_dir
	cd "$BATS_TEST_TMPDIR" || return
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
tds-admin: $DIR/oldthespbase.cfg: warning: it has no effect: there is no other system to shut down"
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
