#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The life of the Debian packages that 'make deb' has built: installed, run,
# upgraded in mid-download, removed, installed again, and purged.
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"

PATH=${PATH#"${builddir:?}:"}
before=/run/before now=/run/now

# The disk is forgotten anyway; the manual's index would take longer than all else; some images leave manuals out.
packages()
{
	dpkg --force-unsafe-io --no-triggers --path-include='/usr/share/*' "$@" >/run/dpkg 2>&1 || { cat /run/dpkg; fail "dpkg $*"; }
}

# upgraded PACKAGE: the same with a higher version.
upgraded()
{
	dpkg-deb -R "$builddir/deb/$1"_*.deb "/tmp/$1"
	sed -i 's/^Version: .*/&+later/' "/tmp/$1/DEBIAN/control"
	dpkg-deb -Znone -b "/tmp/$1" "/tmp/$1-later.deb" >/run/dpkg-deb
}

# files: what there is where an installation may leave something.
files()
{
	find /etc /lib/systemd/system /usr/bin /usr/sbin /usr/share/bash-completion /usr/share/fish /usr/share/man/man? \
		/usr/share/zsh /var/lib/sonm
	echo /usr/share/sonm* /usr/share/*/sonm*
}

routes()
{
	sonm-vs -L -j | jq -c '.routes[]'
}

version()
{
	dpkg-query -W -f '${Version}' "$1"
}

# is_served: the client gets it from the endpoint.
is_served()
{
	download "$web" | cmp - /tmp/content
}

# check_loaded PROGRAM LIBRARY FIELD PACKAGE: what the program loads is of a package that its own names.
check_loaded()
{
	grep -aq "$2" "$(command -v "$1")" || fail "$1 does not load $2"
	owner=$(sed -n "s|:.*/$2\$||p" /run/owners)
	dpkg-query -W -f "\${$3}" "$4" | sed 's/[,|]/\n/g' | tr -d ' ' | grep -qx "${owner%%:*}" || fail "$4 has no $3: $owner"
	echo "  $4 $3: $owner, for $2"
}

set -- "$builddir"/deb/sonm-*_*.deb
[ -e "$1" ] || fail "there are no packages in $builddir/deb; build them there: make deb"
files | sort >$before
kernel=$(lsmod | sort)

say "Installed: the programs are there, and nothing has happened"
packages -i "$builddir"/deb/sonm-gateway_*.deb "$builddir"/deb/sonm-stun_*.deb
for program in sonm-stun sonm-gw-setup sonm-vs sonm-gwstat; do
	case $(command -v $program) in
	/usr/bin/sonm-stun | /usr/sbin/sonm-*) ;;
	*) fail "$program is not where it should be" ;;
	esac
	check_equal "$($program --version)" "$program (sonm-gateway) $(version sonm-gateway | sed 's/-[^-]*$//')" "$program"
done
man -w sonm-stun sonm-gw-setup sonm-vs sonm-gwstat >/run/pages || fail "a manual page is missing"
check_equal "$(find /etc -newer $before -name '*sonm*')" "" "units that are enabled"
check_equal "$(find /var/lib/sonm -mindepth 1 ! -name lost+found)" "" "state"
check_equal "$(lsmod | sort)" "$kernel" "modules"
check_equal "$(grep -l /usr/local /lib/systemd/system/sonm-*)" "" "units that are for another place"
check_equal "$(zcat /usr/share/man/man?/sonm-* | grep /usr/local)" "" "manual pages that are for another place"
check_equal "$(dpkg --verify sonm-gateway sonm-stun)" "" "files that are not as delivered"
dpkg-query -S '*/libcurl.so.4' '*/libreadline.so.8' >/run/owners
check_loaded sonm-stun libcurl.so.4 Recommends sonm-stun
check_loaded sonm-gwstat libcurl.so.4 Suggests sonm-gateway
check_loaded sonm-vs libreadline.so.8 Recommends sonm-gateway

say "Each shell finds the completions, those of sonm-stun without the hub's"
cd /usr/share
check_equal "$(grep -l 'sonm-vs --complete-values' ./*/*completions*/*sonm-stun* | wc -l)" 3 "files that are whole"
bash -c '. bash-completion/bash_completion; for program; do __load_completion $program; complete -p $program; done' \
	bash sonm-stun sonm-gwstat
for program in sonm-stun sonm-gwstat; do
	check_equal "$(fish -c "complete -C '$program --vers'" | cut -f1)" --version "fish, $program"
done
check_equal "$(zsh -fc 'autoload compinit; compinit -D; print ${(o)_comps[(I)sonm-*]}')" \
	"sonm-gw-setup sonm-gwstat sonm-stun sonm-vs" "zsh"
check_equal "$(head -qn 1 zsh/vendor-completions/_sonm-* | tr ' ' '\n' | sort | uniq -d)" "#compdef" "in both of zsh's"
cd /

say "A hub begins to work"
lab_network
lab_hub
head -c 3000000 /dev/urandom >/tmp/content
serve worker1 /tmp/content 8080
web=$(publish web -t 80=10.0.0.11:8080)
is_served
if command -v systemctl >/dev/null; then
	systemctl enable sonm-gateway-checkpoint.timer
	find /etc/systemd -name 'sonm-*' >/run/enabled
	grep -q checkpoint.timer /run/enabled || fail "the timer cannot be enabled"
fi

say "Upgraded in mid-download: nobody notices"
upgraded sonm-gateway
upgraded sonm-stun
routes >/run/routes
slow_download /tmp/got "$web"
packages -i /tmp/sonm-gateway-later.deb /tmp/sonm-stun-later.deb
finish_download /tmp/got "$download"
cmp /tmp/got /tmp/content
case $(version sonm-gateway) in
*+later) ;;
*) fail "it is not the later version" ;;
esac
check_equal "$(routes)" "$(cat /run/routes)" "routes"
check_state_is_kernel
[ ! -e /run/enabled ] || check_equal "$(find /etc/systemd -name 'sonm-*')" "$(cat /run/enabled)" "what is enabled"
is_served

say "Removed: the last counts are saved, and the kernel goes on"
counters_settle
counted=$(counters_of_kernel)
packages -r sonm-gateway sonm-stun
[ ! -e /usr/sbin/sonm-vs ] || fail "it is still there"
is_served
check_equal "$(sqlite3 $state 'select base_outbytes + last_outbytes from route')" "${counted##* }" "bytes out, as the kernel counted them"

say "Installed again: it goes on"
packages -i /tmp/sonm-gateway-later.deb
check_equal "$(routes)" "$(cat /run/routes)" "routes"
check_state_is_kernel

say "Purged: the account stays, and it says so; nothing else does"
packages -P sonm-gateway sonm-stun
grep /var/lib/sonm /run/dpkg
check_equal "$(sqlite3 $state 'select container from route')" web "the account"
rm -rf /etc/sonm
files | sort >$now
check_equal "$(comm -13 $before $now)" "$(printf '%s\n' $state $state-journal)" "files that are left"
