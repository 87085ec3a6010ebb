#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Every command in README works as it is printed, in that order, with the
# configuration that is printed; and so does the hub's script.
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"
# shellcheck source=tests/lab/home.sh
. "$tools/home.sh"
# shellcheck source=tests/lab/hub.sh
. "$tools/hub.sh"

# section TITLE: its lines.
section()
{
	awk -v title="$1" '/^---+$/ { inside = before == title } inside { print } { before = $0 }' \
		"$tools/../../README"
}

# block KEY: of the lines on stdin, the example that begins with this key.
block()
{
	awk -v key="  $1" 'index($0, key) == 1 { inside = 1 } /^ *$/ { inside = 0 } inside { print substr($0, 3) }'
}

# commands: of the lines on stdin, those with a prompt, or which begin with one of our programs.
commands()
{
	grep -E '^  ([#$] |sonm-[a-z-]+ )' | sed -E 's/^  ([#$] )?//'
}

# promised COMMAND-LINE: its exit status, as the text says.
promised()
{
	case $1 in
	'sonm-gw-setup --check') echo 6 ;;
	*) echo 0 ;;
	esac
}

# What has to be there before this command.
prepare()
{
	case $1 in
	*'< commands') echo 'list' >commands ;;
	'ipvsadm -Sn | '*) # over UDP, for which README has not had a port chosen: none is in quarantine
		ipvsadm -A -u 198.51.100.1:33100 -s rr
		ipvsadm -a -u 198.51.100.1:33100 -r 10.0.0.11:8080 -m
		;;
	*node_exporter*) mkdir -p /var/lib/node_exporter ;;
	sonm-gw-setup\ --undo) sonm-vs -C --yes --wait ;;
	esac
}

# play WHERE: the command lines on stdin.
play()
{
	while read -r line; do
		prepare "$line" >/dev/null
		echo "  $1: $line"
		status=0
		"$1" "$line" </dev/null >/run/output || status=$?
		cat /run/output
		[ $status -eq "$(promised "$line")" ] || fail "exit status $status: $line"
	done
}

hub()
{
	case $1 in
	*--interactive) # somebody at a terminal, who has nothing against it
		printf '%s\n' 'see help?' 'type all\r' 'end 0' |
			TERM=xterm python3 "$tools/typist.py" sh -c "$1"
		;;
	*) container=web sh -c "$1" ;;
	esac
}

# It has another configuration than the hub, under the same name.
# shellcheck disable=SC2016 # $1 is for the inner shell
worker()
{
	unshare -m sh -c 'mount --bind /run/worker.yaml /etc/sonm/gateway.yaml && exec ip netns exec worker1 sh -c "$1"' sh "$1"
}

lab_network
home
mkdir -p /etc/sonm /run/here
cd /run/here
printf '%s\n' "203.0.113.10 stun.example.net" "10.0.0.1 hub.example" >>/etc/hosts
certify hub.example
cat /run/hub.example.pem >>/etc/ssl/certs/ca-certificates.crt
(umask 077 && echo a-secret-token >/etc/sonm/token)
python3 "$tools/hub.py" 8443 /run/here/report.json --cert /run/hub.example.pem --key /run/hub.example.key \
	--token a-secret-token &
wait_for 20 curl -sS -o /dev/null https://hub.example:8443/
section "On a worker" | block firewall: >/run/worker.yaml
section "On a real hub" | block gateway: >/etc/sonm/gateway.yaml
cat /run/worker.yaml /etc/sonm/gateway.yaml

say "On a worker"
section "On a worker" | commands >/run/lines
[ "$(wc -l </run/lines)" -eq 2 ] || fail "README has lost the worker's commands"
play worker </run/lines
check_equal "$(jq -r .nat report.json)" port_restricted "what the hub was told"

say "On a real hub"
section "On a real hub" | commands >/run/lines
[ "$(wc -l </run/lines)" -ge 18 ] || fail "README has lost the hub's commands"
play hub </run/lines
[ -s traffic.html ] && [ -s routes.yaml ] || fail "files are missing"

say "How a hub integrates"
sonm-gw-setup --apply >/run/output
serve worker1 /etc/hostname 32801
section "How a hub integrates" | awk '/^  #!/ { inside = 1 } inside { print substr($0, 3) } /jq/ { inside = 0 }' >publish
cat publish
chmod +x publish
./publish web 10053=10.0.0.11:32801 10054=10.0.0.11:32801 | tee published
check_equal "$(wc -l <published)" 2 "endpoints"
while read -r _ address port; do
	check_equal "$(download "$address:$port")" "$(cat /etc/hostname)" "what a client gets"
done <published
expect 4 ./publish web 10053=10.0.0.12:32801
section "How a hub integrates" | awk '/^  #!/ { inside = 1 } !inside { print } /jq/ { inside = 0 }' | commands >/run/lines
[ "$(wc -l </run/lines)" -ge 3 ] || fail "README has lost the integrator's commands"
play hub </run/lines

say "In the table from the old guide"
section "From the old guide to these programs" >/run/table
for line in 'sonm-vs -A 755fe2a8' 'sonm-vs -L' 'sonm-gwstat' 'sonm-gwstat --rate' 'sonm-vs -D 755fe2a8' \
	'sonm-vs --sync'; do
	grep -qF "$line" /run/table || fail "the table has no '$line'"
	case $line in
	*-A*) line="$line -t 10053=10.0.0.11:32801" ;; # on a line of its own
	esac
	echo "$line" | play hub
done
