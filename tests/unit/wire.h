/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * wire: netlink messages spelled out as bytes. Netlink numbers are in the
 * host's order, whatever that is; addresses and ports in network order.
 */
#ifndef SONM_WIRE_H
#define SONM_WIRE_H

#include <stdint.h>

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define U16(x) (x) & 0xff, (x) >> 8 & 0xff
#define U32(x) U16((x) & 0xffff), U16((x) >> 16 & 0xffff)
#define U64(x) U32((x) & 0xffffffff), U32((uint64_t)(x) >> 32)
#else
#define U16(x) (x) >> 8 & 0xff, (x) & 0xff
#define U32(x) U16((x) >> 16 & 0xffff), U16((x) & 0xffff)
#define U64(x) U32((uint64_t)(x) >> 32), U32((x) & 0xffffffff)
#endif

/* struct nlmsghdr with sequence and port numbers 0, then struct genlmsghdr with version 1. */
#define HEADER(len, type, flags, cmd) U32(len), U16(type), U16(flags), U32(0), U32(0), (cmd), 1, 0, 0

/* struct nlattr: the length without padding, the type; 0x8000 marks a nest. */
#define ATTR(len, type) U16(len), U16(type)

#endif
