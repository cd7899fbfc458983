#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# tds-gensrc: every option and every way to end.
# shellcheck disable=SC2016,SC2088  # the tool expands them, not the shell
# shellcheck disable=SC2030,SC2031,SC2154  # each test is a subshell; bats sets status, stderr, stderr_lines

load common

setup() {
	new_dir birch
	echo '{}' >"$DIR/foo.tli"
	cd "$BATS_TEST_TMPDIR" || return
	install -m 0600 "$KEYS/birch.pem" key.pem
	install -m 0600 "$KEYS/birch_enc.pem" locked.pem
	mkdir -p src/foo/sub
	echo 'A = 1' >src/foo/__init__.py
	echo 'B = 2' >src/foo/actor.py
	echo 'C = 3' >src/foo/sub/part.py
	echo text >src/foo/note.txt
	BEFORE=$(files "$DIR")
}

pack() {
	run --separate-stderr tds-gensrc "$@"
}

# plain_user: let pack hold root to the permissions of files, as any other user.
plain_user() {
	caps=-dac_override,-dac_read_search
	[ "$(id -u)" -eq 0 ] || return 0
	setpriv --bounding-set "$caps" --inh-caps "$caps" true || skip 'root may do everything'
	pack() {
		run --separate-stderr setpriv --bounding-set "$caps" --inh-caps "$caps" tds-gensrc "$@"
	}
}

# members FILE: what a package of the director directory, or any, holds, one a line.
members() {
	tds-verify -q -t "$1" | cut -c 10-
}

# holds FILE NAME…: and exactly these.
holds() {
	local file=$1
	shift
	[[ $(members "$file") == "$(printf '%s\n' "$@")" ]] || {
		members "$file"
		return 1
	}
}

# zip_field FILE EXPRESSION: of the archive's members, by Python's zipfile; i is the member.
zip_field() {
	tds-verify -q -o "$BATS_TEST_TMPDIR/fields.zip" "$1"
	python3 -c "import sys, zipfile
for i in zipfile.ZipFile(sys.argv[1]).infolist(): print($2)" "$BATS_TEST_TMPDIR/fields.zip"
	rm "$BATS_TEST_TMPDIR/fields.zip"
}

@test 'packs what matches, sorted, once, and says where' {
	pack foo key.pem src version:1.0 'foo/**/*.py' foo/note.txt foo/actor.py foo//./actor.py
	ended 0 ''
	[ "$output" = "Wrote $DIR/foo-1.0.tls" ]
	holds foo-1.0.tls foo/__init__.py foo/actor.py foo/note.txt foo/sub/part.py
	[ "$(tds-verify -q -x foo/actor.py foo-1.0.tls)" = 'B = 2' ]
	[ "$(stat -c %a "$DIR/foo-1.0.tls")" = 644 ]
	[ "$(files "$DIR")" = "$(printf '%s\n' birch_tls.key foo-1.0.tls foo.tli)" ]
}

@test 'group and version are signed' {
	pack foo key.pem src --release=1.0 foo/actor.py
	ended 0 ''
	[ "$(tds-verify -q -j foo-1.0.tls | jq -r '.Group, .Version')" = "$(printf 'foo\n1.0')" ]
	mv "$DIR/foo-1.0.tls" "$DIR/foo-2.0.tls"
	run tds-verify foo-2.0.tls
	[ "$status" -eq 6 ]
}

@test 'the version makes the name' {
	local v
	for v in 1 '' 'x y' a:b grüße DATE 0-1; do
		pack foo key.pem src "version:$v" foo/actor.py
		ended 0 ''
		[ "$output" = "Wrote $DIR/foo-$v.tls" ]
		tds-verify --strict "$DIR/foo-$v.tls"
	done
	pack foo key.pem src foo/actor.py
	ended 0 ''
	[ "$output" = "Wrote $DIR/foo.tls" ]
	tds-verify --strict "$DIR/foo.tls"
}

@test 'the version date is the local time' {
	local before after
	before=$(TZ=Asia/Kolkata date +%Y%m%d%H%M)
	TZ=Asia/Kolkata pack foo key.pem src version:date foo/actor.py
	after=$(TZ=Asia/Kolkata date +%Y%m%d%H%M)
	ended 0 ''
	[[ $output == "Wrote $DIR/foo-$before.tls" || $output == "Wrote $DIR/foo-$after.tls" ]]
}

@test 'long options say the same, and of repeated ones the last counts' {
	pack --release=7 --format=ViceroyFMT2 --release=8 --format=ThespianDirectorFMT1 foo key.pem src foo/actor.py
	ended 0 ''
	[ "$output" = "Wrote $DIR/foo-8.tls" ]
	pack --no-check foo key.pem src version:1 version:8 fmt:ViceroyFMT2 fmt: foo/actor.py -o .
	ended 0 ''
	cmp foo-8.tls "$DIR/foo-8.tls"
}

@test 'options of the Director count only before the first SOURCE' {
	pack foo key.pem src foo/actor.py version:9
	ended 0 'tds-gensrc: version:9: warning: matches nothing (options come before the first SOURCE)'
	[ "$output" = "Wrote $DIR/foo.tls" ]
	touch src/tli:x src/version
	pack foo key.pem src foo/actor.py tli:x version deps fmt:
	ended 0 "$(printf 'tds-gensrc: %s\n' 'deps: warning: matches nothing' \
		'fmt:: warning: matches nothing (options come before the first SOURCE)')"
	holds foo.tls foo/actor.py tli:x version
}

@test 'an existing package is replaced whole' {
	pack foo key.pem src version:1 'foo/*'
	pack foo key.pem src version:1 foo/actor.py
	ended 0 ''
	holds foo-1.tls foo/actor.py
}

@test 'formats' {
	pack foo key.pem src version:1 fmt:ViceroyFMT2 foo/actor.py
	ended 0 ''
	[ "$(head -n 1 "$DIR/foo-1.tls")" = ViceroyFMT2-sha256 ]
	tds-verify --strict foo-1.tls
	pack foo key.pem src version:2 fmt: foo/actor.py
	[ "$(head -n 1 "$DIR/foo-2.tls")" = ThespianDirectorFMT1-sha256 ]
	BEFORE=$(files "$DIR")
	local f
	for f in ViceroyFMT1 viceroyfmt2 ThespianDirectorFMT2 bogus; do
		pack foo key.pem src version:3 "fmt:$f" foo/actor.py
		ended 2 "tds-gensrc: unknown format: $f; see 'tds-gensrc --help'"
		untouched
	done
}

