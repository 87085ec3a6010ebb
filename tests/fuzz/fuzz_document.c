/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fuzz_document: gives libFuzzer's bytes to everything that reads a saved
 * document or ipvsadm's lines, and aborts where a promise of document.h is
 * broken: what was read can be written, and is then read as the same.
 */
#include "document.h"

#include <string.h>

size_t LLVMFuzzerMutate(uint8_t *bytes, size_t len, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t len, size_t max, unsigned seed);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void require(bool kept)
{
	if (!kept)
		abort();
}

/* Where the mutator begins when it has nothing, and at times anew. */
static const char *const seeds[] = {
	"version: 1\nworkers:\n- name: w1\n  nat: none\n  kind: public\n  addresses: [203.0.113.7, "
	"'2001:db8::7']\n"
	"  reported_at: '2026-11-01T10:00:00Z'\nroutes:\n- container: web\n  port: 80/tcp\n  kind: gateway\n"
	"  endpoint: 198.51.100.1:33000\n  worker: w1\n  scheduler: wlc\n  persistence: 300\n  "
	"real_servers:\n"
	"  - {address: '10.0.0.11:8080', weight: 100}\n  - {address: '10.0.0.12:8080', weight: 0}\n",
	"{version: 1, routes: [{container: 1e3, port: 1/udp, kind: direct, endpoint: '[2001:db8::1]:2', "
	"real_servers: "
	"[{address: \"[fd00::1]:1\"}]}]}",
	"-A -t 198.51.100.1:80 -s rr -p 300\n-a -t 198.51.100.1:80 -r 10.0.0.2:80 -m -w 100\n"
	"-A --sctp-service [2001:db8::1]:53 -s wrr\n-a --sctp-service [2001:db8::1]:53 -r [fd00::1]:53 -m -w "
	"1\n",
	"-A -f 77\n--add-service --udp-service=192.0.2.1:1 --persistent\n-a -u 192.0.2.1:1 -r 10.0.0.1:1 -g "
	"-x "
	"1\n",
	"version: 1\nroutes: &a [*a, !!str b, |\n  c\n]\n---\n",
};

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t len, size_t max, unsigned seed)
{
	const char *text = seeds[seed % ARRAY_LEN(seeds)];
	size_t n = strlen(text);

	if ((len < 2 || seed % 64 == 0) && n <= max) {
		memcpy(bytes, text, n);
		len = n;
	}
	return LLVMFuzzerMutate(bytes, len, max);
}

static int read_text(struct err *e, const void *text, size_t len, struct document *out)
{
	FILE *in = fmemopen((void *)(uintptr_t)text, len, "r");
	int ret;

	require(in != NULL);
	ret = document_read(e, in, "D", out);
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

static bool is_line(const struct err *e)
{
	for (const char *s = e->msg; *s; s++)
		if ((unsigned char)*s < 0x20)
			return false;
	return e->msg[0] == 'D';
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
		require(ret == -EINVAL && e.code == EINVAL && is_line(&e));
		return 0;
	}
	check(&d);
	text = write_text(&d, &n);
	require(read_text(&e, text, n, &back) == 0);
	again = write_text(&back, &m);
	require(n == m && memcmp(text, again, n) == 0);
	return 0;
}
