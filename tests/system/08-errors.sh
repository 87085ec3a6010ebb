#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# What cannot be done is refused in one line that says why, with the exit
# status that the manual promises, and changes nothing.
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"

everything()
{
	ipvsadm -Sn
	sqlite3 "$state" .dump | grep -v sqlite_sequence
}

# refused STATUS PATTERN COMMAND...
refused()
{
	before=$(everything)
	expect_error "$@"
	[ "$(everything)" = "$before" ] || fail "something changed: $*"
}

real=10.0.0.11:8080
lab_network
lab_configure

say "A kernel without IPVS"
echo /bin/false >/proc/sys/kernel/modprobe
expect_error 8 'sonm-gw-setup --apply' sonm-vs -A web -t 80=$real
expect_error 8 'sonm-gw-setup --apply' sonm-gwstat
expect_error 8 'sonm-gw-setup --apply' sonm-vs --sync --dry-run -j
check_equal "$(sqlite3 "$state" 'select count(*) from route')" 0 "routes in the state file"
echo /sbin/modprobe >/proc/sys/kernel/modprobe
lab_hub 'ports: [32768, 32770]'

say "Somebody who is not root"
chmod 755 /run
refused 7 'root' setpriv --reuid 65534 --clear-groups sonm-vs -A web -t 80=$real
refused 7 'root' setpriv --reuid 65534 --clear-groups sonm-gwstat

say "Usage"
refused 2 '70000' sonm-vs -A web -t 70000=$real
refused 2 '10\.0\.0' sonm-vs -A web -t 80=10.0.0
refused 2 'sonm-vs --help' sonm-vs --frobnicate
refused 2 'a/b' sonm-vs -A a/b -t 80=$real
refused 2 'frobnicate' sonm-vs -A web -t 80=$real -s frobnicate

say "Usage is looked at before anything else"
refused 2 'no port to publish' setpriv --reuid 65534 --clear-groups sonm-vs -A web
refused 2 '80=ADDRESS:PORT' setpriv --reuid 65534 --clear-groups sonm-vs -A web -t 80
refused 2 'no field' setpriv --reuid 65534 --clear-groups sonm-gwstat --sort byte
refused 2 'whole number' setpriv --reuid 65534 --clear-groups sonm-gwstat --top 0

say "Who is used to other programs is told where to look"
refused 2 "run 'sonm-gwstat'" sonm-vs -Ln --stats
refused 2 "run 'sonm-gwstat --rate'" sonm-vs -L --rate
refused 2 'did you mean --help' sonm-vs help
refused 3 'did you mean --checkpoint' sonm-gwstat checkpoint
refused 2 'sonm-stun -s stun.example.net' sonm-stun stun.example.net
sonm-vs delete --help | grep -q -- '--drain' || fail "no help for one command"
sonm-vs delete --help | grep -q -- '--vport' && fail "more help than that of one command"

say "Addresses"
refused 2 '203\.0\.113\.1' sonm-vs -A web -t 80=$real --vip 203.0.113.1
refused 2 'IPv4.*IPv6' sonm-vs -A web -t "80=[fd00::11]:8080" --vip $public4
refused 2 'IPv6.*IPv4' sonm-vs -A web -t 80=$real --vip $public6

say "A local program listens at a port"
python3 "$tools/peer.py" serve /dev/null 32769 &
wait_for 20 lab_listens hub 32769
refused 4 '32769' sonm-vs -A web -t 80=$real --vport 32769
expect 0 sonm-vs -A web1 -t 80=$real
expect 0 sonm-vs -A web2 -t 80=$real

say "A full pool"
refused 5 'pool|no port' sonm-vs -A web3 -t 80=$real
refused 5 'pool|no port' sonm-vs -A web3 -u 80=$real -u 81=$real -u 82=$real

say "Conflicts"
refused 4 'web1' sonm-vs -A web1 -t 80=10.0.0.12:8080
taken=$(sqlite3 "$state" "select port from route where container = 'web2'")
refused 4 "$taken.*web2" sonm-vs -A web3 -t 80=$real --vport "$taken"
refused 2 'vport' sonm-vs -A web3 -t 80=$real -t 81=$real --vport 32768

