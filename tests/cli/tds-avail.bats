#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# tds-avail: each option, each exit status, the order, JSON, the cache, deleting.

load common

setup() {
	new_dir
	cd "$BATS_TEST_TMPDIR" || return 1
	export HOME=$BATS_TEST_TMPDIR/home
	mkdir "$HOME"
	unset XDG_CACHE_HOME
}

# group NAME LIMIT VERSION…: declare a group and make packages of it; the content of each is its version.
group() {
	local name=$1 limit=$2 version
	shift 2
	echo "{'Actors': {}, 'TLS_Keep_Limit': $limit}" >"$DIR/$name.tli"
	for version; do
		printf %s "$version" >"$DIR/$name-$version.tls"
	done
}

# sum TEXT: its MD5.
sum() {
	printf %s "$1" | md5sum | cut -d' ' -f1
}

# expect STATUS STDOUT STDERR COMMAND…: all three must be as said, but for a newline at the end.
expect() {
	local status_wanted=$1 out_wanted=$2 err_wanted=$3
	shift 3
	run --separate-stderr "$@"
	diff <(echo "$out_wanted") <(echo "$output")
	# shellcheck disable=SC2154
	diff <(echo "$err_wanted") <(echo "$stderr")
	[ "$status" -eq "$status_wanted" ]
}

# left: the packages that are there, in one line.
left() {
	(cd "$DIR" && find . -name '*.tls' -printf '%P\n' | sort | tr '\n' ' ')
}

# loaded NAME…: a run directory whose loaded.json names them.
loaded() {
	[ -d "$DIR/.tds" ] || mkdir -m 0711 "$DIR/.tds"
	printf '%s\n' "$@" | jq -R '{Group: "x", File: ("/somewhere/" + .), Active: true}' | jq -s '{Sources: .}' >"$DIR/.tds/loaded.json"
}

@test 'the text is the Director'\''s' {
	group mill 0 1 10 2 x
	printf %s none >"$DIR/mill.tls"
	group mill-west 0 1.0
	group bare 0
	expect 0 "THESPIAN_DIRECTOR_DIR=$DIR
bare: 
mill: mill-x.tls    $(sum x)
    + mill-10.tls    $(sum 10)
    + mill-2.tls    $(sum 2)
    + mill-1.tls    $(sum 1)
    + mill.tls    $(sum none)
mill-west: mill-west-1.0.tls    $(sum 1.0)" '' tds-avail
}

@test 'the directory is shown as it was given, and a slash at its end makes paths of names' {
	group a 0 1
	expect 0 "THESPIAN_DIRECTOR_DIR=director
a: a-1.tls    $(sum 1)" '' tds-avail -C director
	expect 0 "THESPIAN_DIRECTOR_DIR=./director/
a: ./director/a-1.tls    $(sum 1)" '' tds-avail --directory=./director/
	expect 0 'director/a-1.tls' '' tds-avail -C director/ -p
	expect 0 'director/a-1.tls' '' tds-avail -C director -p
}

@test 'an empty directory, and packages of no group' {
	expect 0 "THESPIAN_DIRECTOR_DIR=$DIR" '' tds-avail
	touch "$DIR/a-1.tls" "$DIR/.a.tli" "$DIR/.tli"
	expect 0 "THESPIAN_DIRECTOR_DIR=$DIR" '' tds-avail
	expect 0 '' '' tds-avail -p
	[ "$(tds-avail -j)" = "{\"Format\":1,\"Success\":true,\"Directory\":\"$DIR\",\"Groups\":[]}" ]
}

@test 'a directory that is not there, is no directory, or cannot be read' {
	expect 4 '' 'tds-avail: absent: cannot be opened: No such file or directory' tds-avail -C absent
	touch file
	expect 4 '' 'tds-avail: file: cannot be opened: Not a directory' tds-avail -C file
	THESPIAN_DIRECTOR_DIR=absent expect 4 '' 'tds-avail: absent: cannot be opened: No such file or directory' tds-avail -p
	not_root
	chmod 0 "$DIR"
	expect 4 '' "tds-avail: $DIR: cannot be opened: Permission denied" tds-avail
	chmod 0755 "$DIR"
}

@test 'groups are asked for by name, each is tried, none is listed twice' {
	group a 0 1
	group b 0 1
	group a-b 0 7
	expect 0 "$DIR/b-1.tls" '' tds-avail -p b
	expect 0 "$DIR/a-1.tls
$DIR/b-1.tls" '' tds-avail -p b a b
	expect 4 "$DIR/a-1.tls" 'tds-avail: x: no such group
tds-avail: a-1.tls: no such group
tds-avail: : no such group' tds-avail -p x a a-1.tls ''
	expect 4 "$DIR/a-1.tls" 'tds-avail: \x1b[2J: no such group' tds-avail -p $'\e[2J' a
	expect 4 "THESPIAN_DIRECTOR_DIR=$DIR" 'tds-avail: x: no such group' tds-avail x
	expect 0 "$DIR/a-b-7.tls" '' tds-avail -p -- a-b
}

