#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# tests/system/power-cuts.sh with 100 cuts, or as many as cuts=N in the environment says.

cuts=${cuts:-100}
export cuts
exec "${tools:?}/../system/power-cuts.sh"
