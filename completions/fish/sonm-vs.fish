# fish completion for sonm-vs, sonm-gwstat, sonm-gw-setup and sonm-stun
# SPDX-License-Identifier: GPL-3.0-or-later
#
# What can be typed is asked from the programs themselves: commands and options
# with --complete-words, which value an option wants from --help, and the
# values from 'sonm-vs --complete-values', which names no container and no
# worker to those who may not read the state file, and from 'sonm-gw-setup
# --complete-steps'.

# __sonm_value PROGRAM OPTION: the name of the value that it wants, such as FILE.
function __sonm_value
    string match -qr -- '^-' $argv[2]
    or return
    $argv[1] --help 2>/dev/null | string replace -rf -- "^ +(?:-., )?$argv[2](?:, --[a-z-]+)? ([A-Z]+).*" '$1' | head -n 1
end

# __sonm_argument PROGRAM WORD...: the name of what stands on the line without an option.
function __sonm_argument
    switch $argv[1]
        case sonm-gwstat '*/sonm-gwstat'
            echo CONTAINER
        case sonm-gw-setup '*/sonm-gw-setup'
            if contains -- explain $argv[2..-1]; or contains -- --explain $argv[2..-1]
                echo STEP
            end
        case sonm-vs '*/sonm-vs'
            for word in $argv[2..-1]
                switch $word
                    case set-worker delete-worker --set-worker --delete-worker --workers
                        echo WORKER
                        return
                    case restore --restore -R
                        echo FILE
                        return
                    case save --save -S clear --clear -C sync --sync interactive --interactive -i
                        return
                end
            end
            echo CONTAINER
    end
end

# __sonm_values KIND TYPED...: the values of this kind.
function __sonm_values
    set -l typed $argv[2..-1]
    set -l config
    if set -l at (contains -i -- -c $typed; or contains -i -- --config $typed)
        set config -c $typed[(math $at + 1)]
    end
    switch $argv[1]
        case FILE
            __fish_complete_path (commandline -ct | string replace -r -- '^--[a-z-]+=' '')
        case STEP
            sonm-gw-setup --complete-steps $config 2>/dev/null
        case '?*'
            sonm-vs --complete-values $argv[1] $config 2>/dev/null
    end
end

function __sonm_words
    set -l typed (commandline -opc)
    set -l now (commandline -ct)
    set -l program $typed[1]
    set -l option (string match -r -- '^--[a-z-]+(?==)' $now)
    if test -n "$option"
        __sonm_values (__sonm_value $program $option) $typed | string replace -r -- '^' "$option="
        return
    end
    set -l kind (__sonm_value $program $typed[-1])
    if test -n "$kind"
        __sonm_values $kind $typed
        return
    end
    if string match -qr -- '^-' $now
        $program --complete-words 2>/dev/null | string match -r -- '^-.*'
        return
    end
    test (count $typed) -eq 1
    and $program --complete-words 2>/dev/null | string match -r -- '^[^-].*'
    __sonm_values (__sonm_argument $typed) $typed
end

for program in sonm-vs sonm-gwstat sonm-gw-setup sonm-stun
    complete -c $program -f
    complete -c $program -a '(__sonm_words)'
    complete -c $program -s c -l config -r -F
end
complete -c sonm-stun -l token-file -r -F
complete -c sonm-stun -l cacert -r -F
complete -c sonm-stun -s b -l bind -x -a '(__fish_print_interfaces)'
