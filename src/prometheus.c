/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "prometheus.h"
#include "utf8.h"

#include <string.h>

/* These characters get a backslash; a line feed becomes \n. Other control characters have no escape: '?'. */
static void put_escaped(FILE *out, const char *text, const char *escaped)
{
	for (;;) {
		size_t len = strcspn(text, escaped);

		utf8_write(out, text, len);
		text += len;
		if (!*text)
			return;
		fputc('\\', out);
		fputc(*text == '\n' ? 'n' : *text, out);
		text++;
	}
}

static void put_head(FILE *out, const struct prometheus_family *f)
{
	fprintf(out, "# HELP %s ", f->name);
	put_escaped(out, f->help, "\\\n");
	fprintf(out, "\n# TYPE %s %s\n", f->name, f->type);
}

static void put_labels(FILE *out, const struct prometheus_label *labels, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		fputc(i == 0 ? '{' : ',', out);
		fputs(labels[i].name, out);
		fputs("=\"", out);
		put_escaped(out, labels[i].value, "\\\"\n");
		fputc('"', out);
	}
	if (n > 0)
		fputc('}', out);
}

void prometheus_sample(struct prometheus *p, const struct prometheus_family *family,
		       const struct prometheus_label *labels, size_t n_labels, uint64_t value)
{
	char number[BASE_NUMBER_STRLEN];

	if (p->family != family)
		put_head(p->out, family);
	p->family = family;
	base_put_number(number, value);
	fputs(family->name, p->out);
	put_labels(p->out, labels, n_labels);
	fputc(' ', p->out);
	fputs(number, p->out);
	fputc('\n', p->out);
}
