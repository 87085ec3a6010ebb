/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ledger.h"

#include <stdio.h>
#include <string.h>

bool account_equal(const struct account *a, const struct account *b)
{
	return counters_equal(&a->base, &b->base) && counters_equal(&a->last, &b->last) &&
	       strcmp(a->boot, b->boot) == 0;
}

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

bool account_read(struct account *a, const struct counters *reading)
{
	bool is_new = went_back(&a->last, reading);

	if (is_new)
		account_end_epoch(a);
	a->last = *reading;
	return !is_new;
}

void account_end_epoch(struct account *a)
{
	counters_add(&a->base, &a->last);
	a->last = (struct counters){ 0 };
	a->boot[0] = '\0';
}

void account_begin_epoch(struct account *a, const char *boot)
{
	account_end_epoch(a);
	snprintf(a->boot, sizeof(a->boot), "%s", boot);
}

/* The least number from before on whose low 32 bits are these. */
static uint64_t widen(uint64_t before, uint64_t low)
{
	return before + (uint32_t)(low - before);
}

void account_widen(const struct account *a, struct counters *reading)
{
	const struct counters *last = &a->last;

	if (reading->inbytes < last->inbytes || reading->outbytes < last->outbytes)
		return;
	reading->conns = widen(last->conns, reading->conns);
	reading->inpkts = widen(last->inpkts, reading->inpkts);
	reading->outpkts = widen(last->outpkts, reading->outpkts);
}

bool account_look(struct account *a, const char *boot, const struct counters *reading, enum uncertain_why *why)
{
	bool has_epoch = a->boot[0] != '\0';
	bool is_over = has_epoch && strcmp(a->boot, boot) != 0;

	*why = is_over ? UNCERTAIN_REBOOT : reading ? UNCERTAIN_RESET : UNCERTAIN_REMOVED;
	if (is_over || !reading)
		account_end_epoch(a);
	if (!reading)
		return has_epoch;
	is_over |= !account_read(a, reading);
	if (a->boot[0] == '\0') /* else it is this one */
		snprintf(a->boot, sizeof(a->boot), "%s", boot);
	return is_over;
}

void counters_add(struct counters *sum, const struct counters *more)
{
	sum->conns += more->conns;
	sum->inpkts += more->inpkts;
	sum->outpkts += more->outpkts;
	sum->inbytes += more->inbytes;
	sum->outbytes += more->outbytes;
}

struct counters counters_minus(const struct counters *b, const struct counters *a)
{
	return (struct counters){ b->conns - a->conns, b->inpkts - a->inpkts, b->outpkts - a->outpkts,
				  b->inbytes - a->inbytes, b->outbytes - a->outbytes };
}

bool counters_equal(const struct counters *a, const struct counters *b)
{
	return a->conns == b->conns && a->inpkts == b->inpkts && a->outpkts == b->outpkts &&
	       a->inbytes == b->inbytes && a->outbytes == b->outbytes;
}

const char *uncertain_why_name(enum uncertain_why why)
{
	static const char *const names[] = {
		[UNCERTAIN_REMOVED] = "removed",
		[UNCERTAIN_RESET] = "reset",
		[UNCERTAIN_REBOOT] = "reboot",
	};

	return names[why];
}