@test 'names from a file and a pipe' {
	group a 0 1
	group b 0 1
	group c 0 1
	printf 'b\n\na\n' >names
	expect 0 "$DIR/a-1.tls
$DIR/b-1.tls
$DIR/c-1.tls" '' tds-avail -p -T names c
	printf 'c\0b\0' >names
	[ "$(tds-avail -p -0 --names-from=- <names | tr '\0' '|')" = "$DIR/b-1.tls|$DIR/c-1.tls|" ]
	# A list without names is not the same as no list.
	: >names
	expect 0 '' '' tds-avail -p -T names
	expect 0 '' '' tds-avail --prune -T names
	expect 4 '' 'tds-avail: absent: cannot be opened: No such file or directory' tds-avail -p -T absent
}

@test '--latest' {
	group a 0 1 2 3
	group b 0
	group c 0 9
	expect 0 "THESPIAN_DIRECTOR_DIR=$DIR
a: a-3.tls    $(sum 3)
b: 
c: c-9.tls    $(sum 9)" '' tds-avail -l
	expect 0 "$DIR/a-3.tls
$DIR/c-9.tls" '' tds-avail --paths --latest
	[ "$(tds-avail -j --latest | jq -c '[.Groups[].Packages[].File]')" = '["a-3.tls","c-9.tls"]' ]
}

