#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The pages that show whole sessions: each command prints what stands below it. Those of the other pages: examples.bats.

load common
load admin

setup() {
	chmod a+x "$BATS_RUN_TMPDIR" # actors of root's may have uids of their own
	new_dir
	unset THESPIAN_DIRECTOR_DIR
	cd "$BATS_TEST_TMPDIR" || return
}

teardown() {
	export THESPIAN_DIRECTOR_DIR=$DIR
	end_admin
}

# actor CLASS: a module with an actor that answers what it is told.
actor() {
	cat <<-EOT
		from thespian.actors import Actor


		class $1(Actor):
		    def receiveMessage(self, message, sender):
		        self.send(sender, message)
	EOT
}

# The application of the Director's guide, and the dependencies that it names, as pip would have installed them.
guide() {
	local foo=projects/foo part
	mkdir -p $foo/subdir1 $foo/subdir2/barn site/jinja2 site/Jinja2-3.1.dist-info
	touch $foo/__init__.py $foo/subdir1/__init__.py $foo/subdir2/__init__.py $foo/subdir2/barn/__init__.py
	echo 'raise SystemExit("packing ran setup.py")' >$foo/setup.py
	actor FooActor >$foo/fooactor.py
	actor BarActor >$foo/subdir1/baractor.py
	actor CowActor >$foo/subdir2/barn/cowactor.py
	actor PigActor >$foo/subdir2/barn/pigactor.py
	printf '%s\n' tabulate jsonschema Jinja2 >$foo/deppkgs.txt
	touch site/tabulate.py site/jsonschema.py site/jinja2/__init__.py
	printf 'Metadata-Version: 2.1\nName: Jinja2\nVersion: 3.1\n' >site/Jinja2-3.1.dist-info/METADATA
	for part in jinja2/__init__.py Jinja2-3.1.dist-info/METADATA Jinja2-3.1.dist-info/RECORD; do
		echo "$part,,"
	done >site/Jinja2-3.1.dist-info/RECORD
	export PYTHONPATH=$PWD/site
}

@test "tds-from-thespian(7)" {
	guide
	"$ROOT/tests/shown" --compare <"$ROOT/man/tds-from-thespian.7"
}

# What is installed there is what this run tests. The names of variants are those of folders below build.
@test "tds-operating(7)" {
	rmdir "$DIR"
	ln -s "$ROOT" tds
	cp -r tds/examples src
	! sanitized || export MAKEFLAGS=VARIANT=asan
	"$ROOT/tests/shown" --compare <"$ROOT/man/tds-operating.7"
	[ ! -e "$DIR" ]
}

# With the director directory of a system.
@test "tds-convention(7)" {
	PATH=$PATH:/usr/sbin
	command -v nats-server >/dev/null || skip 'there is no nats-server'
	mkdir -p alpha/director beta/director
	name_actors beta/director
	echo default >beta/director/sandbox.cfg
	"$ROOT/tests/shown" --compare <"$ROOT/man/tds-convention.7"
}

@test "the README's program" {
	name_actors "$DIR"
	cat >program.py <<-'EOT'
		from thespian.actors import Actor, ActorSystem


		class Hello(Actor):
		    def receiveMessage(self, message, sender):
		        self.send(sender, 'hello, ' + message)


		if __name__ == '__main__':
		    system = ActorSystem()
		    print(system.ask(system.createActor(Hello), 'world', 20))
	EOT
	awk '/^## / { on = /^## Your Thespian/ } on' "$ROOT/README.md" >section
	grep -q '^    \$ python3' section
	THESPIAN_DIRECTOR_DIR=$DIR "$ROOT/tests/shown" --compare <section
}
