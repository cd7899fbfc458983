#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Bash completion: what is offered for a command line, asked as readline asks.

load common

setup() {
	new_dir birch
	cd "$BATS_TEST_TMPDIR" || return
	mkdir -p src/foo
	touch src/foo/__init__.py src/foo/fooactor.py "$DIR/foo.tli" "$DIR/foo-bar.tli" "$DIR/foo-1.0.tls" key.pem
	for tool in tds-verify tds-avail tds-gensrc tds-admin; do
		# shellcheck disable=SC1090
		. "$ROOT/completions/bash/$tool"
	done
}

# offered WORD…: prints what is offered for the last word, sorted; words are cut at = and : as readline cuts them.
offered() {
	local -a COMP_WORDS COMPREPLY
	local COMP_CWORD word
	for word; do
		while [[ $word == *[=:]* ]]; do
			[ -z "${word%%[=:]*}" ] || COMP_WORDS+=("${word%%[=:]*}")
			word=${word#"${word%%[=:]*}"}
			COMP_WORDS+=("${word:0:1}")
			word=${word:1}
		done
		[ -z "$word" ] && [[ ${COMP_WORDS[-1]-} == [=:] ]] || COMP_WORDS+=("$word")
	done
	COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
	"_${1/-/_}"
	printf '%s\n' "${COMPREPLY[@]}" | sort | tr '\n' ' '
}

# expect OFFERED WORD…
expect() {
	local got
	got=$(offered "${@:2}")
	[ "$got" = "$1" ] || {
		echo "for ${*:2}: $got, not $1"
		return 1
	}
}

@test "groups, of the directory that the line names" {
	expect 'foo foo-bar ' tds-avail ''
	expect 'foo-bar ' tds-avail foo-
	mkdir other
	touch other/moss.tli
	expect 'moss ' tds-avail -C other ''
	expect 'moss ' tds-avail --directory=other ''
	THESPIAN_DIRECTOR_DIR=other expect 'moss ' tds-avail ''
	expect 'foo foo-bar ' tds-gensrc ''
}

@test "packages and files" {
	expect 'foo-1.0.tls ' tds-verify foo-1
	expect 'key.pem ' tds-verify --key=k
	expect 'key.pem ' tds-verify -k k
	expect 'src ' tds-verify -d s
}

@test "members, which are the package's own" {
	cp "$VECTORS/tls/mill-west-1.2.tls" "$DIR"
	expect 'millerpkg/hopper.py ' tds-verify mill-west-1.2.tls -x millerpkg/h
	expect 'millerpkg/hopper.py ' tds-verify mill-west-1.2.tls --extract=millerpkg/h
	expect ' ' tds-verify foo-1.0.tls -x ''
	expect ' ' tds-verify -x ''
}

@test "the operands of tds-gensrc, one by one" {
	expect 'key.pem ' tds-gensrc foo k
	expect 'src ' tds-gensrc foo key.pem s
	expect 'foo/__init__.py foo/fooactor.py ' tds-gensrc foo key.pem src foo/
	expect 'foo/ ' tds-gensrc foo key.pem src version:1 fo
	expect 'fmt: ' tds-gensrc foo key.pem src fm
	expect 'ThespianDirectorFMT1 ViceroyFMT2 ' tds-gensrc foo key.pem src fmt:
	expect 'ViceroyFMT2 ' tds-gensrc foo key.pem src --format=V
	expect 'key.pem ' tds-gensrc foo key.pem src deps:k
	expect 'date ' tds-gensrc foo key.pem src version:d
}

@test "commands" {
	expect 'check ' tds-admin ''
	expect 'key.pem ' tds-admin check k
}

@test "options" {
	[[ $(offered tds-verify --ext) == '--extract-to= --extract= ' || $(offered tds-verify --ext) == '--extract= --extract-to= ' ]]
	expect '--latest ' tds-avail --lat
}

# shellcheck disable=SC2016 # the point is that nobody expands these
@test "names are never run" {
	touch "$DIR/"'$(touch canary).tli' "$DIR/"'`touch canary`-1.tls' 'f$(touch canary)'
	expect '$(touch canary) ' tds-avail '$'
	offered tds-avail ''
	offered tds-verify ''
	offered tds-verify -C "$DIR" -x '' 'f$(touch canary)'
	[ ! -e canary ] && [ ! -e "$DIR/canary" ]
}
