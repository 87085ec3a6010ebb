#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# What sonm-gwstat shows as text, JSON, CSV and metrics is the same, in every order,
# and a file that it writes is whole or as it was. promtool, python3 and jq read it.
#
# shellcheck source=tests/lab/lib.sh
. "${tools:?}/lib.sh"

# rows FILE COLUMN...: what the CSV has in these columns, a line each.
rows()
{
	python3 -c '
import csv
import sys

with open(sys.argv[1], newline="") as file:
    for row in csv.DictReader(file, strict=True):
        print(*(row[name] for name in sys.argv[2:]))' "$@"
}

# metric NAME LABELS: its value.
metric()
{
	awk -v name="$1${2-}" '$1 == name { print $2 }' /run/metrics
}

# shown FIELD OPTION...: the containers in the order in which they are shown.
shown()
{
	sonm-gwstat --sort "$@" -j | jq -r '.containers[].container' | xargs
}

lab_network
lab_hub 'ports: [33000, 33009]'
head -c 1000000 /dev/urandom >/run/large
head -c 1000 /run/large >/run/small
serve worker1 /run/large 8080
serve worker1 /run/small 8081
publish nasty:name.with_all-of.them -t 80=10.0.0.11:8080 >/run/endpoint
publish alpha -t 80=10.0.0.11:8081 -t '81=[fd00::11]:8081' >/run/small-endpoints
publish idle -u 53=10.0.0.11:8081 >/run/idle
publish gone -t 80=10.0.0.11:8081 >/run/gone
sonm-vs --set-worker w9 --nat none --address 203.0.113.7
publish direct --worker w9 -t 80=203.0.113.7:80 >/run/direct
download "$(cat /run/endpoint)" | cmp - /run/large
cat /run/small-endpoints /run/gone | while read -r endpoint; do
	download "$endpoint" | cmp - /run/small
done
sonm-vs -A alpha -u 80=10.0.0.11:8081
sonm-vs -D alpha -u 80 --wait
sonm-vs -D gone --wait
counters_settle

say "CSV says what JSON says"
sonm-gwstat -j >/run/json
sonm-gwstat --format csv >/run/csv
rows /run/csv container container_port protocol address port state conns inpkts outpkts inbytes outbytes |
	grep -v ' closed ' >/run/from-csv
jq -r '.containers[].routes[] | "\(.container) \(.container_port) \(.protocol) \(.address) \(.port) " +
	"\(if .kind == "direct" then "direct" else .state end) \(.conns) \(.inpkts) \(.outpkts) \(.inbytes) \(.outbytes)"' \
	/run/json >/run/from-json
cat /run/from-csv
cmp /run/from-csv /run/from-json
check_equal "$(rows /run/csv container state routes | grep ' closed ')" "alpha closed 1" "the closed ones"
check_equal "$(rows /run/csv opened_at | sed 's/[0-9]/0/g' | sort -u | xargs)" "0000-00-00T00:00:00Z" "times"
check_equal "$(grep -c "$(printf '\r')\$" /run/csv)" "$(wc -l </run/csv)" "lines that end with CR LF"
sonm-gwstat --closed --format csv >/run/csv
check_equal "$(rows /run/csv container container_port inbytes)" \
	"$(sonm-gwstat --closed -j | jq -r '.closed[] | "\(.container) \(.container_port) \(.inbytes)"')" "the ledger"
sonm-gwstat --rate --format csv >/run/csv
check_equal "$(rows /run/csv container inbps | wc -l)" 5 "rates"
sonm-gwstat --total --format csv >/run/csv
check_equal "$(rows /run/csv outbytes)" "$(sonm-gwstat --total -j | jq .total.outbytes)" "the total"

say "Metrics say what JSON says, and promtool has nothing to say"
sonm-gwstat --format openmetrics >/run/metrics
promtool check metrics </run/metrics >/run/promtool 2>&1 || fail "$(cat /run/promtool)"
check_equal "$(cat /run/promtool)" "" "promtool"
port=$(cut -d: -f2 /run/endpoint)
labels='{container="nasty:name.with_all-of.them",container_port="80",protocol="tcp",vip="198.51.100.1",port="'$port'"}'
check_equal "$(metric sonm_gateway_sent_bytes_total "$labels")" \
	"$(jq '.containers[] | select(.container | startswith("nasty")).total.outbytes' /run/json)" "bytes of a route"
