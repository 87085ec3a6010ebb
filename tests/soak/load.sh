#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# tests/system/load.sh with 1,000 containers, 64 callers and ten minutes, or what the environment says.

containers=${containers:-1000} callers=${callers:-64} span=${span:-600}
export containers callers span
exec "${tools:?}/../system/load.sh"
