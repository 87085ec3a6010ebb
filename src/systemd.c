/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "systemd.h"
#include "program.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

bool systemd_is_there(void)
{
	char path[PROGRAM_PATH_MAX];
	struct err absent;

	return program_find(&absent, "systemctl", path) == 0;
}

/* sd_booted(3) */
static bool runs(void)
{
	struct stat st;

	return lstat("/run/systemd/system/", &st) == 0 && S_ISDIR(st.st_mode);
}

bool systemd_is_enabled(const char *unit, const char *text)
{
	const char *wanted_by = strstr(text, "\nWantedBy=");
	char path[PROGRAM_PATH_MAX];
	struct stat st;
	int len;

	if (!wanted_by)
		return false;
	wanted_by += strlen("\nWantedBy=");
	len = snprintf(path, sizeof(path), "/etc/systemd/system/%.*s.wants/%s",
		       (int)strcspn(wanted_by, " \n"), wanted_by, unit);
	return len < (int)sizeof(path) && lstat(path, &st) == 0;
}

/* Words that are NULL are left out. */
static int systemctl(struct err *e, const char *verb, const char *option, const char *unit)
{
	CLEANUP(program_result_clear) struct program_result result = { 0 };
	char program[PROGRAM_PATH_MAX];
	const char *argv[6] = { program, "--quiet", verb };
	size_t n = 3;

	if (program_find(e, "systemctl", program) < 0)
		return -e->code;
	if (option)
		argv[n++] = option;
	if (unit)
		argv[n++] = unit;
	if (program_run(e, argv, &result) < 0)
		return -e->code;
	if (result.status == 0)
		return 0;
	return err_set(e, EIO, "systemctl %s %s: %.*s", verb, unit ? unit : "",
		       (int)strcspn(result.errors, "\n"), result.errors);
}

static bool is_timer(const char *unit)
{
	const char *dot = strrchr(unit, '.');

	return dot && strcmp(dot, ".timer") == 0;
}

int systemd_enable(struct err *e, const char *unit)
{
	return systemctl(e, "enable", runs() && is_timer(unit) ? "--now" : NULL, unit);
}

int systemd_disable(struct err *e, const char *unit)
{
	int ret = runs() ? systemctl(e, "stop", NULL, unit) : 0;

	/* Somebody has taken its file away, or made something of it that cannot be started. */
	if (ret < 0 && !strstr(e->msg, "not loaded"))
		return ret;
	return systemctl(e, "disable", NULL, unit);
}

int systemd_reload(struct err *e)
{
	return runs() ? systemctl(e, "daemon-reload", NULL, NULL) : 0;
}
