/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ipvsadm: reads the lines that 'ipvsadm -Sn' prints and 'ipvsadm -R' takes.
 * Pure. Knows services, not routes.
 */
#ifndef SONM_IPVSADM_H
#define SONM_IPVSADM_H

#include "service.h"

/*
 * Reads a text of lines (of len bytes; blank ones and comments with # are
 * skipped) in ipvsadm's letters and long names: -A with -t, -u or --sctp-service, -s, -p;
 * -a with -r, -m, -w. Numeric addresses only (-Sn). Services come out sorted with service_compare.
 * -EINVAL with "NAME:LINE: what": what is not understood or not supported (firewall marks, -g, -i, -M, -O,
 * --pe, -x, -y, other words), the same service or real server twice, a real
 * server of a service that has not been added, other families.
 */
int ipvsadm_parse(struct err *e, const char *name, const char *text, size_t len,
		  struct service_list *out) MUST_CHECK;

#endif
