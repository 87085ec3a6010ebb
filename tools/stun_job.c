/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stun_job.h"
#include "utf8.h"

#include <string.h>

#define DEFAULT_LIMIT "10"

enum { OPT_REPORT = TOOL_OPT_FIRST, OPT_TOKEN_FILE, OPT_CACERT };

static const struct cmd_command command[] = {
	{ .id = 1,
	  .max_args = -1, /* so that what to write instead can be said */
	  .synopsis = "[-s HOST[:PORT]]... [-4 | -6] [-b ADDR|IFACE] [-t SECONDS] [-j] [-v] "
		      "[--report[=URL] [--token-file FILE] [--cacert FILE]] [-c FILE]" },
};

static const struct cmd_option options[] = {
	{ 's', 's', "server", "HOST[:PORT]", "ask this STUN server (default: those of the configuration)", true,
	  false },
	{ '4', '4', "ipv4", NULL, "ask over IPv4", false, false },
	{ '6', '6', "ipv6", NULL, "ask over IPv6", false, false },
	{ 'b', 'b', "bind", "ADDR|IFACE", "ask from this address or network interface", false, false },
	{ 't', 't', "time", "SECONDS", "take no longer, 0.1 to 60 (default: " DEFAULT_LIMIT ")", false, false },
	{ 'j', 'j', "json", NULL, "print JSON", false, false },
	{ 'v', 'v', "verbose", NULL, "show every datagram on stderr; twice: with its attributes", true, false },
	{ OPT_REPORT, 0, "report", "[=URL]", "post the JSON to URL, or to where the configuration says", false,
	  false },
	{ OPT_TOKEN_FILE, 0, "token-file", "FILE", "report with the token in FILE", false, false },
	{ OPT_CACERT, 0, "cacert", "FILE", "trust the authorities in FILE (PEM) instead of the system's", false,
	  false },
	TOOL_COMMON_OPTIONS,
	{ 0 },
};

static const int all_options[] = { 's', '4', '6', 'b', 't', 'j', 'v', OPT_REPORT, OPT_TOKEN_FILE, OPT_CACERT,
				   'c', 'h', TOOL_OPT_VERSION, TOOL_OPT_COMPLETE, 0 };

const struct cmd_table stun_job_table = {
	.prog = STUN_PROG,
	.summary = "finds this host's public address and the NAT or firewall before it",
	.section = "1",
	.commands = command,
	.options = options,
	.common = all_options,
};

static int read_source(struct err *e, const struct cmd_line *line, struct stun_job *job)
{
	const char *text = cmd_get(line, 'b', NULL);
	struct udp_from *from = &job->from;
	struct err none;

	if (cmd_has(line, '4') && cmd_has(line, '6'))
		return err_set(e, ERR_USAGE, "-4 and -6 exclude each other; give one, or none to have either");
	if (cmd_has(line, '4') || cmd_has(line, '6'))
		job->family = cmd_has(line, '4') ? AF_INET : AF_INET6;
	if (!text)
		return 0;
	if (addr_parse(&none, text, &from->address) < 0) {
		if (strlen(text) == 0 || strlen(text) >= sizeof(from->device))
			return err_set(e, ERR_USAGE, "'%.60s' is neither an address nor a network interface",
				       text);
		strcpy(from->device, text);
		return 0;
	}
	if (job->family != AF_UNSPEC && job->family != from->address.family)
		return err_set(e, ERR_USAGE, "%s is not an %s address; leave out -b or -%c", text,
			       addr_family_name(job->family), job->family == AF_INET ? '4' : '6');
	job->family = from->address.family;
	return 0;
}

static int read_limit(struct err *e, const struct cmd_line *line, struct stun_job *job)
{
	const char *text = cmd_get(line, 't', DEFAULT_LIMIT);
	char *end = NULL;
	double seconds = 0;

	/* strtod(3) also takes what people do not write: 0x1p3, infinity, 1e1, blanks. */
	if (text[strspn(text, "0123456789.")] == '\0')
		seconds = strtod(text, &end);
	if (!end || *end != '\0' || !(seconds >= 0.1 && seconds <= 60))
		return err_set(e, ERR_USAGE, "'%.60s' is not a time; write seconds from 0.1 to 60, such as 2.5",
			       text);
	job->limit = (int64_t)(seconds * 1e6);
	return 0;
}