@test '-q says nothing where all is well' {
	pack -q foo key.pem src version:1 foo/actor.py none
	ended 0 ''
	[ -z "$output" ]
	tds-verify --strict foo-1.tls
}

@test '-j tells what was written' {
	pack -j foo key.pem src version:1 'foo/*.py'
	ended 0 ''
	[ "$(jq -r '.Path, .Group, .Version, .Entries, .Size, .MD5, .SHA256, .Key' <<<"$output")" = "$(
		printf '%s\n' "$DIR/foo-1.tls" foo 1 2 "$(stat -c %s "$DIR/foo-1.tls")"
		md5sum <"$DIR/foo-1.tls" | cut -d ' ' -f 1
		sha256sum <"$DIR/foo-1.tls" | cut -d ' ' -f 1
		echo key.pem
	)" ]
	pack -j foo key.pem src foo/actor.py
	[ "$(jq .Version <<<"$output")" = null ]
	[[ $output == '{"Format":1,"Success":true,'* ]]
}

@test '-j tells what went wrong' {
	pack -j foo none.pem src foo/actor.py
	ended 4 'tds-gensrc: none.pem: cannot be opened: No such file or directory'
	[ "$output" = '{"Format":1,"Success":false,"Status":4,"Message":"cannot be opened: No such file or directory","Subject":"none.pem"}' ]
	printf 'x = (\n' >src/foo/a.py
	printf 'y = 1\n\0' >src/foo/b.py
	pack -j foo key.pem src 'foo/*.py'
	[ "${#stderr_lines[@]}" -eq 2 ]
	[[ $output == '{"Format":1,"Success":false,"Status":1,"Message":"'*'","Subject":"src/foo/a.py","Line":1,"Column":5,"Failures":['* ]]
	pack -j foo key.pem src ../a
	[ "$output" = '{"Format":1,"Success":false,"Status":2,"Message":"../a: lies outside src"}' ]
	pack -j --bogus
	[ "$output" = '{"Format":1,"Success":false,"Status":2,"Message":"unknown or ambiguous option: --bogus"}' ]
	pack -j -C none foo key.pem src foo/actor.py
	[ "$output" = '{"Format":1,"Success":false,"Status":5,"Message":"cannot be opened: No such file or directory","Subject":"none"}' ]
	[ "$(files "$DIR")" = "$BEFORE" ]
}

@test 'the path that is printed does nothing to the terminal' {
	local folder=$'o\x1b[2Jut'
	mkdir "$folder"
	pack -o "$folder" foo key.pem src foo/actor.py
	ended 0 ''
	[ "$output" = 'Wrote o\x1b[2Jut/foo.tls' ]
	pack -j -o "$folder" foo key.pem src foo/actor.py
	[ "$(jq -r .Path <<<"$output")" = "$folder/foo.tls" ]
}

@test 'usage errors' {
	pack
	ended 2 "tds-gensrc: GROUP, KEYFILE and SRCDIR are needed; see 'tds-gensrc --help'"
	pack foo key.pem src
	ended 2 "tds-gensrc: no SOURCE is named; see 'tds-gensrc --help'"
	pack foo key.pem src version:1 fmt:ViceroyFMT2 deps:x tli:y
	ended 2 "tds-gensrc: no SOURCE is named; see 'tds-gensrc --help'"
	pack --password=x foo key.pem src foo/actor.py
	[ "$status" -eq 2 ]
	SOURCE_DATE_EPOCH=yesterday pack foo key.pem src foo/actor.py
	ended 2 "tds-gensrc: SOURCE_DATE_EPOCH is not a number of seconds: yesterday; see 'tds-gensrc --help'"
	untouched
}

@test 'names that no group may have' {
	local g
	for g in '' .hid sub/foo ../foo $'a\nb' $'\x7f'; do
		pack "$g" key.pem src foo/actor.py
		[ "$status" -eq 2 ]
		[[ $stderr == 'tds-gensrc: not a possible name of a group: '* ]]
	done
	pack -- -x key.pem src foo/actor.py
	ended 2 "tds-gensrc: not a possible name of a group: \"-x\"; see 'tds-gensrc --help'"
	for g in a-b a.b 'a b' grüße x.tls A~1; do
		pack "--tli=$DIR/foo.tli" "$g" key.pem src version:1 foo/actor.py
		ended 0 ''
		tds-verify --strict "$DIR/$g-1.tls"
		rm "$DIR/$g-1.tls" "$DIR/$g.tli"
	done
	[ "$(files "$DIR")" = "$BEFORE" ]
}

@test 'versions that would lead elsewhere' {
	local v
	for v in 1/2 ../1 $'1\n' $'\x1b[2J' $'\xc2\x9b'; do
		pack foo key.pem src "version:$v" foo/actor.py
		[ "$status" -eq 2 ]
		[[ $stderr == 'tds-gensrc: a version holds no slash and no control character: '* ]]
		untouched
	done
	pack foo key.pem src "version:$(printf %0300d 1)" foo/actor.py
	ended 2 "tds-gensrc: the package's name is longer than 255 bytes; see 'tds-gensrc --help'"
	untouched
}

@test 'a package that would be of another declared group' {
	echo '{}' >"$DIR/foo-bar.tli"
	BEFORE=$(files "$DIR")
	pack foo key.pem src version:bar-1 foo/actor.py
	ended 2 "tds-gensrc: foo-bar-1.tls would belong to the group foo-bar, not to foo; see 'tds-gensrc --help'"
	untouched
	pack foo key.pem src version:bar foo/actor.py
	[ "$status" -eq 2 ]
	pack foo key.pem src version:barn foo/actor.py
	ended 0 ''
	pack foo-bar key.pem src version:1 foo/actor.py
	ended 0 ''
}

@test 'a package of no declared group, where a shorter name is declared' {
	local error="tds-gensrc: foo-x-0.1.tls would belong to the group foo, because foo-x.tli is not there; see 'tds-gensrc --help'"
	pack foo-x key.pem src version:0.1 foo/actor.py
	ended 2 "$error"
	pack -o "$DIR" foo-x key.pem src version:0.1 foo/actor.py
	ended 2 "$error"
	pack -C none -o "$DIR" foo-x key.pem src version:0.1 foo/actor.py
	ended 2 "$error"
	echo '{}' >src/foo-x.tli
	pack -o "$DIR/foo-x-0.1.tls" foo-x key.pem src version:0.1 foo/actor.py
	ended 2 "$error"
	untouched
	pack -o . foo-x key.pem src version:0.1 foo/actor.py
	ended 0 ''
	pack foo-x key.pem src version:0.1 foo/actor.py
	ended 0 ''
	[ "$(tds-avail -p)" = "$DIR/foo-x-0.1.tls" ]
	rm src/foo-x.tli
	pack foo-x key.pem src version:0.2 foo/actor.py
	ended 0 ''
	pack --tli="$DIR/foo.tli" -o "$DIR" foo-y key.pem src version:1 foo/actor.py
	ended 0 ''
	[ "$(files "$DIR")" = "$(printf '%s\n' birch_tls.key foo-x-0.1.tls foo-x-0.2.tls foo-x.tli foo-y-1.tls foo-y.tli foo.tli)" ]
}

