#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# tests/system/07-kill.sh at every system call, or as many as every=N in the environment says.

export every="${every:-1}"
exec "${tools:?}/../system/07-kill.sh"
