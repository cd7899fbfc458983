#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The commands of every man page's EXAMPLES, run in order in a folder as the pages suppose it.

load common
load admin

setup() {
	new_admin_dir birch
	mv "$DIR/birch_tls.key" "$DIR/example_tls.key"
	cd "$BATS_TEST_TMPDIR" || return
	install -m 0600 "$KEYS/birch.pem" signing.pem
	mkdir -p src/foo
	touch src/foo/__init__.py
	cat >src/foo/fooactor.py <<-'EOF'
		from thespian.actors import Actor


		class FooActor(Actor):
		    def receiveMessage(self, message, sender):
		        self.send(sender, message)
	EOF
	printf "{'Actors': {'foo.fooactor.FooActor': {'OnLoad': {'Role': 'foo', 'Message': 'start'}}}}\n" >src/foo.tli
	tds-gensrc -q foo signing.pem src version:1.0 'foo/*.py'
	tds-gensrc -q foo signing.pem src version:1.1 'foo/*.py'
}

teardown() {
	tds-admin shutdown --grace=1
}

# The command lines of a page: `.Dl $ COMMAND`, with mdoc's escapes undone.
commands() {
	sed -nE 's/^\.Dl \$ //p' "$1" | sed -E 's/\\e/\\/g; s/\\&//g; s/\\-/-/g; s/\\\(aq/'"'"'/g; s/\\\(dq/"/g'
}

runs() {
	local command n=0
	while IFS= read -r command; do
		n=$((n + 1))
		echo "\$ $command"
		bash -o pipefail -c "$command" </dev/null
	done < <(commands "$ROOT/man/$1")
	[ "$n" -gt 0 ]
}

@test "tds-gensrc(1)" { runs tds-gensrc.1; }

@test "tds-verify(1)" { runs tds-verify.1; }

@test "tds-avail(1)" { runs tds-avail.1; }

@test "tds-load(1)" { runs tds-load.1; }

@test "tds-admin(1)" {
	runs tds-admin.1
}

@test "tds-protocol(7)" {
	tds-load foo
	export S=$DIR/.tds/admin.sock
	runs tds-protocol.7
}

@test "tds-director(1)" {
	cd "$DIR" || return
	runs tds-director.1
}

@test "thespian-compat(7)" {
	cat >program.py <<-'EOT'
		from thespian.actors import ActorSystem

		ActorSystem().shutdown()
	EOT
	runs thespian-compat.7
}

@test "each page with commands is run, here or in pages.bats" {
	local page
	while IFS= read -r page; do
		grep -qE "(runs |/man/)${page##*/}" "$ROOT"/tests/cli/{examples,pages}.bats || { echo "$page" && return 1; }
	done < <(grep -lE '^(\.Dl )?\$ ' "$ROOT"/man/*.[1-9])
}

@test "tds(7)" { runs tds.7; }

@test "tls(5)" { runs tls.5; }

@test "tli(5)" { runs tli.5; }

@test "tds-director-dir(5)" { runs tds-director-dir.5; }

@test "tds.cfg(5)" {
	tds-admin start
	runs tds.cfg.5
}
