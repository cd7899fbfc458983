#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# tds-admin check: files by their kinds, the whole directory, findings in both forms, the exit status.
# shellcheck disable=SC2154 # bats sets them: status, output, stderr

load common

setup() {
	new_dir
	[ "$(id -u)" -ne 0 ] || echo dynamic >"$DIR/actoruser.cfg"
	echo trusted >"$DIR/sandbox.cfg"
	cd "$BATS_TEST_TMPDIR" || return
}

check() {
	run --separate-stderr tds-admin check "$@"
}

# A package foo-1.tls of group foo, signed with birch.
make_package() {
	PYTHONPATH=$ROOT/tests/cases python3 -B -c '
import sys
from forge import *
open("foo-1.tls", "wb").write(package(*archive(Member(b"a.py"), comment=b"tds1 group=foo version=1"), sys.argv[1]))
' "$KEYS/birch.pem"
}

@test "a good declaration says nothing" {
	echo "{'Actors': {'a.B': {'OnLoad': {'Role': 'r'}}}}" >foo.tli
	check foo.tli
	is 0 '' ''
	check -v foo.tli
	is 0 '' 'tds-admin: foo.tli: good'
}

@test "an error names file, line and column, and nothing runs" {
	printf '{\n%s}\n' "  'x': os.system('touch canary')" >foo.tli
	check foo.tli
	is 1 '' 'tds-admin: foo.tli:2:8: call to os.system is not allowed'
	[ ! -e canary ]
	check -j foo.tli
	[ "$status" -eq 1 ]
	[ "$output" = '{"file":"foo.tli","ok":false,"line":2,"column":8,"error":"call to os.system is not allowed"}' ]
}

@test "values are typed" {
	printf '%s' "[1, 2.0, 1j, b'a', 'é', (None, True, ...), {1}, {'k': -0}]" >value
	check --literal -j value
	[ "$status" -eq 0 ]
	diff - <(jq -Sc .value <<<"$output") <<'EOF'
{"t":"list","v":[{"t":"int","v":"1"},{"t":"float","v":"2.0"},{"t":"complex","v":"1j"},{"hex":"61","t":"bytes"},{"t":"str","v":"é"},{"t":"tuple","v":[{"t":"none"},{"t":"bool","v":true},{"t":"ellipsis"}]},{"t":"set","v":[{"t":"int","v":"1"}]},{"t":"dict","v":[[{"t":"str","v":"k"},{"t":"int","v":"0"}]]}]}
EOF
}

@test "warnings are errors with --strict, and -q hides them only without it" {
	echo "{'Actor': {}}" >foo.tli
	check foo.tli
	is 0 '' "tds-admin: foo.tli:1:2: warning: unknown key 'Actor'"
	check -q foo.tli
	is 0 '' ''
	check --strict -q foo.tli
	is 1 '' "tds-admin: foo.tli:1:2: unknown key 'Actor'"
	check -q -j foo.tli
	[ "$status" -eq 0 ]
	[ "$(jq -c .warnings <<<"$output")" = '[{"line":1,"column":2,"warning":"unknown key '"'Actor'"'"}]' ]
}

@test "the worst of several files decides, and each is tried" {
	echo '{}' >a.tli
	echo '[' >b.tli
	check a.tli b.tli no.tli
	is 4 '' 'tds-admin: b.tli:1:1: '"'[' is never closed"'
tds-admin: no.tli: cannot be opened: No such file or directory'
	check b.tli a.tli
	[ "$status" -eq 1 ]
	mkdir c.tli
	check c.tli
	is 4 '' 'tds-admin: c.tli: is a folder'
}

@test "names from a pipe, by lines and by NUL" {
	echo '[' >$'a\nb.tli'
	echo '{}' >c.tli
	check -j0 -T - < <(printf '%s\0' $'a\nb.tli' c.tli)
	[ "$status" -eq 1 ]
	[ "$(jq -c '[.file, .ok]' <<<"$output")" = $'["a\\nb.tli",false]\n["c.tli",true]' ]
	check -T - <<<c.tli
	is 0 '' ''
	check -T /dev/null
	is 0 '' ''
}

@test "standard input is a declaration, or any literal" {
	check - <<<'[1]'
	is 1 '' 'tds-admin: -:1:1: a declaration is a dictionary, not list'
	check --literal - <<<'[1]'
	is 0 '' ''
}

