#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Traffic flows while others flush the table and zero the counters, and while the
# power is cut. The account never says more than counting rules at the receivers
# saw, and where it says less it says that it may.
#
#   seed  (environment) plays it as it was played with that seed, which it prints
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
	python3 "$tools/exact.py" busy /lab/exact "${seed-}" || fail "see above"
}

lab_boots part part
