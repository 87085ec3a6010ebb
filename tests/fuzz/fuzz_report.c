/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fuzz_report: gives libFuzzer's bytes to what reads a worker's report, and
 * aborts where a promise of report.h is broken.
 */
#include "report.h"

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
	"{\n  \"nat\": \"none\",\n  \"gateway\": false,\n  \"address\": \"203.0.113.7\",\n  \"port\": null,\n"
	"  \"addresses\": [\n    {\n      \"address\": \"203.0.113.7\",\n      \"scope\": \"global\"\n    "
	"},\n"
	"    {\n      \"address\": \"2001:db8::7\"\n    }\n  ],\n  \"servers\": [],\n  \"took_ms\": 12\n}\n",
	"{\"nat\":\"symmetric\",\"gateway\":true,\"addresses\":[{\"address\":\"10.0.0.1\"}],\"x\":[1.5e-3,{}]"
	"}",
	"{\"nat\": &a !!str 'none', gateway: *a, \"addresses\": [{\"address\": \"\\u0000\\x1b\"}]}",
	"nat: none\ngateway: false\naddresses:\n- address: 203.0.113.7\n",
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

/* Its words are ours, but for 60 characters: ASCII, and not long. */
static bool is_harmless(const struct err *e)
{
	for (const char *s = e->msg; *s; s++)
		if (*s < 0x20 || *s > 0x7e)
			return false;
	return e->msg[0] == 'R' && strlen(e->msg) < 200;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct worker w = { 0 };
	struct err e;
	FILE *in;
	int ret;

	if (len == 0)
		return 0;
	in = fmemopen((void *)(uintptr_t)bytes, len, "r");
	require(in != NULL);
	ret = report_read(&e, in, "R", &w);
	fclose(in);
	if (ret < 0) {
		require((ret == -EINVAL || ret == -EFBIG) && e.code == -ret && is_harmless(&e));
		return 0;
	}
	strcpy(w.name, "w");
	require(worker_check(&e, &w) == 0 && w.reported_at == 0);
	for (size_t i = 0; i < w.n_addresses; i++)
		require(addr_scope(&w.addresses[i]) == ADDR_GLOBAL);
	require(w.is_public || w.n_addresses == 0);
	return 0;
}
