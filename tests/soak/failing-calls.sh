#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Each system call of the commands that change something, or show it, fails, in every way in which
# it can: on a real kernel, what tests/lab/calls.sh does with a stand-in.
#
#   every=N  (environment) only every Nth of these (default: all)
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"

mount -t tmpfs -o mode=700 tmpfs /var/lib/sonm # no power is cut here: it need not be a disk
lab_network
lab_hub 'ports: [32768, 32799]' 'quarantine: 0'
say "Calls fail while it adds, edits, removes, restores, syncs, takes a checkpoint, and reads"
python3 "$tools/calls.py" fail
