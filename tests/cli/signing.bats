#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What is signed, and by whom: Ed25519 keys, commands that sign, and the declaration that goes with a package.
# shellcheck disable=SC2016  # the command expands them, not this shell
# shellcheck disable=SC2154  # bats sets them: status, output, stderr, stderr_lines
# shellcheck disable=SC2034  # BEFORE is for untouched, in common.bash

load common

setup() {
	new_dir birch
	echo '{}' >"$DIR/foo.tli"
	cd "$BATS_TEST_TMPDIR" || return
	install -m 0600 "$KEYS/birch.pem" key.pem
	install -m 0600 "$ROOT/tests/unit/data/rfc8032.pem" ed.pem
	ED_KEY=$ROOT/tests/unit/data/rfc8032_tls.key
	mkdir -p src/foo
	echo 'A = 1' >src/foo/a.py
	BEFORE=$(files "$DIR")
}

pack() {
	run --separate-stderr tds-gensrc "$@"
}

# forge FILE EXPRESSION: by tests/cases/forge.py.
forge() {
	PYTHONPATH=$ROOT/tests/cases python3 -B -c '
import sys
from forge import *
ZIP = archive(Member(b"a.py"), comment=b"tds1 group=foo version=1")
KEY = sys.argv[3]
open(sys.argv[1], "wb").write(eval(sys.argv[2]))
' "$1" "$2" ed.pem
}

# --- Ed25519 ---

@test 'an Ed25519 key makes a package of its own format' {
	pack foo ed.pem src version:1 foo/a.py
	ended 0 ''
	[ "$(head -n 2 "$DIR/foo-1.tls")" = $'tdsFMT1-ed25519\n64' ]
	run --separate-stderr tds-verify foo
	ended 7 "tds-verify: $DIR/foo-1.tls: no key validates it: it is signed with one of Ed25519, and there is none of that"
	run --separate-stderr tds-verify --strict -k "$ED_KEY" foo
	ended 0 ''
	cp "$ED_KEY" "$DIR/ed_tls.key"
	run --separate-stderr tds-verify --explain foo
	ended 0 ''
	[[ $output == *"$DIR/ed_tls.key: the signature is this key's (Ed25519)"* ]]
	[[ $output == *"$DIR/birch_tls.key: the package is signed with a key of Ed25519, and this is one of RSA"* ]]
	[ "$(tds-verify -j foo | jq -r .PackageFormat)" = tdsFMT1 ]
	# The same inputs and key give the same bytes.
	cp "$DIR/foo-1.tls" first
	tds-gensrc -q foo ed.pem src version:1 foo/a.py
	cmp first "$DIR/foo-1.tls"
	tds-verify -q -o out.zip foo
	python3 -c 'import sys, zipfile; sys.exit(zipfile.ZipFile("out.zip").namelist() != ["foo/a.py"])'
}

@test 'a package that was made by other means' {
	cp "$ED_KEY" "$DIR/ed_tls.key"
	forge foo-1.tls 'package_ed25519(*ZIP, KEY)'
	tds-verify foo-1.tls
	# What is signed is this and nothing else: not the archive, not its digest alone, not that of the other kind.
	local what
	for what in 'ZIP[0]' 'hashlib.sha512(ZIP[0]).digest()' 'ED25519 + hashlib.sha256(ZIP[0]).digest()' 'ED25519[:-1] + hashlib.sha512(ZIP[0]).digest()'; do
		forge foo-1.tls "package_ed25519(*ZIP, KEY)[:-64] + sign_ed25519($what, KEY)"
		run --separate-stderr tds-verify foo-1.tls
		ended 7 'tds-verify: foo-1.tls: no key validates it (2 tried)'
	done
	# A header of the one kind with a signature of the other.
	for what in 'ThespianDirectorFMT1-sha256' 'ViceroyFMT2-sha256' 'tdsFMT1-sha256' 'ThespianDirectorFMT1-ed25519'; do
		forge foo-1.tls "package_ed25519(*ZIP, KEY).replace(b'tdsFMT1-ed25519', b'$what', 1)"
		run --separate-stderr tds-verify foo-1.tls
		[ "$status" -eq 7 ]
	done
	forge foo-1.tls "package(*ZIP, '$KEYS/birch.pem').replace(b'ThespianDirectorFMT1-sha256', b'tdsFMT1-ed25519', 1)"
	run --separate-stderr tds-verify foo-1.tls
	ended 7 'tds-verify: foo-1.tls: byte 16: no key has signatures of 256 bytes'
}

