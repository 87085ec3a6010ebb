#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# make install DESTDIR= puts everything that comes with the programs where it is
# looked for, and nothing else; make uninstall leaves nothing of it.
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"

root=/tmp/root

# The files below the prefix, as the sources have them: none can be forgotten in the Makefile.
wanted()
{
	cd "$tools/../.."
	printf '%s\n' bin/sonm-stun sbin/sonm-gw-setup sbin/sonm-gwstat sbin/sonm-vs
	for page in man/*; do
		echo "share/man/man${page##*.}/${page##*/}"
	done
	below share/doc/sonm-gateway README ChangeLog
	below share/bash-completion/completions completions/bash/*
	below share/fish/vendor_completions.d completions/fish/*
	below share/zsh/site-functions completions/zsh/*
	below share/sonm-gateway/grafana contrib/grafana/*
	for unit in contrib/systemd/*; do
		below share/sonm-gateway/systemd "${unit%.in}"
	done
}

# below DIR FILE...
below()
{
	dir=$1
	shift
	for file; do
		echo "$dir/${file##*/}"
	done
}

make_there()
{
	make -s -C "${builddir:?}" "$1" DESTDIR=$root >/run/make
}

installed()
{
	(cd "$prefix" && find . ! -type d | sed 's|^\./||' | sort)
}

say "Everything is installed, nothing else"
make_there install
prefix=$(dirname "$(find $root -path '*/bin/sonm-stun' -printf '%h\n')")
check_equal "$(installed)" "$(wanted | sort)" "$(wanted | wc -l) files"
check_equal "$(find $root -type f ! -path '*bin/*' -perm /111)" "" "programs among what is read"
check_equal "$(find $root ! -perm -444)" "" "what not everybody may read"
check_equal "$(grep -lE '@[a-z]+@' "$prefix"/share/sonm-gateway/systemd/*)" "" "units that lack something"
for program in "$prefix"/*bin/*; do
	"$program" --version
done

say "Nothing is left of it, and what is others' stays"
touch "$prefix/share/man/man8/other.8"
make_there uninstall
check_equal "$(installed)" "share/man/man8/other.8" "files"
check_equal "$(find $root -name '*sonm*')" "" "directories of ours"
