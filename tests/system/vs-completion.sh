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

# offers SHELL LINE: the candidates for its last word, which may be empty, in one line.
offers()
{
	case $1 in
	bash) offers_of_bash "$2" ;;
	fish) fish -c "source $completions/fish/sonm-vs.fish; complete -C '$2'" | cut -f1 ;;
	esac 2>&1 | sort | xargs
}

# In a bash of its own: what bash-completion defines is not for scenarios that stop at the first failure.
offers_of_bash()
{
	bash --norc -c '
		source "$1"; source "$2"
		COMP_LINE=$3 COMP_POINT=${#3} COMP_TYPE=9 COMP_KEY=9
		read -ra COMP_WORDS <<<"$3"
		[[ $3 != *" " ]] || COMP_WORDS+=("")
		COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
		_sonm_gateway "${COMP_WORDS[0]}" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
		printf "%s\n" "${COMPREPLY[@]}"' bash $helpers "$completions/bash/sonm-vs" "$1"
}

# offered LINE CANDIDATES: by bash and fish now, by zsh in offered_by_zsh, as it takes long to start.
offered()
{
	for shell in bash fish; do
		check_equal "$(offers "$shell" "$1")" "$2" "$shell: $1"
	done
	echo "$1" >>/run/lines
	echo "$1: $2" >>/run/wanted
}

offered_by_zsh()
{
	"$tools/zsh-offers" "$completions/zsh" </run/lines >/run/offered
	paste -d '\n' /run/lines /run/offered | sed 'N; s/\n/: /' >/run/got
	check_equal "$(cat /run/got)" "$(cat /run/wanted)" "zsh offers the same for $(wc -l </run/lines) lines"
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

say "In zsh"
offered_by_zsh

say "To those who may not read the state file"
check_equal "$(setpriv --reuid 65534 --clear-groups sonm-vs --complete-values CONTAINER WORKER 2>&1)" "" "nothing"
check_equal "$(setpriv --reuid 65534 --clear-groups sonm-vs --complete-values TYPE 2>&1 | head -n 1)" "unknown" "types"
