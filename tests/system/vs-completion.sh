#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# What the shells offer for a line that is begun: commands, options, and what
# is in the state file; nothing, and without a word, to those who may not read it.
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"

completions=$tools/../../completions
helpers=/usr/share/bash-completion/bash_completion

# offers SHELL: for each line on standard input a line with the candidates for its last word, which may be empty.
# One shell for all of them: each takes long to start.
offers()
{
	case $1 in
	bash) offers_of_bash ;;
	fish)
		fish -c "source $completions/fish/sonm-vs.fish
			while read line
				echo (complete -C \$line | cut -f1 | sort)
			end"
		;;
	zsh) "$tools/zsh-offers" "$completions/zsh" ;;
	esac 2>&1
}

# In a bash of its own: what bash-completion defines is not for scenarios that stop at the first failure.
offers_of_bash()
{
	bash --norc -c '
		source "$1"; source "$2"
		while IFS= read -r line; do
			COMP_LINE=$line COMP_POINT=${#line} COMP_TYPE=9 COMP_KEY=9 COMPREPLY=()
			read -ra COMP_WORDS <<<"$line"
			[[ $line != *" " ]] || COMP_WORDS+=("")
			COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
			_sonm_gateway "${COMP_WORDS[0]}" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
			printf "%s\n" "${COMPREPLY[@]}" | sort | xargs
		done' bash $helpers "$completions/bash/sonm-vs"
}

# offered LINE CANDIDATES: by all shells, in offered_by_all.
offered()
{
	echo "$1" >>/run/lines
	echo "$1: $2" >>/run/wanted
}

offered_by_all()
{
	for shell in bash fish zsh; do
		offers $shell </run/lines >/run/offered
		paste -d '\n' /run/lines /run/offered | sed 'N; s/\n/: /' >/run/got
		diff /run/wanted /run/got || fail "$shell offers something else"
		echo "  $shell offers that for $(wc -l </run/lines) lines"
	done
}

mkdir -p /dev/pts
mount -t devpts -o ptmxmode=666 devpts /dev/pts
lab_network
lab_hub
sonm-vs -A web -t 80=10.0.0.11:8080 -u 80=10.0.0.11:8080
sonm-vs -A tiger -t 80=10.0.0.11:8080
sonm-vs --set-worker w1 --nat symmetric
sonm-vs --set-worker w2 --nat none --address 203.0.113.7
cd /lab && mkdir -p here && touch here/saved.yaml

say "Commands and options"
offered "sonm-vs set" "set-worker"
offered "sonm-vs --del" "--delete --delete-worker"
offered "sonm-gw-setup --ap" "--apply"
offered "sonm-gw-setup --pe" "--persist"

offered "sonm-gw-setup int" "interactive"
offered "sonm-gw-setup --explain net.ipv4.vs.exp" "net.ipv4.vs.expire_nodest_conn net.ipv4.vs.expire_quiescent_template"
offered "sonm-gw-setup explain snat ipv" "ipv4 ipv6"
offered "sonm-gw-setup --apply net" ""

say "Containers and workers, where they can stand"
offered "sonm-vs -D " "tiger web"
offered "sonm-vs -E w" "web"
offered "sonm-gwstat t" "tiger"
offered "sonm-vs -L --workers " "w1 w2"
offered "sonm-vs --set-worker w" "w1 w2"
offered "sonm-vs -A new --worker " "w1 w2"
offered "sonm-vs -S " ""

say "Other values"
offered "sonm-vs -A new -s wr" "wrr"
offered "sonm-vs --set-worker w1 --nat sy" "symmetric symmetric_udp_firewall"
offered "sonm-vs -A new --vip " ""
offered "sonm-gwstat --format j" "json"
offered "sonm-gwstat --sort outb" "outbps outbytes"
offered "sonm-gwstat --output here/s" "here/saved.yaml"
offered "sonm-gwstat --report here/s" "here/saved.yaml"
offered "sonm-gwstat --watch t" "tiger"
offered "sonm-gwstat --push " ""
offered "sonm-gwstat --since " ""
offered "sonm-vs -R here/s" "here/saved.yaml"
offered "sonm-vs --set-worker w1 --report here/s" "here/saved.yaml"

say "In each shell"
offered_by_all

say "To those who may not read the state file"
check_equal "$(setpriv --reuid 65534 --clear-groups sonm-vs --complete-values CONTAINER WORKER 2>&1)" "" "nothing"
check_equal "$(setpriv --reuid 65534 --clear-groups sonm-vs --complete-values TYPE 2>&1 | head -n 1)" "unknown" "types"
