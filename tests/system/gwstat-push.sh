#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# What was used is pushed: as JSON to a server that takes it, fails, stalls or sends
# us elsewhere, and as metrics to a Pushgateway.
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"

takes_from_client=203.0.113.1

# taker PORT OPTION...: a server on the hub; what is posted becomes /run/body.PORT.
taker()
{
	port=$1
	shift
	python3 "$tools/hub.py" "$port" "/run/body.$port" "$@" &
	wait_for 20 listens "$port"
}

listens()
{
	[ -n "$(ss -Hlnt "sport = :$1")" ]
}

posts()
{
	grep -c ^POST "/run/body.$1.log" || :
}

# behaves PORT PYTHON: a server that does that with each connection.
behaves()
{
	python3 -c '
import socket
import sys
import time

server = socket.create_server(("::", int(sys.argv[1])), family=socket.AF_INET6, dualstack_ipv6=True)
kept = []
while True:
    peer, _ = server.accept()
    exec(sys.argv[2])' "$1" "$2" &
	wait_for 20 listens "$1"
}

# pushed NAME LABEL: its value in what the Pushgateway shows.
pushed()
{
	curl -sS http://localhost:9091/metrics | awk -v name="$1" -v label="$2" \
		'index($0, name "{") == 1 && index($0, label) { print $2 }'
}

lab_network
lab_hub
ip addr add $takes_from_client/32 dev lo
echo "$takes_from_client hub.example.net" >>/etc/hosts
sonm-vs -A web -t 80=10.0.0.11:8080
sonm-vs -A tiger -t 80=10.0.0.11:8081
sqlite3 "$state" "update route set base_outbytes = 12345 where container = 'web'"
umask 077
echo a-secret-token >/run/token
umask 022

say "JSON, to a server"
taker 8080
sonm-gwstat -j >/run/expected
sonm-gwstat --push http://localhost:8080/usage >/run/stdout
[ ! -s /run/stdout ] || fail "prints it as well"
cmp /run/expected /run/body.8080
check_equal "$(grep -c '^POST /usage ' /run/body.8080.log)" 1 "posts to that path"
grep -iq '^content-type: application/json' /run/body.8080.log || fail "$(cat /run/body.8080.log)"
sonm-gwstat --closed --push http://localhost:8080/
check_equal "$(jq .closed /run/body.8080)" "[]" "the ledger"

say "With a token"
taker 8081 --token a-secret-token
sonm-gwstat --push http://localhost:8081/ --token-file /run/token
cmp /run/expected /run/body.8081
expect_error 1 'status 401' sonm-gwstat --push http://localhost:8081/
expect_error 2 'use https' sonm-gwstat --push http://hub.example.net:8081/ --token-file /run/token
check_equal "$(posts 8081)" 2 "posts"
chmod 644 /run/token
expect_error 7 'chmod' sonm-gwstat --push http://localhost:8081/ --token-file /run/token
chmod 600 /run/token

say "Over HTTPS"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=hub.example.net \
	-addext subjectAltName=DNS:hub.example.net -keyout /run/hub.key -out /run/hub.pem 2>/dev/null
taker 8443 --cert /run/hub.pem --key /run/hub.key --token a-secret-token
expect_error 1 'certificate' sonm-gwstat --push https://hub.example.net:8443/ --token-file /run/token
sonm-gwstat --push https://hub.example.net:8443/ --token-file /run/token --ca-file /run/hub.pem
cmp /run/expected /run/body.8443

say "A server that is busy, and one that stays so"
taker 8082 --script 503,500
sonm-gwstat --push http://localhost:8082/
check_equal "$(posts 8082)" 3 "tries"
taker 8083 --script 503,503,503,503
expect_error 1 'tried 3 times: .*503' sonm-gwstat --push http://localhost:8083/
expect_error 1 'cannot push: .*refused' sonm-gwstat --push http://localhost:8099/

say "A server that hangs up, one that stalls, and one that sends us elsewhere"
behaves 8084 'peer.close()'
expect_error 1 'localhost:8084' sonm-gwstat --push http://localhost:8084/
behaves 8085 'kept.append(peer)'
expect_error 1 'takes too long' sonm-gwstat --push http://localhost:8085/
# shellcheck disable=SC2016 # Python
behaves 8086 'peer.recv(65536); peer.sendall(b"HTTP/1.1 307 Elsewhere\r\nLocation: http://localhost:8080/\r\nContent-Length: 0\r\n\r\n"); peer.close()'
before=$(posts 8080)
expect_error 1 'elsewhere .*the token did not go' sonm-gwstat --push http://localhost:8086/ --token-file /run/token
check_equal "$(posts 8080)" "$before" "posts are not more"

say "Nothing but HTTP is spoken, nor followed to"
# shellcheck disable=SC2016 # Python
behaves 8087 'peer.sendall(b"HTTP/1.1 307 There\r\nLocation: %b\r\nContent-Length: 0\r\n\r\n" % peer.recv(65536).split()[1][1:]); peer.close()'
behaves 8088 'open("/run/reached", "w", encoding="ascii").close(); peer.close()'
for url in file:///run/token ftp://localhost:8088/ gopher://localhost:8088/ dict://localhost:8088/ smtp://localhost:8088/; do
	expect_error 2 'https://HOST' sonm-gwstat --push $url
	expect_error 1 "elsewhere .*to $url" sonm-gwstat --push http://localhost:8087/$url
done
[ ! -e /run/reached ] || fail "it speaks to a server of another kind"

say "What cannot be pushed"
expect_error 2 'json or openmetrics' sonm-gwstat --push http://localhost:8080/ --format csv
expect_error 2 'for --push' sonm-gwstat --token-file /run/token
expect_error 3 'no such container' sonm-gwstat nobody --push http://localhost:8080/
check_equal "$(posts 8080)" "$before" "posts are not more"

say "Metrics, to a Pushgateway"
prometheus-pushgateway --web.listen-address=localhost:9091 >/run/pushgateway 2>&1 &
wait_for 60 curl -sS http://localhost:9091/-/ready
sonm-gwstat --push http://localhost:9091/metrics/job/sonm-gateway --format openmetrics
check_equal "$(pushed sonm_gateway_sent_bytes_total 'container="web"')" 12345 "bytes of web"
check_equal "$(pushed sonm_gateway_connections_total 'container="tiger"')" 0 "connections of tiger"
check_equal "$(pushed sonm_gateway_routes 'state="open"')" 2 "open routes"
curl -sS http://localhost:9091/metrics | promtool check metrics >/run/promtool 2>&1 || fail "$(cat /run/promtool)"

say "Of what is not there any more the Pushgateway knows nothing"
sonm-vs -D web --wait >/run/stdout
sonm-vs -D tiger --wait >/run/stdout
sonm-gwstat --push http://localhost:9091/metrics/job/sonm-gateway --format openmetrics
check_equal "$(pushed sonm_gateway_sent_bytes_total container)" "" "bytes of routes"
check_equal "$(pushed sonm_gateway_routes 'state="open"')" 0 "open routes"
