/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * post: where a program is told to post something, and with what: what sonm-stun
 * and sonm-gwstat have in common. Everything in it that can be wrong is found
 * before there is anything to post.
 */
#ifndef SONM_POST_H
#define SONM_POST_H

#include "http.h"
#include "secret.h"

struct post {
	const char *url;
	const char *token_file;     /* NULL: none */
	const char *ca_file;        /* PEM; NULL: the system's */
	char token[SECRET_MAX + 1]; /* post_prepare's; "": none */
	bool token_in_clear;        /* it would go over plain HTTP to another host */
};

/* Checks URL and files, and reads the token. -EINVAL: usage or configuration; else the system's. */
int post_prepare(struct err *e, struct post *p) MUST_CHECK;

/*
 * Posts it, with a few tries; http fills in what is to be posted and by whom, and
 * *status is the last HTTP status. -EINVAL: what was given is wrong; -EIO: else.
 */
int post_send(struct err *e, const struct post *p, struct http_post http, long *status) MUST_CHECK;

#endif
