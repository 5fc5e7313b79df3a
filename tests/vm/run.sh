#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Glass Box authors
# shellcheck disable=SC2154 # work, root, g and status come from lib.sh
# glassbox run, ls, ssh, pause, resume and stop on real guests.
. "$(dirname "$0")/lib.sh"

printf 'some input\n\001\377end' >"$work/input"
status=0
timeout -k 5 180 "$g" run tiny -- sh -c 'cat; echo to stderr >&2; exit 42' <"$work/input" >"$work/out" 2>"$work/err" || status=$?
[ "$status" = 42 ] && cmp -s "$work/input" "$work/out" && [ "$(cat "$work/err")" = 'to stderr' ]
report $? 'a command gets its input, its output comes back byte for byte, and so does its status'
gb run tiny -- no-such-command
[ "$status" = 127 ]
report $? 'a command that is not there: 127'
gb run tiny -- sh -c 'kill -9 $$'
[ "$status" = 137 ]
report $? 'a command that is killed: 128 + signal'
gb run tiny -- sh -c 'echo "$1:$2"' sh "it's" ' two  words'
[ "$(cat "$work/out")" = "it's: two  words" ]
report $? 'words arrive as they were given'
{
	"$g" run tiny -- yes 2>"$work/err" </dev/null
	echo $? >"$work/status"
} | head -n 2 >"$work/out"
[ "$(cat "$work/status")" = 141 ] && [ "$(cat "$work/out")" = "$(printf 'y\ny')" ]
report $? 'when nobody reads on, the command and the guest end as by SIGPIPE'
timeout -k 5 180 "$g" run tiny --name slow -- yes >"$work/fifo" 2>"$work/err" </dev/null &
run=$!
exec 4<"$work/fifo"
read -r line <&4
kill -INT "$(supervisor slow)"
ended
[ "$line" = y ] && [ "$status" = 130 ]
report $? 'a reader that stands still does not hold up Ctrl-C'
nothing_left
report $? 'nothing is left of them'

start tiny --name one --no-view
report $? 'a guest comes up in the foreground'
dir=$root/one
[ "$(stat -c %a "$dir")" = 700 ] && [ "$(stat -c %a "$dir/ram")" = 600 ] && [ "$(stat -c %s "$dir/ram")" = 67108864 ] &&
	[ "$(stat -c %a "$dir/ssh_key")" = 600 ]
