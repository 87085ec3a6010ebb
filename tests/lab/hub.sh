# shellcheck shell=sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# hub.sh: a hub at the server's place that takes reports. A scenario sources it
# after nat.sh.

# hub PORT OPTION...: what is posted becomes /run/body.PORT, and /run/body.PORT.log has the headers.
hub()
{
	port=$1
	shift
	on server python3 "${tools:?}/hub.py" "$port" "/run/body.$port" "$@" &
	wait_for 20 listens "$port"
}

listens()
{
	[ -n "$(on server ss -Hlnt "sport = :$1")" ]
}

# certify NAME OPTION...: a key and a certificate for that name.
certify()
{
	name=$1
	shift
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/CN=$name" \
		-addext "subjectAltName=DNS:$name" -keyout "/run/$name.key" -out "/run/$name.pem" "$@" 2>/dev/null
}
