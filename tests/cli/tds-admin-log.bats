#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# tds-admin log and history on logs that the test wrote: their order, what is chosen, how it is shown, and the audit log's chain.

load common
load admin

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	new_admin_dir birch
	RUN=$DIR/.tds
	mkdir -m 0711 "$RUN"
	cat >"$RUN/actors.log.1" <<-'END'
		2026-01-01T00:00:01.000Z foo r 2.17 - printed
		2026-01-01T00:00:03.000Z foo r 2.17 ERROR Traceback\x0a  File "a.py", line 1\x0aValueError: 1
	END
	cat >"$RUN/actors.log" <<-'END'
		no line of ours
		2026-01-01T00:00:05.000Z bar two\x20words 3.5 WARNING \x1b[31mred
	END
	cat >"$RUN/actors.more.log" <<-'END'
		2026-01-01T00:00:04.000Z chatty - - - more
	END
	cat >"$RUN/events.jsonl" <<-'END'
		{"Time":"2026-01-01T00:00:00.000Z","Event":"Started","Format":1}
		{"Time":"2026-01-01T00:00:02.000Z","Event":"Loaded","Group":"foo","Path":"/d/foo-1.tls","By":{"Uid":0}}
		not JSON
		{"Time":"2026-01-01T00:00:06.000Z","Event":"Undone","Group":"foo","Path":"/d/foo-2.tls","SHA256":"ab","Key":"/d/k","By":{"Group":"bar","Actor":"3.5"},"Message":"ValueError: 2","Traceback":"Traceback\n  File\nValueError: 2\n"}
		{"Time":"2026-01-01T00:00:07.000Z","Event":"Refused","Target":"nosuch","By":{"Uid":4000000000},"Status":4,"Message":"no\u001bsuch"}
		{"Time":"2026-01-01T00:00:08.000Z","Event":"ActorExited","Group":"foo","Role":"r","Class":"m.A","Address":"2.17","Signal":9,"Message":"killed by signal 9"}
		{"Time":"2026-01-01T00:00:09.000Z","Event":"Stopping","By":{"Signal":15}}
	END
}

