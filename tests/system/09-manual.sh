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

say "The JSON is explained"
sonm-vs -L -j | explained sonm-vs.8
sonm-vs --sync -j | explained sonm-vs.8
sonm-gw-setup --apply -j | explained sonm-gw-setup.8
sonm-gwstat -j | explained sonm-gwstat.8
sonm-gwstat --rate -j | explained sonm-gwstat.8
sonm-gwstat --closed -j | explained sonm-gwstat.8