@test 'a package of no declared group' {
	local warning='tds-gensrc: warning: new.tli is not there, so no tool will find the package by its group'
	pack new key.pem src version:1 foo/actor.py
	ended 0 "$warning"
	[ "$output" = "Wrote $DIR/new-1.tls" ]
	pack -o "$DIR" new key.pem src version:1 foo/actor.py
	ended 0 "$warning"
	pack new key.pem src version:1 ../foo/actor.py
	ended 2 "tds-gensrc: ../foo/actor.py: lies outside src; see 'tds-gensrc --help'"
	pack -q new key.pem src version:1 foo/actor.py
	ended 0 ''
	pack -o . new key.pem src version:1 foo/actor.py
	ended 0 ''
}

@test 'SRCDIR at the beginning of a SOURCE is cut' {
	local s
	for s in src src/ "$PWD/src" ./src src/../src; do
		pack foo key.pem "$s" "${s%/}/foo/actor.py"
		ended 0 ''
		holds foo.tls foo/actor.py
	done
	cd src
	pack foo ../key.pem . ./foo/actor.py foo/sub/*
	ended 0 ''
	holds foo.tls foo/actor.py foo/sub/part.py
	cd foo
	pack foo ../../key.pem .. ../foo/actor.py
	ended 0 ''
	holds foo.tls foo/actor.py
}

@test 'SOURCEs are patterns, with ~ and variables' {
	mkdir src/~ src/foo/.hid
	touch src/~/x.py src/foo/.hid/y.py 'src/foo/[a].py' src/foo/ü.py
	HOME=$PWD/src/foo PART='sub/*' pack foo key.pem src '~/actor.py' 'foo/$PART' 'foo/[[]*' 'foo/.h*/*' 'foo/?.py'
	ended 2 "tds-gensrc: ~/actor.py: lies outside src; see 'tds-gensrc --help'"
	HOME=$PWD/src/foo PART='sub/*' pack foo key.pem "$PWD/src" '~/actor.py' 'foo/$PART' 'foo/[[]*' 'foo/.h*/*' 'foo/?.py'
	ended 0 ''
	holds foo.tls foo/.hid/y.py 'foo/[a].py' foo/actor.py foo/sub/part.py foo/ü.py
}

@test 'SOURCEs outside SRCDIR' {
	local s
	echo x >out.py
	for s in ../out.py foo/../../out.py foo/.. .. /etc/passwd "$PWD/out.py" '$UP/out.py' "$PWD/srcx/out.py"; do
		UP=.. pack foo key.pem "$PWD/src" foo/actor.py "$s"
		ended 2 "tds-gensrc: $s: lies outside $PWD/src; see 'tds-gensrc --help'"
		untouched
	done
}

@test 'SOURCEs that match nothing' {
	pack foo key.pem src 'none*' foo foo/actor.py
	ended 0 "$(printf 'tds-gensrc: %s\n' 'none*: warning: matches nothing' 'foo: warning: matches only folders')"
	rm "$DIR/foo.tls"
	pack foo key.pem src 'none*' foo/ ''
	ended 4 "$(printf 'tds-gensrc: %s\n' 'none*: warning: matches nothing' 'foo/: warning: matches only folders' \
		': warning: matches nothing' 'src: no SOURCE matches a file')"
	untouched
}

@test 'folders that are not there' {
	pack foo key.pem none foo/actor.py
	ended 4 'tds-gensrc: none: cannot be opened: No such file or directory'
	untouched
	pack foo key.pem key.pem foo/actor.py
	ended 4 'tds-gensrc: key.pem: cannot be opened: Not a directory'
	pack -C none foo key.pem src foo/actor.py
	ended 5 'tds-gensrc: none: cannot be opened: No such file or directory'
	pack -C key.pem foo key.pem src foo/actor.py
	ended 5 'tds-gensrc: key.pem: cannot be opened: Not a directory'
	untouched
}