check_equal "$(metric sonm_gateway_container_received_packets_total '{container="alpha"}')" \
	"$(jq '.containers[] | select(.container == "alpha").total.inpkts' /run/json)" "packets of a container"
check_equal "$(grep -c '^sonm_gateway_connections_total' /run/metrics)" 4 "routes that are counted"
check_equal "$(metric sonm_gateway_routes '{state="open"}') $(metric sonm_gateway_routes '{state="direct"}')" "4 1" "states"
check_equal "$(metric sonm_gateway_counting)" 1 "counting"

say "The dashboard asks for metrics that there are"
dashboard=$tools/../../contrib/grafana/sonm-gateway.json
jq -e '.templating.list[0].type == "datasource"' "$dashboard" >/run/jq || fail "the data source is no variable"
{ grep -o '^sonm_gateway_[a-z_]*' /run/metrics; echo sonm_gateway_checkpoint_timestamp_seconds
	echo sonm_gateway_uncertain_periods; } | sort -u >/run/there
jq -r '.. | .expr? // empty' "$dashboard" | grep -o 'sonm_gateway_[a-z_]*' | sort -u >/run/asked
check_equal "$(comm -23 /run/asked /run/there)" "" "those that there are not"

say "Without any route"
mv /etc/sonm/gateway.yaml /run/gateway.yaml
{ cat /run/gateway.yaml; echo "  state: /run/none.db"; } >/etc/sonm/gateway.yaml
sonm-gwstat --format openmetrics | promtool check metrics
check_equal "$(sonm-gwstat --format csv | wc -l)" 1 "the header"
mv /run/gateway.yaml /etc/sonm/gateway.yaml

say "In other orders"
check_equal "$(shown name)" "alpha direct idle nasty:name.with_all-of.them" "by name"
check_equal "$(shown bytes)" "nasty:name.with_all-of.them alpha direct idle" "by bytes"
check_equal "$(shown conns)" "alpha nasty:name.with_all-of.them direct idle" "by connections"
check_equal "$(shown bytes --top 1)" "nasty:name.with_all-of.them" "the first"
check_equal "$(sonm-gwstat --top 2 -j | jq .total.conns)" "$(jq .total.conns /run/json)" "the total stays that of all"
sonm-gwstat --top 1
check_equal "$(sonm-gwstat --top 1 | tail -n 1)" "... and 3 more" "the text says so"
expect_error 2 'did you mean outbytes' sonm-gwstat --sort outbyte
expect_error 2 'did you mean openmetrics' sonm-gwstat --format openmetric
expect_error 2 top sonm-gwstat --top 0
expect_error 2 'openmetrics' sonm-gwstat --rate --format openmetrics
expect_error 2 'total and --top' sonm-gwstat --total --top 3

say "Into files"
for format in text json csv openmetrics; do
	sonm-gwstat --format $format >/run/expected
	sonm-gwstat --format $format --output /run/file >/run/stdout
	cmp /run/expected /run/file
	[ ! -s /run/stdout ] || fail "prints it as well"
done
check_equal "$(stat -c %a /run/file)" 644 "mode"
ln -s file /run/link
sonm-gwstat --closed -j --output /run/link
[ -L /run/link ] || fail "the link is no more"
check_equal "$(jq '.closed | length' /run/file)" 2 "closed routes, through a link"

say "A file keeps its permissions, a new one gets those that the umask leaves"
(umask 077 && sonm-gwstat -j --output /run/private && sonm-gwstat --report /run/private.svg)
check_equal "$(stat -c %a /run/private /run/private.svg | xargs)" "600 600" "modes of new files"
sonm-gwstat -j --output /run/private
check_equal "$(stat -c %a /run/private)" 600 "mode of one that was there"

# spared NAME WHAT: nothing is written over what the name is of, however it is named.
spared()
{
	cp -p "$1" /run/before
	for name in "$1" "${1%/*}/./${1##*/}" /run/soft /run/soft.svg /run/hard; do
		ln -sf "$1" /run/soft
		ln -sf "$1" /run/soft.svg
		ln -f "$1" /run/hard 2>/dev/null || ln -sf "$1" /run/hard # another file system
		expect_error 2 "$2; name another" sonm-gwstat -j --output "$name"
		expect_error 2 "$2; name another" sonm-gwstat --prune -1d --output "$name"
		rm -f /run/hard
	done
	expect_error 2 "$2; name another" sonm-gwstat --report /run/soft.svg
	cmp "$1" /run/before || fail "$1 has changed"
}

