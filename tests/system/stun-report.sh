#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The worker reports to the hub what it found, over HTTP and HTTPS, with a token
# that nobody else gets to see; what it found it prints in any case.
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"
# shellcheck source=tests/lab/nat.sh
. "$tools/nat.sh"
# shellcheck source=tests/lab/hub.sh
. "$tools/hub.sh"

# redirect PORT URL: a server that sends everybody there.
redirect()
{
	on server python3 -c '
import http.server
import sys


class Redirect(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(307)
        self.send_header("Location", sys.argv[2])
        self.send_header("Content-Length", "0")
        self.end_headers()


http.server.HTTPServer(("", int(sys.argv[1])), Redirect).serve_forever()' "$1" "$2" 2>/dev/null &
	wait_for 20 listens "$1"
}

posts()
{
	grep -c ^POST "/run/body.$1.log" || :
}

# reports PORT OPTION...: succeeds, and the hub has what was printed.
reports()
{
	port=$1
	shift
	expect 0 on client sonm-stun -j -s $server4 "$@" >/run/found
	check_equal "$(found nat address)" "port_restricted $gateway4" "found"
	cmp /run/found "/run/body.$port" || fail "the hub got something else"
}

# refuses PATTERN OPTION...: fails with one line, and prints the result all the same.
refuses()
{
	pattern=$1
	shift
	status=0
	on client sonm-stun -j -s $server4 "$@" >/run/found 2>/run/stderr || status=$?
	sed 's/^/  /' /run/stderr
	check_equal "$status $(wc -l </run/stderr)" "1 1" "exit status and lines of error"
	grep -Eq -- "$pattern" /run/stderr || fail "the error does not say '$pattern'"
	check_equal "$(found nat address)" "port_restricted $gateway4" "found"
}

nat_network
nat_class port_restricted
nat_coturn $server4 $server4_other
echo "$second4 hub.example.net other.example.net" >>/etc/hosts
certify authority.example.net
certify hub.example.net -CA /run/authority.example.net.pem -CAkey /run/authority.example.net.key
authority=/run/authority.example.net.pem
umask 077
echo a-secret-token >/run/token
echo another-token >/run/wrong-token
umask 022

say "Over HTTP"
hub 8080
reports 8080 --report=http://hub.example.net:8080/workers/w1
check_equal "$(grep -c '^POST /workers/w1 ' /run/body.8080.log)" 1 "posts to that path"
grep -iq '^content-type: application/json' /run/body.8080.log || fail "$(cat /run/body.8080.log)"

say "To where the configuration says"
printf '%s\n' 'firewall:' "  server: $server4" 'report: http://hub.example.net:8080/workers/w2' >/run/worker.yaml
expect 0 on client sonm-stun -c /run/worker.yaml --report
check_equal "$(grep -c '^POST /workers/w2 ' /run/body.8080.log)" 1 "posts to that path"

say "Over HTTPS, with a token"
hub 8443 --cert /run/hub.example.net.pem --key /run/hub.example.net.key --token a-secret-token
reports 8443 --report=https://hub.example.net:8443/ --cacert $authority --token-file /run/token

say "A hub whose certificate nobody signed whom we know, or that is another's"
posts=$(posts 8443)
refuses certificate --report=https://hub.example.net:8443/ --token-file /run/token
refuses certificate --report=https://other.example.net:8443/ --cacert $authority --token-file /run/token
check_equal "$(posts 8443)" "$posts" "posts are not more"

say "Who is trusted by the system is not, when the authority is named"
certify stranger.example.net
cp $authority /etc/ssl/certs/authority.pem
openssl rehash /etc/ssl/certs 2>/dev/null
reports 8443 --report=https://hub.example.net:8443/ --token-file /run/token
refuses certificate --report=https://hub.example.net:8443/ --cacert /run/stranger.example.net.pem --token-file /run/token

say "The wrong token"
rm /run/body.8443
refuses 401 --report=https://hub.example.net:8443/ --cacert $authority --token-file /run/wrong-token
[ ! -e /run/body.8443 ] || fail "the hub took it"

say "A token that others may read is not used at all"
chmod 644 /run/token
nat_count
expect_error 7 'chmod' on client sonm-stun -s $server4 --token-file /run/token \
	--report=https://hub.example.net:8443/ --cacert $authority
check_equal "$(nat_counted)" 0 "packets"
chmod 600 /run/token

say "Over HTTP everybody on the way may read it: a warning"
expect 0 on client sonm-stun -s $server4 --token-file /run/token --report=http://hub.example.net:8080/ 2>/run/stderr
grep -q 'warning: .*use https' /run/stderr || fail "it warns of nothing"

say "A result that nobody reads is reported all the same"
rm /run/body.8080
on client sonm-stun -j -s $server4 --report=http://hub.example.net:8080/ 2>/run/stderr | true
[ -s /run/body.8080 ] || fail "the hub has nothing: $(cat /run/stderr)"
rm /run/body.8080
status=0
on client sonm-stun -j -s $server4 --report=http://hub.example.net:8080/ 2>/run/stderr >/dev/full || status=$?
check_equal "$status $(cat /run/stderr)" "1 sonm-stun: cannot write the output: No space left on device" "full"
[ -s /run/body.8080 ] || fail "the hub has nothing"

say "A hub that sends us to another one"
redirect 8081 http://hub.example.net:8080/
posts=$(posts 8080)
refuses '307|redirect' --report=http://hub.example.net:8081/
check_equal "$(posts 8080)" "$posts" "posts are not more"

say "Nothing but HTTP is spoken, nor followed to"
on server python3 -c '
import socket

socket.create_server(("", 8086)).accept()
open("/run/reached", "w", encoding="ascii").close()' &
wait_for 20 listens 8086
redirect 8085 dict://hub.example.net:8086/
refuses 'elsewhere .*to dict://' --report=http://hub.example.net:8085/
nat_count
for url in file:///run/token ftp://hub.example.net:8086/ gopher://hub.example.net:8086/ dict://hub.example.net:8086/; do
	expect_error 2 'https://HOST' on client sonm-stun -s $server4 --report=$url
done
check_equal "$(nat_counted)" 0 "packets"
[ ! -e /run/reached ] || fail "it speaks to a server of another kind"

say "A hub that is busy, and one that stays so"
hub 8082 --script 503,503,200
reports 8082 --report=http://hub.example.net:8082/
check_equal "$(posts 8082)" 3 "tries"
hub 8083 --script 503,503,503,503
refuses 503 --report=http://hub.example.net:8083/
check_equal "$(posts 8083)" 3 "tries"

say "No hub"
refuses hub.example.net --report=http://hub.example.net:8084/
