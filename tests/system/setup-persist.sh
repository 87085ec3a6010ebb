#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# --persist makes the setup survive a boot: the files are what systemd's own
# programs read early, the units' commands do the rest, and --undo brings
# everything back as it was before the first --apply, in whichever boot.
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"

files='/etc/modules-load.d/sonm-gateway.conf /etc/sysctl.d/00-sonm-gateway.conf /etc/sysctl.d/90-sonm-gateway.conf
	/etc/systemd/system/sonm-gateway.service /etc/systemd/system/sonm-gateway-checkpoint.service
	/etc/systemd/system/sonm-gateway-checkpoint.timer'
links='/etc/systemd/system/multi-user.target.wants/sonm-gateway.service
	/etc/systemd/system/timers.target.wants/sonm-gateway-checkpoint.timer'
disk=/var/lib/sonm/disk # what of /etc is on the disk, in the lab

# All network settings, rules and files; without what counts, only dates, or follows from the memory of this boot.
everything()
{
	sysctl -a -r '^net\.' 2>/dev/null | grep -Ev 'nf_conntrack_(count|buckets|expect_max)|(tcp|udp)_[rw]?mem|inet_peer_threshold|hash_entries|tcp_max_'
	for save in iptables-legacy-save ip6tables-legacy-save; do
		$save | sed '/^#/d; s/\[[0-9:]*\]//'
	done
	find /etc/sysctl.d /etc/modules-load.d /etc/systemd/system -printf '%M %u %p %l\n' | sort
	find /etc/sysctl.d /etc/modules-load.d /etc/systemd/system -type f -exec sha256sum {} + | sort
}

# unchanged FILE: is it as it was when FILE was written?
unchanged()
{
	everything >/run/now
	cmp -s "$1" /run/now || fail "it is not as before:
$(diff "$1" /run/now)"
	echo "  as before, in $(wc -l </run/now) lines"
}

not_loaded()
{
	for module in ip_vs ip_vs_wrr xt_ipvs; do
		[ ! -e /sys/module/$module ] || fail "module $module is loaded"
	done
}

# A boot as systemd does it: modules, settings, network, the host's own firewall.
boot()
{
	install -m 755 "${builddir:?}"/sonm-gw-setup "$builddir"/sonm-vs "$builddir"/sonm-gwstat /usr/local/sbin
	[ ! -e $disk ] || cp -a $disk/. /etc
	/lib/systemd/systemd-modules-load 2>/run/modules-load || :
	/lib/systemd/systemd-sysctl 2>/run/sysctl || { cat /run/sysctl; fail "systemd-sysctl"; }
	if grep sonm /run/modules-load /run/sysctl; then fail "systemd complains"; fi
	lab_network
	lab_configure
	iptables-legacy -t nat -A POSTROUTING -o hub-client -p icmp -j MASQUERADE
	ip6tables-legacy -t nat -A PREROUTING -j ACCEPT
	iptables-legacy -A INPUT -p udp --dport 7 -j ACCEPT
	ip6tables-legacy -A INPUT -p udp --dport 7 -j ACCEPT
}

keep_on_disk()
{
	rm -rf $disk
	mkdir $disk
	(cd /etc && cp -a --parents sysctl.d modules-load.d systemd $disk)
	sync
}

# The commands of the unit's ExecStart lines.
start_unit()
{
	sed -n 's/^ExecStart=//p' /etc/systemd/system/sonm-gateway.service >/run/commands
	cat /run/commands
	check_equal "$(wc -l </run/commands)" 2 "commands"
	sh -e /run/commands >/run/output || { cat /run/output; fail "the unit"; }
	grep -v '^ok' /run/output
}

