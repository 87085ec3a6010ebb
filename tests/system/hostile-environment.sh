#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# An environment that somebody else has prepared: programs of his in PATH, variables
# that mislead the system's, a umask of 0; a state directory that is his, or a link of
# his in its place; and a caller who lends himself the program's rights.
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"

vs=$(command -v sonm-vs) setup=$(command -v sonm-gw-setup) gwstat=$(command -v sonm-gwstat)
evil=/run/evil

# misled COMMAND...: in an environment of his.
misled()
{
	env -i PATH=$evil HOME=$evil TERM=xterm ENV=$evil/rc BASH_ENV=$evil/rc IFS=/ TMPDIR=$evil \
		SQLITE_TMPDIR=$evil XTABLES_LIBDIR=$evil IPTABLES_LIB_DIR=$evil NFT_CONFIG=$evil/rc \
		MODPROBE_OPTIONS="--dry-run" XTABLES_LOCKFILE=$evil/lock CURL_HOME=$evil INPUTRC=$evil/rc \
		SYSTEMCTL_FORCE_BUS=1 SYSTEMD_UNIT_PATH=$evil LOCPATH=$evil TZ=:$evil/rc "$@"
}

# refused PATTERN [OPTION...]: by all that open the state file.
refused()
{
	pattern=$1
	shift
	expect_error 2 "$pattern" sonm-vs "$@" -A other -t 80=10.0.0.11:8080
	expect_error 2 "$pattern" sonm-vs "$@" -D web
	expect_error 2 "$pattern" sonm-gwstat "$@"
	expect_error 2 "$pattern" sonm-gw-setup "$@" --undo
	check_equal "$(ipvsadm -Sn)" "$services" "the kernel is as it was"
}

listens()
{
	[ -n "$(ss -Hlnt "sport = :$1")" ]
}

# modes PATH...: of each, with its owner.
modes()
{
	stat -c '%a %u %n' "$@"
}

lab_network
lab_configure
directory=/var/lib/sonm
mkdir $evil
for program in modprobe iptables ip6tables iptables-legacy ip6tables-legacy iptables-nft nft systemctl sysctl ip sh; do
	# shellcheck disable=SC2016 # his own $0
	printf '%s\n' '#!/bin/sh' 'echo "$0 $*" >>/run/evil/ran' >$evil/$program
	chmod 755 $evil/$program
done
echo 'touch /run/evil/ran' >$evil/rc
find $evil -type f -exec sha256sum {} + | sort >/run/evil-before

say "The hub is set up, publishes and counts as ever, and runs nothing of his"
umask 0
misled "$setup" --apply >/run/setup || { cat /run/setup; fail "--apply"; }
[ -e /sys/module/ip_vs ] || fail "no module was loaded"
misled "$vs" -A web -t 80=10.0.0.11:8080
check_equal "$(ipvsadm -Sn | wc -l)" 2 "lines of ipvsadm"
iptables-legacy -t nat -S POSTROUTING | grep sonm-gateway
misled "$gwstat" --checkpoint
misled "$gwstat" --report /run/report.svg
misled "$setup" --check >/run/stdout || { cat /run/stdout; fail "--check"; }
echo list | misled "$vs" -i
find $evil -type f -exec sha256sum {} + | sort >/run/evil-after
cmp /run/evil-before /run/evil-after || fail "$(ls -l $evil; cat $evil/ran)"

say "With a umask of 0 the files are for their owner"
check_equal "$(modes $directory $state $state-journal)" "700 0 $directory
600 0 $state
600 0 $state-journal" "modes"
check_equal "$(modes /run/report.svg)" "644 0 /run/report.svg" "of the report, which all may read"
umask 022
services=$(ipvsadm -Sn)

say "A state directory, or file, that others can write to"
chmod 777 $directory
refused 'can be written to by others'
chmod 700 $directory
chmod 620 $state
refused 'can be written to by others'
chmod 600 $state

say "One that is somebody else's"
chown 65534 $directory
refused 'belongs to another user'
chown 0 $directory

say "A link in its place, to what is root's own"
mkdir -m 700 /run/target
ln -s /run/target /run/link
echo "gateway: {state: /run/link/gateway.db, addresses: [$public4]}" >/run/link.yaml
refused 'directory .*symbolic link' -c /run/link.yaml
rmdir /run/target # it is empty, still
mv $state /run/target.db
ln -s /run/target.db $state
refused 'state file .*symbolic link'
rm $state
mv /run/target.db $state
expect 0 sonm-vs -L web

say "A caller who borrows rights takes none of his own files and hosts with them"
python3 "$tools/hub.py" 8080 /run/body &
wait_for 20 listens 8080
# Of his own rights everybody chooses the proxy himself: nobody is there.
export http_proxy=http://127.0.0.1:9 no_proxy=
expect_error 1 'refused' sonm-gwstat --push http://127.0.0.1:8080/
install -m 4755 "$gwstat" /run/gwstat
expect 0 setpriv --reuid 65534 --regid 65534 --clear-groups /run/gwstat --push http://127.0.0.1:8080/
check_equal "$(jq -r '.containers[].container' /run/body)" web "pushed"