@test 'keys that cannot sign' {
	local k
	pack foo none.pem src foo/actor.py
	ended 4 'tds-gensrc: none.pem: cannot be opened: No such file or directory'
	pack foo src src foo/actor.py
	ended 4 'tds-gensrc: src: is a folder'
	: >empty.pem
	openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ec.pem
	openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:768 -out short.pem
	cp "$KEYS/birch_tls.key" public.pem
	head -c 900 key.pem >cut.pem
	cp src/foo/note.txt junk.pem
	chmod 600 ./*.pem
	for k in empty ec short public cut junk; do
		pack foo $k.pem src foo/actor.py
		[ "$status" -eq 4 ]
		[[ ${#stderr_lines[@]} -eq 1 && $stderr == "tds-gensrc: $k.pem: "* ]]
		untouched
	done
}

# bend_key FIELD…: key.pem with these numbers of it changed, as bent.pem: 1 n, 2 e, 3 d, 4 p, 5 q, 6 dP, 7 dQ, 8 qInv.
bend_key() {
	openssl rsa -in key.pem -traditional -outform DER 2>/dev/null | python3 -c '
import sys
der, at, fields = sys.stdin.buffer.read(), 4, []
while at < len(der):
    size, at = der[at + 1], at + 2
    if size > 128:
        size, at = int.from_bytes(der[at:at + size - 128], "big"), at + size - 128
    fields.append(bytearray(der[at:at + size]))
    at += size
for i in map(int, sys.argv[1:]):
    fields[i][-2] ^= 4
def tagged(tag, value):
    return bytes([tag, 0x82]) + len(value).to_bytes(2, "big") + value
sys.stdout.buffer.write(tagged(0x30, b"".join(tagged(2, bytes(f)) for f in fields)))' "$@" >bent.der
	(umask 077 && {
		echo '-----BEGIN RSA PRIVATE KEY-----'
		base64 -w 64 bent.der
		echo '-----END RSA PRIVATE KEY-----'
	} >bent.pem)
}

@test 'a package that does not verify is not written' {
	bend_key
	pack foo bent.pem src version:1 foo/actor.py
	ended 0 ''
	rm "$DIR/foo-1.tls"
	cp "$DIR/foo.tli" src/foo.tli
	local fields
	for fields in '1' '2' '3 6 7' '3 4 6 7' '3 8' '3 4 5 6 7 8'; do
		# shellcheck disable=SC2086  # a list
		bend_key $fields
		pack foo bent.pem src version:1 foo/actor.py
		[[ $status == [467] && ${#stderr_lines[@]} -eq 1 && $stderr == 'tds-gensrc: '* ]]
		untouched
	done
}

@test 'a director directory that vanishes' {
	printf '#!/bin/sh\nrm "%s"/* && rmdir "%s"\nexec python3 "$@"\n' "$DIR" "$DIR" >slow
	chmod 755 slow
	cp "$DIR/foo.tli" src
	pack --python=./slow foo key.pem src version:1 foo/actor.py
	ended 5 "tds-gensrc: $DIR/foo-1.tls: cannot be created: No such file or directory"
	[[ -z $output && ! -e $DIR ]]
	[ -z "$(find . -name '*.tls' -o -name '.tds-tmp-*')" ]
}

@test 'keys that sign with a warning' {
	install -m 0640 "$KEYS/birch.pem" open.pem
	pack foo open.pem src foo/actor.py
	ended 0 'tds-gensrc: open.pem: warning: others may read it'
	install -m 0600 "$KEYS/alder.pem" short.pem
	pack foo short.pem src foo/actor.py
	ended 0 'tds-gensrc: short.pem: warning: an RSA key of 1024 bits is too short to be safe; use 2048 or more'
	openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_keygen_pubexp:3 -out small.pem
	pack foo small.pem src foo/actor.py
	ended 0 'tds-gensrc: small.pem: warning: the public exponent 3 is too small to be safe; use 65537'
	pack -q foo open.pem src foo/actor.py
	ended 0 ''
}

@test 'the key may come through a pipe' {
	pack foo <(cat key.pem) src foo/actor.py
	ended 0 ''
	tds-verify --strict foo.tls
}

@test 'a passphrase from a file' {
	(umask 077 && printf 'correct-horse\r\nsecond line\n' >phrase && printf wrong >wrong && : >empty)
	pack --passphrase-file=phrase foo locked.pem src foo/actor.py
	ended 0 ''
	tds-verify --strict foo.tls
	rm "$DIR/foo.tls"
	pack --passphrase-file=wrong foo locked.pem src foo/actor.py
	[[ $status -eq 4 && $stderr == 'tds-gensrc: locked.pem: wrong passphrase'* ]]
	pack --passphrase-file=empty foo locked.pem src foo/actor.py
	ended 4 'tds-gensrc: locked.pem: empty: holds no passphrase in its first line'
	pack --passphrase-file=none foo locked.pem src foo/actor.py
	ended 4 'tds-gensrc: none: cannot be opened: No such file or directory'
	untouched
	chmod 644 phrase
	pack --passphrase-file=phrase foo locked.pem src foo/actor.py
	ended 0 'tds-gensrc: phrase: warning: others may read it'
	pack --passphrase-file=<(echo correct-horse) foo locked.pem src foo/actor.py
	ended 0 ''
}

@test 'a passphrase where there is no terminal' {
	run --separate-stderr setsid -w tds-gensrc foo locked.pem src foo/actor.py
	ended 4 'tds-gensrc: locked.pem: is encrypted, and there is no terminal to ask for its passphrase (--passphrase-file names a file)'
	untouched
}

@test 'a passphrase asked on the terminal' {
	local ask=("$ROOT/tests/cli/on_terminal.py")
	run python3 "${ask[@]}" correct-horse tds-gensrc foo locked.pem src foo/actor.py
	[ "$output" = "$(printf '%s\n' 'Passphrase for locked.pem: ' "Wrote $DIR/foo.tls" 'echo on' 'status 0')" ]
	rm "$DIR/foo.tls"
	run python3 "${ask[@]}" wrong tds-gensrc foo locked.pem src foo/actor.py
	[[ ${lines[1]} == 'tds-gensrc: locked.pem: wrong passphrase'* ]]
	[ "${lines[2]}, ${lines[3]}" = 'echo on, status 4' ]
	# These keys make the terminal drop what it was about to show.
	run python3 "${ask[@]}" '^C' tds-gensrc foo locked.pem src foo/actor.py
	[[ $output == *'echo on'$'\n''signal 2' ]]
	[ "$(files "$DIR")" = "$BEFORE" ]
	run python3 "${ask[@]}" '^Z correct-horse' tds-gensrc foo locked.pem src foo/actor.py
	[[ $output == *Passphrase*Passphrase*"Wrote $DIR/foo.tls"$'\n''echo on'$'\n''status 0' ]]
}

@test 'syntax errors: all of them, with their places' {
	printf 'x = 1\nif x:\n    y = (1,\nz = 2\n' >src/foo/bracket.py
	printf 'def f(:\n' >src/foo/colon.py
	printf 'A = "\xe9"\n' >src/foo/latin.py
	printf 'A = 1\n  B\0 = 2\n' >src/foo/nul.py
	printf '# coding: no-such-code\n' >src/foo/coding.py
	printf 'x = 1\nreturn x\n' >src/foo/return.py
	python3 -c 'print("x = " + "-" * 200000 + "1")' >src/foo/deep.py
	printf 'def f(:\n' >src/foo/text.txt
	pack foo key.pem src 'foo/**'
	[ "$status" -eq 1 ]
	untouched
	[ "${#stderr_lines[@]}" -eq 7 ]
	[[ ${stderr_lines[0]} == 'tds-gensrc: src/foo/bracket.py:3:9: '* ]]
	[[ ${stderr_lines[1]} == 'tds-gensrc: src/foo/coding.py:1:1: '* ]]
	[[ ${stderr_lines[2]} == 'tds-gensrc: src/foo/colon.py:1:7: '* ]]
	[[ ${stderr_lines[3]} == 'tds-gensrc: src/foo/deep.py: '* ]]
	[[ ${stderr_lines[4]} == 'tds-gensrc: src/foo/latin.py:1:'* ]]
	[ "${stderr_lines[5]}" = 'tds-gensrc: src/foo/nul.py:2:4: a NUL byte' ]
	[[ ${stderr_lines[6]} == 'tds-gensrc: src/foo/return.py:2:1: '* ]]
	pack --no-check foo key.pem src 'foo/**'
	ended 0 ''
}

@test 'a warning of the compiler is no error' {
	printf 'A = "\\q"\nassert (1, 2)\nA is 1\n' >src/foo/warn.py
	pack foo key.pem src foo/warn.py
	ended 0 ''
}

@test 'nothing of the sources runs' {
	local m
	mkdir src/encodings src/importlib
	for m in os sys io site sitecustomize usercustomize codecs zipimport encodings/__init__ importlib/__init__ foo/__init__; do
		printf 'open("%s/canary", "w").close()\n' "$PWD" >"src/$m.py"
	done
	echo 'foo' >deps.txt
	mkdir -p lib/foo
	printf 'open("%s/canary", "w").close()\n' "$PWD" >lib/foo/__init__.py
	cp lib/foo/__init__.py src/foo/__init__.py
	cd src
	PYTHONPATH=$PWD PYTHONHOME='' PYTHONSTARTUP=$PWD/os.py pack foo ../key.pem . '**/*.py'
	ended 0 ''
	PYTHONPATH=$BATS_TEST_TMPDIR/lib pack -q bar ../key.pem . deps:../deps.txt os.py
	ended 0 ''
	holds bar.tls foo/__init__.py os.py
	[ ! -e ../canary ]
	[ -z "$(find "$BATS_TEST_TMPDIR" -name '*.pyc')" ]
}

