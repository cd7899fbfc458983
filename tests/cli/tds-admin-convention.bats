#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# tds-admin convention: the folder that init makes, what a system is given of it, and what is refused. How a server takes
# it: tests/cases/t_bus.py.

load common
load admin

setup() {
	new_dir
	cd "$BATS_TEST_TMPDIR" || return
}

# init ARGS…: quietly.
init() {
	tds-admin -q convention init "$@"
}

# whose FILE: the names in a certificate, and what it is for.
whose() {
	openssl x509 -in "$1" -noout -ext subjectAltName,extendedKeyUsage,basicConstraints | sed -n 's/^ *//p' | grep -v '^X509v3' | paste -sd' '
}

# digests FOLDER: of all that is in it, a line each.
digests() {
	find "$1" -type f -exec sha256sum {} + | sort -k2
}

DAY=$(date -u -d '730 days' +%F)

@test "init: what is made, and what is to be done with it" {
	expect 0 "Made convention/systems/alpha: a candidate, good until $DAY
Made convention/systems/beta: a member, good until $DAY
Made convention/server: tls://bus.example.com:4222, good until $DAY
On the machine of the server, as root, with nats-server 2.9 or later and a copy of convention/server:
  install -d -o root -g nats -m 0750 /etc/tds-bus
  install -o root -g nats -m 0640 server/*.pem server/server.key server/nats-server.conf /etc/tds-bus
  install -D -m 0644 server/tds.conf /etc/systemd/system/nats-server.service.d/tds.conf
  systemctl daemon-reload
  systemctl restart nats-server
On the machine of each system NAME, with a copy of convention/systems/NAME, which is removed then:
  tds-admin convention join NAME
  tds-admin restart
Whoever has convention/ca.key can make itself any system: keep the folder where nobody else reads it." '' tds-admin convention init alpha beta --bus=bus.example.com
	[ "$(find convention -name '*.key' -perm 0600 | wc -l)" -eq 5 ]
	[ "$(find convention -name '*.key' ! -perm 0600 -o -type d ! -perm 0700)" = '' ]
	[ "$(whose convention/ca.pem)" = 'CA:TRUE, pathlen:0' ]
	[ "$(whose convention/server/server.pem)" = 'DNS:bus.example.com TLS Web Server Authentication CA:FALSE' ]
	[ "$(whose convention/systems/alpha/system.pem)" = 'URI:tds:alpha TLS Web Client Authentication CA:FALSE' ]
	[ "$(whose convention/systems/alpha/store.pem)" = 'URI:tds-store:alpha TLS Web Client Authentication CA:FALSE' ]
	[ "$(files convention/systems/beta)" = $'ca.pem\nconvbus.cfg\nconvname.cfg\nconvrole.cfg\nconvsystem.cfg\nsystem.key\nsystem.pem' ]
	run ! grep -rq 'PRIVATE KEY' --include='*.pem' convention
}

@test "init again: what is there stays, what is new is added" {
	local before
	init alpha --bus=10.0.0.1:4333,bus,fe80::1
	[ "$(whose convention/server/server.pem)" = 'IP Address:10.0.0.1, DNS:bus, IP Address:FE80:0:0:0:0:0:0:1 TLS Web Server Authentication CA:FALSE' ]
	[ "$(cat convention/systems/alpha/convbus.cfg)" = $'tls://10.0.0.1:4333\ntls://bus:4333\ntls://[fe80::1]:4333' ]
	before=$(digests convention)
	init alpha
	[ "$(digests convention)" = "$before" ]
	expect 0 "Made convention/systems/beta: a member, good until $(date -u -d '9 days' +%F)
On the machine of the server, as root, with a copy of convention/server (no system is dropped that stays):
  install -o root -g nats -m 0640 server/*.pem server/server.key server/nats-server.conf /etc/tds-bus
  systemctl reload nats-server
On the machine of each system NAME, with a copy of convention/systems/NAME, which is removed then:
  tds-admin convention join NAME
  tds-admin restart" '' tds-admin convention init beta --days=9
	[ "$(digests convention | grep -v systems/beta/ | diff - <(echo "$before") | grep -c '^>')" -eq 1 ] # nats-server.conf
	grep -q 'user: "tds:beta"' convention/server/nats-server.conf
	rm convention/systems/beta/convrole.cfg convention/systems/beta/system.key # as one that was interrupted leaves it
	init beta
	openssl pkey -in convention/systems/beta/system.key -pubout | diff - <(openssl x509 -in convention/systems/beta/system.pem -noout -pubkey)
}

@test "init: renewed, other candidates, another server" {
	local before
	init alpha beta --bus=one
	before=$(digests convention)
	init --renew beta
	[ "$(digests convention | diff - <(echo "$before") | sed -n 's/^>.* //p')" = $'convention/systems/beta/system.key\nconvention/systems/beta/system.pem' ]
	before=$(digests convention)
	init --renew
	[ "$(digests convention | diff - <(echo "$before") | grep -c '^>.*\.\(key\|pem\)$')" -eq 8 ]
	init --candidates=beta
	[ "$(cat convention/systems/{alpha,beta}/convrole.cfg)" = $'member\ncandidate' ]
	[ ! -e convention/systems/alpha/store.key ]
	[ "$(grep -o 'tds-store:[a-z]*' convention/server/nats-server.conf)" = tds-store:beta ]
	init --bus=two
	[ "$(whose convention/server/server.pem)" = 'DNS:two TLS Web Server Authentication CA:FALSE' ]
	[ "$(cat convention/systems/alpha/convbus.cfg)" = tls://two:4222 ]
}

@test "init: what is refused, before anything is written" {
	local wrong
	refused 2 tds-admin convention
	refused 2 tds-admin convention init
	for wrong in all a.b 'a*' '' --days=0 --days=x --bus=: --bus= --bus=a:1,b:2 --bus=tls://a --name=a.b --candidates=; do
		run --separate-stderr tds-admin convention init alpha "$wrong"
		[[ $status -eq 2 || ($wrong == --candidates= && $status -eq 4) ]] || { echo "$wrong: $status ${stderr-}"; return 1; }
		[ ! -e convention ]
	done
	expect 2 '' 'tds-admin: convention: no such command: jion (did you mean "join"?); see '"'tds-admin --help'" tds-admin convention jion
	refused 4 tds-admin convention init --renew
	refused 4 tds-admin convention remove alpha
	init alpha
	expect 4 '' 'tds-admin: no such system in convention: alpa (did you mean "alpha"?)' tds-admin convention init --candidates=alpa
	expect 4 '' 'tds-admin: no such system in convention: alpa (did you mean "alpha"?)' tds-admin convention init --renew alpa
	expect 1 '' 'tds-admin: convention is the folder of the convention thespian' tds-admin convention init beta --name=other
	expect 2 '' 'tds-admin: --renew goes only with convention init; see '"'tds-admin --help'" tds-admin convention join x --renew
	expect 2 '' 'tds-admin: --folder goes only with convention init and remove; see '"'tds-admin --help'" tds-admin convention leave --folder=x
	flock convention bash -c 'tds-admin convention init gamma 2>said || [ $? -eq 1 ]'
	[ "$(cat said)" = 'tds-admin: convention: another process is at work in it' ]
	: >convention/ca.key
	expect 4 '' 'tds-admin: convention/ca.pem: it is no CA, or its key is another one'\''s' tds-admin convention init gamma
	refused 5 tds-admin convention init alpha --folder=none/at/all
}

@test "remove" {
	init alpha beta gamma
	expect 0 "Removed convention/systems/beta
On the machine of the server, as root, with a copy of convention/server (no system is dropped that stays):
  install -o root -g nats -m 0640 server/*.pem server/server.key server/nats-server.conf /etc/tds-bus
  systemctl reload nats-server" '' tds-admin convention remove beta
	run ! grep -q beta convention/server/nats-server.conf
	[ ! -e convention/systems/beta ]
	run --separate-stderr tds-admin convention init beta
	ended 1 'tds-admin: beta: was removed, and the certificate that it had would count again: choose another name (or remove convention/removed/beta.pem, where nobody else has its key)'
	rm convention/removed/beta.pem
	init beta
	refused 4 tds-admin convention remove alpha delta
	[ -e convention/systems/alpha ]
	run --separate-stderr tds-admin -q convention remove alpha alpha
	ended 0 ''
	run --separate-stderr tds-admin convention remove gamma
	ended 0 'tds-admin: convention: warning: no candidate is left: the convention has no leader (init --candidates)'
}

@test "join and leave" {
	init alpha beta --bus=bus
	cp -a convention/systems/alpha alpha
	expect 0 "$DIR is the system alpha of the convention thespian, a candidate, once tds-admin restart has been run; remove alpha" '' tds-admin convention join alpha
	[ "$(files "$DIR")" = $'convbus.cfg\nconvname.cfg\nconvrole.cfg\nconvsystem.cfg\nconvtls\nconvtls.cfg\nconvtls/ca.pem\nconvtls/store.key\nconvtls/store.pem\nconvtls/system.key\nconvtls/system.pem' ]
	[ "$(cat "$DIR/convtls.cfg")" = "$DIR/convtls" ]
	[ "$(stat -c %a "$DIR"/convtls/{,system.key,store.key,ca.pem} "$DIR/convbus.cfg" | paste -sd' ')" = '755 600 600 644 644' ]
	tds-admin -q check "$DIR"/conv*.cfg
	tds-admin -q convention join alpha # again, as with renewed certificates
	run --separate-stderr tds-admin convention join convention/systems/beta
	ended 1 "tds-admin: $DIR: convsystem.cfg says alpha already, not beta: leave that convention first"
	[ "$(cat "$DIR/convsystem.cfg")" = alpha ]
	init --candidates=beta
	tds-admin -q convention join convention/systems/alpha
	[ ! -e "$DIR/convtls/store.key" ]
	echo 20 >"$DIR/convlost.cfg"
	expect 0 "$DIR is alone, once tds-admin restart has been run; tds-admin convention remove takes it out of the convention" '' tds-admin convention leave
	[ "$(files "$DIR")" = convlost.cfg ]
	expect 0 "$DIR is in no convention that it has joined" '' tds-admin convention leave
}

@test "join: what is refused, before anything is written" {
	init alpha beta --bus=bus
	refused 2 tds-admin convention join
	refused 4 tds-admin convention join nowhere
	cp -a convention/systems/alpha wrong
	cp convention/systems/beta/system.key wrong/
	expect 4 '' "tds-admin: wrong/system.pem: its key is another one's" tds-admin convention join wrong
	cp convention/systems/beta/system.pem wrong/
	expect 4 '' 'tds-admin: wrong/system.pem: it is not that of tds:alpha' tds-admin convention join wrong
	cp convention/systems/alpha/system.* wrong/
	init x --folder=other
	cp other/ca.pem wrong/
	run --separate-stderr tds-admin convention join wrong
	[[ $status -eq 4 && $stderr == 'tds-admin: wrong/system.pem: it does not count: '* ]]
	cp convention/ca.pem wrong/
	rm wrong/store.key
	refused 4 tds-admin convention join wrong
	[ -z "$(files "$DIR")" ]
	cp -a convention/systems/alpha read
	chmod 0644 read/system.key
	run --separate-stderr tds-admin convention join read
	[[ $status -eq 0 && $stderr == 'tds-admin: read/system.key: warning: others can read this key' ]]
}

@test "join gives the keys to the admin process's user" {
	[ "$(id -u)" -eq 0 ] || skip 'only root gives files away'
	chmod 0755 "$BATS_TEST_TMPDIR"
	echo nobody >"$DIR/adminuser.cfg"
	init alpha
	tds-admin -q convention join convention/systems/alpha
	[ "$(stat -c '%U %a' "$DIR"/convtls/{system.key,system.pem,ca.pem} | paste -sd,)" = 'nobody 600,nobody 600,root 644' ]
	tds-admin -q check "$DIR"/conv*.cfg
}

@test "check: files that do not go together" {
	init alpha --bus=bus
	tds-admin -q convention join convention/systems/alpha
	check() {
		run --separate-stderr tds-admin -q check "$DIR"/conv*.cfg
		[ "$status" -eq "$1" ]
		diff <(echo "$2") <(echo "${stderr//"$DIR/"/}")
	}
	check 0 ''
	chmod 0644 "$DIR/convtls/system.key"
	check 1 'tds-admin: convtls.cfg: convtls/system.key: others may read it: its mode is to be 0600'
	chmod 0600 "$DIR/convtls/system.key"
	echo beta >"$DIR/convsystem.cfg"
	check 1 'tds-admin: convtls.cfg: convtls/system.pem: it is not that of tds:beta'
	echo alpha >"$DIR/convsystem.cfg"
	rm "$DIR/convtls/store.pem"
	check 1 'tds-admin: convtls.cfg: convtls/store.pem: cannot be opened: No such file or directory'
	echo member >"$DIR/convrole.cfg"
	check 0 ''
	rm "$DIR/convtls.cfg"
	check 1 'tds-admin: convbus.cfg: tls://bus needs a convtls.cfg that names the folder of the certificates'
	echo nats://bus >"$DIR/convbus.cfg"
	check 1 'tds-admin: convbus.cfg: bus is another machine, and there is no TLS: set up by tds-admin convention (or convopen.cfg: yes, where everybody on the way is trusted)'
	echo yes >"$DIR/convopen.cfg"
	check 0 ''
}

@test "status: tds was built without libnats" {
	init alpha --bus=127.0.0.1:1
	tds-admin -q convention join convention/systems/alpha
	mkdir -p built/bin built/libexec/tds
	cp "$(command -v tds-admin)" built/bin
	says() {
		run --separate-stderr built/bin/tds-admin -q convention status --timeout=1
		[ "$status" -eq 1 ]
		[ "$(grep program <<<"$stderr")" = "$1" ]
	}
	says 'tds-admin: program: tds-link is not there: install libnats, and tds anew, built where that is'
	install -m 0755 /dev/null built/libexec/tds/tds-link
	says ''
}
