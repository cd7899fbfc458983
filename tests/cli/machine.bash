# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What the scripts of tds-admin-setup.bats use, inside of their machine.

# says STATUS TEXT COMMAND…: what it prints, on whichever stream, and how it ends.
says() {
	local wanted=$1 text=$2 got status=0
	shift 2
	got=$("$@" 2>&1) || status=$?
	diff <(echo "$text") <(echo "$got")
	[ "$status" -eq "$wanted" ]
}

no_user() {
	! getent passwd "$1"
}

as() {
	setpriv --reuid "$1" --regid "$(id -g "$1")" --clear-groups "${@:2}"
}

# tree: everything there is in the folders that setup may touch.
tree() {
	find /opt /var/lib /etc -path /opt/tds -prune -o -name before -prune -o -type f -printf '%p %m %u %s %T@\n' -o -printf '%p %m %u\n' | sort
}

# works: an actor answers root and the admin's own user, and nobody else.
works() {
	local user status=0
	install -m 0644 keys/birch_tls.key /opt/thespian/director/
	mkdir -p src/m
	: >src/m/__init__.py
	cat >src/m/a.py <<-'PYTHON'
		import os
		from thespian.actors import Actor


		class A(Actor):
		    def receiveMessage(self, message, sender):
		        self.send(sender, os.getuid())
	PYTHON
	echo "{'Actors': {'m.a.A': {'OnLoad': {'Role': 'foo'}}}}" >src/foo.tli
	chmod 0600 keys/birch.pem
	tds-gensrc -q --no-check foo keys/birch.pem src version:1 'm/*.py'
	tds-load -q foo
	user=$(cat /opt/thespian/director/adminuser.cfg)
	as "$user" tds-admin list | grep -q 'm.a.A'
	as nobody tds-admin list || status=$?
	[ "$status" -eq 8 ]
}

owner_of_actor() {
	getent passwd "$(tds-admin ask foo 1)" | cut -d: -f1
}

ends() {
	tds-admin shutdown --grace=1
	says 8 'tds-admin: the admin process is not running' tds-admin status
}