# A program that passes for Python until it does what is said.
false_python() {
	printf '#!/bin/sh\n%s\n' "$1" >false-python
	chmod 755 false-python
	pack --python=./false-python foo key.pem src foo/actor.py foo/sub/part.py
	untouched
}

@test 'a Python that is none, or dies' {
	pack --python=no-such-python foo key.pem src foo/actor.py
	ended 4 'tds-gensrc: no-such-python: cannot be started: No such file or directory'
	untouched
	false_python 'exit 3'
	ended 4 'tds-gensrc: ./false-python: ended with status 3 as it was started'
	false_python 'exec cat >&0'
	ended 4 'tds-gensrc: ./false-python: does not answer as a Python 3'
	false_python 'exec yes >&0'
	ended 4 'tds-gensrc: ./false-python: does not answer as a Python 3'
	false_python 'echo ready >&0; kill -SEGV $$'
	ended 1 'tds-gensrc: src/foo/actor.py: was killed by signal 11 (Segmentation fault) as it compiled this'
	false_python 'echo ready >&0; head -c 14 >/dev/null; echo >&0; exit 0'
	ended 1 'tds-gensrc: src/foo/sub/part.py: ended as it compiled this'
	pack --python=no-such-python --no-check foo key.pem src foo/actor.py
	ended 0 ''
	pack --python=no-such-python foo key.pem src foo/note.txt
	ended 0 ''
}

# Packages to depend on, in lib and lib2.
make_deps() {
	mkdir -p lib/colpack/inner lib/colpack/data lib/nspack lib2/nspack/more lib2/colpack lib2/shadow lib/stale
	touch lib/columnlib.py lib/colpack/{__init__,x}.py lib/colpack/inner/{__init__,y}.py lib/colpack/data/{note.txt,z.py}
	touch lib/nspack/only.py lib2/nspack/more/other.py lib2/colpack/wrong.py lib2/shadow/__init__.py lib/shadow.py
	touch lib/stale/module.pyc lib/compiled.pyc lib/colpack/tail.py~
	ln -s x.py lib/colpack/alias.py
	ln -s ../nspack lib/colpack/linked
	export PYTHONPATH=$PWD/lib:$PWD/lib2
}

@test 'dependencies' {
	make_deps
	printf '# comment\n\n  columnlib \t\r\ncolpack\n#no\n' >deps.txt
	pack foo key.pem src version:1 deps:deps.txt foo/actor.py
	ended 0 ''
	holds foo-1.tls colpack/__init__.py colpack/alias.py colpack/data/z.py colpack/inner/__init__.py \
		colpack/inner/y.py colpack/x.py columnlib.py foo/actor.py
	echo nspack >deps.txt
	pack foo key.pem src --deps=deps.txt foo/actor.py
	holds foo.tls foo/actor.py nspack/more/other.py nspack/only.py
	echo shadow >deps.txt
	pack foo key.pem src --deps=deps.txt foo/actor.py
	holds foo.tls foo/actor.py shadow.py
	printf 'colpack.inner\ncolpack.x\n' >deps.txt
	pack foo key.pem src --deps=deps.txt foo/actor.py
	holds foo.tls foo/actor.py inner/__init__.py inner/y.py x.py
	: >deps.txt
	pack foo key.pem src --deps=deps.txt foo/actor.py
	holds foo.tls foo/actor.py
	pack foo key.pem src --deps=none --deps= foo/actor.py
	ended 0 ''
}

# A distribution in lib with data, metadata, a compiled library and a second module, as an installer records it.
make_dist() {
	local info=lib/My_Dist-1.0.dist-info
	mkdir -p lib/mydist/data lib/mydist/__pycache__ lib/share $info
	touch lib/mydist/{__init__.py,mod.py,fast.cpython-39.so,unlisted.txt} lib/mydist/data/{a.json,__init__.py} lib/_mydist.so lib/share/x
	touch lib/mydist/__pycache__/mod.cpython-39.pyc lib/second.py $info/entry_points.txt
	printf 'Metadata-Version: 2.1\nName: My.Dist\nVersion: 1.0\n' >$info/METADATA
	(cd lib && find mydist second.py _mydist.so share My_Dist* -type f ! -name unlisted.txt) | sed 's/$/,,/' >RECORD
	printf '../bin/tool,,\n/etc/passwd,,\nmydist/gone.txt,,\nMy_Dist-1.0.dist-info/RECORD,,\n' >>RECORD
	mv RECORD $info
	export PYTHONPATH=$PWD/lib
}

@test 'a dependency comes with the data and metadata that its record has' {
	make_dist
	echo mydist >deps.txt
	pack foo key.pem src version:1 deps:deps.txt foo/actor.py
	local why='is a compiled library, which cannot be packed: it must be installed where the actors run'
	ended 0 "$(printf 'tds-gensrc: %s: warning: %s\n' "$PWD/lib/mydist/fast.cpython-39.so" "$why" "$PWD/lib/_mydist.so" "$why")"
	holds foo-1.tls My_Dist-1.0.dist-info/METADATA My_Dist-1.0.dist-info/RECORD My_Dist-1.0.dist-info/entry_points.txt \
		foo/actor.py mydist/__init__.py mydist/data/__init__.py mydist/data/a.json mydist/mod.py
	echo second >deps.txt
	pack -q foo key.pem src version:1 deps:deps.txt foo/actor.py
	holds foo-1.tls My_Dist-1.0.dist-info/METADATA My_Dist-1.0.dist-info/RECORD My_Dist-1.0.dist-info/entry_points.txt \
		foo/actor.py second.py
	printf 'mydist\nsecond\n' >deps.txt
	pack foo key.pem src version:1 deps:deps.txt foo/actor.py
	[[ $status -eq 0 && $(grep -c _mydist.so <<<"$stderr") -eq 1 ]]
	# One without a record, as Debian has them: what is below its modules.
	rm lib/My_Dist-1.0.dist-info/RECORD
	echo mydist >lib/My_Dist-1.0.dist-info/top_level.txt
	pack -q foo key.pem src version:1 deps:deps.txt foo/actor.py
	members foo-1.tls | grep -qx mydist/unlisted.txt
}

