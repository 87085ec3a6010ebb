/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where what is shown goes. */
#include "gwstat.h"
#include "prometheus.h"

#include <stdio.h>
#include <sys/stat.h>

static int read_format(struct err *e, const struct cmd_line *line, struct gwstat_out *out)
{
	const char *text = cmd_get(line, OPT_FORMAT, NULL);
	bool json = cmd_has(line, 'j') || cmd_has(line, OPT_PUSH);
	int format = json ? GWSTAT_JSON : GWSTAT_TEXT;

	if (text && (format = gwstat_word(e, "format", gwstat_formats, text)) < 0)
		return format;
	if (cmd_has(line, 'j') && format != GWSTAT_JSON)
		return err_set(e, ERR_USAGE, "-j is --format json; leave out one of them");
	if (cmd_has(line, OPT_PUSH) && format != GWSTAT_JSON && format != GWSTAT_METRICS)
		return err_set(e, ERR_USAGE, "--push takes --format json or openmetrics");
	out->format = (enum gwstat_format)format;
	return 0;
}

static int prepare_push(struct err *e, const struct cmd_line *line, struct gwstat_out *out)
{
	out->post = (struct post){
		.url = cmd_get(line, OPT_PUSH, NULL),
		.token_file = cmd_get(line, OPT_TOKEN_FILE, NULL),
		.ca_file = cmd_get(line, OPT_CA_FILE, NULL),
	};
	if (!out->post.url)
		return 0;
	if (post_prepare(e, &out->post) < 0)
		return -e->code;
	if (out->post.token_in_clear)
		return err_set(e, ERR_USAGE, "everybody on the way could read the token; use https");
	return 0;
}

static bool may_wait(int fd)
{
	struct stat st;

	return fstat(fd, &st) < 0 || !(S_ISREG(st.st_mode) || (S_ISCHR(st.st_mode) && !isatty(fd)));
}

int gwstat_spare_own(struct err *e, const struct config *c, const struct cmd_line *line, const char *path)
{
	char journal[sizeof(c->state) + sizeof("-journal")];
	bool must_exist;
	const struct {
		const char *path, *what;
	} own[] = {
		{ c->state, "the state file" },
		{ journal, "the state file's journal" },
		{ tool_config_path(line, &must_exist), "the configuration" },
	};

	snprintf(journal, sizeof(journal), "%s-journal", c->state); /* SQLite's name for it */
	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		if (outfile_is(path, own[i].path))
			return err_set(e, ERR_USAGE, "%s is %s; name another file", path, own[i].what);
	return 0;
}

int gwstat_out_begin(struct err *e, const struct config *c, const struct cmd_line *line, struct gwstat_out *out)
{
	const char *path = cmd_get(line, OPT_OUTPUT, NULL);

	if (path && cmd_has(line, OPT_PUSH))
		return err_set(e, ERR_USAGE, "--output and --push are two ways out; choose one");
	if (read_format(e, line, out) < 0 || prepare_push(e, line, out) < 0)
		return -e->code;
	if (path && outfile_begin(e, path, &out->file) < 0)
		return tool_blame_file(e);
	if (path && gwstat_spare_own(e, c, line, out->file.path) < 0)
		return -e->code;
	out->stream = path ? out->file.stream : stdout;
	out->may_wait = !path && !out->post.url && may_wait(STDOUT_FILENO);
	if (out->post.url)
		out->stream = open_memstream(&out->text, &out->len);
	else if (out->format == GWSTAT_JSON)
		setvbuf(out->stream, NULL, _IONBF, 0); /* struct json has a buffer of its own */
	return out->stream ? 0 : err_set(e, ENOMEM, "out of memory");
}

/* A Pushgateway is to forget what is not there any more, which only PUT says. */
static int push(struct err *e, const struct gwstat_out *out)
{
	bool metrics = out->format == GWSTAT_METRICS;
	const struct http_post http = {
		.content_type = metrics ? PROMETHEUS_CONTENT_TYPE : "application/json",
		.put = metrics,
		.body = out->text,
		.len = out->len,
		.user_agent = GWSTAT_PROG "/" PACKAGE_VERSION,
	};
	long status;

	return post_send(e, &out->post, http, &status);
}

int gwstat_out_end(struct err *e, struct gwstat_out *out)
{
	int failed;

	if (out->file.stream)
		return outfile_end(e, &out->file);
	if (!out->post.url)
		return 0; /* who ends looks after the output */
	failed = fclose(out->stream);
	out->stream = NULL;
	return failed ? err_set(e, ENOMEM, "out of memory") : push(e, out);
}

void gwstat_out_clear(struct gwstat_out *out)
{
	if (out->post.url && out->stream)
		fclose(out->stream);
	free(out->text);
	outfile_abandon(&out->file);
}
