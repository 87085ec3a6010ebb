/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a real kernel has answered about its IPVS, byte for byte. */
#ifndef IPVS_SAMPLES_H
#define IPVS_SAMPLES_H

#include "wire.h"

/* A service as Linux 6.1 lists it, with numbers put into its counters. */
static const uint8_t tcp_service[] = {
	HEADER(360, 0x1c, 2, 1),
	ATTR(340, 1), /* SERVICE */
	ATTR(6, 1), U16(2), 0, 0, /* AF */
	ATTR(6, 2), U16(6), 0, 0, /* PROTOCOL */
	ATTR(20, 3), 198, 51, 100, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* ADDR */
	ATTR(6, 4), 0x80, 0x82, 0, 0, /* PORT */
	ATTR(8, 6), 'w', 'r', 'r', 0, /* SCHED_NAME */
	ATTR(12, 7), U32(2), U32(0xffffffff), /* FLAGS: hashed */
	ATTR(8, 8), U32(300), /* TIMEOUT, of no meaning without persistence */
	ATTR(8, 9), 255, 255, 255, 255, /* NETMASK */
	ATTR(96, 10), /* STATS: 32 bits but for the bytes */
	ATTR(8, 1), U32(1), ATTR(8, 2), U32(2), ATTR(8, 3), U32(3),
	ATTR(12, 4), U64(4), ATTR(4, 11), ATTR(12, 5), U64(5),
	ATTR(8, 6), U32(6), ATTR(8, 7), U32(7), ATTR(8, 8), U32(8), ATTR(8, 9), U32(9), ATTR(8, 10), U32(10),
	ATTR(160, 12), /* STATS64 */
	ATTR(12, 1), U64(0x1000000001), ATTR(4, 11), ATTR(12, 2), U64(0x1000000002), ATTR(4, 11),
	ATTR(12, 3), U64(0x1000000003), ATTR(4, 11), ATTR(12, 4), U64(0x1000000004), ATTR(4, 11),
	ATTR(12, 5), U64(0xfffffffffffffffe), ATTR(4, 11), ATTR(12, 6), U64(0x1000000006), ATTR(4, 11),
	ATTR(12, 7), U64(0x1000000007), ATTR(4, 11), ATTR(12, 8), U64(0x1000000008), ATTR(4, 11),
	ATTR(12, 9), U64(0x1000000009), ATTR(4, 11), ATTR(12, 10), U64(0x100000000a),
};

static const uint8_t mark_service[] = {
	HEADER(172, 0x1c, 2, 1),
	ATTR(152, 1), /* SERVICE */
	ATTR(6, 1), U16(10), 0, 0, /* AF */
	ATTR(8, 5), U32(7), /* FWMARK, in place of protocol, address and port */
	ATTR(7, 6), 'r', 'r', 0, 0, /* SCHED_NAME */
	ATTR(12, 7), U32(3), U32(0xffffffff), /* FLAGS: persistent, hashed */
	ATTR(8, 8), U32(300), /* TIMEOUT */
	ATTR(8, 9), U32(128), /* NETMASK */
	ATTR(96, 10), /* STATS */
	ATTR(8, 1), U32(1), ATTR(8, 2), U32(2), ATTR(8, 3), U32(3),
	ATTR(12, 4), U64(4), ATTR(4, 11), ATTR(12, 5), U64(5),
	ATTR(8, 6), U32(6), ATTR(8, 7), U32(7), ATTR(8, 8), U32(8), ATTR(8, 9), U32(9), ATTR(8, 10), U32(10),
};

static const uint8_t destination[] = {
	HEADER(140, 0x1c, 2, 5),
	ATTR(120, 2), /* DEST */
	ATTR(20, 1), 10, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* ADDR */
	ATTR(6, 2), 0, 80, 0, 0, /* PORT */
	ATTR(8, 3), U32(0x80), /* FWD_METHOD: masquerade, no output */
	ATTR(8, 4), U32(100), /* WEIGHT */
	ATTR(5, 13), 0, 0, 0, 0, /* TUN_TYPE */
	ATTR(6, 14), 0, 0, 0, 0, /* TUN_PORT */
	ATTR(6, 15), 0, 0, 0, 0, /* TUN_FLAGS */
	ATTR(8, 5), U32(0), /* U_THRESH */
	ATTR(8, 6), U32(0), /* L_THRESH */
	ATTR(8, 7), U32(11), /* ACTIVE_CONNS */
	ATTR(8, 8), U32(12), /* INACT_CONNS */
	ATTR(8, 9), U32(13), /* PERSIST_CONNS */
	ATTR(6, 11), U16(2), 0, 0, /* ADDR_FAMILY */
};

#endif
