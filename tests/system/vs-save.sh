#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Saved, cleared, restored: the kernel's table, the state file's routes and the
# saved document are as before, to the byte. A document that cannot be restored
# whole changes nothing.
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"

lab_network
ip addr add 198.51.100.3/24 dev hub-client
mkdir -p /etc/sonm
cat >/etc/sonm/gateway.yaml <<-END
	gateway:
	  addresses: [198.51.100.1, "2001:db8:1::1", 198.51.100.3]
	  quarantine: 3600
END
sonm-gw-setup --apply >/run/setup || { cat /run/setup; fail "sonm-gw-setup --apply"; }
modprobe ip_vs_rr
ipvsadm -A -t 198.51.100.1:9999 -s rr # somebody else's

say "Routes of every kind, with names that look like numbers"
sonm-vs --set-worker w1 --nat none --address 203.0.113.7 --address 2001:db8:7::7
sonm-vs --set-worker w2 --nat port_restricted
publish 1e3 -t 80=10.0.0.11:8080 -u 80=10.0.0.11:8080 --sctp 80=10.0.0.11:8080
publish null -t 80=10.0.0.11:8080 -t 80=10.0.0.12:8080 -s wlc -p 300
publish 0x10 -t '443=[fd00::11]:8443' -w 7 --worker w2
publish 12:30:45 -t 80=10.0.0.11:8080 --worker w1
for i in $(seq 100); do
	publish "many$i" -t 80=10.0.0.11:$((2000 + i)) >/dev/null
done

say "Saved; the same twice"
sonm-vs -S >/tmp/saved
sonm-vs --save | cmp - /tmp/saved
head -n 40 /tmp/saved
services=$(ipvsadm -Sn | sort)
routes=$(sonm-vs -L -j)

say "Cleared: only ours, and only with --yes"
expect_error 2 'yes' sonm-vs -C
check_equal "$(sonm-vs -L -j)" "$routes" "routes, without --yes"
sonm-vs -C --yes --wait >/run/totals
check_equal "$(ipvsadm -Sn)" "-A -t 198.51.100.1:9999 -s rr" "services"
check_equal "$(sonm-vs -L -j | jq -c .)" '{"routes":[]}' "routes"
sonm-vs -C --yes

say "Restored, from a file, from a pipe and once more: as before, and nothing to do"
sonm-vs -R /tmp/saved
check_equal "$(ipvsadm -Sn | sort)" "$services" "services, as ipvsadm sees them"
check_equal "$(sonm-vs -L -j)" "$routes" "routes"
sonm-vs -S | cmp - /tmp/saved
sonm-vs -R </tmp/saved
sonm-vs -R -j </tmp/saved
check_equal "$(ipvsadm -Sn | sort)" "$services" "services, after all that"
expect 0 sonm-vs --sync --dry-run

# refused STATUS PATTERN: restoring /tmp/bad fails like that and changes nothing.
refused()
{
	expect_error "$1" "$2" sonm-vs -R /tmp/bad
	check_equal "$(ipvsadm -Sn | sort)" "$kept_services" "services"
	check_equal "$(sonm-vs -S)" "$kept" "routes and workers"
}

say "A document that cannot be restored whole changes nothing"
sonm-vs -D many1 many2 many3 1e3 --wait >/run/totals
kept_services=$(ipvsadm -Sn | sort) kept=$(sonm-vs -S)
endpoint=$(awk '/container: many3$/ { here = 1 } here && /endpoint:/ { print $2; exit }' /tmp/saved)
vip=${endpoint%:*} port=${endpoint##*:}
sed 's/scheduler: wlc/scheduler: nosuch/' /tmp/saved >/tmp/bad
refused 4 'null.*other settings|scheduler'
sed "s/$endpoint\$/$vip:9999/" /tmp/saved >/tmp/bad # another may have this port at the other VIP
refused 2 '9999.*pool'
sed "s/container: many3\$/container: thief/" /tmp/saved >/tmp/bad
refused 4 'quarantine|many3'
sed "s/$vip:$port/198.51.100.77:$port/" /tmp/saved >/tmp/bad
refused 2 '198.51.100.77'
sed 's/container: many50$/container: many51/' /tmp/saved >/tmp/bad
refused 2 'many51'
sed '$d' /tmp/saved | sed '$a\    real_server: x' >/tmp/bad
refused 2 '/tmp/bad:[0-9]+'
{ cat /tmp/saved; printf '  - container: new\n'; } >/tmp/bad
refused 2 '/tmp/bad:[0-9]+'
: >/tmp/bad
refused 2 'empty'
python3 -m http.server --bind "$vip" "$port" >/dev/null 2>&1 &
listener=$!
wait_for 20 sh -c "ss -Hlnt 'sport = :$port' | grep -q ."
cp /tmp/saved /tmp/bad
refused 4 "$port.*local program"
kill $listener
wait $listener || true
ipvsadm -A -t "$endpoint" -s rr
kept_services=$(ipvsadm -Sn | sort)
refused 4 "$port.*adopt"
ipvsadm -D -t "$endpoint"
expect_error 2 '/tmp/none' sonm-vs -R /tmp/none

# one_without_scheduler N: seventy new routes, of which the kernel cannot make the Nth.
one_without_scheduler()
{
	awk -v bad="$1" '
		/endpoint:/ { sub(/.*:/, ""); taken[$0 + 0] = 1 }
		END {
			print "version: 1\nroutes:"
			for (port = 32768; n < 70; port++)
				if (!(port in taken))
					printf "  - {container: new%02d, port: 80/tcp, endpoint: \"198.51.100.1:%d\", scheduler: %s, " \
						"real_servers: [{address: \"10.0.0.11:80\"}]}\n", ++n, port, n == bad ? "nosuch" : "rr"
		}' /tmp/saved
}

say "Nor does one that the kernel refuses, wherever it is among others: first, amid or last of a datagram"
kept_services=$(ipvsadm -Sn | sort)
for n in 1 30 64 65 70; do
	one_without_scheduler $n >/tmp/bad
	refused 2 "has no scheduler 'nosuch'"
done

say "Then it can"
sonm-vs -R /tmp/saved
check_equal "$(ipvsadm -Sn | sort)" "$services" "services"
sonm-vs -S | cmp - /tmp/saved

say "A worker of whom it is not known when it reported"
printf 'version: 1\nworkers: [{name: w3}]\n' | sonm-vs -R
check_equal "$(sonm-vs -L --workers w3 -j | jq .workers[0].reported_at)" null "when"
sonm-vs -L --workers w3 | grep -Eq '^w3 .* - +0$' || fail "the table says when"