before_the_boot()
{
	echo 'net.ipv4.ip_local_reserved_ports = 8080' >/etc/sysctl.d/10-admin.conf
	boot
	everything >/var/lib/sonm/before
	not_loaded

	say "Dry runs and checks change nothing"
	expect 0 sonm-gw-setup --apply --persist --dry-run >/run/output
	grep -E 'would set +file' /run/output
	expect 6 sonm-gw-setup --check --persist >/run/output
	expect 6 sonm-gw-setup --check >/run/output
	! grep -E ' (file|unit) ' /run/output || fail "files without --persist"
	unchanged /var/lib/sonm/before

	say "Applied first, made to survive later"
	expect 0 sonm-gw-setup --apply >/run/output
	expect 0 sonm-gw-setup --check
	expect 6 sonm-gw-setup --check --persist >/run/output
	(umask 077 && sonm-gw-setup --apply --persist) >/run/output || { cat /run/output; fail "apply"; }
	sed -n '/^set/p' /run/output
	check_equal "$(grep -c '^set' /run/output)" 8 "what is set"
	for file in $files; do
		check_equal "$(stat -c '%a %U' "$file")" "644 root" "$file"
	done
	for link in $links; do
		[ -L "$link" ] || fail "no link $link"
	done
	cat /etc/modules-load.d/sonm-gateway.conf /etc/sysctl.d/00-sonm-gateway.conf /etc/sysctl.d/90-sonm-gateway.conf
	for unit in sonm-gateway.service sonm-gateway-checkpoint.service sonm-gateway-checkpoint.timer; do
		built=$builddir/contrib/systemd/$unit
		[ -e "$built" ] || built=$tools/../../contrib/systemd/$unit
		cmp "$built" /etc/systemd/system/$unit
	done

	say "From now on it is looked at and applied as well"
	expect 0 sonm-gw-setup --check >/run/output
	check_equal "$(grep -cE '^ok +(file|unit) ' /run/output)" 8 "steps"
	(cd /etc/sonm && expect 0 sonm-gw-setup --check -c gateway.yaml >/run/output)
	everything >/run/applied
	expect 0 sonm-gw-setup --apply >/run/output
	unchanged /run/applied
	rm /etc/sysctl.d/90-sonm-gateway.conf
	systemctl --quiet disable sonm-gateway.service
	expect 6 sonm-gw-setup --check >/run/output
	sonm-gw-setup -j | jq -r '.steps[] | select(.status == "missing" and (.name | startswith("file "))) | .command' >/run/advice
	cat /run/advice
	sh /run/advice
	expect 0 sonm-gw-setup --apply >/run/output
	check_equal "$(grep '^set' /run/output | tr -s ' ')" "set unit sonm-gateway.service: not enabled -> enabled" "what is set"
	unchanged /run/applied

	say "The configuration changes, and the files with it"
	lab_configure 'scheduler: rr' 'ports: [40000, 40009]'
	expect 0 sonm-gw-setup --apply | grep '^set'
	grep -x ip_vs_rr /etc/modules-load.d/sonm-gateway.conf
	grep -x 'net.ipv4.ip_local_reserved_ports = 40000-40009' /etc/sysctl.d/00-sonm-gateway.conf
	lab_configure
	expect 0 sonm-gw-setup --apply >/run/output
	expect 0 sonm-gw-setup --check >/run/output

	say "A container is published"
	head -c 100000 /dev/urandom >/var/lib/sonm/content
	serve worker1 /var/lib/sonm/content 8080
	publish web -t 80=10.0.0.11:8080 >/var/lib/sonm/endpoint
	download "$(cat /var/lib/sonm/endpoint)" | cmp - /var/lib/sonm/content
	keep_on_disk
	say "The power is cut"
}

after_the_boot()
{
	say "What systemd does early at boot"
	boot
	for module in ip_vs ip_vs_wrr xt_ipvs; do
		[ -e /sys/module/$module ] || fail "module $module is not loaded"
	done
	for setting in ip_forward vs.conntrack vs.expire_nodest_conn vs.expire_quiescent_template vs.run_estimation; do
		check_equal "$(sysctl -n net.ipv4.$setting)" 1 "$setting"
	done
	check_equal "$(sysctl -n net.ipv6.conf.all.forwarding)" 1 "IPv6 forwarding"
	check_equal "$(sysctl -n net.ipv4.ip_local_reserved_ports)" 8080 "the admin's reserved ports are not replaced"

	say "What the unit does"
	serve worker1 /var/lib/sonm/content 8080
	start_unit
	check_equal "$(sysctl -n net.ipv4.ip_local_reserved_ports)" 8080,32768-33768 "reserved ports"
	download "$(cat /var/lib/sonm/endpoint)" | cmp - /var/lib/sonm/content
	expect 0 sonm-gw-setup --check >/run/output
	say "The power is cut"
}