@test "options stand before and after the command" {
	echo '1' >x
	run --separate-stderr tds-admin -C "$DIR" check --literal -j x
	is 0 '{"file":"x","ok":true,"value":{"t":"int","v":"1"}}' ''
	run --separate-stderr tds-admin --literal check x -j -C "$DIR"
	is 0 '{"file":"x","ok":true,"value":{"t":"int","v":"1"}}' ''
}

@test "wrong usage" {
	run --separate-stderr tds-admin
	is 2 '' "tds-admin: no command given; see 'tds-admin --help'"
	run --separate-stderr tds-admin frobnicate
	is 2 '' "tds-admin: no such command: frobnicate; see 'tds-admin --help'"
	check --literal
	is 2 '' "tds-admin: --literal needs a FILE; see 'tds-admin --help'"
	touch foo-1.tls
	check foo-1.tls
	is 2 '' 'tds-admin: foo-1.tls: its name is not that of a TLI, configuration, key or .allow file; see --literal'
	run --separate-stderr tds-admin help frobnicate
	is 2 '' "tds-admin: no such command: frobnicate; see 'tds-admin --help'"
	run --separate-stderr tds-admin help check
	[ "$status" -eq 0 ]
	[[ $output == 'usage: tds-admin check '* ]]
	diff <(tds-admin help) <(tds-admin --help)
}

@test "--help is that of the command, wherever it stands" {
	for args in 'check --help' '-h check' 'check x -T y -h --bogus' '--strict check no -hV'; do
		# shellcheck disable=SC2086
		run --separate-stderr tds-admin $args
		is 0 "$(tds-admin help check)" ''
	done
	for args in '--help' '-h --' 'help --help' 'rebuild -h'; do
		# shellcheck disable=SC2086
		run --separate-stderr tds-admin $args
		is 0 "$(tds-admin help)" ''
	done
	run --separate-stderr tds-admin check --bogus --help
	[ "$status" -eq 2 ]
}

@test "configuration files by their names" {
	echo 29_50 >maxmessage.cfg
	check -j maxmessage.cfg
	is 0 '{"file":"maxmessage.cfg","ok":true,"value":{"t":"int","v":"2950"}}' ''
	printf '\n  2900+1\n' >maxmessage.cfg
	check maxmessage.cfg
	is 1 '' 'tds-admin: maxmessage.cfg:2:3: not an int'
}

@test "settings that do not do what they say" {
	echo multiprocTCPBase >"$DIR/thespbase.cfg"
	echo leader:1900 >"$DIR/convleader.cfg"
	printf '# on call\nroot\nno-such-user\n  nor-this\n4000000000\n' >"$DIR/adminusers.cfg"
	echo nor-this >"$DIR/guests.cfg"
	id -u >"$DIR/adminuser.cfg"
	check -C "$DIR/"
	[ "$status" -eq 1 ]
	[ -z "$output" ]
	diff - <(printf '%s\n' "${stderr//"$DIR/"/}") <<-'EOF'
		tds-admin: adminusers.cfg:4:3: warning: no such user: nor-this
		tds-admin: adminusers.cfg:3:1: no such user: no-such-user
		tds-admin: guests.cfg:1:1: no such user: nor-this
		tds-admin: thespbase.cfg: warning: it has no effect: actors run in the local engine
	EOF
	: >"$DIR/convleader.cfg"
	echo tdsLocalBase >"$DIR/thespbase.cfg"
	rm "$DIR/guests.cfg" "$DIR/adminusers.cfg"
	check
	is 0 '' ''
	chmod 0646 "$DIR/adminuser.cfg"
	check
	is 1 '' "tds-admin: $DIR/adminuser.cfg: warning: others may write it
tds-admin: $DIR/adminuser.cfg: others may write it, so it does not count"
}

@test "only root's admin process has a user of actors" {
	echo 4000000000 >"$DIR/adminuser.cfg"
	echo 4000000001 >"$DIR/actoruser.cfg"
	check
	is 1 '' "tds-admin: $DIR/actoruser.cfg: only root's admin process runs actors as another user, and it is that of adminuser.cfg"
	echo 4000000000 >"$DIR/actoruser.cfg"
	check
	is 0 '' ''
	echo 4000000001 >"$DIR/actoruser.cfg"
	echo 0 >"$DIR/adminuser.cfg"
	check
	is 0 '' ''
}

