#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Completion: what is offered for a command line; in bash asked as readline asks, in zsh and fish the options of commands.

load common

setup() {
	new_dir birch
	cd "$BATS_TEST_TMPDIR" || return
	mkdir -p src/foo
	touch src/foo/__init__.py src/foo/fooactor.py "$DIR/foo.tli" "$DIR/foo-bar.tli" "$DIR/foo-1.0.tls" key.pem
	for tool in tds-verify tds-avail tds-gensrc tds-admin tds-load tds-director; do
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
	expect 'ThespianDirectorFMT1 ViceroyFMT2 tdsFMT1 ' tds-gensrc foo key.pem src fmt:
	expect 'ViceroyFMT2 ' tds-gensrc foo key.pem src --format=V
	expect 'key.pem ' tds-gensrc foo key.pem src deps:k
	expect 'date ' tds-gensrc foo key.pem src version:d
}

@test "commands, and their operands" {
	expect 'ask bootstart check config convention forget help history keys list log may members metrics reload restart role sandbox setup shutdown start status tell top tree watch ' tds-admin ''
	expect 'shutdown ' tds-admin -j sh
	expect 'src ' tds-admin setup s
	expect 'init join leave remove status ' tds-admin convention ''
	expect 'src ' tds-admin convention join s
	expect 'nobody ' tds-admin setup --user=nobod
	expect 'reload restart role ' tds-admin help r
	expect 'key.pem ' tds-admin check k
	expect 'nostart ' tds-admin bootstart x n
	expect 'src ' tds-admin bootstart --root=s
}

@test "names for tds-load" {
	expect 'foo foo-1.0.tls foo-bar ' tds-load fo
	expect 'key.pem ' tds-load -T k
	expect ' ' tds-load --wait ''
}

# An admin process that answers what the real one answers.
@test "roles, targets, groups and hashes of what runs" {
	mkdir bin
	cat >bin/tds-admin <<-'EOF'
		#!/bin/sh
		[ "$1 $3 $4" = '-C list -j' ] && [ "$2" = "$THESPIAN_DIRECTOR_DIR" ] && cat <<'END'
		{"DirectorResponse":"AllAddresses","Success":true,"Groups":{
		 "foo":{"ActiveHash":"bb","Loaded":["bb","ab"],"Running":{
		  "bb":[{"Role":"front","GlobalName":"the front"},{"Role":null}],"ab":[{"Role":"gone"}]}},
		 "moss":{"ActiveHash":null,"Loaded":[],"Running":{}}}}
		END
	EOF
	chmod +x bin/tds-admin
	PATH=$PWD/bin:$PATH
	expect 'foo moss ' tds-admin list ''
	expect 'foo ' tds-admin role --group=f
	expect 'front ' tds-admin role ''
	expect 'front ' tds-admin log f
	expect '@the front ' tds-admin ask @
	expect ' ' tds-admin ask front ''
	expect 'ab bb ' tds-load --unload ''
	expect 'bb ' tds-load --unload ab b
}

@test "nothing runs: nothing is offered, and nothing is started" {
	expect ' ' tds-admin role ''
	expect ' ' tds-load --unload ''
	[ ! -e "$DIR/.tds" ]
}

@test "options" {
	[[ $(offered tds-verify --ext) == '--extract-to= --extract= ' || $(offered tds-verify --ext) == '--extract= --extract-to= ' ]]
	expect '--latest ' tds-avail --lat
}

# What each command is offered, `COMMAND --OPTION`, without what all tools have.
in_bash() {
	local command
	for command; do
		offered tds-admin "$command" -- | tr ' ' '\n' | sed "s/=\$//; s/^/$command /"
	done
}

# shellcheck disable=SC2016 # it is fish that expands this
in_fish() {
	HOME=$PWD XDG_CONFIG_HOME=$PWD XDG_DATA_HOME=$PWD fish --no-config -c 'source $argv[1]
		for command in $argv[2..]
			complete -C "tds-admin $command --" | string replace -r "\t.*" "" | string replace -r "^" "$command "
		end' "$ROOT/completions/fish/tds-admin.fish" "$@"
}

# shellcheck disable=SC2016 # it is zsh that expands this
in_zsh() {
	zsh -f -c '_arguments() { print -rl -- "${command} "${^${(M)@:#--*}%%[=\[]*} }
		source $0/_tds
		_tds() : # it is read already
		for command; do
			words=(tds-admin -C here $command --) CURRENT=5
			() { source $1/_tds-admin } $0
		done' "$ROOT/completions/zsh" "$@"
}

# The same from the table of the tool.
in_table() {
	sed -z 's/,\n\t *"/, "/g' "$ROOT/bin/tds-admin/main.c" | sed -nE 's/^\t\{ "([a-z-]+)", [a-z]+_argument, NULL, ([^ ]+) \},$/name \2 \1/p
		s/^\t\{ ([^,]+), [A-Z]+, [^"]*"([a-z, ]+)" \},$/of \1 \2/p' | tr -d , |
		awk 'BEGIN { name["\047T\047"] = "names-from"; name["\0470\047"] = "null" }
			$1 == "name" { name[$2] = $3 }
			$1 == "of" { for (i = 3; i <= NF; i++) print $i, "--" name[$2] }' | sort
}

own() {
	grep -E '^[a-z]+ --[a-z-]+$' | grep -vE -- ' --(directory|json|quiet|verbose|help|version)$' | sort -u
}

@test "each command is offered its own options, in three shells" {
	local commands
	read -ra commands <<<"$(offered tds-admin '')"
	in_table >table
	[ "$(wc -l <table)" -ge 30 ]
	[[ ${commands[*]} == *' log '* ]]
	diff table <(in_bash "${commands[@]}" | own)
	diff table <(in_fish "${commands[@]}" | own)
	diff table <(in_zsh "${commands[@]}" | own)
}

@test "before a command all options are offered" {
	in_table | cut -d ' ' -f 2 | sort -u >all
	diff all <(in_bash '' | sed 's/^/x/' | own | cut -d ' ' -f 2)
	diff all <(in_fish '' | sed 's/^/x/' | own | cut -d ' ' -f 2)
	[[ $(offered tds-admin --gr) == '--grace= --group= ' ]]
}

# shellcheck disable=SC2016 # the point is that nobody expands these
@test "names are never run" {
	touch "$DIR/"'$(touch canary).tli' "$DIR/"'`touch canary`-1.tls' 'f$(touch canary)'
	expect '$(touch canary) ' tds-avail '$'
	offered tds-avail ''
	offered tds-verify ''
	offered tds-verify -C "$DIR" -x '' 'f$(touch canary)'
	offered tds-load ''
	[ ! -e canary ]
	[ ! -e "$DIR/canary" ]
}

@test "tds-director: commands and their operands, of the director directory" {
	export THESPIAN_DIRECTOR_DIR=$DIR
	expect 'avail bootstart config gensrc help list load refresh shutdown start tlsinfo unload verbose ' tds-director ''
	expect 'shutdown start ' tds-director s
	expect 'shutdown start ' tds-director verbose s
	expect 'list load ' tds-director help l
	expect 'wait ' tds-director start ''
	expect ' ' tds-director start wait ''
	expect 'nostart ' tds-director bootstart name n
	expect 'foo foo-1.0.tls foo-bar ' tds-director load ''
	expect 'foo foo-bar ' tds-director gensrc ''
	expect 'director key.pem src ' tds-director gensrc foo ''
	expect 'src ' tds-director gensrc foo key.pem s
	expect 'contents ' tds-director tlsinfo foo-1.0.tls ''
	expect ' ' tds-director refresh ''
}