@test 'a distribution that is no module says which module is meant' {
	local name
	make_dist
	for name in My.Dist my-dist MY_DIST; do
		echo "$name" >deps.txt
		pack foo key.pem src deps:deps.txt foo/actor.py
		[[ $name != My.Dist ]] || continue # a dotted name is one of modules
		ended 4 "tds-gensrc: deps.txt:1:1: $name: is a distribution, and no module; did you mean its modules _mydist, mydist, second?"
	done
	rm -r lib/second.py lib/_mydist.so
	sed -i '/second.py/d; /_mydist/d' lib/My_Dist-1.0.dist-info/RECORD
	pack foo key.pem src deps:deps.txt foo/actor.py
	ended 4 'tds-gensrc: deps.txt:1:1: MY_DIST: is a distribution, and no module; did you mean its module mydist?'
	untouched
}

@test 'dependencies of the standard library' {
	echo json >deps.txt
	pack foo key.pem src deps:deps.txt foo/actor.py
	ended 0 ''
	members foo.tls | grep -qx json/decoder.py
}

@test 'missing dependencies' {
	local name
	make_deps
	for name in nothing sys columnlib==1.0 colpack.none columnlib.x ../lib/columnlib .colpack colpack..inner; do
		printf '# one\n  %s\n' "$name" >deps.txt
		pack foo key.pem src deps:deps.txt foo/actor.py
		ended 4 "tds-gensrc: deps.txt:2:3: $name: not on the search path of python3"
		untouched
	done
	echo compiled >deps.txt
	pack foo key.pem src deps:deps.txt foo/actor.py
	ended 4 'tds-gensrc: deps.txt:1:1: compiled: has no .py file'
	pack foo key.pem src deps:none.txt foo/actor.py
	ended 4 'tds-gensrc: none.txt: cannot be opened: No such file or directory'
	printf 'a\0b\n' >deps.txt
	pack foo key.pem src deps:deps.txt foo/actor.py
	ended 4 'tds-gensrc: deps.txt: holds a NUL byte'
	echo colpack >deps.txt
	pack --python=no-such-python foo key.pem src deps:deps.txt foo/actor.py
	ended 4 'tds-gensrc: no-such-python: cannot be started: No such file or directory'
	untouched
}

@test 'dependencies are checked too, and are other files than the sources' {
	make_deps
	echo colpack >deps.txt
	echo 'x = (' >lib/colpack/x.py
	pack foo key.pem src deps:deps.txt foo/actor.py
	[[ $status -eq 1 && $stderr == "tds-gensrc: $PWD/lib/colpack/alias.py:1:5: "* ]]
	: >lib/colpack/x.py
	mkdir src/colpack
	touch src/colpack/x.py
	pack foo key.pem src deps:deps.txt colpack/x.py
	[[ $status -eq 4 && $stderr == *': would be the member colpack/x.py, which '*' is too' ]]
	touch src/shadow.py
	echo shadow >deps.txt
	rm lib/shadow.py
	touch src/shadow
	pack foo key.pem src deps:deps.txt shadow
	ended 4 "tds-gensrc: $PWD/lib2/shadow/__init__.py: cannot be packed: the file shadow is packed too"
	untouched
	PYTHONPATH=$PWD/src pack foo key.pem src deps:deps.txt shadow.py
	ended 0 ''
	holds foo.tls shadow.py
}

@test 'deps: and tli: count from the current folder, else from SRCDIR' {
	make_deps
	echo columnlib >src/d.txt
	echo "{'AutoUnload': True}" >src/d.tli
	pack foo key.pem src deps:d.txt tli:d.tli foo/actor.py
	ended 0 ''
	holds foo.tls columnlib.py foo/actor.py
	cmp src/d.tli "$DIR/foo.tli"
	echo nothing >d.txt
	pack foo key.pem src deps:d.txt foo/actor.py
	ended 4 'tds-gensrc: d.txt:1:1: nothing: not on the search path of python3'
	echo "{'AutoUnload': False}" >d.tli
	pack foo key.pem src tli:d.tli foo/actor.py
	ended 0 ''
	cmp d.tli "$DIR/foo.tli"
}

@test 'the TLI of SRCDIR is installed' {
	echo "{'TLS_Keep_Limit': 2}" >src/foo.tli
	echo "{'TLS_Keep_Limit': 9}" >"$DIR/foo.tli"
	pack foo key.pem src version:1 foo/actor.py
	ended 0 ''
	cmp src/foo.tli "$DIR/foo.tli"
	[ "$(stat -c %a "$DIR/foo.tli")" = 644 ]
	[ "$(tds-avail -p)" = "$DIR/foo-1.tls" ]
	rm src/foo.tli
	pack foo key.pem src version:2 foo/actor.py
	ended 0 ''
	[ "$(cat "$DIR/foo.tli")" = "{'TLS_Keep_Limit': 2}" ]
}

@test 'a TLI that is not allowed changes nothing' {
	echo "{'TLS_Keep_Limit': __import__('os').system('touch canary')}" >src/foo.tli
	pack foo key.pem src version:1 foo/actor.py
	[[ $status -eq 1 && $stderr == 'tds-gensrc: src/foo.tli:1:'* ]]
	untouched
	[ ! -e canary ]
	pack foo key.pem src version:1 tli:none.tli foo/actor.py
	ended 4 'tds-gensrc: none.tli: cannot be opened: No such file or directory'
	printf '{ oops\n' >bad.tli
	pack foo key.pem src version:1 tli:bad.tli foo/actor.py
	[[ $status -eq 1 && $stderr == 'tds-gensrc: bad.tli:1:'* ]]
	untouched
	echo "{'Actorz': {}}" >src/foo.tli
	pack foo key.pem src version:1 foo/actor.py
	[[ $status -eq 0 && $stderr == 'tds-gensrc: src/foo.tli:1:2: warning: '* ]]
}