@test 'a format that is not the key'\''s' {
	local f
	for f in ThespianDirectorFMT1 ViceroyFMT2; do
		pack foo ed.pem src "fmt:$f" foo/a.py
		ended 4 "tds-gensrc: ed.pem: is a key of Ed25519, and packages of format $f are signed with keys of RSA"
		untouched
	done
	pack --format=tdsFMT1 foo key.pem src foo/a.py
	ended 4 'tds-gensrc: key.pem: is a key of RSA, and packages of format tdsFMT1 are signed with keys of Ed25519'
	untouched
	pack foo ed.pem src fmt:tdsFMT1 foo/a.py
	ended 0 ''
	pack foo key.pem src fmt: foo/a.py
	ended 0 ''
}

@test 'what limits keys limits Ed25519 keys, but bits are those of RSA' {
	cp "$ED_KEY" "$DIR/ed_tls.key"
	tds-gensrc -q foo ed.pem src version:1 foo/a.py
	echo 4096 >"$DIR/minkeybits.cfg"
	tds-verify -q foo 2>/dev/null
	echo bar >"$DIR/ed_tls.allow"
	run --separate-stderr tds-verify -q foo
	[[ $status -eq 7 && ${stderr_lines[-1]} == *'it is signed with '*'ed_tls.key, but it may not sign for this group' ]]
	rm "$DIR/ed_tls.allow"
	openssl pkey -pubin -in "$ED_KEY" -outform DER | sha256sum >"$DIR/revoked.cfg"
	run --separate-stderr tds-verify -q foo
	[ "$status" -eq 7 ]
	sha256sum <"$DIR/foo-1.tls" >"$DIR/revoked.cfg"
	run --separate-stderr tds-verify -q foo
	ended 7 "tds-verify: $DIR/foo-1.tls: is revoked"
}

@test 'an Ed25519 key that signs for everybody is refused' {
	# The neutral point: OpenSSL takes a signature of R and 0 by it, of anything.
	printf -- '-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n-----END PUBLIC KEY-----\n' >"$DIR/one_tls.key"
	forge foo-1.tls 'package_ed25519(*ZIP, KEY)[:-64] + bytes([1]) + bytes(63)'
	run --separate-stderr tds-verify foo-1.tls
	[ "$status" -eq 7 ]
	[ "${stderr_lines[0]}" = "tds-verify: $DIR/one_tls.key: warning: not used: is an Ed25519 key whose number cannot be right" ]
}

@test 'an Ed25519 key with a passphrase' {
	(umask 077 && printf correct-horse >phrase &&
		openssl pkey -in ed.pem -aes-256-cbc -passout file:phrase -out locked.pem)
	pack --passphrase-file=phrase foo locked.pem src foo/a.py
	ended 0 ''
	tds-verify -k "$ED_KEY" foo.tls
}

# --- commands that sign ---

@test 'a command signs, as the page has it' {
	pack --signer='openssl pkeyutl -sign -inkey key.pem' foo "$DIR/birch_tls.key" src version:1 foo/a.py
	ended 0 ''
	tds-verify --strict foo-1.tls
	pack --signer='openssl pkeyutl -sign -rawin -in /dev/stdin -inkey ed.pem' foo "$ED_KEY" src version:2 foo/a.py
	ended 0 ''
	tds-verify --strict -k "$ED_KEY" foo-2.tls
	# The same as the key itself signs.
	tds-gensrc -q foo ed.pem src version:3 -o . foo/a.py
	tds-gensrc -q --signer='openssl pkeyutl -sign -rawin -in /dev/stdin -inkey ed.pem' foo "$ED_KEY" src version:3 foo/a.py
	cmp foo-3.tls "$DIR/foo-3.tls"
	grep -F -- "--signer='openssl pkeyutl -sign -inkey secret.pem'" "$ROOT/man/tds-gensrc.1"
	grep -F -- "--signer='openssl pkeyutl -sign -rawin -in /dev/stdin -inkey secret.pem'" "$ROOT/man/tds-gensrc.1"
}

@test 'what the command gets' {
	cat >signer <<-'END'
		#!/bin/sh
		cat >got && printf %s "$TDS_SIGN_ALG" >alg
		exec openssl pkeyutl -sign ${RAW:+-rawin} -in got -inkey "$1"
	END
	chmod +x signer
	TDS_SIGN_ALG=wrong pack --signer='./signer "key.pem"' foo "$DIR/birch_tls.key" src version:1 foo/a.py
	ended 0 ''
	[ "$(<alg)" = rsa-pkcs1-sha256 ]
	tds-verify -q -o out.zip foo-1.tls
	[ "$(od -An -v -tx1 got | tr -d ' \n')" = "3031300d060960864801650304020105000420$(sha256sum <out.zip | cut -c -64)" ]
	RAW=1 pack --signer='./signer ed.pem' foo "$ED_KEY" src version:2 foo/a.py
	ended 0 ''
	[ "$(<alg)" = ed25519 ]
	tds-verify -q -k "$ED_KEY" -o out.zip foo-2.tls
	[ "$(head -c 16 got)" = tdsFMT1-ed25519 ]
	[ "$(tail -c 64 got | od -An -v -tx1 | tr -d ' \n')" = "$(sha512sum <out.zip | cut -c -128)" ]
}

