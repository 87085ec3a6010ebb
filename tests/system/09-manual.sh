#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Every example of the manual pages works as it is printed, and every name in
# the JSON is explained.
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"
# shellcheck source=tests/lab/manual.sh
. "$tools/manual.sh"

lab_network
mkdir -p /etc/sonm
awk '/^\.Ed/ { inside = 0 } /^gateway:/ { inside = 1 } inside' "$manual/sonm-gateway.yaml.5" >/etc/sonm/gateway.yaml
cat /etc/sonm/gateway.yaml

try sonm-gw-setup.8
sonm-gw-setup --apply >/run/setup
try sonm-gateway.yaml.5
try sonm-vs.8
try sonm-gwstat.8
try sonm-gateway-state.5

# document N: the Nth one that sonm-gateway-save.5 shows.
document()
{
	awk -v n="$1" '/^\.Ed/ { inside = 0 } /^version: / { inside = ++seen == n } inside' "$manual/sonm-gateway-save.5"
}

say "The documents are read, and written as they are shown"
document 1 >/tmp/whole
sonm-vs -R --dry-run /tmp/whole | tail -n +2 | cmp - /tmp/whole
document 2 >/tmp/least
sonm-vs -R --dry-run /tmp/least | grep '10.0.0.11:8080'

say "The JSON is explained"
sonm-vs -L -j | explained sonm-vs.8
sonm-vs -L --workers -j | explained sonm-vs.8
sonm-vs --set-worker hub --nat symmetric -j | explained sonm-vs.8
sonm-vs -S | sonm-vs -R -j | explained sonm-vs.8
sonm-vs --sync -j | explained sonm-vs.8
sonm-gw-setup --apply -j | explained sonm-gw-setup.8
sonm-gw-setup --explain -j | explained sonm-gw-setup.8
sonm-gwstat -j | explained sonm-gwstat.8
sonm-gwstat --rate -j | explained sonm-gwstat.8
sonm-gwstat --closed -j | explained sonm-gwstat.8
sonm-gwstat --format openmetrics | sed -n 's/^# TYPE \([^ ]*\).*/{"\1": 0}/p' | explained sonm-gwstat.8
sonm-gwstat --since -1h -j | explained sonm-gwstat.8

# A hub that used ipvsadm so far.
ipvsadm -C
rm "$state" "$state-journal"
modprobe ip_vs_rr
ipvsadm -A -t 198.51.100.1:33200 -s rr
ipvsadm -a -t 198.51.100.1:33200 -r 10.0.0.11:8080 -m -w 5
try sonm-gateway-save.5
check_equal "$(sonm-vs -L -j | jq -r '.routes[].container')" tcp:198.51.100.1:33200 "what was adopted"