@test '--null, and names of any bytes' {
	group a 0
	touch "$DIR"/a-$'\n.tls' "$DIR"/a-$'\xff.tls' "$DIR"/a-$'\e[1m.tls' "$DIR"/'a-\x41.tls' "$DIR"/a-ü.tls
	tds-avail -p -0 | tr '\0\n' '\n_' >got
	diff got <(printf "$DIR/a-%b.tls\\n" '\xff' ü '\\x41' '\e[1m' _)
	tds-avail >got
	diff got - <<-EOF
		THESPIAN_DIRECTOR_DIR=$DIR
		a: a-\\xff.tls    $(sum '')
		 + a-ü.tls    $(sum '')
		 + a-\\x5cx41.tls    $(sum '')
		 + a-\\x1b[1m.tls    $(sum '')
		 + a-\\x0a.tls    $(sum '')
	EOF
	tds-avail -j | jq -e '.Groups[0].Packages | length == 5 and .[0].File == "a-\\xff.tls" and .[4].Version == "\n"'
}

@test 'names of groups are indented by characters' {
	group grüße 0 1 2
	printf '{}' >"$DIR"/$'\xfe.tli'
	printf 1 >"$DIR"/$'\xfe-1.tls'
	printf 2 >"$DIR"/$'\xfe-2.tls'
	tds-avail >got
	diff got - <<-EOF
		THESPIAN_DIRECTOR_DIR=$DIR
		grüße: grüße-2.tls    $(sum 2)
		     + grüße-1.tls    $(sum 1)
		\\xfe: \\xfe-2.tls    $(sum 2)
		    + \\xfe-1.tls    $(sum 1)
	EOF
}

@test 'what is no file is no package; what cannot be read is said, and the others are listed' {
	group a 0 1 3
	mkdir "$DIR/a-4.tls"
	mkfifo "$DIR/a-5.tls"
	ln -s /dev/null "$DIR/a-6.tls"
	ln -s nowhere "$DIR/a-2.tls"
	ln -s a-1.tls "$DIR/a-0.tls"
	expect 4 "THESPIAN_DIRECTOR_DIR=$DIR
a: a-3.tls    $(sum 3)
 + a-1.tls    $(sum 1)
 + a-0.tls    $(sum 1)" "tds-avail: $DIR/a-2.tls: cannot be opened: No such file or directory" tds-avail
	run --separate-stderr tds-avail -j
	[ "$status" -eq 4 ]
	jq -e '.Groups[0].Packages | map(.Message) == [null, "cannot be opened: No such file or directory", null, null]' <<<"$output"
	# Paths alone need nothing of the file.
	run --separate-stderr tds-avail -p
	[ "$status" -eq 0 ]
	[ "${#lines[@]}" -eq 4 ]
}

@test 'an unreadable package' {
	not_root
	group a 0 1 2
	chmod 0 "$DIR/a-2.tls"
	expect 4 "THESPIAN_DIRECTOR_DIR=$DIR
a: a-1.tls    $(sum 1)" "tds-avail: $DIR/a-2.tls: cannot be opened: Permission denied" tds-avail
}

@test 'a declaration that does not parse is warned of, and its packages are listed' {
	group a 0 1
	printf "{'Actors': {},\n 'x': os.system('touch canary')}\n" >"$DIR/a.tli"
	local warning="tds-avail: $DIR/a.tli:2:7: warning: call to os.system is not allowed"
	expect 0 "THESPIAN_DIRECTOR_DIR=$DIR
a: a-1.tls    $(sum 1)" "$warning" tds-avail
	expect 0 "THESPIAN_DIRECTOR_DIR=$DIR
a: a-1.tls    $(sum 1)" '' tds-avail -q
	expect 0 "$DIR/a-1.tls" '' tds-avail -p
	run --separate-stderr tds-avail -j
	[ "$status" -eq 0 ]
	[ "$stderr" = "$warning" ]
	jq -e '.Groups[0] | .TLIError == {Line: 2, Column: 7, Message: "call to os.system is not allowed"}
		and .Packages[0].File == "a-1.tls"' <<<"$output"
	[ ! -e canary ]
	[ ! -e "$DIR/canary" ]
}

@test 'JSON answers what a script asks' {
	group a 2 1 10
	printf old >"$DIR/a.tls"
	touch -d @1700000000 "$DIR/a.tls"
	printf "{'Actors': {'m.A': {'OnLoad': {'Role': 'r', 'Message': ('x', 1)}}}, 'AutoUnload': True}" >"$DIR/b.tli"
	loaded a-10.tls
	tds-avail -j >json
	[ "$(wc -l <json)" -eq 1 ]
	jq -e --arg dir "$DIR" '.Directory == $dir and [.Groups[].Name] == ["a", "b"]' json
	jq -e --arg dir "$DIR" --arg old "$(sum old)" '.Groups[0] | .KeepLimit == 2 and .TLI.TLS_Keep_Limit == 2
		and [.Packages[].Version] == ["10", "1", null] and [.Packages[].Loaded] == [true, false, false] and [.Packages[].Active] == [true, false, false]
		and .Packages[2] == {File: "a.tls", Path: ($dir + "/a.tls"), Version: null, MD5: $old, Size: 3,
			Modified: "2023-11-14T22:13:20.000Z", Loaded: false, Active: false, Held: false}' json
	# A tuple has no plain JSON.
	jq -e '.Groups[1] | .KeepLimit == null and .TLI == null and .Packages == [] and .TLITyped.t == "dict"
		and .TLITyped.v[1] == [{t: "str", v: "AutoUnload"}, {t: "bool", v: true}]' json
}

@test 'what is loaded, active and held is marked, but not by tds-director' {
	group a 0 3 2 1 0
	loaded a-3.tls
	jq '.Sources += [{Group: "a", File: "a-1.tls", Active: false}]' "$DIR/.tds/loaded.json" >new
	mv new "$DIR/.tds/loaded.json"
	echo '{"Version": 1, "Groups": {"a": {"Held": {"File": "a-1.tls"}}}}' >"$DIR/.tds/desired.json"
	lines() {
		cat <<-END
			THESPIAN_DIRECTOR_DIR=$DIR
			a: a-3.tls    $(sum 3)$1
			 + a-2.tls    $(sum 2)
			 + a-1.tls    $(sum 1)$2
			 + a-0.tls    $(sum 0)
		END
	}
	expect 0 "$(lines '    active' '    loaded, held')" '' tds-avail
	expect 0 "$(lines '' '')" '' tds-director avail
	tds-avail -j | jq -e '[.Groups[0].Packages[] | [.Loaded, .Active, .Held]] ==
		[[true, true, false], [false, false, false], [true, false, true], [false, false, false]]'
	echo '{"Sources": []}' >"$DIR/.tds/loaded.json"
	expect 0 "$(lines '' '    held')" '' tds-avail
}

@test 'JSON where it cannot be told what is loaded' {
	group a 0 1
	mkdir -m 0711 "$DIR/.tds"
	echo '{' >"$DIR/.tds/loaded.json"
	run --separate-stderr tds-avail -j
	[ "$status" -eq 0 ]
	[[ $stderr == "tds-avail: warning: $DIR/.tds/loaded.json: is not JSON: line "* ]]
	jq -e '.Groups[0].Packages[0].Loaded == null' <<<"$output"
}

@test '--verify says by which key a package loads, or why it does not' {
	install -m 0644 "$KEYS/birch_tls.key" "$KEYS/alder_tls.key" "$DIR"
	printf '{}' >"$DIR/mill-west.tli"
	cp "$VECTORS/tls/mill-west-1.0.tls" "$DIR/mill-west-1.tls"
	{ cat "$DIR/mill-west-1.tls"; echo; } >"$DIR/mill-west-2.tls"
	printf junk >"$DIR/mill-west-3.tls"
	: >"$DIR/mill-west-4.tls"
	run --separate-stderr tds-avail --verify -q
	[ "$status" -eq 7 ]
	local md5
	md5=$(md5sum <"$DIR/mill-west-2.tls" | cut -d' ' -f1)
	[[ ${lines[1]} == "mill-west: mill-west-4.tls    $(sum '')    refused: "?* ]]
	[[ ${lines[2]} == "         + mill-west-3.tls    $(sum junk)    refused: "?* ]]
	[[ ${lines[3]} == "         + mill-west-2.tls    $md5    refused: "?* ]]
	[ "${lines[4]}" = "         + mill-west-1.tls    f6ddf2482173dbcc341723453a5955fe    loadable with key $DIR/birch_tls.key" ]
	[ "${#lines[@]}" -eq 5 ]
	[ "$(grep -c '^tds-verify: ' <<<"$stderr")" -eq 3 ]

	run --separate-stderr tds-avail --verify -j
	[ "$status" -eq 7 ]
	jq -e --arg key "$DIR/birch_tls.key" '.Groups[0].Packages | map(.Verify.Success) == [false, false, false, true]
		and map(.Verify.Status) == [7, 7, 7, null] and .[3].Verify.Key == $key
		and .[3].MD5 == .[3].Verify.MD5 and .[2].Verify.Message != ""' <<<"$output"
	rm "$DIR"/mill-west-[234].tls
	tds-avail --verify -q
	ln -s nowhere "$DIR/mill-west-9.tls"
	run tds-avail --verify -q
	[ "$status" -eq 4 ]
}

@test '--verify: an archive that is damaged behind a good signature' {
	install -m 0644 "$KEYS"/*_tls.key "$DIR"
	printf '{}' >"$DIR/a.tli"
	cp "$VECTORS/bad/signed_traversal.tls" "$DIR/a-1.tls"
	run tds-avail --verify -q
	[ "$status" -eq 6 ]
}

@test '--verify without tds-verify' {
	group a 0 1
	mkdir alone
	cp "$TDS_BIN/tds-avail" alone/
	run --separate-stderr alone/tds-avail --verify
	[ "$status" -eq 4 ]
	[ -z "$output" ]
	[[ $stderr == "tds-avail: $PWD/alone/tds-verify: cannot be started: No such file or directory" ]]
	printf '#!/bin/sh\necho nonsense\n' >alone/tds-verify
	chmod 0755 alone/tds-verify
	expect 4 '' 'tds-avail: tds-verify: gives no verdict on a-1.tls' alone/tds-avail --verify
}

@test 'usage errors' {
	local hint="; see 'tds-avail --help'"
	local modes="tds-avail: only one of --paths, --excess and --prune at a time$hint"
	expect 2 '' "$modes" tds-avail --excess --prune
	expect 2 '' "$modes" tds-avail -p --prune
	expect 2 '' "$modes" tds-avail --excess --paths
	expect 2 '' "tds-avail: --verify does not go with --paths, --excess or --prune$hint" tds-avail --verify --prune
	expect 2 '' "tds-avail: --verify does not go with --paths, --excess or --prune$hint" tds-avail --verify -p
	expect 2 '' "tds-avail: --latest does not go with --excess or --prune$hint" tds-avail --excess -l
	expect 2 '' "tds-avail: --latest does not go with --excess or --prune$hint" tds-avail --prune -l
	expect 2 '{"Format":1,"Success":false,"Status":2,"Message":"--json has the paths already: it does not go with --paths"}' \
		"tds-avail: --json has the paths already: it does not go with --paths$hint" tds-avail -j -p
	expect 2 '' "tds-avail: --wait goes with --prune only$hint" tds-avail --wait=1
	local bad
	for bad in '' -1 +1 1.5 x 86401 99999999999999999999 ' 1' '1 '; do
		expect 2 '' "tds-avail: --wait: not a number of seconds: $bad$hint" tds-avail --prune --wait="$bad"
	done
	run tds-avail --no-such-option
	[ "$status" -eq 2 ]
	run tds-avail -T
	[ "$status" -eq 2 ]
}

@test '--help and --version' {
	run --separate-stderr tds-avail --help
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	[[ $output == 'usage: tds-avail '* ]]
	run --separate-stderr tds-avail -h --no-such-option
	[ "$status" -eq 0 ]
	run --separate-stderr tds-avail -V
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	[[ $output == 'tds-avail '* ]]
}

@test 'a full disk and a closed standard output' {
	group a 0 1
	local mode
	for mode in '' -p -j --excess '--prune -j'; do
		group a 1 1 2
		# shellcheck disable=SC2086
		run --separate-stderr bash -c "tds-avail $mode >/dev/full"
		[ "$status" -eq 5 ]
		[ "$stderr" = 'tds-avail: standard output: cannot be written: No space left on device' ]
	done
	run --separate-stderr bash -c 'tds-avail >&-'
	[ "$status" -eq 5 ]
	[[ $stderr == 'tds-avail: standard output: cannot be written: '* ]]
	run --separate-stderr bash -c 'tds-avail -h >/dev/full'
	[ "$status" -eq 5 ]
}

@test 'a pipe that nobody reads ends it quietly' {
	group a 0 {1..300}
	# shellcheck disable=SC2016
	run --separate-stderr bash -c 'tds-avail | head -n 1; echo "${PIPESTATUS[0]}"'
	[ -z "$stderr" ]
	[[ ${lines[1]} == 0 || ${lines[1]} == 141 ]]
}

@test 'a directory that vanishes' {
	mkdir gone
	cd gone
	rmdir ../gone
	run --separate-stderr tds-avail -C .
	[ "$status" -le 4 ]
	[ "${#lines[@]}" -le 1 ]
	run --separate-stderr tds-avail -C . --prune
	[ "$status" -le 4 ]
	[ -z "$output" ]
}

# Recorded cases are older than the grain of any clock, as no file made here is: links to one can be cached, and
# enough of them are worth it. Nothing here writes through them.
old_packages() {
	local i
	group a 0
	for i in 1 2 3; do
		ln -s "$VECTORS/tli.json" "$DIR/a-$i.tls"
	done
	OLD_SUM=$(md5sum <"$VECTORS/tli.json" | cut -d' ' -f1)
}

listed() {
	[ "$(tds-avail | grep -c "    $OLD_SUM\$")" -eq 3 ]
}

# A cache that lies: whoever believes it prints other sums.
lie() {
	python3 - "$DIR/.tds-hashes" <<-'EOF'
		import hashlib, sys
		data = bytearray(open(sys.argv[1], 'rb').read())
		for at in range(32, len(data), 64):
		    data[at + 48:at + 64] = b'\xee' * 16
		data[16:32] = hashlib.md5(data[32:]).digest()
		open(sys.argv[1], 'r+b').write(data)
	EOF
}

@test 'the cache is used, nothing lists it, and it is not written again without need' {
	old_packages
	listed
	[ -f "$DIR/.tds-hashes" ]
	[ "$(stat -c %a "$DIR/.tds-hashes")" = 644 ]
	local inode
	inode=$(stat -c %i "$DIR/.tds-hashes")
	listed
	[ "$(stat -c %i "$DIR/.tds-hashes")" = "$inode" ]
	lie
	[ "$(tds-avail | grep -c '    eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee$')" -eq 3 ]
	[ "$(tds-avail -p | wc -l)" -eq 3 ]
	[ "$(files "$DIR" | tr '\n' ' ')" = '.tds-hashes a-1.tls a-2.tls a-3.tls a.tli ' ]
}

@test 'a changed file is not looked up' {
	old_packages
	listed
	lie
	printf new >"$BATS_TEST_TMPDIR/new"
	ln -sf "$BATS_TEST_TMPDIR/new" "$DIR/a-2.tls"
	run tds-avail
	[ "$(grep -c '    eeeeeeee' <<<"$output")" -eq 2 ]
	grep -q "a-2.tls    $(sum new)" <<<"$output"
}

@test 'small or young files are not worth a cache' {
	group a 0 1 2
	head -c 3000000 /dev/zero >"$DIR/a-3.tls"
	tds-avail
	[ ! -e "$DIR/.tds-hashes" ]
	[ ! -e "$HOME/.cache" ]
}

@test 'a cache that others may write, or own, is not believed' {
	old_packages
	listed
	lie
	local mode
	for mode in 664 646 666; do
		chmod "$mode" "$DIR/.tds-hashes"
		listed
		lie
	done
	[ "$(id -u)" -eq 0 ] || skip 'the rest takes root'
	chmod 644 "$DIR/.tds-hashes"
	chown 65534 "$DIR/.tds-hashes"
	listed
	[ "$(stat -c %u "$DIR/.tds-hashes")" = 65534 ]
	[ -n "$(find "$HOME/.cache/tds" -name '*.hashes')" ]
	listed
}

@test 'a damaged cache is ignored and made again' {
	old_packages
	listed
	local good
	good=$(md5sum <"$DIR/.tds-hashes")
	printf x | dd of="$DIR/.tds-hashes" bs=1 seek=90 conv=notrunc status=none
	listed
	[ "$(md5sum <"$DIR/.tds-hashes")" = "$good" ]
	local bad
	for bad in '' tds '#!/bin/sh' "$(printf '%040d' 0)"; do
		printf %s "$bad" >"$DIR/.tds-hashes"
		listed
		[ "$(md5sum <"$DIR/.tds-hashes")" = "$good" ]
	done
	truncate -s 70M "$DIR/.tds-hashes"
	listed
	rm "$DIR/.tds-hashes"
	printf precious >outside
	ln -s "$PWD/outside" "$DIR/.tds-hashes"
	listed
	[ ! -L "$DIR/.tds-hashes" ]
	[ "$(cat outside)" = precious ]
}

@test 'where the directory cannot be written the cache is the caller'\''s own' {
	not_root
	old_packages
	chmod 0555 "$DIR"
	listed
	[ ! -e "$DIR/.tds-hashes" ]
	[ "$(find "$HOME/.cache/tds" -name '*.hashes' | wc -l)" -eq 1 ]
	listed
	XDG_CACHE_HOME=$BATS_TEST_TMPDIR/xdg listed
	[ -d xdg/tds ]
	XDG_CACHE_HOME=relative HOME=relative listed
	[ ! -e relative ]
	HOME=/nonexistent listed
	chmod 0755 "$DIR"
}

@test '--excess prints what is beyond the limit' {
	group a 2 1 2 3 10
	group b 5 1 2
	group c 0 1 2 3
	group d -1 1 2
	group e 1 1 2
	echo '{}' >"$DIR/f.tli"
	touch "$DIR"/f-{1,2}.tls
	expect 0 "$DIR/a-2.tls
$DIR/a-1.tls
$DIR/e-1.tls" '' tds-avail --excess
	expect 0 "$DIR/e-1.tls" '' tds-avail --excess e b
	expect 0 "$DIR/e-1.tls" '' tds-avail --excess -q e
	[ "$(tds-avail --excess -0 a | tr '\0' '|')" = "$DIR/a-2.tls|$DIR/a-1.tls|" ]
	tds-avail --excess -j >json
	jq -e '[.Groups[] | [.Name, (.Packages | map(.File))]] == [["a", ["a-2.tls", "a-1.tls"]], ["b", []], ["c", []],
		["d", []], ["e", ["e-1.tls"]], ["f", []]] and .Groups[0].Packages[0].Version == "2"' json
	[ "$(left)" = 'a-1.tls a-10.tls a-2.tls a-3.tls b-1.tls b-2.tls c-1.tls c-2.tls c-3.tls d-1.tls d-2.tls e-1.tls e-2.tls f-1.tls f-2.tls ' ]
}

@test '--prune deletes just that, and prints it' {
	group a 2 1 2 3 10
	group e 1 1 2
	group c 0 1 2
	expect 0 "$DIR/a-2.tls
$DIR/a-1.tls
$DIR/e-1.tls" '' tds-avail --prune
	[ "$(left)" = 'a-10.tls a-3.tls c-1.tls c-2.tls e-2.tls ' ]
	expect 0 '' '' tds-avail --prune
	group a 1 3 4 10
	expect 0 '' '' tds-avail --prune -q
	[ "$(left)" = 'a-10.tls c-1.tls c-2.tls e-2.tls ' ]
	group a 1 3 10
	tds-avail --prune -j a >json
	jq -e '[.Groups[] | [.Name, (.Packages | map(.File))]] == [["a", ["a-3.tls"]]]' json
	[ "$(left)" = 'a-10.tls c-1.tls c-2.tls e-2.tls ' ]
}

@test 'what loaded.json names is kept, and besides it the newest' {
	group a 2 1 2 3 4 5
	loaded a-1.tls a-4.tls other-9.tls
	expect 0 "$DIR/a-3.tls
$DIR/a-2.tls" '' tds-avail --excess
	expect 0 "$DIR/a-3.tls
$DIR/a-2.tls" "tds-avail: $DIR/a-1.tls: kept: it is loaded or held" tds-avail --excess -v
	tds-avail --prune
	[ "$(left)" = 'a-1.tls a-4.tls a-5.tls ' ]
	# From another run directory.
	group a 1 1 2 3
	mkdir -m 0711 run
	echo '["a-2.tls"]' >run/loaded.json
	echo "$PWD/run" >"$DIR/rundir.cfg"
	tds-avail --prune
	[ "$(left)" = 'a-2.tls a-5.tls ' ]
}

@test 'where it cannot be told what is loaded, nothing is deleted' {
	group a 1 1 2 3
	loaded a-1.tls
	local file=$DIR/.tds/loaded.json option
	for option in --excess --prune; do
		chmod 0664 "$file"
		expect 5 '' "tds-avail: $file: others may write it" tds-avail $option
		chmod 0644 "$file"
		echo '{"Sources": [' >"$file"
		run --separate-stderr tds-avail $option
		[ "$status" -eq 5 ]
		[ -z "$output" ]
		[[ $stderr == "tds-avail: $file: is not JSON: line 2: "* ]]
		mv "$file" "$DIR/.tds/away"
		ln -s away "$file"
		expect 5 '' "tds-avail: $file: is a symbolic link" tds-avail $option
		rm "$file"
		loaded a-1.tls
		echo relative >"$DIR/rundir.cfg"
		expect 5 '' "tds-avail: $DIR/rundir.cfg: is not one absolute path" tds-avail $option
		rm "$DIR/rundir.cfg"
	done
	[ "$(left)" = 'a-1.tls a-2.tls a-3.tls ' ]
	[ "$(id -u)" -eq 0 ] || skip 'the rest takes root'
	chown 65533 "$file"
	expect 5 '' "tds-avail: $file: belongs to another user (uid 65533), whom adminuser.cfg does not name" tds-avail --prune
	[ "$(left)" = 'a-1.tls a-2.tls a-3.tls ' ]
}

@test 'a group whose limit is not known is left alone, the others go on' {
	group a 1 1 2
	group b 1 1 2
	group c 1 1 2
	echo "{'TLS_Keep_Limit': 1," >"$DIR/b.tli"
	local option
	for option in --excess --prune; do
		run --separate-stderr tds-avail $option
		[ "$status" -eq 1 ]
		[ "$output" = "$DIR/a-1.tls
$DIR/c-1.tls" ]
		[[ $stderr == "tds-avail: $DIR/b.tli:1:1: "* ]]
	done
	[ "$(left)" = 'a-2.tls b-1.tls b-2.tls c-2.tls ' ]
	run --separate-stderr tds-avail --prune c b x
	[ "$status" -eq 4 ]
}

@test 'a link is deleted, never what it leads to' {
	group a 1 9
	printf precious >outside
	mkdir folder
	touch folder/inside
	ln -s "$PWD/outside" "$DIR/a-1.tls"
	ln -s "$PWD/folder" "$DIR/a-2.tls"
	ln -s nowhere "$DIR/a-3.tls"
	mkdir "$DIR/a-4.tls"
	mkfifo "$DIR/a-5.tls"
	expect 0 "$DIR/a-3.tls
$DIR/a-1.tls" '' tds-avail --prune
	[ "$(cat outside)" = precious ]
	[ -f folder/inside ]
	[ "$(left)" = 'a-2.tls a-4.tls a-5.tls a-9.tls ' ]
}

@test 'only names of the group are deleted' {
	group foo 1 1 2
	group foo-bar 0 1
	touch "$DIR"/{foobar-1.tls,.foo-0.tls,foo-0.TLS,foo-0.tls~,foo,foo-0.zip,bar-1.tls}
	expect 0 "$DIR/foo-1.tls" '' tds-avail --prune
	[ "$(files "$DIR" | tr '\n' ' ')" = '.foo-0.tls bar-1.tls foo foo-0.TLS foo-0.tls~ foo-0.zip foo-2.tls foo-bar-1.tls foo-bar.tli foo.tli foobar-1.tls ' ]
}

@test 'deleting waits for the lock, but not for ever' {
	group a 1 1 2
	exec 9<"$DIR"
	flock -x 9
	expect 9 '' "tds-avail: $DIR: is locked by another process" tds-avail --prune --wait=0 9<&-
	[ "$(left)" = 'a-1.tls a-2.tls ' ]
	# Looking needs no lock.
	expect 0 "$DIR/a-1.tls" '' tds-avail --excess 9<&-
	tds-avail --prune --wait=60 9<&- >out &
	exec 9<&-
	wait $!
	[ "$(cat out)" = "$DIR/a-1.tls" ]
	[ "$(left)" = 'a-2.tls ' ]
}

@test 'where the directory cannot be written nothing is deleted' {
	not_root
	group a 1 1 2
	chmod 0555 "$DIR"
	expect 5 '' "tds-avail: $DIR/a-1.tls: cannot be deleted: Permission denied" tds-avail --prune
	[ "$(left)" = 'a-1.tls a-2.tls ' ]
	chmod 0755 "$DIR"
}

@test 'deleting sweeps up what a dead writer has left' {
	group a 1 1 2
	touch "$DIR/.tds-tmp-dead" "$DIR/.tds-tmp-alive"
	exec 9<"$DIR/.tds-tmp-alive"
	flock -x 9
	tds-avail --excess 9<&-
	[ -e "$DIR/.tds-tmp-dead" ]
	tds-avail --prune 9<&-
	exec 9<&-
	[ ! -e "$DIR/.tds-tmp-dead" ]
	[ -e "$DIR/.tds-tmp-alive" ]
}

@test 'deleting never takes what is to be kept: many random directories' {
	python3 - "$TDS_BIN/tds-avail" "$BATS_TEST_TMPDIR/many" <<-'EOF'
		import json, os, random, shutil, subprocess, sys
		tool, top = sys.argv[1:]
		count = 4000 if os.environ.get('TDS_SCALE') == '20' else 200
		seed = random.randrange(1 << 32)
		print('seed', seed)
		rnd = random.Random(seed)
		outside = top + '.outside'
		with open(outside, 'x') as f:
		    f.write('precious')
		names = ['a', 'a-b', 'a-b-1', 'b', 'b.c', 'ü', '1', 'a-1']

		def owner(stem, groups):
		    return max((g for g in groups if stem == g or stem.startswith(g + '-')), key=len, default=None)

		for turn in range(count):
		    os.mkdir(top)
		    groups = {g: rnd.choice([None, -1, 0, 1, 1, 2, 3, 2**63, 10**30, 'bad']) for g in rnd.sample(names, rnd.randint(1, 5))}
		    for g, limit in groups.items():
		        with open(f'{top}/{g}.tli', 'w') as f:
		            f.write('{' if limit == 'bad' else '{}' if limit is None else "{'TLS_Keep_Limit': %d}" % limit)
		    # Versions are numbers here, so that their order needs no rules: a-b-7 may be b-7 of group a.
		    files = {}
		    for _ in range(rnd.randint(0, 25)):
		        g, v = rnd.choice(names), (rnd.randint(0, 30), rnd.randint(0, 3))
		        stem = f'{g}-{v[0]}.{v[1]}'
		        if stem + '.tls' in files:
		            continue
		        if rnd.random() < .1:
		            os.symlink(rnd.choice(['nowhere', outside]), f'{top}/{stem}.tls')
		        else:
		            open(f'{top}/{stem}.tls', 'x').close()  # never through a link
		        files[stem + '.tls'] = (owner(stem, groups), g, v)
		    loaded = rnd.sample(sorted(files), min(len(files), rnd.randint(0, 3)))
		    if rnd.random() < .8:
		        os.mkdir(f'{top}/.tds', 0o711)
		        with open(f'{top}/.tds/loaded.json', 'w') as f:
		            json.dump({'Sources': [{'File': rnd.choice(['', '/d/']) + x} for x in loaded]}, f)
		    else:
		        loaded = []
		    asked = rnd.sample(sorted(groups), rnd.randint(0, len(groups)))
		    keep = set(files)
		    for g, limit in groups.items():
		        mine = [x for x in files if files[x][0] == g]
		        # Files of one group whose versions begin with another's name: only those of the same beginning are comparable.
		        if limit in (None, 'bad') or limit <= 0 or asked and g not in asked:
		            continue
		        plain = sorted((x for x in mine if files[x][1] == g), key=lambda x: files[x][2], reverse=True)
		        if len(plain) == len(mine):
		            keep -= {x for x in plain[int(min(limit, 1000)):] if x not in loaded}
		        else:
		            keep -= {x for x in mine if x not in loaded}
		            keep |= {'%d of %s' % (min(limit, len(mine)), g)}
		    p = subprocess.run([tool, '-C', top, '--prune', '-0', '--', *asked], capture_output=True)
		    left = {x for x in os.listdir(top) if x.endswith('.tls')}
		    printed = {os.path.basename(os.fsdecode(x)) for x in p.stdout.split(b'\0') if x}
		    bad = 1 if any(groups[g] == 'bad' for g in asked or groups) else 0
		    assert p.returncode == bad, (turn, p, groups)
		    assert printed == set(files) - left, (turn, printed, left)
		    for k in keep:
		        if ' of ' in k:
		            n, g = k.split(' of ')
		            assert len([x for x in left if files[x][0] == g]) >= int(n), (turn, groups, files, left)
		        else:
		            assert k in left, (turn, k, groups, files, loaded, left)
		    if not any(' of ' in k for k in keep):
		        assert left == keep, (turn, left ^ keep, groups, files, loaded)
		    with open(outside) as f:
		        assert f.read() == 'precious', turn
		    assert {f'{g}.tli' for g in groups} <= set(os.listdir(top))
		    shutil.rmtree(top)
	EOF
}

@test 'many processes on one directory' {
	group a 3 {1..40}
	local i pids=()
	for i in {1..8}; do
		tds-avail --prune >"pruned.$i" 2>"err.$i" &
		pids+=($!)
		tds-avail -q >"listed.$i" 2>"err.l$i" &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i"
	done
	[ -z "$(cat err.*)" ]
	[ "$(left)" = 'a-38.tls a-39.tls a-40.tls ' ]
	# Each was deleted, and told, once.
	[ "$(cat pruned.* | sort -u | wc -l)" -eq 37 ]
	[ "$(cat pruned.* | wc -l)" -eq 37 ]
}
