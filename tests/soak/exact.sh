#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# tests/system/gwstat-exact.sh with 200 containers, as many as have ports there, or what the
# environment says.

export containers="${containers:-200}"
exec "${tools:?}/../system/gwstat-exact.sh"