@test '-o writes elsewhere, under the right name only' {
	echo '{}' >src/foo.tli
	mkdir out
	pack -o out/foo-1.tls foo key.pem src version:1 foo/actor.py
	ended 0 ''
	[ "$output" = 'Wrote out/foo-1.tls' ]
	tds-verify --strict out/foo-1.tls
	pack --output=out foo key.pem src version:2 foo/actor.py
	ended 0 ''
	[ "$output" = 'Wrote out/foo-2.tls' ]
	pack -o foo-3.tls -C none foo key.pem src version:3 foo/actor.py
	ended 0 ''
	[ "$output" = 'Wrote foo-3.tls' ]
	[ "$(files "$DIR")" = "$BEFORE" ]
	pack -o out/other.tls foo key.pem src version:1 foo/actor.py
	ended 2 "tds-gensrc: -o out/other.tls: the package would be refused under that name; it must be foo-1.tls; see 'tds-gensrc --help'"
	pack -o none/foo-1.tls foo key.pem src version:1 foo/actor.py
	ended 5 'tds-gensrc: none/foo-1.tls: cannot be opened: No such file or directory'
	untouched
	pack -o out --tli=src/foo.tli foo key.pem src version:4 foo/actor.py
	ended 0 ''
	cmp src/foo.tli "$DIR/foo.tli"
	[ "$(files out)" = "$(printf '%s\n' foo-1.tls foo-2.tls foo-4.tls)" ]
}

@test 'SOURCEs from a file or a pipe' {
	printf 'foo/a*.py\n\nfoo/sub/**\n' >list
	pack -T list foo key.pem src foo/note.txt
	ended 0 ''
	holds foo.tls foo/actor.py foo/note.txt foo/sub/part.py
	mkdir $'src/new\nline'
	touch $'src/new\nline/x.py'
	run --separate-stderr tds-gensrc -0 --names-from=- foo key.pem src < <(printf 'new\nline/x.py\0foo/actor.py\0')
	ended 0 ''
	holds foo.tls foo/actor.py 'new\x0aline/x.py'
	pack -T none foo key.pem src
	ended 4 'tds-gensrc: none: cannot be opened: No such file or directory'
	pack -T /dev/null foo key.pem src
	ended 4 'tds-gensrc: src: no SOURCE matches a file'
}

@test 'names of members' {
	mkdir src/odd
	for name in grüße модуль 'sp ace' -x $'tab\t' '*' ab:c '~'; do touch "src/odd/$name.py"; done
	pack foo key.pem src 'odd/*'
	ended 0 ''
	tds-verify -q -d out foo.tls
	[ "$(files out)" = "$(cd src && find odd -printf '%p\n' | sort)" ]
	[ "$(zip_field foo.tls 'i.flag_bits >> 11 & 1' | sort | uniq -c | tr -s ' ')" = "$(printf ' 6 0\n 2 1')" ]
}

@test 'names that no archive may have' {
	local name
	mkdir src/odd
	for name in 'back\slash.py' $'not\xffutf8.py'; do
		touch "src/odd/$name"
		pack foo key.pem src 'odd/*'
		[[ $status -eq 4 && $stderr == 'tds-gensrc: src/odd/'*': cannot be packed: '* ]]
		untouched
		rm src/odd/*
	done
	mkdir src/C:
	touch src/C:/x.py
	pack foo key.pem src '*/x.py'
	ended 4 'tds-gensrc: src/C:/x.py: cannot be packed: its name begins like a drive'
	untouched
}

@test 'files that cannot be read' {
	ln -s nowhere src/foo/broken.py
	pack foo key.pem src 'foo/*.py'
	ended 4 'tds-gensrc: src/foo/broken.py: cannot be opened: No such file or directory'
	untouched
	rm src/foo/broken.py
	mkfifo src/foo/fifo.py
	pack foo key.pem src 'foo/*.py'
	ended 4 'tds-gensrc: src/foo/fifo.py: is not a regular file'
	untouched
	rm src/foo/fifo.py
	ln -s loop.py src/foo/loop.py
	pack foo key.pem src 'foo/*.py'
	[[ $status -eq 4 && $stderr == 'tds-gensrc: src/foo/loop.py: cannot be opened: '* ]]
	untouched
}

@test 'files and folders that may not be read' {
	plain_user
	chmod 0 src/foo/actor.py
	pack foo key.pem src 'foo/*.py'
	ended 4 'tds-gensrc: src/foo/actor.py: cannot be opened: Permission denied'
	chmod 0 src/foo/sub
	pack foo key.pem src '**/*.txt'
	ended 4 'tds-gensrc: **/*.txt: foo/sub: cannot be read: Permission denied'
	local source
	for source in foo/sub/part.py foo/sub/none foo/sub/*.py '*/sub/part.py'; do
		pack foo key.pem src foo/note.txt "$source"
		ended 4 "tds-gensrc: $source: foo/sub: cannot be read: Permission denied"
	done
	ln -s foo/sub src/link
	pack foo key.pem src foo/note.txt link/part.py
	ended 4 "tds-gensrc: link/part.py: link: cannot be read: Permission denied"
	ln -s foo/sub/deep src/deep
	pack foo key.pem src foo/note.txt deep/part.py
	ended 4 "tds-gensrc: deep/part.py: deep: cannot be read: Permission denied"
	chmod 755 src/foo/sub
	untouched
	pack foo key.pem src foo/note.txt foo/sub/part.py/none foo/none/part.py "$(printf %0300d 0)"
	ended 0 "$(printf 'tds-gensrc: %s: warning: matches nothing\n' foo/sub/part.py/none foo/none/part.py "$(printf %0300d 0)")"
	chmod 0 key.pem
	pack foo key.pem src foo/note.txt
	ended 4 'tds-gensrc: key.pem: cannot be opened: Permission denied'
}

@test 'links are packed as what they lead to' {
	ln -s actor.py src/foo/link.py
	ln -s sub src/foo/also
	ln -s . src/foo/self
	pack foo key.pem src 'foo/**/*.py'
	ended 0 ''
	holds foo.tls foo/__init__.py foo/actor.py foo/also/part.py foo/link.py foo/sub/part.py
	[ "$(zip_field foo.tls 'oct(i.external_attr >> 16)' | sort -u)" = 0o100644 ]
}

