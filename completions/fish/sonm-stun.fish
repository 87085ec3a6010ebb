# fish loads the file with the program's name.
# SPDX-License-Identifier: GPL-3.0-or-later
source (status dirname)/sonm-vs.fish