static int load_config(struct err *e, const struct cmd_line *line, struct stun_job *job)
{
	bool must_exist;
	const char *path = tool_config_path(line, &must_exist);

	snprintf(job->config_path, sizeof(job->config_path), "%s", path);
	utf8_clean(job->config_path);
	/* Whoever says everything need not be allowed to read the file. */
	if (cmd_has(line, 's') && (!cmd_has(line, OPT_REPORT) || cmd_get(line, OPT_REPORT, NULL)) && !must_exist)
		return 0;
	return worker_config_load(e, path, must_exist, &job->config) < 0 ? tool_blame_file(e) : 0;
}

/* Does -4, -6 or -b leave a way to this server? Of a name that is seen later. */
static int check_family(struct err *e, const struct server *s, sa_family_t family)
{
	if (s->addr.family == AF_UNSPEC || family == AF_UNSPEC || s->addr.family == family)
		return 0;
	return err_set(e, ERR_USAGE, "%s is not an %s address; name another server, or leave out what asks for %s",
		       s->host, addr_family_name(family), addr_family_name(family));
}

static int read_servers(struct err *e, const struct cmd_line *line, struct stun_job *job)
{
	struct worker_config *c = &job->config;
	size_t n = 0;

	for (size_t i = 0; i < line->n_values; i++) {
		if (line->values[i].id != 's')
			continue;
		if (n == ARRAY_LEN(c->servers))
			return err_set(e, ERR_USAGE, "there are more than %zu servers; give fewer", n);
		if (server_parse(e, line->values[i].value, &c->servers[n]) < 0 ||
		    check_family(e, &c->servers[n], job->family) < 0)
			return -e->code;
		n++;
	}
	if (n > 0) {
		c->has_firewall = true;
		c->n_servers = n;
	}
	if (cmd_has(line, 'b') && !c->has_firewall)
		return err_set(e, ERR_USAGE, "-b is for asking, and no server is named; add -s, or leave it out");
	return 0;
}

/* Puts an option's argument in the place of what the file says. */
static int read_text(struct err *e, const struct cmd_line *line, int id, const char *name, char *buf,
		     size_t size)
{
	const char *text = cmd_get(line, id, NULL);

	if (!text)
		return 0;
	if (strlen(text) == 0)
		return err_set(e, ERR_USAGE, "--%s has an empty argument; give it one, or leave it out", name);
	if (strlen(text) >= size)
		return err_set(e, ERR_USAGE, "--%s has more than %zu bytes; choose something shorter", name,
			       size - 1);
	strcpy(buf, text);
	return 0;
}

/* Everything about the report that can be wrong is found before a packet is sent. */
static int read_report(struct err *e, const struct cmd_line *line, struct stun_job *job)
{
	struct worker_config *c = &job->config;

	job->report = cmd_has(line, OPT_REPORT);
	if (!job->report && (cmd_has(line, OPT_TOKEN_FILE) || cmd_has(line, OPT_CACERT)))
		return err_set(e, ERR_USAGE,
			       "--token-file and --cacert are for --report; add it, or leave them out");
	if (!job->report)
		return 0;
	/* The file's token is for the hub that the file names, not for whomever somebody types. */
	if (cmd_get(line, OPT_REPORT, NULL) && strcmp(cmd_get(line, OPT_REPORT, NULL), c->report_url) != 0)
		c->token_file[0] = '\0';
	if (read_text(e, line, OPT_REPORT, "report", c->report_url, sizeof(c->report_url)) < 0 ||
	    read_text(e, line, OPT_TOKEN_FILE, "token-file", c->token_file, sizeof(c->token_file)) < 0 ||
	    read_text(e, line, OPT_CACERT, "cacert", c->ca_file, sizeof(c->ca_file)) < 0)
		return -e->code;
	if (c->report_url[0] == '\0')
		return err_set(e, ERR_USAGE, "--report where? write --report=URL, or report: URL in %.300s",
			       job->config_path);
	job->post = (struct post){
		.url = c->report_url,
		.token_file = c->token_file[0] != '\0' ? c->token_file : NULL,
		.ca_file = c->ca_file[0] != '\0' ? c->ca_file : NULL,
	};
	return post_prepare(e, &job->post);
}

int stun_job_read(struct err *e, const struct cmd_line *line, struct stun_job *out)
{
	*out = (struct stun_job){ .verbose = cmd_count(line, 'v'), .json = cmd_has(line, 'j') };
	if (line->n_args > 0)
		return err_set(e, ERR_USAGE,
			       "'%.60s' belongs to no option; name a server with -s, as in 'sonm-stun -s %.60s'",
			       line->args[0], line->args[0]);
	if (read_source(e, line, out) < 0 || read_limit(e, line, out) < 0 || load_config(e, line, out) < 0 ||
	    read_servers(e, line, out) < 0 || read_report(e, line, out) < 0)
		return -e->code;
	return 0;
}
