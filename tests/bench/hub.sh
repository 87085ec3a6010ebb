#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# All measurements of the hub in one kernel, as one table; a ratio is ours
# divided by the peer's.
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"
# shellcheck source=tests/bench/bench.sh
. "$(dirname "$0")/bench.sh"

uname -srm
table_head
for part in counts calls crowd bulk; do
	"$(dirname "$0")/$part.sh"
done