@test "in the order of time, whatever the file" {
	expect 0 '2026-01-01T00:00:00.000Z - - 0.1 INFO Started
2026-01-01T00:00:01.000Z foo r 2.17 - printed
2026-01-01T00:00:02.000Z foo - 0.1 INFO Loaded /d/foo-1.tls, by root
2026-01-01T00:00:03.000Z foo r 2.17 ERROR Traceback
      File "a.py", line 1
    ValueError: 1
2026-01-01T00:00:04.000Z chatty - - - more
2026-01-01T00:00:05.000Z bar two\x20words 3.5 WARNING \x1b[31mred
2026-01-01T00:00:06.000Z foo - 0.1 ERROR Undone /d/foo-2.tls, by actor 3.5 of bar: ValueError: 2
    SHA256 ab
    key /d/k
    Traceback
      File
    ValueError: 2
2026-01-01T00:00:07.000Z - - 0.1 ERROR Refused nosuch, by uid 4000000000: no\x1bsuch
2026-01-01T00:00:08.000Z foo - 0.1 WARNING ActorExited m.A, role r, address 2.17: killed by signal 9
2026-01-01T00:00:09.000Z - - 0.1 INFO Stopping, by signal 15' '' tds-admin log
}

# times ARGS…: the seconds of what is shown.
times() {
	tds-admin "$@" | sed -nE 's/^2026-01-01T00:00:0([0-9]).*/\1/p' | tr -d '\n'
}

@test "what is chosen" {
	[ "$(times log -n 3)" = 789 ]
	[ "$(times log -n 1000000)" = 0123456789 ]
	[ "$(times log --since=2026-01-01T01:00:05+01:00)" = 56789 ]
	[ "$(times log --since=1d)" = '' ]
	[ "$(times log --group=foo)" = 12368 ]
	[ "$(times log r)" = 138 ]
	[ "$(times log --role='two words')" = 5 ]
	[ "$(times log --level=error)" = 367 ]
	[ "$(times log --level=Warning --group=foo -n 2)" = 68 ]
	[ "$(times history)" = 02679 ]
	[ "$(times history foo)" = 0269 ]
	[ "$(times history bar)" = 09 ]
	[ "$(times history -n 1 foo)" = 9 ]
}

@test "history shows failures whole" {
	expect 0 '2026-01-01T00:00:06.000Z foo Undone /d/foo-2.tls, by actor 3.5 of bar: ValueError: 2
    SHA256 ab
    key /d/k
    Traceback
      File
    ValueError: 2
2026-01-01T00:00:09.000Z - Stopping, by signal 15' '' tds-admin history -n 2 foo
}

@test "as JSON" {
	tds-admin log -j >shown
	[ "$(wc -l <shown)" -eq 10 ]
	[ "$(jq -s 'map(select(has("Format"))) | length' shown)" -eq 1 ]
	[ "$(head -1 shown | jq .Format)" -eq 1 ]
	diff - <(jq -c 'select(.Text)' shown) <<-'END'
		{"Time":"2026-01-01T00:00:01.000Z","Group":"foo","Role":"r","Address":"2.17","Text":"printed"}
		{"Time":"2026-01-01T00:00:03.000Z","Group":"foo","Role":"r","Address":"2.17","Level":"ERROR","Text":"Traceback\n  File \"a.py\", line 1\nValueError: 1"}
		{"Time":"2026-01-01T00:00:04.000Z","Group":"chatty","Text":"more"}
		{"Time":"2026-01-01T00:00:05.000Z","Group":"bar","Role":"two words","Address":"3.5","Level":"WARNING","Text":"\u001b[31mred"}
	END
	diff <(jq -c 'select(.Event)' shown) <(sed 1d "$RUN/events.jsonl" | grep '^{' |
		cat <(echo '{"Format":1,"Time":"2026-01-01T00:00:00.000Z","Event":"Started"}') -)
}

# Files move on below the reader: what was written is shown once, and in its order.
@test "what comes is shown, over a cut" {
	tds-admin log -n 1 -f >out &
	local pid=$!
	soon() { for ((i = 0; i < 500; i++)); do ! grep -q "$1" out || return 0; sleep 0.02; done; cat out; return 1; }
	soon Stopping
	printf '2026-01-01T00:00:10.000Z g - - - a' >>"$RUN/actors.log"
	echo 'nd b' >>"$RUN/actors.log"
	soon 'and b'
	mv "$RUN/actors.log.1" "$RUN/actors.log.2"
	mv "$RUN/actors.log" "$RUN/actors.log.1"
	echo '2026-01-01T00:00:11.000Z g - - - c' >>"$RUN/actors.log.1"
	echo '2026-01-01T00:00:12.000Z g - - - d' >"$RUN/actors.log"
	soon ' d$'
	mv "$RUN/actors.log.1" "$RUN/actors.log.2"
	mv "$RUN/actors.log" "$RUN/actors.log.1"
	echo '2026-01-01T00:00:13.000Z g - - - e' >"$RUN/actors.log.new"
	mv "$RUN/actors.log.new" "$RUN/actors.log"
	soon ' e$'
	kill "$pid"
	wait "$pid" || true
	[ "$(sed 's/.* - - - //' out | tail -n +2 | tr '\n' ,)" = 'and b,c,d,e,' ]
}

@test "usage errors, and nothing there" {
	local hint="; see 'tds-admin --help'"
	expect 2 '' "tds-admin: --lines: not a number from 1 to 1000000: 0$hint" tds-admin log -n 0
	expect 2 '' "tds-admin: --since: neither a time nor one ago, as 10m: soon$hint" tds-admin log --since=soon
	expect 2 '' "tds-admin: --level: no such level: loud$hint" tds-admin log --level=loud
	expect 2 '' "tds-admin: log: wrong number of operands$hint" tds-admin log --role=r r
	expect 2 '' "tds-admin: history: wrong number of operands$hint" tds-admin history a b
	rm "$RUN"/*
	expect 4 '' "tds-admin: $RUN/events.jsonl: No such file or directory" tds-admin log
	rmdir "$RUN"
	refused 4 tds-admin history
}

# chain FILE: make the audit log's chain of the lines in these files anew, from the first on.
chain() {
	local line before=$1 file
	shift
	for file in "$@"; do
		while read -r line; do
			line="{\"Event\":\"$line\",\"Before\":\"$before\"}"
			before=$(printf '%s\n' "$line" | sha256sum | cut -d' ' -f1)
			printf '%s\n' "$line"
		done <"$file" >"$file.new"
		mv "$file.new" "$file"
	done
	head=$before
}

@test "the chain of the audit log goes over the cut" {
	cd "$RUN"
	printf '%s\n' a b >audit.log.3
	printf '%s\n' c d >audit.log.2
	echo e >audit.log.1
	echo f >audit.log
	chain '' audit.log.{3,2,1} audit.log
	expect 0 "$head" '' tds-admin log --audit
	# The oldest may go, the others may not.
	mv audit.log.3 ../
	expect 0 "$head" '' tds-admin log --audit
	mv ../audit.log.3 .
	mv audit.log.2 ../
	expect 1 '' "tds-admin: $RUN/audit.log.1:1:1: does not follow on the line before it" tds-admin log --audit
	mv ../audit.log.2 .
	sed -i s/c/x/ audit.log.2
	expect 1 '' "tds-admin: $RUN/audit.log.2:2:1: does not follow on the line before it" tds-admin log --audit
	printf cut >>audit.log
	sed -i s/x/c/ audit.log.2
	expect 1 '' "tds-admin: $RUN/audit.log:2:1: a line that is cut off" tds-admin log --audit
}

@test "a group of which nothing is known is no group" {
	local started='2026-01-01T00:00:00.000Z - Started
2026-01-01T00:00:09.000Z - Stopping, by signal 15'
	expect 4 '' 'tds-admin: food: no such group' tds-admin log --group=food
	echo '{}' >"$DIR/good.tli"
	expect 4 "$started" 'tds-admin: goo: no such group (did you mean "good"?)' tds-admin history goo
	tds-admin history -j goo | jq -es '.[-1] | .Status == 4 and .Subject == "goo"'
	expect 0 "$started" '' tds-admin history good
	expect 0 '' '' tds-admin log --group=good
	expect 0 '' '' tds-admin log --group=foo --level=critical # is no more declared, and was there
}