# refused COMMAND REASON: nothing is written, and one line says why.
refused() {
	pack --signer="$1" foo "${3:-$DIR/birch_tls.key}" src version:1 foo/a.py
	ended 4 "tds-gensrc: --signer: $2"
	untouched
}

@test 'a command that fails' {
	refused 'exit 3' 'ended with status 3'
	refused './nowhere 2>/dev/null' 'ended with status 127'
	refused 'kill -9 $$' 'was killed by signal 9 (Killed)'
	# What it printed before does not count.
	refused 'openssl pkeyutl -sign -inkey key.pem; exit 1' 'ended with status 1'
	refused 'true' "no signature that $DIR/birch_tls.key validates: the signature has 0 bytes, those of the key have 256"
	refused 'head -c 255 /dev/zero' "no signature that $DIR/birch_tls.key validates: the signature has 255 bytes, those of the key have 256"
	refused 'head -c 256 /dev/zero' "no signature that $DIR/birch_tls.key validates: the signature is not this key's (block type is not 01)"
	refused 'exec cat /dev/zero' 'printed more than a signature can have'
	refused 'openssl pkeyutl -sign -rawin -in /dev/stdin -inkey ed.pem' \
		"no signature that $DIR/birch_tls.key validates: the signature has 64 bytes, those of the key have 256"
	refused 'head -c 64 /dev/zero' "no signature that $ED_KEY validates: the signature is not this key's" "$ED_KEY"
	# Its own words are heard.
	pack --signer='echo no card >&2; exit 5' foo "$DIR/birch_tls.key" src foo/a.py
	ended 4 $'no card\ntds-gensrc: --signer: ended with status 5'
}

@test 'a key file that is not the public one' {
	pack --signer='touch ran' foo key.pem src foo/a.py
	ended 4 'tds-gensrc: key.pem: holds a private key, not a public one'
	pack --signer='touch ran' foo nowhere src foo/a.py
	ended 4 'tds-gensrc: nowhere: cannot be opened: No such file or directory'
	pack --signer='touch ran' --format=ViceroyFMT2 foo "$ED_KEY" src foo/a.py
	ended 4 "tds-gensrc: $ED_KEY: is a key of Ed25519, and packages of format ViceroyFMT2 are signed with keys of RSA"
	pack --signer= foo "$ED_KEY" src foo/a.py
	ended 2 "tds-gensrc: --signer names no command; see 'tds-gensrc --help'"
	pack --signer='touch ran' --passphrase-file=x foo "$ED_KEY" src foo/a.py
	ended 2 "tds-gensrc: --passphrase-file and --signer at once; see 'tds-gensrc --help'"
	# What is wrong with the sources is found before anybody signs.
	echo 'A = (' >src/foo/a.py
	pack --signer='touch ran' foo "$ED_KEY" src foo/a.py
	[ "$status" -eq 1 ]
	untouched
	[ ! -e ran ]
}

# --- the declaration ---

# listed FILE: the names of its members, with -v.
listed() {
	tds-verify -t -v "$1" 2>/dev/null | cut -c 10-
}

@test 'the declaration is packed last, and is no part of the source' {
	echo "{'AutoUnload': True, 'May': ['load:foo']}" >src/foo.tli
	echo z >src/zz
	pack foo key.pem src version:1 foo/a.py zz
	ended 0 ''
	[ "$(listed foo-1.tls)" = $'foo/a.py\nzz\nTDS-INF/foo.tli' ]
	[ "$(tds-verify -t foo-1.tls | cut -c 10-)" = $'foo/a.py\nzz' ]
	[ "$(tds-verify -j -t foo-1.tls | jq -c '[.Members[].Name]')" = '["foo/a.py","zz"]' ]
	[ "$(tds-verify -j -v -t foo-1.tls 2>/dev/null | jq -c '[.Members[].Name]')" = '["foo/a.py","zz","TDS-INF/foo.tli"]' ]
	[ "$(tds-verify -j foo-1.tls | jq -r .Declaration)" = "{'AutoUnload': True, 'May': ['load:foo']}" ]
	tds-verify -q -d out foo-1.tls
	[ "$(files out)" = $'foo\nfoo/a.py\nzz' ]
	tds-verify -x TDS-INF/foo.tli foo-1.tls | cmp - src/foo.tli
	# The same text gives the same bytes, whenever the file was written.
	cp "$DIR/foo-1.tls" first
	touch -d 2001-01-01 src/foo.tli
	tds-gensrc -q foo key.pem src version:1 foo/a.py zz
	cmp first "$DIR/foo-1.tls"
}