@test "a folder of data that no load could use" {
	local folder=$BATS_TEST_TMPDIR/data
	for name in "$folder" "$folder/"; do
		echo "$name" >"$DIR/datadir.cfg"
		check
		is 0 '' '' # it is made
	done
	[ ! -e "$folder" ]
	echo "$folder/no" >"$DIR/datadir.cfg"
	check
	is 1 '' "tds-admin: $DIR/datadir.cfg: there is no folder $folder/ to make it in"
	echo "$folder" >"$DIR/datadir.cfg"
	mkdir -m 0777 "$folder"
	chmod 0777 "$folder"
	check
	is 1 '' "tds-admin: $DIR/datadir.cfg: $folder: others may write it"
	chmod 0755 "$folder"
	check
	is 0 '' ''
	mv "$folder" other
	ln -s other "$folder"
	check
	is 1 '' "tds-admin: $DIR/datadir.cfg: $folder is no folder"
}

# logging HANDLER: a configuration with this one, a literal.
logging() {
	echo "{'version': 1, 'root': {'handlers': ['h'], 'level': 'INFO'}, 'handlers': {'h': $1}}" >"$DIR/thesplog.cfg"
}

@test "logging that cannot work is tried, and no log is touched" {
	local folder=$BATS_TEST_TMPDIR/logs
	echo "$folder" >"$DIR/thesplogd.cfg"
	logging "{'class': 'logging.FileHandler', 'filename': 'a.log', 'mode': 'w'}"
	check
	is 1 '' "tds-admin: $DIR/thesplog.cfg: logging cannot work: FileNotFoundError: [Errno 2] No such file or directory: '$folder'"
	mkdir "$folder"
	check
	is 0 '' ''
	[ -z "$(files "$folder")" ]
	echo kept >"$folder/a.log"
	check
	is 0 '' ''
	[ "$(cat "$folder/a.log")" = kept ]
	logging "{'class': 'logging.FileHandler', 'filename': 'no/a.log', 'delay': True}"
	check
	is 1 '' "tds-admin: $DIR/thesplog.cfg: logging cannot work: FileNotFoundError: [Errno 2] No such file or directory: '$folder/no/a.log'"
	logging "{'class': 'logging.StreamHandler', 'formatter': 'f'}"
	check
	is 1 '' "tds-admin: $DIR/thesplog.cfg: logging cannot work: ValueError: Unable to configure handler 'h': Unable to set formatter 'f': 'f'"
	logging "{'class': 'logging.NoSuchHandler'}"
	check
	[ "$status" -eq 1 ]
	[[ $stderr == *": logging cannot work: ValueError: Unable to configure handler 'h': "*NoSuchHandler* ]]
	# What hangs is not waited for for ever: a FIFO that nobody reads.
	mkfifo "$folder/fifo"
	logging "{'class': 'logging.FileHandler', 'filename': 'fifo'}"
	check
	[ "$status" -eq 1 ]
	[[ $stderr == *"No such device or address: '$folder/fifo'" ]]
}

@test "logging is tried as the user of the admin process, by root and that user alone" {
	[ "$(id -u)" -eq 0 ] || skip 'not root'
	mkdir -m 0755 "$BATS_TEST_TMPDIR/logs"
	chmod 0755 "$BATS_TEST_TMPDIR" "${BATS_TEST_TMPDIR%/*}" "${BATS_TEST_TMPDIR%/*/*}"
	echo "$BATS_TEST_TMPDIR/logs" >"$DIR/thesplogd.cfg"
	echo 61001 >"$DIR/adminuser.cfg"
	rm "$DIR/actoruser.cfg"
	logging "{'class': 'logging.FileHandler', 'filename': 'a.log'}"
	check
	is 1 '' "tds-admin: $DIR/thesplog.cfg: logging cannot work: ValueError: Unable to configure handler 'h': [Errno 13] Permission denied: '$BATS_TEST_TMPDIR/logs/a.log'"
	chown 61001 "$BATS_TEST_TMPDIR/logs"
	check
	is 0 '' ''
	chown 61002 "$BATS_TEST_TMPDIR/logs"
	run --separate-stderr setpriv --reuid 61002 --regid 61002 --clear-groups tds-admin check
	is 0 '' ''
}

