#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# tds-verify from outside: each option, each exit status, and the words that go with them.

# shellcheck disable=SC2154 # bats sets them: status, output, lines, stderr, stderr_lines

load common

setup() {
	new_dir birch
	mkdir "$BATS_TEST_TMPDIR/work"
	cd "$BATS_TEST_TMPDIR/work" || return
}

# forge FILE EXPRESSION [KEY]: a package of the archive that the Python expression makes, by tests/cases/forge.py.
forge() {
	PYTHONPATH=$ROOT/tests/cases python3 -B -c '
import sys
from forge import *
def named(group, version, *members):
    return archive(*(members or [Member(b"a.py")]), comment=b"tds1 group=%s version=%s" % (group, version))
open(sys.argv[1], "wb").write(package(*eval(sys.argv[2]), sys.argv[3]))
' "$1" "$2" "$KEYS/${3:-birch}.pem"
}

UNSIGNED="has no signed group and version: its name could be another's"

# is STATUS [STDOUT [STDERR]]: what `run --separate-stderr` saw, whole but for the warning of most packages that are made
# here, which "names that are not signed" is about.
is() {
	local told
	told=$(grep -v ": warning: $UNSIGNED\$" <<<"$stderr") || true
	if [ "$status" -ne "$1" ] || [ "$output" != "${2-}" ] || [ "$told" != "${3-}" ]; then
		printf '%s\n' "status $status, not $1" "--- output" "$output" "--- not" "${2-}" "--- stderr" "$told" "--- not" "${3-}"
		return 1
	fi
}

verify() {
	run --separate-stderr tds-verify "$@"
}

# humbly COMMAND…: without root's power over the modes of files.
humbly() {
	if [ "$(id -u)" -eq 0 ]; then
		setpriv --bounding-set -dac_override,-dac_read_search "$@"
	else
		"$@"
	fi
}

good() {
	printf 'Validated "%s" loadable with key %s/birch_tls.key' "$1" "$DIR"
}

@test "one package, and its key is named" {
	forge foo-1.0.tls 'named(b"foo", b"1.0")'
	verify foo-1.0.tls
	is 0 "$(good foo-1.0.tls)"
	verify -q ./foo-1.0.tls
	is 0
	verify -C "$DIR/." "$PWD/foo-1.0.tls"
	is 0 "Validated \"$PWD/foo-1.0.tls\" loadable with key $DIR/./birch_tls.key"
	THESPIAN_DIRECTOR_DIR=/nowhere verify --directory="$DIR" foo-1.0.tls
	is 0 "$(good foo-1.0.tls)"
	verify -- foo-1.0.tls
	is 0 "$(good foo-1.0.tls)"
}

@test "usage" {
	local refusal='{"Format":1,"Success":false,"Status":2,"Message":"bytes on standard output do not go with -j"}'
	verify
	is 2 '' "tds-verify: no FILE is named; see 'tds-verify --help'"
	verify -t -d out foo
	is 2 '' "tds-verify: only one of -t, -x, -d and -o at a time; see 'tds-verify --help'"
	verify -o a.zip foo bar
	is 2 '' "tds-verify: -o takes one FILE; see 'tds-verify --help'"
	verify -j -x a.py foo
	is 2 "$refusal" "tds-verify: bytes on standard output do not go with -j; see 'tds-verify --help'"
	verify -j -o - foo
	is 2 "$refusal" "tds-verify: bytes on standard output do not go with -j; see 'tds-verify --help'"
	verify --explain -t foo
	is 2 '' "tds-verify: --explain goes with -t, -x, -d and -o only as -j; see 'tds-verify --help'"
	for number in '' -1 +1 1k 0x1 ' 1' 99999999999999999999; do
		verify --max-bytes="$number" foo
		is 2 '' "tds-verify: --max-bytes: not a number: $number; see 'tds-verify --help'"
	done
	verify --max-entries=x foo
	is 2 '' "tds-verify: --max-entries: not a number: x; see 'tds-verify --help'"
	verify --no-such-option foo
	[ "$status" -eq 2 ]
	[ -z "$output" ]
	[[ $stderr == *"see 'tds-verify --help'" ]]
	verify -k
	[ "$status" -eq 2 ]
	[ -z "$output" ]
	[ -z "$(files .)" ]
}

@test "help and version" {
	verify --help
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	[[ $output == 'usage: tds-verify [options] FILE...'* ]]
	verify -V
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	[[ $output =~ ^tds-verify\ [0-9.]+$ ]]
}

@test "what is not there" {
	verify foo
	is 4 '' "tds-verify: foo: no such file, package in $DIR, or group"
	verify /nowhere/foo.tls
	is 4 '' 'tds-verify: /nowhere/foo.tls: cannot be opened: No such file or directory'
	verify -C nowhere foo
	is 4 '' 'tds-verify: nowhere: cannot be opened: No such file or directory'
	mkdir folder
	verify folder
	is 4 '' 'tds-verify: folder: is a folder'
	verify -T nowhere
	is 4 '' 'tds-verify: nowhere: cannot be opened: No such file or directory'
	verify ''
	is 4 '' "tds-verify: : no such file, package in $DIR, or group"
	verify $'a\nb\e[31m'
	is 4 '' "tds-verify: a\\x0ab\\x1b[31m: no such file, package in $DIR, or group"
}

