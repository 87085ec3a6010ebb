# fish completion for sonm-vs, sonm-gwstat, sonm-gw-setup and sonm-stun
# SPDX-License-Identifier: GPL-3.0-or-later
#
# What can be typed is asked from the program itself: its commands and options
# with --complete-words, which options want a value from --help, the
# containers from 'sonm-vs -L', which says nothing to those who may not read
# the state file.

function __sonm_words
    set -l typed (commandline -opc)
    set -l program $typed[1]
    string match -qr -- '^-' $typed[-1]
    and $program --help 2>/dev/null | string match -qr -- "^ +(-., )?$typed[-1](, --[a-z-]+)? [A-Z]"
    and return
    if string match -qr -- '^-' (commandline -ct)
        $program --complete-words 2>/dev/null | string match -r -- '^-.*'
        return
    end
    test (count $typed) -eq 1
    and $program --complete-words 2>/dev/null | string match -r -- '^[^-].*'
    string match -qr -- '(sonm-vs|sonm-gwstat)$' $program
    or return
    set -l config
    if set -l at (contains -i -- -c $typed; or contains -i -- --config $typed)
        set config -c $typed[(math $at + 1)]
    end
    sonm-vs -L $config 2>/dev/null | awk 'NR > 1 && !seen[$1]++ { print $1 }'
end

for program in sonm-vs sonm-gwstat sonm-gw-setup sonm-stun
    complete -c $program -f
    complete -c $program -a '(__sonm_words)'
    complete -c $program -s c -l config -r -F
end
complete -c sonm-stun -l token-file -r -F
complete -c sonm-stun -l cacert -r -F
complete -c sonm-stun -s b -l bind -x -a '(__fish_print_interfaces)'
