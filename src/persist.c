/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "persist.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define HEADING "# sonm-gw-setup(8)\n"

/* A text that grows up to a size; what did not fit is remembered. */
struct text {
	char *at;
	size_t size, len;
	bool full;
};

static void PRINTF_LIKE(2, 3) append(struct text *t, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(t->at + t->len, t->size - t->len, fmt, args);
	va_end(args);
	if (n < 0 || (size_t)n >= t->size - t->len) {
		t->full = true;
		t->at[t->len] = '\0';
		return;
	}
	t->len += (size_t)n;
}

static struct text begin(char out[static PERSIST_TEXT_MAX])
{
	out[0] = '\0';
	return (struct text){ .at = out, .size = PERSIST_TEXT_MAX };
}

static int end(struct err *e, const struct text *t)
{
	return t->full ? err_set(e, E2BIG, "the file would have more than %d bytes", PERSIST_TEXT_MAX - 1) : 0;
}

int persist_modules(struct err *e, const char *const names[], size_t n, char out[static PERSIST_TEXT_MAX])
{
	struct text t = begin(out);

	append(&t, HEADING);
	for (size_t i = 0; i < n; i++)
		append(&t, "%s\n", names[i]);
	return end(e, &t);
}

/* Those of IPVS come with its module, those of IPv6 with IPv6. */
static bool may_be_absent(const char *name)
{
	return strncmp(name, "net.ipv4.vs.", 12) == 0 || strncmp(name, "net.ipv6.", 9) == 0;
}

int persist_settings(struct err *e, const struct persist_setting settings[], size_t n,
		     char out[static PERSIST_TEXT_MAX])
{
	struct text t = begin(out);

	append(&t, HEADING);
	for (size_t i = 0; i < n; i++)
		append(&t, "%s%s = %s\n", may_be_absent(settings[i].name) ? "-" : "", settings[i].name,
		       settings[i].value);
	return end(e, &t);
}

int persist_ports(struct err *e, const struct config *c, char out[static PERSIST_TEXT_MAX])
{
	struct text t = begin(out);

	append(&t, HEADING "net.ipv4.ip_local_reserved_ports = %u", c->port_first);
	if (c->port_last != c->port_first)
		append(&t, "-%u", c->port_last);
	append(&t, "\n");
	return end(e, &t);
}

/* ProtectHome= and PrivateTmp= hide them from our services. */
static bool is_hidden(const char *path)
{
	static const char *const hidden[] = { "/home/", "/root/", "/run/user/", "/tmp/", "/var/tmp/" };

	for (size_t i = 0; i < ARRAY_LEN(hidden); i++)
		if (strncmp(path, hidden[i], strlen(hidden[i])) == 0)
			return true;
	return false;
}

/* No quotes, spaces, percent or dollar signs, which systemd would take for something else. */
static int check_path(struct err *e, const char *path)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._-+@:,=~";

	if (path[strspn(path, plain)] != '\0')
		return err_set(e, ERR_USAGE, "a unit for systemd cannot name %s; "
			       "use a path of letters, digits and / . _ - + @ : , = ~", path);
	if (is_hidden(path))
		return err_set(e, ERR_USAGE, "the units' sandbox hides %s; keep it outside of /home, /root, "
			       "/run/user, /tmp and /var/tmp", path);
	return 0;
}

static size_t directory_length(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? (size_t)(slash - path) : 0;
}

/* The directory of the state file is what the services may write to. */
static int check_state(struct err *e, const char *path)
{
	if (directory_length(path) == 0)
		return err_set(e, ERR_USAGE, "the units' sandbox would let them write everywhere; "
			       "give the state file %s a directory of its own", path);
	return check_path(e, path);
}

int persist_unit(struct err *e, const char *text, const struct config *c, const char *config_path,
		 char out[static PERSIST_TEXT_MAX])
{
	struct text t = begin(out);
	const char *mark;

	if (check_state(e, c->state) < 0 || (config_path && check_path(e, config_path) < 0))
		return -e->code;
	while ((mark = strchr(text, '@')) != NULL) {
		append(&t, "%.*s", (int)(mark - text), text);
		text = mark + 1;
		if (strncmp(text, "config@", 7) == 0) {
			if (config_path)
				append(&t, " --config %s", config_path);
			text += 7;
		} else if (strncmp(text, "state@", 6) == 0) {
			append(&t, "%.*s", (int)directory_length(c->state), c->state);
			text += 6;
		} else {
			append(&t, "@");
		}
	}
	append(&t, "%s", text);
	return end(e, &t);
}

void persist_command(const char *text, const char *path, char *out, size_t size)
{
	struct text t = { .at = out, .size = size };

	append(&t, "printf '%%s\\n'");
	while (*text) {
		size_t len = strcspn(text, "\n");

		append(&t, " '%.*s'", (int)len, text);
		text += len + (text[len] == '\n');
	}
	append(&t, " >%s", path);
	if (t.full)
		out[0] = '\0';
}
