/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fuzz_document: gives libFuzzer's bytes to everything that reads a saved
 * document or ipvsadm's lines, and aborts where a promise of document.h is
 * broken: what was read can be written, and is then read as the same.
 */
#include "document.h"
#include "fuzz.h"

static int read_text(struct err *e, const void *text, size_t len, struct document *out)
{
	FILE *in = stream_of(text, len);
	int ret = document_read(e, in, "D", out);

	fclose(in);
	return ret;
}

static char *write_text(const struct document *d, size_t *len)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, len);
	struct err e;

	require(out != NULL && document_write(&e, d, out) == 0);
	fclose(out);
	return text;
}

static void check(const struct document *d)
{
	struct err e;

	for (size_t i = 0; i < d->routes.n; i++) {
		const struct route *r = &d->routes.items[i];

		require(container_check(&e, r->container) == 0 && r->n_servers > 0 && r->cport > 0 &&
			r->public.port > 0);
		require(r->n_servers <= REAL_SERVERS_MAX && r->id == 0 && r->state == ROUTE_OPEN);
	}
	for (size_t i = 0; i < d->workers.n; i++)
		require(worker_check(&e, &d->workers.items[i]) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	CLEANUP(document_clear) struct document d = { 0 }, back = { 0 };
	CLEANUP_FREE char *text = NULL, *again = NULL;
	size_t n, m;
	struct err e;
	int ret;

	if (len == 0)
		return 0;
	ret = read_text(&e, bytes, len, &d);
	if (ret < 0) {
		require_error(&e, ret);
		require(ret == -EINVAL && e.msg[0] == 'D');
		return 0;
	}
	check(&d);
	text = write_text(&d, &n);
	require(read_text(&e, text, n, &back) == 0);
	again = write_text(&back, &m);
	require(n == m && memcmp(text, again, n) == 0);
	return 0;
}
