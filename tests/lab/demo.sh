#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The whole story, for people to watch: a container behind a NAT becomes
# reachable through the hub. Every command is shown before it is run, by whom,
# and nothing is made up: what follows it is what it printed.
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"
# shellcheck source=tests/lab/home.sh
. "$tools/home.sh"

tell()
{
	step=$*
	printf '\n# %s\n' "$*"
}

# types WHO PROMPT COMMAND-LINE
types()
{
	echo "$1$2 $3"
	on "$1" sh -c "$3"
}

hub()
{
	types hub '#' "$1"
}

# hub_prompt KEYS...: at sonm-vs's own prompt; see typist.py.
hub_prompt()
{
	echo 'hub# sonm-vs -i'
	printf '%s\n' "$@" | TERM=dumb INPUTRC=/dev/null python3 "$tools/typist.py" sonm-vs -i
}

client()
{
	types client '$' "$1"
}

worker1()
{
	types worker1 '$' "$1"
}

# What sonm-gw-setup may change, without our help.
cat >/usr/local/bin/kernel-state <<'END'
#!/bin/sh
lsmod | awk '/^(ip_vs|xt_ipvs)/ { print $1 }' | sort
sysctl -a 2>/dev/null | grep -E '^net\.(ipv4\.vs\.|ipv4\.ip_forward |ipv6\.conf\.all\.forwarding|ipv4\.ip_local_reserved_ports|netfilter\.nf_conntrack_max)'
iptables-legacy-save | grep '^-A'
ip6tables-legacy-save | grep '^-A'
ipvsadm -Sn
END
cat >/usr/local/bin/publish <<'END'
#!/bin/sh
# The hub's hook: a worker has started container $1 with port $2, which the
# hub reaches at $3.
exec sonm-vs -A "$1" -t "$2=$3"
END
chmod +x /usr/local/bin/*
lab_network
home
head -c 5000000 /dev/urandom >/tmp/content
cd /tmp

tell "The hub has a public address. The worker has only a private one, and no" \
	"way back to the client."
hub 'ip -brief address show up scope global'
worker1 'ip -brief address show up scope global'
worker1 'ip route get 198.51.100.2 || true'

tell "What stands before it? The worker asks a STUN server, through its home's router," \
	"and learns that it needs the hub."
worker1 'sonm-stun -s 203.0.113.10'

tell "The hub is told its addresses; its kernel is still as delivered."
lab_configure
hub 'cat /etc/sonm/gateway.yaml'
hub 'ipvsadm -Ln'
hub 'kernel-state >before'
hub 'sonm-gw-setup --check || echo "exit status $?: there is a difference"'

tell "Do not trust us: what is that for, and who else says so?"
hub 'sonm-gw-setup --explain net.ipv4.vs.conntrack'

tell "Its kernel is prepared, once."
hub 'sonm-gw-setup --apply'
hub 'sonm-gw-setup --check >/dev/null && echo "as it should be"'

tell "The worker starts a container; its port 10053 is at 10.0.0.11:32801."
echo "worker1$ python3 peer.py serve content 32801 &"
serve worker1 /tmp/content 32801
worker1 'sha256sum content'

tell "The hub publishes it."
hub 'cat /usr/local/bin/publish'
hub 'publish 755fe2a8 10053 10.0.0.11:32801 | tee published'
hub 'ipvsadm -Ln'
endpoint=$(sed 's/.*->\(.*\)]/\1/' published)

tell "A client, anywhere, downloads from it. Its own firewall counts what it gets."
count client tcp "${endpoint##*:}"
client "curl -sS -o got http://$endpoint/"
client 'sha256sum got'
cmp content got

tell "What went through, as the hub's kernel counted it: it takes a snapshot every two seconds."
counters_settle
hub 'sonm-gwstat'
hub 'ipvsadm -Ln --stats --exact'

tell "The admin lists and edits it at a prompt, where TAB completes: 'ed', TAB, '7', TAB, '--w' ..."
hub_prompt 'see sonm-vs>\x20' 'type ed\t7\t--w\t50\r' 'see [10053' \
	'see sonm-vs>\x20' 'type li\t\r' 'see 50' 'see sonm-vs>\x20' 'type quit\r' 'end 0'

tell "It downloads again, and right after that the container ends. The traffic stops" \
	"at once; the account is closed when all is counted."
client "curl -sS -o got http://$endpoint/"
hub 'sonm-vs -D 755fe2a8 --wait'
hub 'ipvsadm -Ln'

tell "The final account, and what the client's firewall counted: the same, to the byte."
hub 'sonm-gwstat --closed'
client "iptables-legacy -nvxL INPUT | grep -w 'pkts\|spt:${endpoint##*:}'"
client "iptables-legacy -nvxL OUTPUT | grep -w 'pkts\|dpt:${endpoint##*:}'"
[ "$(ledger outbytes 755fe2a8)" -eq "$(counted client spt "${endpoint##*:}")" ]
[ "$(ledger inbytes 755fe2a8)" -eq "$(counted client dpt "${endpoint##*:}")" ]

tell "Nobody is there any more."
client "! curl -sS http://$endpoint/"

tell "The kernel is put back as it was."
hub 'sonm-gw-setup --undo'
hub 'kernel-state >after'
hub 'diff before after && echo "no difference"'