@test "an unreadable file" {
	forge foo.tls 'archive(Member(b"a"))'
	chmod 0 foo.tls
	run --separate-stderr humbly tds-verify foo.tls
	is 4 '' 'tds-verify: foo.tls: cannot be opened: Permission denied'
}

@test "names in the director directory, and groups" {
	touch "$DIR/foo.tli" "$DIR/none.tli"
	forge "$DIR/foo-1.9.tls" 'named(b"foo", b"1.9")'
	forge "$DIR/foo-1.10.tls" 'named(b"foo", b"1.10")'
	verify foo-1.9.tls
	is 0 "$(good "$DIR/foo-1.9.tls")"
	verify foo
	is 0 "$(good "$DIR/foo-1.10.tls")"
	mkdir foo
	verify foo
	is 0 "$(good "$DIR/foo-1.10.tls")"
	verify none
	is 4 '' 'tds-verify: none: the group has no package'
	verify undeclared
	is 4 '' "tds-verify: undeclared: no such file, package in $DIR, or group"
	# A file here comes first.
	forge foo-1.9.tls 'named(b"foo", b"1.9", Member(b"other"))'
	verify -t foo-1.9.tls
	is 0 "      6  other"
}

@test "what is planted in the director directory" {
	touch "$DIR/foo.tli"
	mkfifo "$DIR/foo-2.tls" "$DIR/pipe.tls"
	forge "$DIR/foo-1.tls" 'named(b"foo", b"1")'
	verify foo
	is 0 "$(good "$DIR/foo-1.tls")"
	verify pipe.tls
	is 4 '' "tds-verify: pipe.tls: no such file, package in $DIR, or group"
	mv "$DIR/foo-1.tls" elsewhere
	ln -s "$PWD/elsewhere" "$DIR/foo-1.tls"
	verify foo
	is 0 "$(good "$DIR/foo-1.tls")"
}

@test "many files: each is tried, the worst status counts" {
	forge good.tls 'archive(Member(b"a"))'
	forge unsafe.tls 'archive(Member(b"../a"))'
	forge stranger.tls 'archive(Member(b"a"))' thistle
	verify good.tls nowhere unsafe.tls stranger.tls good.tls
	is 7 "$(good good.tls)"$'\n'"$(good good.tls)" "tds-verify: nowhere: no such file, package in $DIR, or group
tds-verify: unsafe.tls: archive byte 42: member ../a: a folder name of dots in its name
tds-verify: stranger.tls: no key validates it (1 tried)"
	verify unsafe.tls nowhere
	[ "$status" -eq 6 ]
	verify good.tls nowhere
	[ "$status" -eq 4 ]
}

@test "names from a file and from a pipe" {
	forge a.tls 'archive(Member(b"a"))'
	cp a.tls 'b c.tls'
	cp a.tls $'d\ne.tls'
	printf 'a.tls\n\nb c.tls' >names
	verify -T names
	is 0 "$(good a.tls)"$'\n'"$(good 'b c.tls')"
	verify a.tls -T - <names
	is 0 "$(good a.tls)"$'\n'"$(good a.tls)"$'\n'"$(good 'b c.tls')"
	printf 'a.tls\0d\ne.tls\0' >names
	run --separate-stderr bash -c 'cat names | tds-verify -q -t -0 --names-from=-'
	is 0 $'      6  a\n      6  a'
	verify -T names
	is 2 '' 'tds-verify: names: a name holds a NUL byte (are they ended by NUL? see -0)'
	verify -T /dev/null
	is 0
	[ -e "$TDS_BIN/tds-avail" ] || return 0
	touch "$DIR/foo.tli"
	forge "$DIR/foo-1.tls" 'named(b"foo", b"1")'
	forge "$DIR/foo-2.tls" 'named(b"foo", b"2")'
	run --separate-stderr bash -o pipefail -c 'tds-avail -p --latest | tds-verify -T -'
	is 0 "$(good "$DIR/foo-2.tls")"
}

@test "standard input, pipes and FIFOs" {
	forge foo-1.tls 'named(b"foo", b"1")'
	verify - <foo-1.tls
	is 0 "$(good -)"
	run --separate-stderr bash -c 'cat foo-1.tls | tds-verify -x a.py -'
	is 0 'A = 1'
	verify <(cat foo-1.tls)
	[ "$status" -eq 6 ] # its name is /dev/fd/63
	mkfifo foo-1.tls.fifo
	mkdir sub
	mkfifo sub/foo-1.tls
	cat foo-1.tls >sub/foo-1.tls &
	verify sub/foo-1.tls
	is 0 "$(good sub/foo-1.tls)"
	verify - </dev/null
	is 7 '' 'tds-verify: -: not a package (byte 0: no format name that is known)'
	run --separate-stderr bash -c 'tds-verify - <&-'
	is 4 '' 'tds-verify: -: cannot be read: Bad file descriptor'
	verify - <"$DIR"
	is 4 '' 'tds-verify: -: cannot be read: Is a directory'
}