@test "keys by their names: short ones warn, minkeybits.cfg and revoked.cfg count, others are refused" {
	for key in "$KEYS"/junk/*; do
		cp "$key" x_tls.key
		check x_tls.key
		[ "$status" -le 1 ]
		[[ $status -eq 0 || $stderr == 'tds-admin: x_tls.key: '* ]]
	done
	check no_tls.key
	is 4 '' 'tds-admin: no_tls.key: cannot be opened: No such file or directory'
	check "$KEYS/birch_tls.key"
	is 0 '' ''
	echo 8192 >"$DIR/minkeybits.cfg"
	check "$KEYS/birch_tls.key"
	[ "$status" -eq 1 ]
	[[ $stderr == *'fewer than the 8192 of minkeybits.cfg' ]]
}

@test "an empty directory, and one that is not there" {
	check
	is 0 '' ''
	check -C "$DIR/no"
	is 4 '' "tds-admin: $DIR/no: cannot be opened: No such file or directory"
}

@test "a whole directory: every finding, in the order of the names" {
	cp "$KEYS/birch_tls.key" "$KEYS/birch.pem" "$DIR"
	echo "{'Actors': {'a.B': {'OnLoad': {'Role': 'r'}}}}" | tee "$DIR/foo-bar.tli" >"$DIR/foo.tli"
	echo "{'Actors': {'a.B': {'OnLoad': {'Role': 'x'}}, 'a.C': {'OnLoad': {'Role': 'x'}}}}" >"$DIR/FOO.tli"
	echo "{'x': y}" >"$DIR/bad.tli"
	echo '{}' >"$DIR/-x.tli"
	touch "$DIR/foo-bar-1.tls" "$DIR/foo-1.tls" "$DIR/no-1.tls"
	chmod 0666 "$DIR/foo-1.tls"
	echo junk >"$DIR/adminport.cfg"
	echo x >"$DIR/adminprot.cfg"
	echo a/b >"$DIR/birch_tls.allow"
	echo foo >"$DIR/gone_tls.allow"
	echo junk >"$DIR/x_tls.key"
	ln -s nowhere "$DIR/z.tli"
	echo '[' >"$DIR/.hidden.tli"
	chmod 0777 "$DIR"
	check -C "$DIR/"
	[ "$status" -eq 1 ]
	[ -z "$output" ]
	diff - <(printf '%s\n' "${stderr//"$DIR/"/}") <<'EOF'
tds-admin: : warning: others may write it
tds-admin: -x.tli: declares no group: the name is not allowed
tds-admin: adminport.cfg:1:1: not an int
tds-admin: adminprot.cfg: warning: is not a configuration file that is known
tds-admin: bad.tli:1:7: name y is not allowed
tds-admin: birch.pem: warning: holds a private key, which does not belong here
tds-admin: birch_tls.allow:1:2: '/' in the name of a group
tds-admin: foo-1.tls: warning: others may write it
tds-admin: foo-bar-1.tls: warning: belongs to group foo-bar, though it fits group foo too
tds-admin: foo.tli: warning: the name differs from that of group FOO by capitals only
tds-admin: foo.tli:1:40: warning: role 'r' is declared in foo-bar.tli too
tds-admin: gone_tls.allow: warning: there is no gone_tls.key beside it
tds-admin: no-1.tls: warning: belongs to no declared group
tds-admin: x_tls.key: is not a PEM file (no start line)
tds-admin: z.tli: cannot be opened: No such file or directory
EOF
}

@test "a whole directory: warnings alone are no failure but with --strict" {
	touch "$DIR/no-1.tls"
	echo '{}' >"$DIR/foo.tli"
	check
	is 0 '' "tds-admin: $DIR/no-1.tls: warning: belongs to no declared group"
	id -u >"$DIR/actoruser.cfg"
	check --strict
	is 1 '' "tds-admin: $DIR/no-1.tls: belongs to no declared group"
	check -j
	[ "$status" -eq 0 ]
	[ "$(jq -c '[.file, .ok, has("value"), (.warnings | length)]' <<<"$output")" = \
		"[\"$DIR/actoruser.cfg\",true,true,0]"$'\n'"[\"$DIR/foo.tli\",true,true,0]"$'\n'"[\"$DIR/no-1.tls\",true,false,1]"$'\n'"[\"$DIR/sandbox.cfg\",true,true,0]" ]
}

@test "a whole directory: without sandbox.cfg packages are trusted, which is said" {
	rm "$DIR/sandbox.cfg"
	local said='sandbox.cfg is not there: packages are trusted, and their actors may do what their user may'
	check
	is 0 '' "tds-admin: $DIR: warning: $said"
	check --strict
	is 1 '' "tds-admin: $DIR: $said"
	echo "{'Most': 'default', 'Unasked': 'net'}" >"$DIR/sandbox.cfg"
	check
	is 1 '' "tds-admin: $DIR/sandbox.cfg:1:1: Unasked has what Most does not: net"
	echo $'\n{"Groups": {"a": {}}}' >"$DIR/sandbox.cfg"
	check
	is 1 '' "tds-admin: $DIR/sandbox.cfg:2:18: a sandbox needs 'Most' or 'Unasked'"
	echo strict >"$DIR/sandbox.cfg"
	TDS_LANDLOCK_ABI=0 check
	is 0 '' "tds-admin: $DIR/sandbox.cfg:1:1: warning: strict needs Landlock, which this kernel does not have"
	echo tight >"$DIR/sandbox.cfg"
	check
	is 1 '' "tds-admin: $DIR/sandbox.cfg:1:1: a profile is 'strict', 'default', 'net' or 'trusted'"
}

@test "a limit that cannot be understood leaves no key trusted" {
	cp "$KEYS/birch_tls.key" "$DIR"
	echo many >"$DIR/minkeybits.cfg"
	check
	is 1 '' "tds-admin: $DIR/minkeybits.cfg:1:1: not one number of bits, at most 16384"
	: >"$DIR/minkeybits.cfg"
	check
	is 1 '' "tds-admin: $DIR/minkeybits.cfg:1:1: holds no number"
	rm "$DIR/minkeybits.cfg"
	ln -s nowhere "$DIR/revoked.cfg"
	check
	is 1 '' "tds-admin: $DIR/revoked.cfg: cannot be opened: No such file or directory"
}

@test "what hides a digest from one reader is refused by all" {
	cp "$KEYS/birch_tls.key" "$DIR"
	make_package
	printf '# c\r%s\n' "$(sha256sum <foo-1.tls | cut -c -64)" >"$DIR/revoked.cfg"
	check "$DIR/revoked.cfg"
	is 1 '' "tds-admin: $DIR/revoked.cfg:1:4: carriage return that ends no line"
	run --separate-stderr tds-verify foo-1.tls
	is 7 '' "tds-verify: foo-1.tls: no key is trusted: $DIR/revoked.cfg:1:4: carriage return that ends no line"
	printf '# caf\351\r\n%s  caf\351.tls\n' "$(sha256sum <foo-1.tls | cut -c -64)" >"$DIR/revoked.cfg"
	check -j "$DIR/revoked.cfg"
	[ "$status" -eq 0 ]
	[ "$(jq -r '.value.v[].v' <<<"$output")" = "$(sha256sum <foo-1.tls | cut -c -64)" ]
	run --separate-stderr tds-verify foo-1.tls
	is 7 '' 'tds-verify: foo-1.tls: is revoked'
}

@test "what a key may sign: comments hold anything, a fault is said once and closes" {
	cp "$KEYS/birch_tls.key" "$DIR"
	make_package
	printf '# see http://x/ \377\nfoo\n' >"$DIR/birch_tls.allow"
	check
	is 0 '' ''
	run --separate-stderr tds-verify -q foo-1.tls
	[ "$status" -eq 0 ]
	printf 'foo\n [!/]*\n' >"$DIR/birch_tls.allow"
	check
	is 1 '' "tds-admin: $DIR/birch_tls.allow:2:4: '/' in the name of a group"
	run --separate-stderr tds-verify foo-1.tls
	is 7 '' "tds-verify: $DIR/birch_tls.key: warning: not used: birch_tls.allow:2:4: '/' in the name of a group
tds-verify: foo-1.tls: no key validates it: there is no usable key"
	echo '#' >"$DIR/birch_tls.allow"
	check
	is 0 '' "tds-admin: $DIR/birch_tls.allow: warning: names no group: the key signs for none"
}

@test "a private key is said once, and beside any other finding" {
	cp "$KEYS/birch.pem" "$DIR/x_tls.key"
	check
	is 1 '' "tds-admin: $DIR/x_tls.key: holds a private key, not a public one"
	cat "$KEYS/birch_tls.key" "$KEYS/birch.pem" >"$DIR/x_tls.key"
	check
	is 0 '' "tds-admin: $DIR/x_tls.key: warning: holds a private key, which does not belong here"
	echo 8192 >"$DIR/minkeybits.cfg"
	check
	is 1 '' "tds-admin: $DIR/x_tls.key: warning: holds a private key, which does not belong here
tds-admin: $DIR/x_tls.key: is an RSA key of 2048 bits, fewer than the 8192 of minkeybits.cfg"
}

@test "a file that belongs to another is not one that others may write" {
	[ "$(id -u)" -eq 0 ] || skip 'needs root'
	cp "$KEYS/birch_tls.key" "$DIR"
	chown 12345 "$DIR/birch_tls.key"
	check
	is 0 '' "tds-admin: $DIR/birch_tls.key: warning: belongs to uid 12345"
	check "$DIR/birch_tls.key"
	is 0 '' "tds-admin: $DIR/birch_tls.key: warning: belongs to uid 12345"
	make_package
	run --separate-stderr tds-verify foo-1.tls
	[ "$status" -eq 7 ]
	[ "$stderr" = "tds-verify: $DIR/birch_tls.key: warning: not used: belongs to uid 12345
tds-verify: foo-1.tls: no key validates it: there is no usable key" ]
	echo no >"$DIR/strictmodes.cfg"
	run --separate-stderr tds-verify foo-1.tls
	[ "$status" -eq 0 ]
	[ "$stderr" = "tds-verify: $DIR/birch_tls.key: warning: belongs to uid 12345" ]
	chmod o+w "$DIR/birch_tls.key"
	check
	is 0 '' "tds-admin: $DIR/birch_tls.key: warning: others may write it"
}

@test "what cannot be read is said" {
	not_root
	echo '{}' >foo.tli
	chmod 0 foo.tli
	check foo.tli
	is 4 '' 'tds-admin: foo.tli: cannot be opened: Permission denied'
}

@test "a full disk is said" {
	echo '{}' >foo.tli
	run --separate-stderr bash -c 'tds-admin check -j foo.tli >/dev/full'
	is 5 '' 'tds-admin: standard output: cannot be written: No space left on device'
}

@test "names are escaped" {
	echo '[' >$'a\e[31m.tli'
	check $'a\e[31m.tli'
	is 1 '' 'tds-admin: a\x1b[31m.tli:1:1: '"'[' is never closed"
}

@test "a whole directory: root is to say as whom actors run" {
	[ "$(id -u)" -eq 0 ] || skip 'not root'
	rm "$DIR/actoruser.cfg"
	local said="actoruser.cfg is not there: root's admin process is to be told as whom actors run: \"dynamic\" (a uid for each group) or \"root\""
	check
	is 1 '' "tds-admin: $DIR: $said"
	echo 61001 >"$DIR/adminuser.cfg"
	check
	is 0 '' ''
}

@test "what lies in the run directory is judged as a start judges it" {
	local name
	mkdir -m 0711 "$DIR/.tds"
	echo '{"Version": 1, "Groups": {"foo": {"Version": "2", "SinceMs": 1}}}' >"$DIR/.tds/floor.json"
	echo '{"Version": 1, "Floors": true, "Groups": {"foo": {"WasActive": [{"Version": "2", "MD5": "'"$(printf %032d 0)"'", "SHA256": "'"$(printf %064d 0)"'"}]}}}' >"$DIR/.tds/desired.json"
	check
	is 0 '' ''
	# a line each: the file, what is said of it, and what makes it so
	while IFS='|' read -r name said wrong; do
		cp -a "$DIR/.tds" kept
		(cd "$DIR/.tds" && eval "$wrong")
		check
		is 1 '' "tds-admin: $DIR/.tds$name$said"
		rm -rf "$DIR/.tds"
		mv kept "$DIR/.tds"
	done <<-'END'
		/floor.json|: the floor of group foo is lost, though it was active (tds-load --allow-downgrade foo)|rm floor.json
		/floor.json|: the floor of group foo is lost, though it was active (tds-load --allow-downgrade foo)|echo '{"Version": 1, "Groups": {}}' >floor.json
		/floor.json|: is not what tds-admin writes|echo '{"Version": 1, "Groups": {"foo": 2}}' >floor.json
		/floor.json|:2:0: string or '}' expected near end of file|echo '{' >floor.json
		/floor.json|: others may write it|chmod 0666 floor.json
		/floor.json|: is a symbolic link|mv floor.json x; ln -s x floor.json
		/desired.json|: is not what tds-admin writes|echo '{"Version": 2}' >desired.json
		/loaded.json|: is not what tds-admin writes|echo '{"Version": 1, "Sources": [{}]}' >loaded.json
		/groups.json|: group foo: a declaration is a dictionary, not list|echo '{"Version": 1, "Groups": {"foo": "[]"}}' >groups.json
		/uids.json|: is not what tds-admin writes|echo '{"Version": 1, "Groups": {"foo": 70000, "bar": 70000}}' >uids.json
		/uids.json|: the uid of group foo, 65534, is that of user nobody by now: give that another one|echo '{"Version": 1, "Groups": {"foo": 65534}}' >uids.json
		/lock|: is a symbolic link|ln -s /etc/passwd lock
		/store|: is no folder|echo >store
		/data|: others may write it|mkdir -m 0777 data
		/tmp|: is a symbolic link|ln -s /etc tmp
		/audit.log|: is not a regular file|mkdir audit.log
		|: others may write it|chmod 0733 .
	END
	mv "$DIR/.tds" away
	ln -s "$PWD/away" "$DIR/.tds"
	check
	is 1 '' "tds-admin: $DIR/.tds: is no folder, or a symbolic link"
	echo /no/such/run >"$DIR/rundir.cfg"
	check
	is 1 '' "tds-admin: /no/such/run: there is no folder /no/such/ to make it in"
}

@test "who owns what lies in the run directory" {
	[ "$(id -u)" -eq 0 ] || skip 'files of others need root'
	mkdir -m 0711 "$DIR/.tds"
	echo >"$DIR/.tds/audit.log"
	chown nobody "$DIR/.tds/audit.log"
	check
	is 1 '' "tds-admin: $DIR/.tds/audit.log: belongs to uid $(id -u nobody)"
	echo root >"$DIR/actoruser.cfg"
	echo nobody >"$DIR/adminuser.cfg"
	rm "$DIR/.tds/audit.log" "$DIR/actoruser.cfg"
	check
	is 1 '' "tds-admin: $DIR/.tds: belongs to uid 0, and the admin process is that of adminuser.cfg"
}

@test "limits that let nothing happen, or no number holds" {
	echo "{'Actors': 0, 'Bytes': 0, 'Clients': 0, 'Descriptors': 1, 'Operations': 0}" >budget.cfg
	check budget.cfg
	is 0 '' 'tds-admin: budget.cfg:1:12: warning: 0 lets no actor run
tds-admin: budget.cfg:1:24: warning: 0 lets no message through
tds-admin: budget.cfg:1:38: warning: 0 lets nobody connect but root and the admin process'"'"'s own user
tds-admin: budget.cfg:1:73: warning: 0 counts as 1'
	echo "{'Bytes': 4294967296}" >budget.cfg
	check budget.cfg
	is 1 '' 'tds-admin: budget.cfg:1:11: too large a limit'
	echo "{'as': 18446744073709551615}" >actorlimits.cfg
	check actorlimits.cfg
	is 1 '' 'tds-admin: actorlimits.cfg:1:8: too large a limit'
}

@test "a sandbox for a group that is not there, and a setting that no sandbox lets count" {
	echo '{}' >"$DIR/web.tli"
	echo "{'Unasked': 'strict', 'Groups': {'web': 'net', 'wbe*': 'net'}}" >"$DIR/sandbox.cfg"
	echo yes >"$DIR/newprivs.cfg"
	check
	is 0 '' "tds-admin: $DIR/newprivs.cfg: warning: it counts with trusted alone, which sandbox.cfg allows nobody
tds-admin: $DIR/sandbox.cfg:1:48: warning: 'wbe*' fits no group that is declared here"
}

@test "actors of another user, where the admin process is that of a user" {
	[ "$(id -u)" -ne 0 ] || skip 'root may'
	echo dynamic >"$DIR/actoruser.cfg"
	check
	is 1 '' "tds-admin: $DIR/actoruser.cfg: only root's admin process runs actors as another user, and it is that of the directory's owner"
	id -u >"$DIR/actoruser.cfg"
	check
	is 0 '' ''
}