say "Unknown containers"
refused 3 'nobody' sonm-vs -D nobody
refused 3 'nobody' sonm-vs -L nobody
refused 3 'nobody' sonm-gwstat nobody
refused 3 'web1.*99' sonm-vs -D web1 -t 99

say "A bad configuration"
cat >/tmp/bad.yaml <<'END'
gateway:
  ports: [32768, 32770]
  quarantaine: 5
END
refused 2 '/tmp/bad\.yaml:3:3: .*quarantaine' sonm-vs -c /tmp/bad.yaml -L
refused 2 '/tmp/bad\.yaml:3:3: .*quarantaine' sonm-gwstat -c /tmp/bad.yaml
refused 2 '/tmp/bad\.yaml:3:3: .*quarantaine' sonm-gw-setup -c /tmp/bad.yaml --apply
printf 'gateway:\n  ports: [9, x]\n' >/tmp/bad.yaml
refused 2 '/tmp/bad\.yaml:2:14: ' sonm-vs -c /tmp/bad.yaml -L
printf 'gatewya:\n  ports: [32768, 32770]\n' >/tmp/bad.yaml
refused 2 '/tmp/bad\.yaml:1:1: .*gateway' sonm-vs -c /tmp/bad.yaml -A web -t 80=$real
refused 2 '/tmp/bad\.yaml:1:1: .*gateway' sonm-gw-setup -c /tmp/bad.yaml
printf 'gateway: [\n' >/tmp/bad.yaml
refused 2 '/tmp/bad\.yaml:[0-9]+:[0-9]+: ' sonm-vs -c /tmp/bad.yaml -L
expect_error 2 '/tmp/none\.yaml' sonm-vs -c /tmp/none.yaml -L

say "A FIFO, to which nobody may ever write, is waited for by nobody"
mkfifo /tmp/fifo
for program in 'sonm-vs -L' sonm-gwstat 'sonm-gw-setup --check' sonm-stun; do
	# shellcheck disable=SC2086 # words
	refused 2 '/tmp/fifo is a FIFO.*name a readable' timeout 20 $program -c /tmp/fifo
done
refused 2 "/tmp/fifo is a FIFO.*into '-'" timeout 20 sonm-vs -R /tmp/fifo
refused 2 "/tmp/fifo is a FIFO.*into '-'" timeout 20 sonm-vs --set-worker w --report /tmp/fifo
refused 2 'Is a directory' sonm-vs -R /tmp
# shellcheck disable=SC2016 # another shell's
expect 0 bash -c 'sonm-vs -R <(sleep 0.2; sonm-vs -S) && sonm-vs -L -c <(sleep 0.2; cat /etc/sonm/gateway.yaml)'
sonm-vs -S | expect 0 sonm-vs -R -
sonm-vs -S | expect 0 sonm-vs -R /proc/self/fd/0

say "A state file that is not for us"
version=$(sqlite3 "$state" 'pragma user_version')
sqlite3 "$state" 'pragma user_version = 99'
refused 2 'gateway\.db.*99|newer' sonm-vs -A web3 -u 80=$real
refused 2 'gateway\.db.*99|newer' sonm-gwstat
refused 2 'gateway\.db.*99|newer' sonm-gw-setup --undo
sqlite3 "$state" "pragma user_version = $version"
chmod 666 "$state"
refused 2 'gateway\.db' sonm-vs -A web3 -u 80=$real
chmod 600 "$state"
yes | head -c 100000 >/tmp/damaged.db
printf 'gateway: {state: /tmp/damaged.db, addresses: [%s]}\n' $public4 >/tmp/damaged.yaml
sum=$(sha256 /tmp/damaged.db)
chmod 700 /tmp
refused 1 '/tmp/damaged\.db' sonm-vs -c /tmp/damaged.yaml -A web3 -u 80=$real
check_equal "$(sha256 /tmp/damaged.db)" "$sum" "the damaged file is as it was"

say "And what was there still works"
expect 0 sonm-vs -A web1 -t 80=$real
