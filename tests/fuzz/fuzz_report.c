/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fuzz_report: gives libFuzzer's bytes to what reads a worker's report, and
 * aborts where a promise of report.h is broken.
 */
#include "report.h"
#include "fuzz.h"

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
	in = stream_of(bytes, len);
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
