/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "interfaces.h"

#include <ifaddrs.h>
#include <stdio.h>
#include <string.h>

/* One of those that go first, or of those that serve if there are none. */
static bool is_wanted(enum addr_scope scope, bool global)
{
	return global ? scope == ADDR_GLOBAL : scope == ADDR_SHARED || scope == ADDR_PRIVATE;
}

/* The address of an interface that is up. False: none, or not an IP address. */
static bool address_of(const struct ifaddrs *i, struct addr *out)
{
	struct sockaddr_storage ss;
	struct endpoint ep;

	if (!i->ifa_addr || !(i->ifa_flags & IFF_UP))
		return false;
	/* It has its family's size, not that of all. */
	memset(&ss, 0, sizeof(ss));
	if (i->ifa_addr->sa_family == AF_INET)
		memcpy(&ss, i->ifa_addr, sizeof(struct sockaddr_in));
	else if (i->ifa_addr->sa_family == AF_INET6)
		memcpy(&ss, i->ifa_addr, sizeof(struct sockaddr_in6));
	if (endpoint_from_sockaddr(&ss, &ep) < 0)
		return false;
	*out = ep.addr;
	return true;
}

static bool is_among(const struct addr list[], size_t n, const struct addr *a)
{
	for (size_t i = 0; i < n; i++)
		if (addr_equal(&list[i], a))
			return true;
	return false;
}

static size_t collect(const struct ifaddrs *all, sa_family_t family, bool global,
		      struct addr out[static INTERFACES_ADDRESSES_MAX])
{
	size_t n = 0;

	for (const struct ifaddrs *i = all; i && n < INTERFACES_ADDRESSES_MAX; i = i->ifa_next) {
		struct addr a;

		if (!address_of(i, &a) || (family != AF_UNSPEC && family != a.family))
			continue;
		if (is_wanted(addr_scope(&a), global) && !is_among(out, n, &a))
			out[n++] = a;
	}
	return n;
}

int interfaces_addresses(struct err *e, sa_family_t family, struct addr out[static INTERFACES_ADDRESSES_MAX],
			 size_t *n)
{
	struct ifaddrs *all;

	if (getifaddrs(&all) < 0)
		return err_sys(e, errno, "cannot list the addresses of this host's interfaces");
	*n = collect(all, family, true, out);
	if (*n == 0)
		*n = collect(all, family, false, out);
	freeifaddrs(all);
	return 0;
}

/* No neighbours and no peer: what is sent there is gone, and nothing comes. */
static bool takes_packets(unsigned flags)
{
	return !(flags & IFF_LOOPBACK) && (!(flags & IFF_NOARP) || flags & IFF_POINTOPOINT);
}

int interfaces_holding(struct err *e, const struct addr *a, char out[static IF_NAMESIZE])
{
	struct ifaddrs *all;
	struct addr held;
	int found = 0;

	if (getifaddrs(&all) < 0)
		return err_sys(e, errno, "cannot list the addresses of this host's interfaces");
	for (const struct ifaddrs *i = all; i && !found; i = i->ifa_next) {
		found = address_of(i, &held) && addr_equal(&held, a) && takes_packets(i->ifa_flags);
		if (found)
			snprintf(out, IF_NAMESIZE, "%s", i->ifa_name);
	}
	freeifaddrs(all);
	return found;
}