without_the_admins_ports()
{
	say "Where nobody else reserves ports, ours are reserved from the first moment"
	rm $disk/sysctl.d/10-admin.conf
	boot
	check_equal "$(sysctl -n net.ipv4.ip_local_reserved_ports)" 32768-33768 "reserved ports"
	echo 'net.ipv4.ip_local_reserved_ports = 8080' >$disk/sysctl.d/10-admin.conf
	sync
	say "The power is cut"
}

taken_back()
{
	boot
	serve worker1 /var/lib/sonm/content 8080
	start_unit
	download "$(cat /var/lib/sonm/endpoint)" | cmp - /var/lib/sonm/content
	sonm-vs -D web --wait >/run/output

	say "Undo, two boots later"
	expect 0 sonm-gw-setup --undo --dry-run >/run/output
	expect 0 sonm-gw-setup --undo
	not_loaded
	unchanged /var/lib/sonm/before
	check_equal "$(sqlite3 $state 'select count(*) from setup')" 0 "records left"
	keep_on_disk
	say "The power is cut"
}

as_if_nothing_had_been()
{
	say "The next boot is as the first"
	boot
	not_loaded
	unchanged /var/lib/sonm/before

	say "Somebody else's file of such a name is not lost"
	echo 'net.ipv4.ip_forward = 0' >/etc/sysctl.d/90-sonm-gateway.conf
	for dry_run in --dry-run ''; do
		# shellcheck disable=SC2086
		conflict sonm-gw-setup --apply --persist $dry_run
	done
	expect 6 sonm-gw-setup --check >/run/output
	[ ! -e /etc/systemd/system/sonm-gateway.service ] || fail "it went on"
	say "Without systemctl it is said, and the files are written"
	rm /etc/sysctl.d/90-sonm-gateway.conf
	mv "$(command -v systemctl)" /run/systemctl
	expect 0 sonm-gw-setup --apply >/run/output
	grep -A2 'unit sonm-gateway.service' /run/output
	for file in $files; do
		[ -e "$file" ] || fail "no file $file"
	done
	expect 0 sonm-gw-setup --undo >/run/output
	unchanged /var/lib/sonm/before

	say "Another configuration and state file are in the units"
	mkdir -m 700 /var/lib/sonm/other
	printf 'gateway:\n  addresses: [198.51.100.1]\n  state: /var/lib/sonm/other/state.db\n' >/etc/sonm/other.yaml
	mv /run/systemctl /bin/systemctl
	cd /etc/sonm
	expect 0 sonm-gw-setup --apply --persist -c other.yaml >/run/output
	check_equal "$(grep -h '^ExecStart=/usr' /etc/systemd/system/sonm-gateway*.service | grep -vc -- ' --config /etc/sonm/other.yaml$')" 0 \
		"commands without"
	check_equal "$(grep -h '^ReadWritePaths' /etc/systemd/system/sonm-gateway*.service | cut -d' ' -f1 | uniq)" \
		ReadWritePaths=-/var/lib/sonm/other "what may be written"
	for unit in /etc/systemd/system/sonm-gateway*; do
		check_equal "$(systemd-analyze verify --man=no "$unit" 2>&1)" "" "complaints about ${unit##*/}"
	done
	expect 0 sonm-gw-setup --undo -c other.yaml >/run/output
	mv other.yaml 'other one.yaml'
	sonm-gw-setup --apply --persist -c 'other one.yaml' >/run/output 2>/run/stderr && fail "it takes a name with a space"
	grep 'a unit for systemd cannot name' /run/stderr
}

# conflict COMMAND...: fails with status 4 and a line, and changes none of the files.
conflict()
{
	status=0
	"$@" >/run/output 2>/run/stderr || status=$?
	cat /run/stderr
	check_equal "$status, $(wc -l </run/stderr) line" "4, 1 line" "exit status"
	check_equal "$(cat /etc/sysctl.d/90-sonm-gateway.conf)" 'net.ipv4.ip_forward = 0' "his file"
}

lab_boots before_the_boot after_the_boot without_the_admins_ports taken_back as_if_nothing_had_been
