#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# --help, man page and the completions of each tool, for three shells, name the same options.

load common

# What is tried may start an admin process.
teardown() {
	[ ! -e "$DIR/.tds/admin.sock" ] || tds-admin shutdown --grace=1
}

# The options in tag lines, which begin with blanks and a dash; words behind two blanks are text.
options_of() {
	grep -E '^ +-' | sed -E 's/^ +//; s/  .*//' | grep -oE -- '(^|[ ,|])--?[[:alnum:]][-[:alnum:]]*' | tr -d ' ,|' | sort -u
}

from_help() {
	"$1" --help | options_of
}

from_page() {
	mandoc -T ascii -O width=300,indent=2 "$ROOT/man/$1.1" | col -b |
		awk '/^[A-Z]/ { in_options = /^OPTIONS/; next } in_options' |
		awk 'match($0, /^ +/) && /^ +-/ { if (!tag || RLENGTH < tag) tag = RLENGTH; if (RLENGTH == tag) print }' | options_of
}

from_completion() {
	local -a COMP_WORDS COMPREPLY
	local COMP_CWORD=1
	# shellcheck disable=SC1090
	. "$ROOT/completions/bash/$1"
	COMP_WORDS=("$1" -)
	"_${1/-/_}"
	printf '%s\n' "${COMPREPLY[@]%=}" | sort -u
}

# Those for zsh and fish are read, not run: an option stands at the beginning of its line.
from_zsh() {
	sed -nE "s/^\\t('\*')?(\\{?-[^'}]*)\\}?'\\[.*/\\2/p" "$ROOT/completions/zsh/_tds" "$ROOT/completions/zsh/_$1" |
		tr -d '{=+' | tr , '\n' | sort -u
}

from_fish() {
	sed -nE "s/^ *complete -c (\\\$argv\[1\]|$1) (-[sl] .*)/\\2/p" "$ROOT/completions/fish/_tds.fish" "$ROOT/completions/fish/$1.fish" |
		sed -E "s/^-l/ -l/; s/^-s (.) -l ([a-z-]+).*/-\\1\\n--\\2/; s/^ -l ([a-z-]+).*/--\\1/" | sort -u
}

same() {
	local help
	help=$(from_help "$1")
	[ "$(wc -l <<<"$help")" -ge 12 ] # -C -h -V -q -v -j and their long names: else the parsing is broken
	diff <(echo "$help") <(from_completion "$1")
	diff <(echo "$help") <(from_zsh "$1")
	diff <(echo "$help") <(from_fish "$1")
	diff <(echo "$help") <(from_page "$1")
}

# Each option of --help is one that getopt knows: it is not "unrecognized" or "invalid".
known() {
	local option
	for option in $(from_help "$1"); do
		run "$1" "$option"
		[[ $output != *unrecognized* && $output != *invalid\ option* && $output != *ambiguous* ]] || {
			echo "$option: $output"
			return 1
		}
	done </dev/null
}

@test "tds-verify" {
	new_dir
	same tds-verify
	known tds-verify
}

@test "tds-avail" {
	new_dir
	same tds-avail
	known tds-avail
}

@test "tds-gensrc" {
	new_dir
	same tds-gensrc
	known tds-gensrc
}

@test "tds-load" {
	new_dir
	same tds-load
	known tds-load
}

@test "tds-admin" {
	new_dir
	same tds-admin
	known tds-admin
}

@test "the commands, in three shells" {
	local tool lists
	for tool in tds-admin tds-director; do
		lists=$(sed -nE 's/^.*commands(=\(| )([a-z ]+)\)?$/\2/p' "$ROOT/completions/bash/$tool" \
			"$ROOT/completions/zsh/_$tool" "$ROOT/completions/fish/$tool.fish")
		[ "$(wc -l <<<"$lists")" -eq 3 ]
		[ "$(uniq <<<"$lists" | wc -l)" -eq 1 ]
	done
}
