/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ipvsadm.h"

#include <linux/ip_vs.h>
#include <string.h>

#define LINE_SIZE 512
#define BLANKS " \t\r"
#define WEIGHT_DEFAULT 1
#define WEIGHT_MAX 65535
#define PERSISTENCE_DEFAULT 360 /* of ipvsadm 1.31, whatever its manual says */
#define PERSISTENCE_MAX 3153600
#define SCHEDULER_DEFAULT "wlc"

/* What one line says. */
struct entry {
	size_t line;
	char command; /* 'A': add a service, 'a': add a real server */
	bool has_key, has_real, is_masqueraded;
	struct service_key key;
	char scheduler[SCHEDULER_MAX + 1]; /* A */
	uint32_t persistence;              /* A */
	struct endpoint real;              /* a */
	uint32_t weight;                   /* a */
};

struct entries {
	struct entry *items;
	size_t n;
};

static void entries_clear(struct entries *list)
{
	free(list->items);
}

static int parse_endpoint(struct err *e, const char *text, struct endpoint *out)
{
	if (endpoint_parse(e, text, out) < 0)
		return err_advise(e, "write address and port in numbers, or remove the line");
	if (!addr_is_unicast(&out->addr))
		return err_set(e, ERR_USAGE, "%.60s is not the address of one host; remove the line", text);
	return 0;
}

static int parse_number(struct err *e, const char *text, uint32_t min, uint32_t max, uint32_t *out)
{
	size_t digits = strspn(text, "0123456789");
	long n = digits > 0 && digits < 10 && text[digits] == '\0' ? atol(text) : -1;

	if (n < (long)min || n > (long)max)
		return err_set(e, ERR_USAGE, "'%.60s' is not a number from %u to %u; correct it", text, min,
			       max);
	*out = (uint32_t)n;
	return 0;
}

/* --- options ----------------------------------------------------------------- */

typedef int set_option(struct err *e, struct entry *entry, const char *value);

static int set_key(struct err *e, struct entry *entry, const char *value, uint8_t protocol)
{
	if (entry->has_key)
		return err_set(e, ERR_USAGE, "there is a second service in the line; write a line for each");
	entry->has_key = true;
	entry->key.protocol = protocol;
	return parse_endpoint(e, value, &entry->key.vip);
}

static int set_tcp(struct err *e, struct entry *entry, const char *value)
{
	return set_key(e, entry, value, IPPROTO_TCP);
}

static int set_udp(struct err *e, struct entry *entry, const char *value)
{
	return set_key(e, entry, value, IPPROTO_UDP);
}

static int set_sctp(struct err *e, struct entry *entry, const char *value)
{
	return set_key(e, entry, value, IPPROTO_SCTP);
}

static int set_scheduler(struct err *e, struct entry *entry, const char *value)
{
	if (!scheduler_is_name(value))
		return err_set(e, ERR_USAGE, "'%.60s' is not the name of a scheduler; correct it", value);
	strcpy(entry->scheduler, value);
	return 0;
}

/* The value may be left out. */
static int set_persistent(struct err *e, struct entry *entry, const char *value)
{
	entry->persistence = PERSISTENCE_DEFAULT;
	return value ? parse_number(e, value, 1, PERSISTENCE_MAX, &entry->persistence) : 0;
}

static int set_real(struct err *e, struct entry *entry, const char *value)
{
	entry->has_real = true;
	return parse_endpoint(e, value, &entry->real);
}

static int set_masquerading(struct err *e, struct entry *entry, const char *value)
{
	(void)e;
	(void)value;
	entry->is_masqueraded = true;
	return 0;
}

static int set_weight(struct err *e, struct entry *entry, const char *value)
{
	return parse_number(e, value, 0, WEIGHT_MAX, &entry->weight);
}

enum argument { ARGUMENT_NONE, ARGUMENT_NEEDED, ARGUMENT_OPTIONAL };

static const struct option {
	const char *letter, *name;
	const char *commands; /* those that take it */
	enum argument argument;
	set_option *set;  /* NULL: not supported */
	const char *what; /* if not */
} options[] = {
	{ "-t", "--tcp-service", "Aa", ARGUMENT_NEEDED, set_tcp, NULL },
	{ "-u", "--udp-service", "Aa", ARGUMENT_NEEDED, set_udp, NULL },
	{ "", "--sctp-service", "Aa", ARGUMENT_NEEDED, set_sctp, NULL },
	{ "-s", "--scheduler", "A", ARGUMENT_NEEDED, set_scheduler, NULL },
	{ "-p", "--persistent", "A", ARGUMENT_OPTIONAL, set_persistent, NULL },
	{ "-r", "--real-server", "a", ARGUMENT_NEEDED, set_real, NULL },
	{ "-m", "--masquerading", "a", ARGUMENT_NONE, set_masquerading, NULL },
	{ "-w", "--weight", "a", ARGUMENT_NEEDED, set_weight, NULL },
	{ "-f", "--fwmark-service", "Aa", ARGUMENT_NONE, NULL, "a service with a firewall mark" },
	{ "-g", "--gatewaying", "a", ARGUMENT_NONE, NULL, "a real server that is not masqueraded (-m)" },
	{ "-i", "--ipip", "a", ARGUMENT_NONE, NULL, "a real server that is not masqueraded (-m)" },
	{ "-M", "--netmask", "A", ARGUMENT_NONE, NULL, "persistence for a whole network" },
	{ "-o", "--ops", "A", ARGUMENT_NONE, NULL, "one-packet scheduling" },
	{ "-b", "--sched-flags", "A", ARGUMENT_NONE, NULL, "a scheduler with flags" },
	{ "", "--pe", "A", ARGUMENT_NONE, NULL, "a persistence engine" },
	{ "-x", "--u-threshold", "a", ARGUMENT_NONE, NULL, "a limit of connections" },
	{ "-y", "--l-threshold", "a", ARGUMENT_NONE, NULL, "a limit of connections" },
};

