#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# `make html`: each page, and links that lead to what is there.

load common

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	make -s -C "$ROOT" html HTMLDIR="$PWD/html"
}

# What the pages are called in HTML.
pages() {
	basename -a -- "$ROOT"/man/*.[1-9] | sed 's/$/.html/'
}

# The links of a page to files beside it, without the place in them.
links() {
	grep -oE '(href|src)="[^"#:]+"' "html/$1" | cut -d '"' -f 2 | sort -u
}

@test "each page is there, has its links, and is reached from tds(7)" {
	local page link found new
	diff <(files html) <({ pages && printf '%s\n' index.html tds.css; } | sort)
	for page in html/*.html; do
		while IFS= read -r link; do
			[ -s "html/$link" ] || { echo "$page: $link" && return 1; }
		done < <(links "${page##*/}")
		run ! grep -E 'manpages\.debian\.org/(tds|tls|tli|thespian)' "$page"
		while IFS= read -r link; do
			grep -qF "id=\"$link\"" "$page" || { echo "$page: #$link" && return 1; }
		done < <(grep -oE 'href="#[^"]+"' "$page" | cut -d '"' -f 2 | tr -d '#')
	done
	new=tds.7.html
	while [ "$new" != "${found-}" ]; do
		found=$new
		new=$(for page in $found; do links "$page" | grep 'html$' && echo "$page"; done | sort -u)
	done
	diff <(echo "$found") <(pages | sort)
}

@test "the table of contents has each page, with what its NAME says" {
	[ "$(grep -c '^<dt><a href="[^"]*">[a-z.-]*([1-9])</a></dt>$' html/index.html)" -eq "$(pages | wc -l)" ]
	grep -qxF "<dd>$(sed -n 's/^\.Nd //p' "$ROOT/man/tds-load.1")</dd>" html/index.html
	run ! grep -E '<dd>.*[<&\\].*</dd>' html/index.html
}
