/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * stun_job: what sonm-stun is to do, by its command line and by the worker's
 * configuration. Everything in them that can be wrong is found here, before a
 * packet is sent.
 */
#ifndef SONM_STUN_JOB_H
#define SONM_STUN_JOB_H

#include "post.h"
#include "tool.h"
#include "udp.h"
#include "worker_config.h"

#define STUN_PROG "sonm-stun"

struct stun_job {
	struct worker_config config; /* the file's, with what the command line puts in its place */
	char config_path[4096]; /* for people: cut, if it is longer, and without what a terminal obeys */
	sa_family_t family;          /* AF_UNSPEC: IPv4, else IPv6 */
	struct udp_from from;
	int64_t limit;               /* microseconds, for names and servers */
	size_t verbose;              /* how often -v is given */
	bool json, report;
	struct post post;            /* for the report; points into config */
};

extern const struct cmd_table stun_job_table;

/*
 * Reads the configuration, unless the line says everything, and the token.
 * Points into argv and itself. -EINVAL: usage or configuration; else the system's.
 */
int stun_job_read(struct err *e, const struct cmd_line *line, struct stun_job *out) MUST_CHECK;

#endif