/* --name=VALUE is split: *value is what follows, or NULL. */
static const struct option *find_option(char *word, char **value)
{
	*value = strncmp(word, "--", 2) == 0 ? strchr(word, '=') : NULL;
	if (*value)
		*(*value)++ = '\0';
	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		if (strcmp(word, options[i].letter) == 0 || strcmp(word, options[i].name) == 0)
			return &options[i];
	return NULL;
}

/* The words of a line that are left. */
struct rest {
	char *text; /* NULL: none, after the first word */
	char *next; /* strtok_r's */
};

static char *next_word(struct rest *rest)
{
	char *word = strtok_r(rest->text, BLANKS, &rest->next);

	rest->text = NULL;
	if (!word || word[0] != '#')
		return word;
	rest->next += strlen(rest->next); /* a comment: nothing follows */
	return NULL;
}

/* An optional argument that is not there must not take the next option for it. */
static char *next_value(struct rest *rest, enum argument argument)
{
	size_t blanks = strspn(rest->next, BLANKS);

	if (argument == ARGUMENT_NONE || (argument == ARGUMENT_OPTIONAL && rest->next[blanks] == '-'))
		return NULL;
	return next_word(rest);
}

static int take_option(struct err *e, struct entry *entry, char *word, struct rest *rest, uint32_t *seen)
{
	char *value;
	const struct option *option = find_option(word, &value);
	uint32_t bit;

	if (!option)
		return err_set(e, ERR_USAGE, "'%.60s' is not understood; write what 'ipvsadm -Sn' prints",
			       word);
	if (!option->set)
		return err_set(e, ERR_USAGE, "%s: %s is not supported; remove the line", word, option->what);
	if (!strchr(option->commands, entry->command))
		return err_set(e, ERR_USAGE, "%s does not belong to -%c; remove it", word, entry->command);
	bit = UINT32_C(1) << (option - options);
	if (*seen & bit)
		return err_set(e, ERR_USAGE, "%s is there twice; keep one", word);
	*seen |= bit;
	if (value && option->argument == ARGUMENT_NONE)
		return err_set(e, ERR_USAGE, "%s takes no value; remove it", word);
	if (!value)
		value = next_value(rest, option->argument);
	if (!value && option->argument == ARGUMENT_NEEDED)
		return err_set(e, ERR_USAGE, "there is no value after %s; add it", word);
	return option->set(e, entry, value) < 0 ? err_wrap(e, "%s", word) : 0;
}

/* --- lines ------------------------------------------------------------------- */

static int check_entry(struct err *e, const struct entry *entry)
{
	char real[ENDPOINT_STRLEN];

	if (!entry->has_key)
		return err_set(e, ERR_USAGE,
			       "there is no service; write -t, -u or --sctp-service ADDRESS:PORT");
	if (entry->command == 'A')
		return 0;
	if (!entry->has_real)
		return err_set(e, ERR_USAGE, "there is no real server; write -r ADDRESS:PORT");
	if (!entry->is_masqueraded)
		return err_set(
			e, ERR_USAGE,
			"real server %s is not masqueraded (-m), which is not supported; remove the line",
			endpoint_format(&entry->real, real));
	if (entry->real.addr.family != entry->key.vip.addr.family)
		return err_set(e, ERR_USAGE, "real server %s is not of the service's family; remove the line",
			       endpoint_format(&entry->real, real));
	return 0;
}

/* Returns 1, or 0 for a line without words. */
static int parse_line(struct err *e, char *line, struct entry *out)
{
	struct rest rest = { .text = line };
	struct entry entry = { .line = out->line, .scheduler = SCHEDULER_DEFAULT, .weight = WEIGHT_DEFAULT };
	char *word = next_word(&rest);
	uint32_t seen = 0;

	if (!word)
		return 0;
	if (strcmp(word, "-A") == 0 || strcmp(word, "--add-service") == 0)
		entry.command = 'A';
	else if (strcmp(word, "-a") == 0 || strcmp(word, "--add-server") == 0)
		entry.command = 'a';
	else
		return err_set(e, ERR_USAGE, "'%.60s' is neither -A nor -a; write what 'ipvsadm -Sn' prints",
			       word);
	while ((word = next_word(&rest)))
		if (take_option(e, &entry, word, &rest, &seen) < 0)
			return -e->code;
	if (check_entry(e, &entry) < 0)
		return -e->code;
	*out = entry;
	return 1;
}