@test 'modes and times of members' {
	chmod 4755 src/foo/actor.py
	chmod 0666 src/foo/note.txt
	chmod 0500 src/foo/__init__.py
	chmod 0611 src/foo/sub/part.py
	touch -d @1700000001 src/foo/*.* src/foo/sub/part.py
	touch -d @86400 src/foo/note.txt
	TZ=America/New_York pack foo key.pem src 'foo/**/*.*'
	ended 0 ''
	[ "$(zip_field foo.tls 'i.filename, oct(i.external_attr >> 16), *i.date_time' | tr -d "(),'")" = "$(printf '%s\n' \
		'foo/__init__.py 0o100755 2023 11 14 22 13 20' 'foo/actor.py 0o100755 2023 11 14 22 13 20' \
		'foo/note.txt 0o100644 1980 1 1 0 0 0' 'foo/sub/part.py 0o100644 2023 11 14 22 13 20')" ]
	SOURCE_DATE_EPOCH=1600000000 pack foo key.pem src 'foo/**/*.*'
	[ "$(zip_field foo.tls 'i.date_time[0]' | tr '\n' ' ')" = '2020 2020 1980 2020 ' ]
	SOURCE_DATE_EPOCH='' pack foo key.pem src 'foo/**/*.*'
	ended 0 ''
}

@test 'the same inputs give the same bytes' {
	mkdir elsewhere out
	touch src/foo/ü.py
	cp -a src elsewhere/other
	pack foo key.pem src version:1 'foo/**'
	cp -p "$DIR/foo-1.tls" out
	(
		umask 077
		cd elsewhere
		TZ=Pacific/Chatham LC_ALL=C.UTF-8 LANG=tr_TR.UTF-8 tds-gensrc --no-check -C . foo ../key.pem "$PWD/other" \
			version:1 foo/note.txt 'foo/**/*.py'
	)
	cmp "$DIR/foo-1.tls" elsewhere/foo-1.tls
	[ "$(stat -c %a elsewhere/foo-1.tls)" = 600 ]
	touch -d @1800000000 src/foo/*.py
	SOURCE_DATE_EPOCH=1700000000 pack foo key.pem src version:1 'foo/**'
	touch -d @1900000000 src/foo/*.py
	SOURCE_DATE_EPOCH=1700000000 pack -o out foo key.pem src version:1 'foo/**'
	cmp "$DIR/foo-1.tls" out/foo-1.tls
}

@test 'what Director 4.0.1 cannot load' {
	printf 'PK\5\6' >src/mark
	head -c 3000 /dev/urandom >>src/mark
	pack foo key.pem src version:1 mark
	ended 0 "tds-gensrc: warning: the archive holds the mark PK\\5\\6 twice, so Director 4.0.1 cannot load it (it can with fmt:ViceroyFMT2)"
	tds-verify --strict foo-1.tls
	pack foo key.pem src version:1 fmt:ViceroyFMT2 mark
	ended 0 ''
	openssl rand -out src/large 10000000
	pack foo key.pem src version:1 large
	ended 0 'tds-gensrc: warning: the archive is too large for Director 4.0.1, which cannot load it (10 MB)'
	tds-verify --strict foo-1.tls
}

@test 'more than a reader takes' {
	truncate -s 1073741825 src/huge
	pack foo key.pem src huge
	ended 4 'tds-gensrc: src/huge: is larger than 1073741824 bytes'
	untouched
}

@test 'what a crash has left is removed, and what is being written is not' {
	touch "$DIR/.tds-tmp-0123456789abcdef" "$DIR/.tds-tmp-held"
	exec 5<"$DIR/.tds-tmp-held"
	flock -x 5
	pack foo key.pem src foo/actor.py
	ended 0 ''
	[ "$(files "$DIR")" = "$(printf '%s\n' .tds-tmp-held birch_tls.key foo.tli foo.tls)" ]
}

@test 'a full disk' {
	truncate -s 300K src/zeros
	openssl rand -out src/random 300000
	pack foo key.pem src version:1 foo/actor.py
	BEFORE=$(files "$DIR")
	cp "$DIR/foo-1.tls" old.tls
	run --separate-stderr bash -c "trap '' XFSZ; ulimit -f 100; exec tds-gensrc foo key.pem src version:1 random"
	ended 5 "tds-gensrc: $DIR/foo-1.tls: cannot be written: File too large"
	untouched
	cmp "$DIR/foo-1.tls" old.tls
	pack foo key.pem src version:1 zeros
	ended 0 ''
}

@test 'a full file system' {
	mkdir full
	mount -t tmpfs -o size=64k,mode=755 tmpfs full 2>/dev/null || skip 'no file system can be mounted here'
	openssl rand -out src/random 300000
	echo '{}' >src/foo.tli
	pack -C full foo key.pem src version:1 random
	run_ended=$status
	left=$(files full)
	mount -o remount,ro full
	pack -C full foo key.pem src version:1 foo/actor.py
	umount full
	ended 5 'tds-gensrc: full/foo-1.tls: cannot be created: Read-only file system'
	[ "$run_ended" -eq 5 ]
	[ -z "$left" ]
}

@test 'a directory that may not be written' {
	plain_user
	chmod 555 "$DIR"
	pack foo key.pem src foo/actor.py
	chmod 755 "$DIR"
	ended 5 "tds-gensrc: $DIR/foo.tls: cannot be created: Permission denied"
	untouched
}

@test 'standard output that is full or closed' {
	run --separate-stderr bash -c 'tds-gensrc foo key.pem src foo/actor.py >/dev/full'
	[[ $status -eq 5 && $stderr == 'tds-gensrc: '*': No space left on device' ]]
	tds-verify --strict foo.tls
	run --separate-stderr bash -c 'tds-gensrc foo key.pem src foo/actor.py >&-'
	[[ $status -eq 5 && ${#stderr_lines[@]} -eq 1 ]]
}

@test 'no secret is on the command line or in the environment of what is started' {
	(umask 077 && echo correct-horse >phrase)
	printf '#!/bin/sh\ncat /proc/$$/cmdline /proc/$$/environ >"%s/seen"\nls -l /proc/$$/fd >>"%s/seen"\nexec python3 "$@"\n' \
		"$PWD" "$PWD" >spy
	chmod 755 spy
	pack --python=./spy --passphrase-file=phrase foo locked.pem src foo/actor.py
	ended 0 ''
	run ! grep -a -e correct-horse -e locked.pem -e phrase$ seen
}

@test 'real Thespian reads it' {
	python3 -c 'import thespian.system.multiprocTCPBase' 2>/dev/null || skip 'Thespian is not installed'
	touch src/foo/ü.py
	pack foo key.pem src version:1 'foo/**/*.py'
	run python3 -m thespian.director tlsinfo "$DIR/foo-1.tls"
	[ "$output" = "Validated \"$DIR/foo-1.tls\" loadable with key $DIR/birch_tls.key" ]
	run python3 -m thespian.director tlsinfo "$DIR/foo-1.tls" contents
	[[ $status -eq 0 && $output == *' foo/ü.py'* ]]
}
