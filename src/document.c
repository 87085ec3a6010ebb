/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "document_internal.h"
#include "ipvsadm.h"
#include "yamlfile.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* The first character behind blanks, blank lines and comments; the end if there is none. */
static const char *first_word(const char *text, const char *end)
{
	while (text < end) {
		if (*text == '#')
			while (text < end && *text != '\n')
				text++;
		else if (strchr(" \t\r\n", *text) && *text != '\0')
			text++;
		else
			break;
	}
	return text;
}

/* -A, -a, --add-service, and what else ipvsadm has; in YAML a '-' stands alone or begins "---". */
static bool is_option(const char *word, const char *end)
{
	size_t dashes = end - word > 1 && word[1] == '-' ? 2 : 1;

	return (size_t)(end - word) > dashes && word[0] == '-' && isalpha((unsigned char)word[dashes]);
}

/* The container that nobody has named: "tcp:198.51.100.1:80". */
static void name_container(struct route *r)
{
	char addr[ADDR_STRLEN];

	snprintf(r->container, sizeof(r->container), "%s:%s:%u", protocol_name(r->protocol),
		 addr_format(&r->public.addr, addr), (unsigned)r->public.port);
}

static int add_service(struct err *e, const struct service *s, struct document *d)
{
	CLEANUP(route_clear)
	struct route r = {
		.kind = ROUTE_GATEWAY,
		.protocol = s->key.protocol,
		.public = s->key.vip,
		.cport = s->key.vip.port,
		.persistence = s->persistence,
	};
	char key[SERVICE_KEY_STRLEN];

	service_key_format(&s->key, key);
	if (s->n_destinations == 0)
		return err_set(e, ERR_USAGE,
			       "service %s has no real server; add one (-a), or remove the service", key);
	name_container(&r);
	memcpy(r.scheduler, s->scheduler, sizeof(r.scheduler));
	for (size_t i = 0; i < s->n_destinations; i++) {
		struct real_server rs = { .real = s->destinations[i].real,
					  .weight = s->destinations[i].weight };

		if (route_add_server(e, &r, &rs) < 0)
			return e->code == E2BIG ? err_set(e, ERR_USAGE,
							  "service %s has more than %d real servers; "
							  "remove some",
							  key, REAL_SERVERS_MAX)
						: -e->code;
	}
	return route_list_take(e, &d->routes, &r);
}

static int read_ipvsadm(struct err *e, const char *name, const char *text, size_t len, struct document *out)
{
	CLEANUP(service_list_clear) struct service_list services = { 0 };
	CLEANUP(document_clear) struct document doc = { 0 };

	if (ipvsadm_parse(e, name, text, len, &services) < 0)
		return -e->code;
	for (size_t i = 0; i < services.n; i++)
		if (add_service(e, &services.items[i], &doc) < 0)
			return e->code == ERR_USAGE ? err_wrap(e, "%.300s", name) : -e->code;
	*out = doc;
	doc = (struct document){ 0 };
	return 0;
}

int document_read(struct err *e, FILE *in, const char *name, struct document *out)
{
	CLEANUP_FREE char *text = NULL;
	const char *word, *end;
	size_t len;

	if (yamlfile_read(e, in, name, DOCUMENT_SIZE_MAX, &text, &len) < 0)
		return -e->code;
	end = text + len;
	word = first_word(text, end);
	if (word == end)
		return err_set(e, ERR_USAGE,
			       "%.300s: is empty; give what 'sonm-vs --save' or 'ipvsadm -Sn' prints", name);
	if (is_option(word, end))
		return read_ipvsadm(e, name, text, len, out);
	return document_yaml_parse(e, name, text, len, out);
}

void document_clear(struct document *d)
{
	route_list_clear(&d->routes);
	worker_list_clear(&d->workers);
}
