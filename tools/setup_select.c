/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which steps somebody means. Pure. */
#include "setup.h"
#include "similar.h"

#include <string.h>

#define NAME_MAX_LEN 128

/* Joins words with blanks. NULL: longer than any name. */
static const char *join(const char *const words[], size_t n, char buf[static NAME_MAX_LEN])
{
	size_t len = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		int more = snprintf(buf + len, NAME_MAX_LEN - len, "%s%s", i ? " " : "", words[i]);

		if (more < 0 || (size_t)more >= NAME_MAX_LEN - len)
			return NULL;
		len += (size_t)more;
	}
	return buf;
}

/* "ip_forward" of "net.ipv4.ip_forward"; of what is no setting the name itself. */
static const char *last_part(const char *name)
{
	const char *end = name + strlen(name);

	while (end > name && end[-1] != '.' && end[-1] != '/')
		end--;
	return strchr(name, ' ') ? name : end;
}

static bool is_meant(const char *name, const char *wanted)
{
	size_t len = strlen(wanted);

	return strcmp(name, wanted) == 0 || strcmp(last_part(name), wanted) == 0 ||
	       (strncmp(name, wanted, len) == 0 && name[len] == ' ');
}

static bool mark(const char *const names[], size_t n_names, const char *wanted, bool marks[])
{
	bool found = false;

	for (size_t i = 0; i < n_names; i++) {
		if (!is_meant(names[i], wanted))
			continue;
		marks[i] = found = true;
	}
	return found;
}

/* How many of the arguments, as many as possible, are one name: 0: not even the first is. */
static size_t take(const char *const names[], size_t n_names, const char *const args[], size_t n_args, bool marks[])
{
	char buf[NAME_MAX_LEN];

	for (size_t n = n_args; n > 0; n--) {
		const char *wanted = join(args, n, buf);

		if (wanted && mark(names, n_names, wanted, marks))
			return n;
	}
	return 0;
}

/* The name that the arguments, or the first of them, are most like. */
static const char *nearest(const char *const names[], size_t n_names, const char *const args[], size_t n_args)
{
	char buf[NAME_MAX_LEN];
	const char *whole = join(args, n_args, buf);
	const char *best = NULL;

	for (size_t i = 0; whole && i < n_names; i++)
		best = similar_nearer(whole, best, names[i]);
	for (size_t i = 0; !best && i < n_names; i++)
		if (similar_nearer(args[0], NULL, last_part(names[i])))
			best = names[i];
	for (size_t i = 0; !best && i < n_names; i++)
		best = similar_nearer(args[0], best, names[i]);
	return best;
}

int setup_select(struct err *e, const char *const names[], size_t n_names, const char *const args[], size_t n_args,
		 bool marks[])
{
	size_t taken;

	for (size_t i = 0; i < n_args; i += taken) {
		const char *near;

		taken = take(names, n_names, args + i, n_args - i, marks);
		if (taken > 0)
			continue;
		near = nearest(names, n_names, args + i, n_args - i);
		err_set(e, ERR_USAGE, "'%.60s' is not a step of this configuration", args[i]);
		if (near)
			return err_advise(e, "did you mean %s?", near);
		return err_advise(e, SETUP_PROG " --explain lists them");
	}
	return 0;
}
