/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ipvsadm: reads the lines that 'ipvsadm -Sn' prints and 'ipvsadm -R' takes.
 * Pure. Knows services, not routes.
 */
#ifndef SONM_IPVSADM_H
#define SONM_IPVSADM_H

#include "service.h"

/*
 * Reads a text of lines, len bytes, in ipvsadm's letters and long names: -A with
 * -t, -u or --sctp-service, -s, -p; -a with -r, -m, -w. What is left out is as
 * with ipvsadm (1.31): scheduler wlc, persistence 360 s, weight 1. Blank lines
 * and comments with # are skipped. Numeric addresses only (-Sn). Services come
 * out sorted with service_compare, real servers by address and port; a service
 * may have none.
 *
 * -EINVAL with "NAME:LINE: what": what is not understood or not supported
 * (firewall marks, -g, -i, -M, -o, -b, --pe, -x, -y), weights above 65535, the
 * same service or real server twice, a real server of a service that has not
 * been added above, or of the other family. -ENOMEM.
 */
int ipvsadm_parse(struct err *e, const char *name, const char *text, size_t len,
		  struct service_list *out) MUST_CHECK;

#endif