say "Its own files are written over by no name"
spared "$state" 'the state file'
spared "$state-journal" "the state file's journal"
spared /etc/sonm/gateway.yaml 'the configuration'
mv "$state-journal" /run/journal
expect_error 2 "is the state file's journal" sonm-gwstat -j --output "$state-journal"
expect_error 2 "is the state file's journal" sonm-gwstat --prune -1d --output "${state%/*}/../sonm/gateway.db-journal"
[ ! -e "$state-journal" ] || fail "a journal was made"
mv /run/journal "$state-journal"
cp /etc/sonm/gateway.yaml /run/other.yaml
expect_error 2 'is the configuration' sonm-gwstat -c /run/other.yaml -j --output /run/other.yaml
sonm-gwstat -c /run/other.yaml -j --output /run/file

say "A file that cannot be written whole stays as it was"
mkdir /run/full
mount -t tmpfs -o size=8k none /run/full
echo former >/run/full/file
dd if=/dev/zero of=/run/full/rest bs=4k count=9 status=none 2>/dev/null || :
expect_error 1 'cannot write .*No space' sonm-gwstat -j --output /run/full/file
check_equal "$(cat /run/full/file)" former "the file"
check_equal "$(cd /run/full && echo *)" "file rest" "what is left"
expect_error 3 'no such container' sonm-gwstat nobody --output /run/full/file
check_equal "$(cat /run/full/file)" former "the file"
expect_error 2 'not a regular file' sonm-gwstat --output /dev/null
mkdir -m 1777 /run/shared
sysctl -qw fs.protected_symlinks=1
cp /run/file /run/precious
setpriv --reuid 65534 --clear-groups ln -s /run/precious /run/shared/link.svg
expect_error 7 'Permission denied' sonm-gwstat --output /run/shared/link.svg
expect_error 7 'Permission denied' sonm-gwstat --report /run/shared/link.svg
cmp /run/file /run/precious
expect_error 2 'beside' sonm-gwstat --output /run/nowhere/file
expect_error 2 'choose one' sonm-gwstat --output /run/file --push http://localhost:1/

say "Who reads slowly keeps nobody from publishing"
lab_configure 'ports: [33000, 34000]'
awk 'BEGIN {
	print "version: 1\nroutes:"
	for (i = 1; i <= 300; i++)
		print "  - container: slow" i "\n    port: 80/tcp\n    endpoint: 198.51.100.1:" 33100 + i \
			"\n    real_servers:\n      - address: 10.0.0.11:" i
}' | sonm-vs -R
mkfifo /run/slow
sleep 30 </run/slow &
reader=$!
sonm-gwstat -j >/run/slow &
writer=$!
sleep 3 # the pipe is full by then
expect 0 timeout 10 sonm-vs -A meanwhile -t 80=10.0.0.11:80
kill -0 $writer || fail "the reader was not slow"
kill $reader
wait $writer || :

say "When the kernel does not count, each way says so"
sysctl -qw net.ipv4.vs.run_estimation=0
sonm-gwstat >/run/stdout 2>/run/stderr
grep -q 'warning: .*run_estimation' /run/stderr || fail "no warning"
check_equal "$(sonm-gwstat -j 2>/run/stderr | jq .counting)" false "JSON"
sonm-gwstat --format openmetrics 2>/run/stderr >/run/metrics
check_equal "$(metric sonm_gateway_counting)" 0 "metrics"

say "The service for systemd is well formed, and may do all that it needs"
sed "s|^ExecStart=[^ ]*|ExecStart=$(command -v sonm-gwstat)|" \
	"${builddir:?}/contrib/systemd/sonm-gateway-checkpoint.service" >/run/sonm-gateway-checkpoint.service
cp "$tools/../../contrib/systemd/sonm-gateway-checkpoint.timer" /run
if command -v systemd-analyze >/dev/null; then
	check_equal "$(systemd-analyze verify --man=no /run/sonm-gateway-checkpoint.* 2>&1 | grep sonm-gateway)" "" "complaints"
fi
setpriv --bounding-set=-all,+net_admin --inh-caps=-all --no-new-privs sonm-gwstat --checkpoint
