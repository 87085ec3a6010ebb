# shellcheck shell=sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# cache.sh: keeps kernels that were fetched; qemu and uml-trixie source it.

cache=${cache:-${XDG_CACHE_HOME:-$HOME/.cache}/sonm-gateway}
mkdir -p "$cache"

# cached NAME FUNCTION: sets kernel_dir, the directory of that name in the cache. If there is none,
# the function, which is run in an empty one, makes it: whole or not at all, whoever else does the same.
cached()
{
	kernel_dir=$cache/$1
	[ ! -e "$kernel_dir" ] || return 0
	echo "${0##*/}: fetching $1 into $cache"
	new=$(mktemp -d "$kernel_dir.XXXXXX.new")
	if ! (cd "$new" && "$2"); then
		rm -rf "$new"
		return 1
	fi
	mv -T "$new" "$kernel_dir" 2>/dev/null || rm -rf "$new"
}
