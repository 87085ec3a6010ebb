#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# STUN servers that are down, lie, are half broken or hostile: sonm-stun says
# what it knows, asks the next one, and never takes a NAT for more open than it is.
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"
# shellcheck source=tests/lab/nat.sh
. "$tools/nat.sh"

# trick TRICK NAT FILTERING ADDRESS [REASON]: what is found with that server, alone.
trick()
{
	nat_trickster $third4 $third4_other "$1"
	nat_count
	discover -s $third4
	check_equal "$(found nat filtering address) $(reasons)" "$2 $3 $4 ${5-}" "$1"
	check_sent
}

check_sent()
{
	sent=$(found 'servers[0].sent')
	[ "$sent" -eq "$(nat_counted $third4)" ] || fail "says that it sent $sent datagrams, not $(nat_counted $third4)"
	[ "$sent" -le 40 ] || fail "more than 40 datagrams: $sent"
}

# trick_fails TRICK PATTERN
trick_fails()
{
	nat_trickster $third4 $third4_other "$1"
	expect_error 1 "$2" on client sonm-stun -s $third4
}

# servers: who was asked, and to what it led.
servers()
{
	found 'servers|map("\(.address) \(.nat)")|sort|join(", ")'
}

reasons()
{
	found 'reasons|map(.reason)|join(",")'
}

nat_network
nat_class port_restricted
dependent=address_and_port_dependent

say "Servers that are a little odd"
for trick in honest slow=400 need-change xor-only mapped-only unknown=c001; do
	trick $trick port_restricted $dependent $gateway4
done
trick rewritten port_restricted $dependent $gateway4 rewritten

say "Servers that can only tell the address"
trick no-other unknown unknown $gateway4 no_other_address
trick refuse-change unknown unknown $gateway4 change_request_refused
trick half-silent unknown $dependent $gateway4 other_address_silent
for other in $third4:3479 $third4_other:3478 10.1.1.1:3479 127.0.0.1:3479 0.0.0.0:3479 '[2001:db8:1::31]:3479'; do
	trick "other=$other" unknown unknown $gateway4 bad_other_address
done

say "One that answers from where it was asked: that is not an open NAT, nor none"
trick ignore-change unknown unknown $gateway4 change_request_ignored
nat_class open
trick ignore-change unknown unknown $client4_public change_request_ignored
nat_class port_restricted

say "One that lies"
trick lie=10.8.8.8:80 port_restricted $dependent 10.8.8.8 private_address
nat_trickster $third4 $third4_other random
discover -s $third4
check_equal "$(found nat mapping)" "unknown unknown" "random"
reasons | grep -q unstable_address || fail "$(reasons)"
trick_fails 'lie=[2001:db8::1]:80' 'of no use'

say "One that answers with an error"
trick_fails error=300 'error 300'
trick_fails error=401 'error 401'
trick_fails error=500 'error 500'

say "Nothing that counts as an answer"
trick silent blocked unknown null tcp_refused
[ "$(found took_ms)" -ge 2900 ] || fail "a reset, which may be a firewall's, ends the wait: $(found took_ms) ms"
trick_fails forge 'of no use'
trick_fails lie=127.0.0.1:80 'of no use'
trick_fails unknown=7777 'of no use'

say "Ten thousand datagrams for each request"
nat_trickster $third4 $third4_other flood=10000
nat_count
discover -s $third4 -t 10
check_sent
case $(found nat) in
port_restricted | unknown) found nat took_ms ;;
*) fail "a wrong verdict: $(found nat)" ;;
esac

say "The next server is asked where one is down, silent or cannot tell"
nat_trickster $second4 $second4_other honest
for trick in silent error=500 no-other; do
	nat_trickster $third4 $third4_other $trick
	discover -s $third4 -s $second4
	check_equal "$(found nat filtering address)" "port_restricted $dependent $gateway4" "after $trick"
done
discover -s $server4 -s $second4 # nobody is there
check_equal "$(found nat address)" "port_restricted $gateway4" "after one that is down"
expect_error 1 "$server4" on client sonm-stun -s $server4

say "Two servers see different addresses: a third decides"
nat_coturn $server4 $server4_other
nat_trickster $third4 $third4_other lie=198.51.100.99:77
discover -s $third4 -s $server4 -s $second4
check_equal "$(found nat address)" "port_restricted $gateway4" "the majority"
check_equal "$(servers)" "$server4 port_restricted, $second4 port_restricted, $third4 port_restricted" "asked"
check_equal "$(reasons)" servers_disagree "reasons"

say "Who looks needs no privilege at all"
install -m 755 "$builddir/sonm-stun" /usr/local/bin
on client setpriv --reuid 992 --regid 992 --clear-groups --inh-caps=-all --bounding-set=-all --no-new-privs \
	/usr/local/bin/sonm-stun -j -s $server4 >/run/found || fail "exit status $? of sonm-stun without privileges"
check_equal "$(found nat address)" "port_restricted $gateway4" "what is found without privileges"
