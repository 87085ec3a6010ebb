#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Containers are published, used, edited and removed at random, over TCP and UDP,
# IPv4 and IPv6, several at once, many in mid-transfer; commands are killed at
# random moments; others flush the table and zero the counters, and the power is
# cut. Whatever was checkpointed, and all that moved since, is accounted for to the
# byte, route by route, as counting rules at the receivers saw it.
#
#   containers  (environment) how many (default: 100; tests/soak/exact.sh: more)
#   seed        (environment) plays it as it was played with that seed, which it prints
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"

part()
{
	lab_network
	count_ports client 20000-45999
	count_ports worker1 10000-10999
	count_ports worker2 10000-10999
	lab_hub
	python3 "$tools/exact.py" quiet /lab/exact "${seed-}" || fail "see above"
}

lab_boots part part