@test 'which declaration is packed, and when' {
	echo "{'AutoUnload': 1}" >src/foo.tli
	echo "{'AutoUnload': 2}" >other.tli
	pack foo key.pem src version:1 tli:other.tli foo/a.py
	tds-verify -x TDS-INF/foo.tli foo-1.tls | cmp - other.tli
	# Elsewhere it goes with the package, and the director directory stays as it is.
	echo '{}' >"$DIR/foo.tli"
	pack foo key.pem src -o . --release=2 foo/a.py
	ended 0 ''
	tds-verify -x TDS-INF/foo.tli ./foo-2.tls | cmp - src/foo.tli
	[ "$(<"$DIR/foo.tli")" = '{}' ]
	pack foo ed.pem src -o . --release=3 foo/a.py
	tds-verify -k "$ED_KEY" -x TDS-INF/foo.tli ./foo-3.tls | cmp - src/foo.tli
	pack foo key.pem src version:4 fmt:ViceroyFMT2 foo/a.py
	ended 0 ''
	[ "$(listed foo-4.tls)" = foo/a.py ]
	rm src/foo.tli
	pack foo key.pem src version:5 foo/a.py
	[ "$(listed foo-5.tls)" = foo/a.py ]
	echo '{' >src/foo.tli
	pack foo key.pem src -o . --release=6 foo/a.py
	ended 1 'tds-gensrc: src/foo.tli:1:1: '"'{' is never closed"
}

@test 'a declaration that asks for files is not packed' {
	local call
	for call in "os.path.exists('/')" "os.path.isdir('/')" "os.path.isfile('/')" "os.path.expanduser('~')" 'os.getcwd()'; do
		echo "{'Health': {'Message': $call}}" >src/foo.tli
		pack foo key.pem src version:1 foo/a.py
		ended 0 "tds-gensrc: src/foo.tli:1:24: warning: is not signed with the package: call to ${call%%(*} is not allowed in a package"
		[ "$(listed foo-1.tls)" = foo/a.py ]
		cmp src/foo.tli "$DIR/foo.tli"
	done
	echo "{'May': ['fly']}" >src/foo.tli
	pack foo key.pem src foo/a.py
	[[ $status -eq 1 && $stderr == 'tds-gensrc: src/foo.tli:1:10: '* ]]
	echo "{'Sandbox': 'none'}" >src/foo.tli
	pack foo key.pem src foo/a.py
	[[ $status -eq 1 && $stderr == 'tds-gensrc: src/foo.tli:1:13: '* ]]
}

@test 'no source is below TDS-INF/' {
	mkdir -p src/TDS-INF src/TDS-INFO
	echo x | tee src/TDS-INF/x >src/TDS-INFO/x
	local s
	for s in TDS-INF/x 'TDS-INF/*' src/TDS-INF/x TDS-INF/nothing; do
		pack foo key.pem src "$s"
		ended 2 "tds-gensrc: $s: TDS-INF/ is for what a package says of itself; see 'tds-gensrc --help'"
		untouched
	done
	for s in '**' '*/x'; do
		pack foo key.pem src "$s"
		ended 2 "tds-gensrc: src/TDS-INF/x: TDS-INF/ is for what a package says of itself; see 'tds-gensrc --help'"
		untouched
	done
	pack foo key.pem src 'TDS-INFO/*'
	ended 0 ''
}

@test 'what tds-verify says of a declaration' {
	echo "{'AutoUnload': True}" >src/foo.tli
	tds-gensrc -q foo key.pem src version:1 foo/a.py
	run --separate-stderr tds-verify -v foo
	[ "${stderr_lines[-1]}" = '         -  ok      declaration: signed with the package, and foo.tli says the same' ]
	echo "{'AutoUnload': 2, 'Sandbox': 'strict'}" >"$DIR/foo.tli"
	run --separate-stderr tds-verify -v foo
	[[ $status -eq 0 && ${stderr_lines[-1]} == *'signed with the package, and foo.tli differs: AutoUnload, Sandbox' ]]
	run --separate-stderr tds-verify -v -C / -k "$DIR/birch_tls.key" "$DIR/foo-1.tls"
	[ "${stderr_lines[-1]}" = '         -  ok      declaration: signed with the package' ]
	forge foo-2.tls "package(*archive(Member(b'a.py'), Member(b'TDS-INF/foo.tli', b'{1'), comment=b'tds1 group=foo version=2'), '$KEYS/birch.pem')"
	run --separate-stderr tds-verify foo-2.tls
	ended 1 "tds-verify: foo-2.tls: TDS-INF/foo.tli:1:1: '{' is never closed"
	[ "$(tds-verify -t foo-2.tls)" = '      6  a.py' ]
}