static int add_line(struct err *e, const char *text, size_t len, size_t number, struct entries *list)
{
	struct entry entry = { .line = number };
	char line[LINE_SIZE];
	int ret;

	if (memchr(text, '\0', len))
		return err_set(e, ERR_USAGE, "there is a NUL character in the line; remove it");
	if (len >= sizeof(line))
		return err_set(e, ERR_USAGE,
			       "the line is longer than %zu characters; write what 'ipvsadm -Sn' prints",
			       sizeof(line) - 1);
	memcpy(line, text, len);
	line[len] = '\0';
	ret = parse_line(e, line, &entry);
	if (ret <= 0)
		return ret;
	if (base_reserve((void **)&list->items, list->n, sizeof(entry)) < 0)
		return err_set(e, ENOMEM, "out of memory");
	list->items[list->n++] = entry;
	return 0;
}

static int locate(struct err *e, const char *name, size_t line)
{
	return e->code == ERR_USAGE ? err_wrap(e, "%.300s:%zu", name, line) : -e->code;
}

static int read_lines(struct err *e, const char *name, const char *text, size_t len, struct entries *list)
{
	const char *end = text + len;

	for (size_t number = 1; text < end; number++) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		const char *line_end = newline ? newline : end;

		if (add_line(e, text, (size_t)(line_end - text), number, list) < 0)
			return locate(e, name, number);
		text = newline ? newline + 1 : end;
	}
	return 0;
}

/* --- services ---------------------------------------------------------------- */

static int compare_keys(const struct entry *a, const struct entry *b)
{
	struct service sa = { .key = a->key }, sb = { .key = b->key };

	return service_compare(&sa, &sb);
}

static int compare_reals(const struct entry *a, const struct entry *b)
{
	int order = addr_compare(&a->real.addr, &b->real.addr);

	return order ? order : (a->real.port > b->real.port) - (a->real.port < b->real.port);
}

/* Each service, its real servers behind it, and what is there twice one after the other. */
static int compare_entries(const void *a, const void *b)
{
	const struct entry *ea = a, *eb = b;
	int order = compare_keys(ea, eb);

	if (order == 0)
		order = (ea->command == 'a') - (eb->command == 'a');
	if (order == 0 && ea->command == 'a')
		order = compare_reals(ea, eb);
	return order ? order : (ea->line > eb->line) - (ea->line < eb->line);
}

static int add_service(struct err *e, const struct entry *entry, struct service_list *list)
{
	struct service s = { .key = entry->key, .persistence = entry->persistence };
	char key[SERVICE_KEY_STRLEN];

	if (list->n > 0 && service_key_equal(&list->items[list->n - 1].key, &entry->key))
		return err_set(e, ERR_USAGE, "service %s is added twice; keep one",
			       service_key_format(&entry->key, key));
	memcpy(s.scheduler, entry->scheduler, sizeof(s.scheduler));
	return service_list_add(e, list, &s);
}

/* added: the line in which the last service of the list was. */
static int add_server(struct err *e, const struct entry *entry, size_t added, struct service_list *list)
{
	struct destination d = { .real = entry->real, .weight = entry->weight, .method = IP_VS_CONN_F_MASQ };
	struct service *s = list->n > 0 ? &list->items[list->n - 1] : NULL;
	char key[SERVICE_KEY_STRLEN], real[ENDPOINT_STRLEN];

	service_key_format(&entry->key, key);
	endpoint_format(&entry->real, real);
	if (!s || !service_key_equal(&s->key, &entry->key) || added > entry->line)
		return err_set(e, ERR_USAGE, "no line above this one adds service %s; put -A before -a", key);
	if (s->n_destinations > 0 &&
	    endpoint_equal(&s->destinations[s->n_destinations - 1].real, &entry->real))
		return err_set(e, ERR_USAGE, "real server %s is added twice to service %s; keep one", real,
			       key);
	if (base_reserve((void **)&s->destinations, s->n_destinations, sizeof(d)) < 0)
		return err_set(e, ENOMEM, "out of memory");
	s->destinations[s->n_destinations++] = d;
	return 0;
}

int ipvsadm_parse(struct err *e, const char *name, const char *text, size_t len, struct service_list *out)
{
	CLEANUP(service_list_clear) struct service_list services = { 0 };
	CLEANUP(entries_clear) struct entries entries = { 0 };
	size_t added = 0;

	if (read_lines(e, name, text, len, &entries) < 0)
		return -e->code;
	if (entries.n > 0)
		qsort(entries.items, entries.n, sizeof(*entries.items), compare_entries);
	for (size_t i = 0; i < entries.n; i++) {
		const struct entry *entry = &entries.items[i];
		bool is_service = entry->command == 'A';

		if ((is_service ? add_service(e, entry, &services) : add_server(e, entry, added, &services)) <
		    0)
			return locate(e, name, entry->line);
		added = is_service ? entry->line : added;
	}
	*out = services;
	services = (struct service_list){ 0 };
	return 0;
}