report $? 'its RAM and keys are private'
[ "$(state one)" = running ] && [ "$(field one memory)" = 67108864 ] && "$g" ls --json | json_of /dev/stdin 'd["vms"][0]["boot_ms"] > 0'
report $? 'ls shows it'
gb ls
grep -q '^one  *running  *tiny ' "$work/out"
report $? 'ls shows it to people, too'
gb run tiny --name one
fails 1 "a guest named 'one' runs already" 'glassbox stop one'
report $? 'its name is taken'
gb ssh one -- sh -c '"id -un; exit 5"'
[ "$status" = 5 ] && [ "$(cat "$work/out")" = root ]
report $? 'ssh logs in as root and passes on the status'
gb ssh one -u alice -- id -un
[ "$status" = 0 ] && [ "$(cat "$work/out")" = alice ]
report $? 'ssh logs in as alice'
gb pause one
[ "$status" = 0 ] && [ "$(state one)" = paused ]
report $? 'pause'
gb pause one
[ "$status" = 0 ] && [ "$(state one)" = paused ]
report $? 'pausing twice is fine'
gb resume one
[ "$status" = 0 ] && [ "$(state one)" = running ]
report $? 'resume'
qemu=$(field one qemu_pid)
sockets=$(for fd in /proc/"$qemu"/fd/*; do readlink "$fd"; done | sed -n 's/^socket:\[\(.*\)\]$/\1/p' | tr '\n' ' ')
awk -v sockets=" $sockets" '$4 == "0A" && index(sockets, " " $10 " ") { print $2 }' /proc/net/tcp /proc/net/tcp6 >"$work/out"
[ "$(cut -d: -f1 "$work/out" | sort -u)" = 0100007F ]
report $? 'QEMU listens on no port but on 127.0.0.1'
grep -q '^Seccomp:[[:space:]]*2$' /proc/"$qemu"/status
report $? 'QEMU is in its sandbox'
kill -INT "$(supervisor one)"
ended
[ "$status" = 130 ] && gone "$qemu" && nothing_left
report $? 'Ctrl-C ends it with status 130 and leaves nothing'

start tiny --no-view
kill -TERM "$(supervisor tiny)"
ended
[ "$status" = 143 ] && nothing_left
report $? 'SIGTERM ends it with status 143 and leaves nothing'

gb run tiny --detach --name back --no-view
up=$status
[ "$up" = 0 ] && grep -q '^back is up' "$work/out" && grep -q 'glassbox stop back ends it' "$work/out" && [ "$(state back)" = running ]
report $? '--detach returns when the guest is up'
[ "$(ps -o sid= -p "$(supervisor back)" | tr -d ' ')" = "$(supervisor back)" ] && [ "$(readlink /proc/"$(supervisor back)"/fd/0)" = /dev/null ] &&
	[ "$(readlink /proc/"$(supervisor back)"/fd/1)" = /dev/null ] && [ "$(readlink /proc/"$(supervisor back)"/cwd)" = / ]
report $? 'and holds neither terminal nor directory'
seen=$(timeout -k 5 180 "$g" run tiny --detach --name piped --no-view 9>&1 2>"$work/err" </dev/null | cat)
case $seen in *'glassbox stop piped ends it'*) [ "$(state piped)" = running ] ;; *) false ;; esac
report $? 'and no descriptor of its caller: a pipe that it was given has an end'
gb stop piped
start tiny --no-view
[ -d "$root/tiny" ]
report $? 'a second guest runs beside it'
gb run tiny --dry-run
[ "$status" = 0 ] && grep -qF -- "-name guest=tiny-2," "$work/out" && grep -qF "mem-path=$root/tiny-2/ram,share=on" "$work/out" && [ ! -e "$root/tiny-2" ]
report $? '--dry-run knows the number that its name would get'
gb run tiny --dry-run --name tiny
fails 1 "a guest named 'tiny' runs already"
report $? '--dry-run fails where the run would'
gb run tiny --detach --no-view
[ "$status" = 0 ] && grep -q '^tiny-2 is up' "$work/out"
report $? 'a name that was not asked for is numbered'
gb stop tiny-2
second=$status
gb stop tiny
ended
[ "$second" = 0 ] && [ "$status" = 143 ]
report $? 'stop ends guests in the background and in the foreground'
gb stop back --json
[ "$status" = 0 ] && grep -q '"state":"stopped"' "$work/out" && nothing_left
report $? 'stop returns when nothing is left'
gb stop back
fails 3 "no guest named 'back' runs"
report $? 'what does not run cannot be stopped'

gb run tiny --detach --name kept -- sh -c 'echo done; exit 9'
[ "$status" = 9 ] && [ "$(cat "$work/out")" = 'done' ] && [ "$(state kept)" = running ]
report $? 'with --detach a guest outlives its command'
"$g" ssh kept -- poweroff >"$work/out" 2>"$work/err"
eventually nothing_left
report $? 'a guest that powers off is gone, with all that was its'

gb run tiny --machine microvm -- uname -s
[ "$status" = 0 ] && [ "$(cat "$work/out")" = Linux ]
report $? 'microvm'
gb run tiny --machine microvm --detach --name small --no-view
"$g" ssh small -- poweroff >"$work/out" 2>"$work/err"
eventually nothing_left
report $? 'a microvm that powers off is gone, too'
gb run tiny --machine pc --cpus 2 --mem 96M -- sh -c 'nproc; grep -c . /proc/self/maps >/dev/null'
[ "$status" = 0 ] && [ "$(cat "$work/out")" = 2 ]
report $? 'pc with two CPUs'
gb run tiny --mem 3G -- sh -c 'grep -c "System RAM" /proc/iomem; ls /sys/bus/pci >/dev/null'
[ "$status" = 0 ]
report $? 'RAM on both sides of the PCI hole'
gb run debian -- cat /proc/version
[ "$status" = 0 ] && grep -q Debian "$work/out"
report $? 'the debian guest'
gb run tiny --accel tcg --cpu max,la57=off --append 'glassbox.services=no word=1' -- cat /proc/cmdline
[ "$status" = 0 ] && grep -q 'word=1$' "$work/out"
report $? 'CPU model and kernel words of the user'

mkdir "$work/bin"
printf '#!/bin/sh\nprintf "%%s\\n" "$#" "$@" >"%s/opened"\n' "$work" >"$work/bin/xdg-open"
chmod +x "$work/bin/xdg-open"
(
	PATH=$work/bin:$PATH DISPLAY=:9 WAYLAND_DISPLAY='' "$g" run tiny --name shown --detach >"$work/out" 2>"$work/err" </dev/null
)
url=$(sed -n 's/^  page  *//p' "$work/out")
case $url in http://127.0.0.1:*/*/) [ "$(field shown url)" = "$url" ] ;; *) false ;; esac
report $? 'the page has an address, which ls knows'
grep -q '^  kernel  *Linux ' "$work/out" && grep -q '^  processes .*dropbear' "$work/out" && grep -q '^  Free ' "$work/out"
report $? 'the summary tells kernel, processes and owners'
curl -s "${url}api/hello" | grep -q '"vm":"shown"'
report $? 'the page is served'
eventually [ -s "$work/opened" ] && [ "$(cat "$work/opened")" = "1
$root/shown/page.html" ]
report $? 'and opened where there is a desktop; its address with the token is no argument'
[ "$(stat -c %a "$root/shown/page.html")" = 600 ] && grep -qF "http-equiv=\"refresh\" content=\"0; url=$url\"" "$root/shown/page.html" &&
	grep -qF "<a href=\"$url\">" "$root/shown/page.html"
report $? 'the file that is opened is private and leads on to the page'
port=${url#http://127.0.0.1:}
port=${port%%/*}
gb run tiny --port "$port" --name second
fails 1 "$port" && [ ! -e "$root/second" ]
report $? "the page's port in use"
timeout -k 5 60 curl -sN "${url}stream" >"$work/stream" &
viewer=$!
eventually [ -s "$work/stream" ]
kill -KILL "$(field shown qemu_pid)"
wait "$viewer"
grep -aqF 'the guest has stopped: QEMU was killed by signal 9 (Killed)' "$work/stream"
report $? 'viewers are told that QEMU was killed, and by what'
eventually nothing_left && ! curl -s "${url}api/hello" >"$work/out"
report $? 'the page ends with its guest'

gb run tiny --dry-run --name dry
[ "$status" = 0 ] && grep -q '^qemu-system-x86_64 .* -sandbox on,.*spawn=deny.* -nodefaults\|^qemu-system-x86_64 .*-nodefaults.*-sandbox on' "$work/out" &&
	grep -qF "mem-path=$root/dry/ram,share=on" "$work/out" && [ ! -e "$root/dry" ]
report $? '--dry-run prints the line and starts nothing'
disk=$(mktemp -d /var/tmp/glassbox-test.XXXXXX)
if [ "$(stat -f -c %T "$disk")" != tmpfs ]; then
	status=0
	XDG_RUNTIME_DIR=$disk "$g" run tiny --dry-run >"$work/out" 2>"$work/err" || status=$?
	[ "$status" = 0 ] && grep -Eq 'mem-path=/dev/shm/glassbox-ram-[0-9a-f]{16}/ram,share=on' "$work/out" && [ -z "$(ls "$disk")" ]
	report $? '--dry-run shows RAM that goes to /dev/shm'
	status=0
	(
		export XDG_CACHE_HOME="${XDG_CACHE_HOME:-$HOME/.cache}" HOME="$disk"
		unset XDG_RUNTIME_DIR XDG_STATE_HOME
		timeout -k 5 180 "$g" run tiny -- uname -s >"$work/out" 2>"$work/err" </dev/null
	) || status=$?
	[ "$status" = 0 ] && [ "$(cat "$work/out")" = Linux ] && [ -z "$(find "$disk" -type f)" ]
	report $? 'without a runtime directory a guest is registered below home'
else
	skip '--dry-run shows RAM that goes to /dev/shm' '/var/tmp is a tmpfs'
	skip 'without a runtime directory a guest is registered below home' '/var/tmp is a tmpfs'
fi
rm -rf "$disk"
nothing_left
report $? 'nothing is left at the end'
end_of_tests
