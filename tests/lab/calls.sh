#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# calls.sh kill|fail...: what calls.py does, on a machine whose kernel has no IPVS,
# and fast. For tests/lab/here.
#
#   every=N  (environment) only at every Nth moment (default: at all)

set -eu
: "${tools:?}" "${builddir:?}"
ip addr add 198.51.100.1/24 dev lo
ip addr add 10.0.0.1/24 dev lo
sysctl -qw net.ipv4.ip_forward=1
mkdir -p /etc/sonm
cat >/etc/sonm/gateway.yaml <<'END'
gateway:
  addresses: [198.51.100.1]
  ports: [32768, 32799]
  quarantine: 0
END
export ipvs_answers="$builddir/tests/lab/ipvs_answers" ipvs_asks="$builddir/tests/lab/ipvs_asks.so"
exec python3 "$tools/calls.py" "$@"
