/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ledger.h"

struct counters account_total(const struct account *a)
{
	struct counters total = a->base;

	counters_add(&total, &a->last);
	return total;
}

static bool went_back(const struct counters *before, const struct counters *now)
{
	return now->conns < before->conns || now->inpkts < before->inpkts ||
	       now->outpkts < before->outpkts || now->inbytes < before->inbytes ||
	       now->outbytes < before->outbytes;
}

void account_read(struct account *a, const struct counters *reading)
{
	if (went_back(&a->last, reading))
		account_end_epoch(a);
	a->last = *reading;
}

void account_end_epoch(struct account *a)
{
	counters_add(&a->base, &a->last);
	a->last = (struct counters){ 0 };
}

void counters_add(struct counters *sum, const struct counters *more)
{
	sum->conns += more->conns;
	sum->inpkts += more->inpkts;
	sum->outpkts += more->outpkts;
	sum->inbytes += more->inbytes;
	sum->outbytes += more->outbytes;
}

bool counters_equal(const struct counters *a, const struct counters *b)
{
	return a->conns == b->conns && a->inpkts == b->inpkts && a->outpkts == b->outpkts &&
	       a->inbytes == b->inbytes && a->outbytes == b->outbytes;
}