@test "a list" {
	forge foo.tls 'archive(Member(b"a.py"), Member(b"b/", b"", 0o40755, STORED), Member(b"big", bytes(1234567)), Member(b"x\x1b[31m\n"), Member(b"a.py"), Member(b"caf\x82", local={"flags":0}, central={"flags":0}))'
	verify -t foo.tls
	is 0 '      6  a.py
      0  b/
 1234567  big
      6  x\x1b[31m\x0a
      6  a.py
      6  café'
	verify --list -q foo.tls
	[ "$status" -eq 0 ]
	[ "${#lines[@]}" -eq 6 ]
}

@test "a member, its bytes as they are" {
	forge foo.tls 'archive(Member(b"bin", bytes(range(256)) * 999), Member(b"no-newline", b"x"), Member(b"empty", b""), Member(b"d/", b"", 0o40755, STORED), Member(b"twice"), Member(b"twice"))'
	tds-verify -x bin foo.tls >got
	python3 -c 'open("expected", "wb").write(bytes(range(256)) * 999)'
	cmp got expected
	[ "$(tds-verify --extract=no-newline foo.tls | od -An -c | tr -d ' ')" = x ]
	verify -x empty foo.tls
	is 0
	verify -x twice foo.tls
	is 0 'A = 1'
	for name in d/ d nothing '*' ../bin; do
		verify -x "$name" foo.tls
		is 4 '' "tds-verify: foo.tls: has no member $name"
	done
	forge unsafe.tls 'archive(Member(b"good"), Member(b"bad", central={"crc":7}, local={"crc":7}))'
	verify -x good unsafe.tls
	[ "$status" -eq 6 ]
	[ -z "$output" ]
}

@test "extraction" {
	forge foo.tls 'archive(Member(b"d/e/run", mode=0o104777), Member(b"plain", mode=0o100600), Member(b"d/", b"", 0o41777, STORED))'
	verify -d out/here foo.tls
	is 0
	[ "$(cd out/here && find . -printf '%P %m %y\n' | sort)" = ' 755 d
d 755 d
d/e 755 d
d/e/run 755 f
plain 644 f' ]
	cmp out/here/plain <(printf 'A = 1\n')
	echo mine >out/here/plain
	rm -r out/here/d
	verify --extract-to=out/here foo.tls
	is 5 '' 'tds-verify: foo.tls: member plain: exists, and is not overwritten'
	[ "$(cat out/here/plain)" = mine ]
}

@test "extraction follows no link below its folder, and creates nothing before the verdict" {
	mkdir outside out
	ln -s ../outside out/d
	forge foo.tls 'archive(Member(b"d/evil"))'
	verify -d out foo.tls
	is 5 '' 'tds-verify: foo.tls: member d/evil: Not a directory'
	[ -z "$(files outside)" ]
	for archive in 'Member(b"a"), Member(b"../b")' 'Member(b"a"), Member(b"b", central={"crc":7}, local={"crc":7})' \
		'Member(b"a"), Member(b"a", b"other")'; do
		forge bad.tls "archive($archive)"
		verify -d fresh bad.tls
		[ "$status" -eq 6 ]
		[ ! -e fresh ]
	done
	forge stranger.tls 'archive(Member(b"a"))' thistle
	verify -d fresh stranger.tls
	[ "$status" -eq 7 ]
	[ ! -e fresh ]
	verify -d '' foo.tls
	is 2 '' "tds-verify: an empty name for the output; see 'tds-verify --help'"
}

@test "the archive to a file" {
	forge foo.tls 'archive(Member(b"a.py"), comment=b"by hand")'
	verify -o foo.zip foo.tls
	is 0
	[ "$(python3 -c 'import zipfile; z = zipfile.ZipFile("foo.zip"); print(z.namelist(), z.comment, z.testzip())')" = "['a.py'] b'by hand' None" ]
	[ "$(stat -c %a foo.zip)" = 644 ]
	tds-verify -o - foo.tls | cmp - foo.zip
	echo old >old.zip
	chmod 600 old.zip
	ln old.zip hard
	verify --output=old.zip foo.tls
	is 0
	cmp old.zip foo.zip
	[ "$(cat hard)" = old ] # replaced, and not written over
	ln -s hard link.zip
	verify -o link.zip foo.tls
	is 0
	[ -L link.zip ]
	cmp hard foo.zip # what the link leads to
	ln -s nowhere dangling.zip
	verify -o dangling.zip foo.tls
	is 5 '' 'tds-verify: foo.tls: dangling.zip: No such file or directory'
	cp foo.tls same.tls
	verify -k "$DIR/birch_tls.key" -o foo.tls foo.tls
	is 5 '' 'tds-verify: foo.tls: foo.tls: is the package itself'
	cmp same.tls foo.tls
	mkfifo fifo
	mkdir folder
	for target in fifo folder /dev/null; do
		verify -o "$target" foo.tls
		is 5 '' "tds-verify: foo.tls: $target: is not a regular file"
	done
	verify -o nowhere/a.zip foo.tls
	is 5 '' 'tds-verify: foo.tls: nowhere/a.zip: cannot be written: No such file or directory'
	forge bad.tls 'archive(Member(b"../b"))'
	verify -o hard bad.tls
	[ "$status" -eq 6 ]
	cmp hard foo.zip
	[ -z "$(find . -name '.tds*')" ]
}

@test "a run that was killed leaves nothing for long" {
	forge foo.tls 'archive(Member(b"a.py"))'
	touch .tds-tmp-0123456789abcdef
	verify -o foo.zip foo.tls
	is 0
	[ ! -e .tds-tmp-0123456789abcdef ]
}

@test "a folder that may only be read" {
	forge foo.tls 'archive(Member(b"a.py"))'
	mkdir -m 0555 locked
	run --separate-stderr humbly tds-verify -o locked/a.zip foo.tls
	is 5 '' 'tds-verify: foo.tls: locked/a.zip: cannot be created: Permission denied'
}

@test "named keys" {
	forge foo.tls 'archive(Member(b"a"))' thistle
	verify -k "$KEYS/thistle_tls.key" foo.tls
	is 0 "Validated \"foo.tls\" loadable with key $KEYS/thistle_tls.key"
	verify -k "$KEYS/cedar_tls.key" --key="$KEYS/thistle_tls.key" foo.tls
	is 0 "Validated \"foo.tls\" loadable with key $KEYS/thistle_tls.key"
	forge mine.tls 'archive(Member(b"a"))'
	verify -k "$KEYS/thistle_tls.key" mine.tls # the directory's keys do not count
	is 7 '' 'tds-verify: mine.tls: no key validates it (1 tried)'
	verify -C /nowhere -k "$KEYS/thistle_tls.key" "$PWD/foo.tls"
	is 0 "Validated \"$PWD/foo.tls\" loadable with key $KEYS/thistle_tls.key"
	verify -k nowhere foo.tls
	is 4 '' 'tds-verify: nowhere: cannot be opened: No such file or directory'
	verify -k "$KEYS/junk/text_tls.key" foo.tls
	is 4 '' "tds-verify: $KEYS/junk/text_tls.key: is not a PEM file (no start line)"
	sha256sum <"$KEYS/thistle_tls.key" >"$DIR/revoked.cfg"
	verify -k "$KEYS/thistle_tls.key" foo.tls
	is 7 '' "tds-verify: $KEYS/thistle_tls.key: is revoked"
}

@test "weak keys, and keys that cannot be used" {
	cp "$KEYS/alder_tls.key" "$KEYS/sorrel_tls.key" "$KEYS/moss_tls.key" "$DIR"
	mkfifo "$DIR/pipe_tls.key"
	local unusable="tds-verify: $DIR/moss_tls.key: warning: not used: is an RSA key of 512 bits, fewer than 1024
tds-verify: $DIR/pipe_tls.key: warning: not used: is not a regular file"
	forge a.tls 'archive(Member(b"a"))' alder
	forge s.tls 'archive(Member(b"a"))' sorrel
	verify a.tls s.tls
	is 0 "Validated \"a.tls\" loadable with key $DIR/alder_tls.key
Validated \"s.tls\" loadable with key $DIR/sorrel_tls.key" "$unusable
tds-verify: $DIR/alder_tls.key: warning: a key of 1024 bits is short, 2048 and more are good
tds-verify: $DIR/sorrel_tls.key: warning: a public exponent of 3 is small, 65537 is good"
	verify -q a.tls
	is 0
	echo 2048 >"$DIR/minkeybits.cfg"
	verify -q a.tls s.tls
	is 7 '' 'tds-verify: a.tls: no key validates it (2 tried)'
	echo 2k >"$DIR/minkeybits.cfg"
	verify s.tls
	is 7 '' "tds-verify: s.tls: no key is trusted: $DIR/minkeybits.cfg:1:1: not one number of bits, at most 16384"
}

@test "keys are read afresh, and a directory without any trusts nobody" {
	forge foo.tls 'archive(Member(b"a"))'
	rm "$DIR"/*.key
	verify foo.tls
	is 7 '' 'tds-verify: foo.tls: no key validates it: there is no usable key'
}

@test "groups that a key may sign for" {
	printf 'foo\nweb-*\n' >"$DIR/birch_tls.allow"
	forge foo-1.tls 'named(b"foo", b"1")'
	forge bar-1.tls 'named(b"bar", b"1")'
	forge web-x-1.tls 'named(b"web-x", b"1")'
	verify foo-1.tls web-x-1.tls bar-1.tls
	is 7 "$(good foo-1.tls)"$'\n'"$(good web-x-1.tls)" \
		"tds-verify: bar-1.tls: no key validates it: it is signed with $DIR/birch_tls.key, but it may not sign for this group"
	# Without a signed name the declared group that the file's name belongs to counts.
	forge foo-2.tls 'archive(Member(b"a"))'
	verify foo-2.tls
	is 7 '' "tds-verify: foo-2.tls: no key validates it: it is signed with $DIR/birch_tls.key, but it signs for some groups only, and this one's is not known"
	touch "$DIR/foo.tli"
	verify foo-2.tls
	is 0 "$(good foo-2.tls)"
	cp foo-2.tls foo-bar-2.tls
	touch "$DIR/foo-bar.tli"
	verify foo-bar-2.tls
	is 7 '' "tds-verify: foo-bar-2.tls: no key validates it: it is signed with $DIR/birch_tls.key, but it may not sign for this group"
	verify - <foo-2.tls
	[ "$status" -eq 7 ]
}

@test "the signed name" {
	forge foo-1.0.tls 'named(b"foo", b"1.0")'
	for name in foo-1.1.tls bar-1.0.tls foo.tls foo-1.0 Foo-1.0.tls; do
		cp foo-1.0.tls "$name"
		verify "$name"
		is 6 '' "tds-verify: $name: is signed as group foo version \"1.0\", which is not what its name says"
		rm "$name"
	done
	verify - <foo-1.0.tls
	is 0 "$(good -)"
	# A longer declared group takes the name: then it is that group's code.
	forge foo-bar-1.tls 'named(b"foo", b"bar-1")'
	touch "$DIR/foo.tli"
	verify foo-bar-1.tls
	is 0 "$(good foo-bar-1.tls)"
	touch "$DIR/foo-bar.tli"
	verify foo-bar-1.tls
	is 6 '' 'tds-verify: foo-bar-1.tls: is signed as group foo, but its name is one of group foo-bar'
	forge foo-2.tls 'archive(Member(b"a"), comment=b"tds1 group=foo")'
	verify foo-2.tls
	is 6 '' 'tds-verify: foo-2.tls: the signed name in the ZIP comment is malformed'
}

@test "--strict" {
	forge foo-1.tls 'named(b"foo", b"1")'
	forge bar.tls 'archive(Member(b"a"))'
	verify --strict foo-1.tls
	is 0 "$(good foo-1.tls)"
	verify --strict bar.tls
	is 6 '' 'tds-verify: bar.tls: has no signed group and version'
}

@test "names that are not signed" {
	forge foo-1.tls 'named(b"foo", b"1")'
	forge bar.tls 'archive(Member(b"a"))'
	verify bar.tls foo-1.tls
	[ "$status" -eq 0 ]
	[ "$stderr" = "tds-verify: bar.tls: warning: $UNSIGNED" ]
	verify -q bar.tls
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	echo yes >"$DIR/strictnames.cfg"
	verify foo-1.tls bar.tls
	is 6 "$(good foo-1.tls)" 'tds-verify: bar.tls: has no signed group and version, which strictnames.cfg demands'
	# With a declared group of its name, for which the key may sign.
	echo '{}' >"$DIR/bar.tli"
	printf '%s\n' 'b*' -unsigned-names >"$DIR/birch_tls.allow"
	verify bar.tls
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	verify --strict bar.tls
	is 6 '' 'tds-verify: bar.tls: has no signed group and version'
	echo no >"$DIR/strictnames.cfg"
	verify bar.tls
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	printf '%s\n' 'b*' -signed-names >"$DIR/birch_tls.allow"
	verify bar.tls
	is 7 '' "tds-verify: $DIR/birch_tls.key: warning: not used: birch_tls.allow:2:1: neither a pattern nor -unsigned-names
tds-verify: bar.tls: no key validates it: there is no usable key"
	rm "$DIR/birch_tls.allow"
	echo maybe >"$DIR/strictnames.cfg"
	verify foo-1.tls
	is 4 '' "tds-verify: $DIR/strictnames.cfg: not yes or no"
}

@test "strict modes" {
	forge foo-1.tls 'named(b"foo", b"1")'
	chmod o+w "$DIR/birch_tls.key"
	verify foo-1.tls
	is 7 '' "tds-verify: $DIR/birch_tls.key: warning: not used: others may write it
tds-verify: foo-1.tls: no key validates it: there is no usable key"
	verify -k "$DIR/birch_tls.key" foo-1.tls
	is 4 '' "tds-verify: $DIR/birch_tls.key: others may write it"
	chmod o-w "$DIR/birch_tls.key"
	echo '*' >"$DIR/birch_tls.allow"
	chmod o+w "$DIR/birch_tls.allow"
	verify foo-1.tls
	is 7 '' "tds-verify: $DIR/birch_tls.key: warning: not used: others may write its .allow file
tds-verify: foo-1.tls: no key validates it: there is no usable key"
	rm "$DIR/birch_tls.allow"
	: >"$DIR/revoked.cfg"
	chmod o+w "$DIR/revoked.cfg"
	verify foo-1.tls
	is 4 '' "tds-verify: foo-1.tls: $DIR: others may write its revoked.cfg"
	rm "$DIR/revoked.cfg"
	chmod o+w "$DIR"
	verify foo-1.tls
	is 4 '' "tds-verify: foo-1.tls: $DIR: others may write it"
	chmod o-w "$DIR"
	chmod o+w "$DIR/.."
	verify foo-1.tls
	is 4 '' "tds-verify: foo-1.tls: $DIR: others may write $(cd "$DIR/.." && pwd -P)"
	chmod o-w "$DIR/.."
	verify foo-1.tls
	is 0 "$(good foo-1.tls)"
}

@test "strict modes that only warn, and what --strict makes of that" {
	[ "$(id -u)" -eq 0 ] || skip 'needs root'
	forge foo-1.tls 'named(b"foo", b"1")'
	echo no >"$DIR/strictmodes.cfg"
	chown 12345 "$DIR/strictmodes.cfg"
	verify foo-1.tls
	is 4 '' "tds-verify: $DIR/strictmodes.cfg: belongs to uid 12345, and counts only where it is root's"
	chown 0 "$DIR/strictmodes.cfg"
	chmod o+w "$DIR/birch_tls.key"
	verify --strict foo-1.tls
	is 7 '' "tds-verify: $DIR/birch_tls.key: warning: others may write it
tds-verify: foo-1.tls: no key validates it: it is signed with $DIR/birch_tls.key, but others may write its file"
	verify foo-1.tls foo-1.tls
	is 0 "$(good foo-1.tls)"$'\n'"$(good foo-1.tls)" "tds-verify: $DIR/birch_tls.key: warning: others may write it"
	chmod o-w "$DIR/birch_tls.key"
	chmod o+w "$DIR"
	verify --strict foo-1.tls
	is 7 '' "tds-verify: $DIR: warning: others may write it
tds-verify: foo-1.tls: no key validates it: it is signed with $DIR/birch_tls.key, but others may write in its folder, or to its limits"
}

@test "revoked packages, in whatever format" {
	forge foo-1.tls 'named(b"foo", b"1")'
	sha256sum foo-1.tls >"$DIR/revoked.cfg"
	verify foo-1.tls
	is 7 '' 'tds-verify: foo-1.tls: is revoked'
	verify -j foo-1.tls
	[ "$(jq -c . <<<"$output")" = '{"Format":1,"Success":false,"Status":7,"Message":"is revoked","Subject":"foo-1.tls","File":"foo-1.tls"}' ]
	# Nothing signs the header: the same archive and signature in another format.
	tds-verify -C /nowhere -k "$KEYS/birch_tls.key" -o z.zip foo-1.tls
	mkdir other
	(printf 'ViceroyFMT2-sha256\n256\n' && cat z.zip && tail -c 256 foo-1.tls) >other/foo-1.tls
	verify -k "$KEYS/birch_tls.key" -C other other/foo-1.tls
	[ "$status" -eq 0 ]
	verify other/foo-1.tls
	is 7 '' 'tds-verify: other/foo-1.tls: is revoked'
	echo junk >>"$DIR/revoked.cfg"
	forge foo-2.tls 'named(b"foo", b"2")'
	verify foo-2.tls
	is 7 '' "tds-verify: foo-2.tls: no key is trusted: $DIR/revoked.cfg:2:1: not a SHA-256 digest"
}

@test "limits" {
	forge foo.tls 'archive(Member(b"a"), Member(b"b", bytes(1000)))'
	verify --max-entries=1 foo.tls
	is 6 '' 'tds-verify: foo.tls: has 2 members, more than 1'
	verify --max-bytes=1005 foo.tls
	is 6 '' 'tds-verify: foo.tls: unpacks to more than 1005 bytes'
	verify --max-bytes=1006 --max-entries=2 -q foo.tls
	is 0
}

@test "JSON" {
	forge foo-1.0.tls 'named(b"foo", b"1.0", Member(b"a.py", method=STORED), Member(b"run", b"x", 0o100755))'
	forge bare.tls 'archive()'
	verify -j foo-1.0.tls bare.tls nowhere
	[ "$status" -eq 4 ]
	[ "${stderr_lines[0]}" = "tds-verify: bare.tls: warning: $UNSIGNED" ]
	[ "${stderr_lines[1]}" = "tds-verify: nowhere: no such file, package in $DIR, or group" ]
	[ "$(jq -s -c 'map(keys_unsorted) | unique' <<<"$output")" = \
		'[["Format","Success","File","Key","PackageFormat","Group","Version","MD5","SHA256","Size","Entries","Bytes","Declaration"],["Format","Success","Status","Message","Subject","File"]]' ]
	[ "$(sed -n 1p <<<"$output" | jq -c 'del(.Size)')" = "$(printf '{"Format":1,"Success":true,"File":"foo-1.0.tls","Key":"%s","PackageFormat":"ThespianDirectorFMT1","Group":"foo","Version":"1.0","MD5":"%s","SHA256":"%s","Entries":2,"Bytes":7,"Declaration":null}' \
		"$DIR/birch_tls.key" "$(md5sum <foo-1.0.tls | cut -c -32)" "$(sha256sum <foo-1.0.tls | cut -c -64)")" ]
	[ "$(sed -n 1p <<<"$output" | jq .Size)" = "$(stat -c %s foo-1.0.tls)" ]
	[ "$(sed -n 2p <<<"$output" | jq -c '[.Group, .Version, .Entries, .Bytes]')" = '[null,null,0,0]' ]
	[ "$(sed -n 3p <<<"$output")" = "{\"Format\":1,\"Success\":false,\"Status\":4,\"Message\":\"no such file, package in $DIR, or group\",\"Subject\":\"nowhere\",\"File\":\"nowhere\"}" ]
	verify -j -t foo-1.0.tls
	[ "$(jq -c '[.Entries, .Members]' <<<"$output")" = '[2,[{"Name":"a.py","Size":6,"Packed":6,"Executable":false},{"Name":"run","Size":1,"Packed":3,"Executable":true}]]' ]
	verify -j -d out foo-1.0.tls
	[ "$status" -eq 0 ]
	[ "$(jq .Success <<<"$output")" = true ]
	[ -x out/run ]
	# A name that is no UTF-8 stays apart from every other.
	cp bare.tls $'\xff.tls'
	verify -j $'\xff.tls'
	[ "$(jq -r .File <<<"$output")" = '\xff.tls' ]
}

@test "JSON with --explain" {
	forge foo-1.tls 'named(b"foo", b"1")'
	verify -j --explain foo-1.tls
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	[ "$(jq -c '.Checks | map([.Check, .Passed, .Offset, .Detail])[]' <<<"$output")" = "$(
		cat <<-END
			["header",true,0,"format ThespianDirectorFMT1, SHA-256"]
			["header",true,28,"signature of 256 bytes"]
			["header",true,32,"end record at archive byte 92"]
			["$DIR/birch_tls.key",true,169,"the signature is this key's (RSA, 2048 bits)"]
			["archive",true,127,"structure: 1 members of 6 bytes"]
			["signed name",true,145,"group foo, version \"1\""]
			["members",true,35,"all unpack to their sizes and CRCs"]
			["declaration",true,null,"none is signed with the package"]
		END
	)" ]
	echo junk >junk.tls
	verify -j --explain junk.tls
	[ "$(jq -c .Checks <<<"$output")" = '[{"Check":"package","Passed":false,"Detail":"not a package (byte 0: no format name that is known)"}]' ]
}

@test "--explain of a good package" {
	forge foo-1.tls 'named(b"foo", b"1")'
	echo junk >"$DIR/a_tls.key"
	cp "$KEYS/cedar_tls.key" "$KEYS/thistle_tls.key" "$DIR"
	: >"$DIR/revoked.cfg"
	verify -q --explain foo-1.tls
	is 0 "         0  ok      header: format ThespianDirectorFMT1, SHA-256
        28  ok      header: signature of 256 bytes
        32  ok      header: end record at archive byte 92
         -  failed  $DIR/a_tls.key: is not a PEM file (no start line)
       169  ok      $DIR/birch_tls.key: the signature is this key's (RSA, 2048 bits)
       169  failed  $DIR/cedar_tls.key: the signature has 256 bytes, those of the key have 384
       169  failed  $DIR/thistle_tls.key: the signature is not this key's (invalid padding)
       127  ok      archive: structure: 1 members of 6 bytes
       145  ok      signed name: group foo, version \"1\"
        35  ok      members: all unpack to their sizes and CRCs
         -  ok      declaration: none is signed with the package"
	echo 0000000000000000000000000000000000000000000000000000000000000000 >"$DIR/revoked.cfg"
	verify -q --explain foo-1.tls nowhere
	[ "$status" -eq 4 ]
	[ "${lines[0]}" = 'foo-1.tls:' ]
	[ "${lines[8]}" = '         0  ok      revoked.cfg: not revoked' ]
}

@test "--explain where each stage refuses" {
	local header='         0  ok      header: format ThespianDirectorFMT1, SHA-256
        28  ok      header: signature of 256 bytes'
	printf 'ThespianDirectorFMT1-sha256\n0256\n0\n' >header.tls
	verify --explain header.tls
	is 7 '         -  failed  package: not a package (byte 28: the length of the signature is not a plain decimal number)' \
		'tds-verify: header.tls: not a package (byte 28: the length of the signature is not a plain decimal number)'
	forge stranger.tls 'archive(Member(b"a"))' thistle
	verify --explain stranger.tls
	is 7 "$header
        32  ok      header: end record at archive byte 86
       139  failed  $DIR/birch_tls.key: the signature is not this key's (invalid padding)" \
		'tds-verify: stranger.tls: no key validates it (1 tried)'
	forge unsafe.tls 'archive(Member(b"../a"))'
	verify --explain unsafe.tls
	is 6 "$header
        32  ok      header: end record at archive byte 92
       145  ok      $DIR/birch_tls.key: the signature is this key's (RSA, 2048 bits)
         -  failed  archive: archive byte 42: member ../a: a folder name of dots in its name" \
		'tds-verify: unsafe.tls: archive byte 42: member ../a: a folder name of dots in its name'
	forge foo-2.tls 'named(b"foo", b"1")'
	verify --explain foo-2.tls
	[ "$status" -eq 6 ]
	[ "${lines[4]}" = '       127  ok      archive: structure: 1 members of 6 bytes' ]
	[ "${lines[5]}" = '         -  failed  archive: is signed as group foo version "1", which is not what its name says' ]
	forge crc.tls 'archive(Member(b"a", b"A", method=STORED, central={"crc":7}, local={"crc":7}))'
	verify --explain crc.tls
	[ "$status" -eq 6 ]
	[ "${lines[5]}" = '         -  ok      signed name: none' ]
	[ "${lines[6]}" = '         -  failed  archive: archive byte 31: member a: ZIP bad CRC: 0xd3d99e8b should be 0x7' ]
}

@test "standard output that takes nothing" {
	local members='Member(b"a", bytes(range(256)) * 1000), *(Member(b"m%d" % i) for i in range(500))'
	forge foo.tls "archive($members)"
	forge foo-1.tls "named(b'foo', b'1', $members)"
	local closed='tds-verify: standard output: cannot be written: Bad file descriptor'
	for options in '' '-t' '-j' '-x a' '-o -' '--explain'; do
		# shellcheck disable=SC2086
		run --separate-stderr bash -c "tds-verify $options foo-1.tls >&-"
		[ "$status" -eq 5 ]
		[ "${#stderr_lines[@]}" -eq 1 ]
		[[ $stderr == "${closed%%: Bad*}"* ]]
		run --separate-stderr bash -c "tds-verify $options foo-1.tls >/dev/full"
		[ "$status" -eq 5 ]
		[ "${#stderr_lines[@]}" -eq 1 ]
		[[ $stderr == "${closed%%: Bad*}"* ]]
	done
	run --separate-stderr bash -c 'tds-verify -q foo.tls >&-'
	is 0
	run --separate-stderr bash -c 'tds-verify foo.tls >/dev/full'
	is 5 '' 'tds-verify: standard output: cannot be written: No space left on device'
	run --separate-stderr bash -c 'tds-verify foo.tls nowhere 2>&-'
	[ "$status" -eq 4 ]
	# shellcheck disable=SC2016
	run --separate-stderr bash -c 'tds-verify -x a foo.tls | head -c 1 | od -An -tx1; echo "${PIPESTATUS[0]}"'
	is 0 $' 00\n141'
}

@test "a file of 2 GB is refused by its size" {
	sanitized && skip 'speed and memory of a sanitized build'
	truncate -s 2G huge.tls
	verify huge.tls
	is 7 '' 'tds-verify: huge.tls: is larger than the 1073741824 bytes that a package may have'
}

# peak COMMAND…: its peak resident memory in KB, its status first, its standard input passed on.
peak() {
	python3 -c '
import os, resource, subprocess, sys
status = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
print(status, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)' "$@"
}

@test "memory: a package and 16 MB, from a file and from a pipe" {
	sanitized && skip 'speed and memory of a sanitized build'
	forge big.tls 'archive(*(Member(b"%d" % i, bytes([i]) * (8 << 20), method=STORED) for i in range(8)))'
	local limit=$(((64 + 16) * 1024)) status kb
	read -r status kb < <(peak tds-verify big.tls)
	echo "file: $kb KB"
	[ "$status" -eq 0 ]
	[ "$kb" -le "$limit" ]
	read -r status kb < <(peak tds-verify -j - < <(cat big.tls))
	echo "pipe: $kb KB"
	[ "$status" -eq 0 ]
	[ "$kb" -le "$limit" ]
	read -r status kb < <(peak tds-verify -d out big.tls)
	[ "$status" -eq 0 ]
	[ "$kb" -le "$limit" ]
}

# within FILE OPTIONS…: it verifies, in no more memory than its size and 16 MB.
within() {
	local file=$1 limit status kb
	limit=$(($(stat -c %s "$file") / 1024 + 16 * 1024))
	read -r status kb < <(peak tds-verify "${@:2}" "$file")
	echo "$*: status $status, $kb KB of $limit"
	[ "$status" -eq 0 ]
	[ "$kb" -le "$limit" ]
}

@test "memory: a hundred thousand members" {
	sanitized && skip 'speed and memory of a sanitized build'
	forge plain.tls 'archive(*(Member(b"some/folder/module%d.py" % i) for i in range(100000)))'
	within plain.tls
	within plain.tls -t
	within plain.tls -j -t
	# What each member can take beside that, at its most.
	forge odd.tls 'archive(*(Member(b"folder%d/" % i, b"", 0o40755, STORED) for i in range(89000)),
		*(Member(b"twin%d" % i, method=m) for i in range(5000) for m in (STORED, DEFLATED)),
		*(Member(b"%d" % i + b"\x82" * 430, b"", local={"flags": 0}, central={"flags": 0}) for i in range(1000)))'
	within odd.tls
	# Mostly one file, as many take their time.
	forge again.tls 'archive(*(Member(b"folder%d/" % i, b"", 0o40755, STORED) for i in range(2000)),
		*(Member(b"again") for i in range(98000)))'
	within again.tls -d out
}

@test "a stream without an end" {
	sanitized && skip 'speed and memory of a sanitized build'
	local status kb
	read -r status kb < <(peak tds-verify - < <(printf 'ThespianDirectorFMT1-sha256\n256\n1000\n' && cat /dev/zero))
	echo "$kb KB"
	[ "$status" -eq 7 ]
	[ "$kb" -le $((16 * 1024)) ]
	run --separate-stderr bash -c '(printf "ViceroyFMT2-sha256\n256\n"; cat /dev/zero) | tds-verify -'
	is 7 '' 'tds-verify: -: is larger than the 1073741824 bytes that a package may have'
}
