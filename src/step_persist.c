/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Steps that make the others survive a boot: files, and units that are started. */
#include "outfile.h"
#include "persist.h"
#include "step.h"
#include "systemd.h"
#include "units.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

_Static_assert(sizeof(((struct step_host *)0)->content) >= PERSIST_TEXT_MAX, "room for every file");
_Static_assert(sizeof(((struct setup_record *)0)->applied) >= PERSIST_TEXT_MAX, "room to record it");

static const char *path_of(const char *name)
{
	return name + strlen(step_file.prefix);
}

static const char *unit_of(const char *name)
{
	return name + strlen(step_unit.prefix);
}

static const char *text_of_unit(const char *name)
{
	for (const struct unit *u = units; u->name; u++)
		if (strcmp(u->name, name) == 0)
			return u->text;
	return NULL;
}

static bool is_unit(const char *path)
{
	return strncmp(path, PERSIST_UNITS, strlen(PERSIST_UNITS)) == 0;
}

static int write_modules(struct err *e, struct step_host *h)
{
	struct step steps[STEPS_MAX];
	const char *names[STEPS_MAX];
	size_t n = step_list(h->config, false, steps), n_names = 0;

	for (size_t i = 0; i < n; i++)
		if (steps[i].kind == &step_module)
			names[n_names++] = steps[i].name + strlen(step_module.prefix);
	return persist_modules(e, names, n_names, h->content);
}

static int write_settings(struct err *e, struct step_host *h)
{
	struct persist_setting settings[STEPS_MAX];
	struct step steps[STEPS_MAX];
	size_t n = step_list(h->config, false, steps), n_settings = 0;

	for (size_t i = 0; i < n; i++)
		if (steps[i].wanted)
			settings[n_settings++] = (struct persist_setting){ steps[i].name, steps[i].wanted };
	return persist_settings(e, settings, n_settings, h->content);
}

/* What the file is to hold, in h->content. */
static int write_content(struct err *e, struct step_host *h, const char *path)
{
	const char *text = is_unit(path) ? text_of_unit(path + strlen(PERSIST_UNITS)) : NULL;

	if (strcmp(path, PERSIST_MODULES) == 0)
		return write_modules(e, h);
	if (strcmp(path, PERSIST_SETTINGS) == 0)
		return write_settings(e, h);
	if (strcmp(path, PERSIST_PORTS) == 0)
		return persist_ports(e, h->config, h->content);
	if (text)
		return persist_unit(e, text, h->config, h->config_path, h->content);
	return err_set(e, ERR_USAGE, "nothing is known of the file %s", path);
}

/* Unit files are what 'make install' has installed, unless something had to be filled in. */
static void advise(const struct step_host *h, const char *path, struct step_report *r)
{
	struct config usual;

	config_default(&usual);
	if (!is_unit(path))
		persist_command(h->content, path, r->command, sizeof(r->command));
	else if (!h->config_path && strcmp(h->config->state, usual.state) == 0)
		step_text(r->command, "cp %s/%s " PERSIST_UNITS, units_directory, path + strlen(PERSIST_UNITS));
}

/*
 * Reads a file. 1: it is in buf; 0: there is none. What cannot be one of ours,
 * as it is too long, or a link, or no text, reads as "?".
 */
static int read_file(struct err *e, const char *path, char buf[static PERSIST_TEXT_MAX])
{
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	ssize_t n;

	if (fd < 0 && errno != ELOOP)
		return errno == ENOENT || errno == ENOTDIR ? 0 : err_sys(e, errno, "cannot read %s", path);
	strcpy(buf, "?");
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size >= PERSIST_TEXT_MAX)
		return 1;
	n = read(fd, buf, PERSIST_TEXT_MAX - 1);
	if (n < 0)
		return err_sys(e, errno, "cannot read %s", path);
	buf[n] = '\0';
	if (strlen(buf) != (size_t)n)
		strcpy(buf, "?");
	return 1;
}

/* Has the text been written by us? What is recorded before it is written is not in the file yet. */
static bool is_ours(const struct setup_record *rec, const char *text)
{
	return strcmp(text, rec->applied) == 0 || (rec->former[0] && strcmp(text, rec->former) == 0);
}

/* The file holds something else than it should. */
static int look_whose(struct err *e, struct step_host *h, const char *text, struct step_report *r)
{
	struct setup_record rec = { 0 };
	int ret = h->store ? store_setup_get(e, h->store, r->name, &rec) : 0;

	if (ret < 0)
		return ret;
	if (ret > 0 && is_ours(&rec, text)) {
		strcpy(r->present, "an older one of ours");
		return 0;
	}
	strcpy(r->present, "somebody else's");
	step_text(r->why, "somebody else has written or changed it; move it away and run sonm-gw-setup --apply again");
	return h->making ? err_set(e, ERR_CONFLICT, "will not replace %s: %s", path_of(r->name), r->why) : 0;
}

/* In the sandbox of our own unit, /etc cannot be written. */
static bool is_read_only(const char *path, struct step_report *r)
{
	char directory[128];

	step_text(directory, "%.*s", (int)(strrchr(path, '/') - path), path);
	if (access(directory, W_OK) == 0 || errno != EROFS)
		return false;
	r->status = STEP_UNKNOWN;
	step_text(r->why, "%s cannot be written from here; run sonm-gw-setup --apply from a shell", directory);
	return true;
}

static int look_at_file(struct err *e, struct step_host *h, const struct step *step, struct step_report *r)
{
	const char *path = path_of(step->name);
	char text[PERSIST_TEXT_MAX];
	int ret = write_content(e, h, path);

	if (ret == 0)
		ret = read_file(e, path, text);
	if (ret < 0)
		return ret;
	r->content = h->content;
	strcpy(r->present, ret > 0 ? "ours" : "not there");
	strcpy(r->wanted, "ours");
	advise(h, path, r);
	r->status = ret == 0 ? STEP_MISSING : strcmp(text, h->content) == 0 ? STEP_OK : STEP_DIFFERS;
	if (r->status == STEP_DIFFERS)
		strcpy(r->present, "another text");
	if (r->status == STEP_OK || is_read_only(path, r))
		return 0;
	return r->status == STEP_DIFFERS ? look_whose(e, h, text, r) : 0;
}

/* Before a text of ours is replaced by another, either may be in the file when we are killed. */
static int record_file(struct err *e, const struct step_report *r, struct setup_record *rec)
{
	(void)e;
	if (rec->applied[0] && strcmp(rec->applied, r->content) != 0)
		strcpy(rec->former, rec->applied);
	strcpy(rec->applied, r->content);
	return 0;
}

/* Those on the way to the file that are missing. */
static int make_directories(struct err *e, const char *path)
{
	char directory[128];

	for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		step_text(directory, "%.*s", (int)(slash - path), path);
		if (mkdir(directory, 0755) < 0 && errno != EEXIST)
			return err_sys(e, errno, "cannot make the directory %s", directory);
	}
	return 0;
}

/*
 * systemd reads changed files when it is told to, and when a unit is enabled or
 * disabled. So it has to be told of those of units that are enabled already...
 */
static int reload_changed(struct err *e)
{
	bool enabled = false;

	for (const struct unit *u = units; u->name; u++)
		enabled = enabled || systemd_is_enabled(u->name, u->text);
	return enabled ? systemd_reload(e) : 0;
}

/* ...and when the last one has gone. */
static int reload_removed(struct err *e)
{
	char path[128];
	bool left = false;

	for (const struct unit *u = units; u->name; u++) {
		step_text(path, PERSIST_UNITS "%s", u->name);
		left = left || access(path, F_OK) == 0;
	}
	return left ? 0 : systemd_reload(e);
}

static int write_file(struct err *e, const struct step_report *r)
{
	CLEANUP(outfile_abandon) struct outfile f = { 0 };
	const char *path = path_of(r->name);

	if (make_directories(e, path) < 0 || outfile_begin(e, path, &f) < 0)
		return -e->code;
	/* Whatever the umask is: who is not root may check it, too. */
	if (fchmod(fileno(f.stream), 0644) < 0)
		return err_sys(e, errno, "cannot let others read what becomes %s", path);
	fputs(r->content, f.stream);
	if (outfile_end(e, &f) < 0)
		return -e->code;
	return is_unit(path) ? reload_changed(e) : 0;
}

static int remove_file(struct err *e, const struct setup_record *rec, bool dry_run, struct step_report *r)
{
	const char *path = path_of(rec->step);
	char text[PERSIST_TEXT_MAX];
	int ret = read_file(e, path, text);

	if (ret < 0)
		return ret;
	strcpy(r->wanted, "not there");
	strcpy(r->present, ret > 0 ? "ours" : "not there");
	if (ret == 0)
		return 0;
	if (!is_ours(rec, text)) {
		strcpy(r->present, "somebody else's");
		strcpy(r->why, "someone changed it since; remove it if nobody needs it");
		return 0;
	}
	ret = dry_run ? 0 : outfile_remove(e, path);
	if (ret == 0 && !dry_run && is_unit(path))
		ret = reload_removed(e);
	r->outcome = ret == 0 ? STEP_CHANGED : STEP_LEFT;
	return ret;
}

const struct step_kind step_file = {
	.prefix = "file ",
	.undo = "It is deleted, unless somebody has changed it since.",
	.look = look_at_file,
	.record = record_file,
	.set = write_file,
	.restore = remove_file,
};

/* Fills in present, wanted and command. */
static bool look_whether_enabled(const char *unit, struct step_report *r)
{
	const char *text = text_of_unit(unit);
	bool enabled = text && systemd_is_enabled(unit, text);

	strcpy(r->present, enabled ? "enabled" : "not enabled");
	strcpy(r->wanted, "enabled");
	step_text(r->command, "systemctl enable %s", unit);
	return enabled;
}

static int look_at_unit(struct err *e, struct step_host *h, const struct step *step, struct step_report *r)
{
	(void)e;
	(void)h;
	r->status = look_whether_enabled(unit_of(step->name), r) ? STEP_OK : STEP_MISSING;
	if (r->status == STEP_OK || is_read_only(PERSIST_UNITS, r))
		return 0;
	if (!systemd_is_there()) {
		r->status = STEP_UNKNOWN;
		step_text(r->why, "there is no systemctl; let what starts this host run the commands of " PERSIST_UNITS
			  "%s", unit_of(step->name));
	}
	return 0;
}

static int record_unit(struct err *e, const struct step_report *r, struct setup_record *rec)
{
	(void)e;
	strcpy(rec->former, "not enabled");
	strcpy(rec->applied, r->wanted);
	return 0;
}

static int enable_unit(struct err *e, const struct step_report *r)
{
	return systemd_enable(e, unit_of(r->name));
}

static int disable_unit(struct err *e, const struct setup_record *rec, bool dry_run, struct step_report *r)
{
	bool enabled = look_whether_enabled(unit_of(rec->step), r);
	int ret;

	strcpy(r->wanted, "not enabled");
	if (!enabled)
		return 0;
	ret = dry_run ? 0 : systemd_disable(e, unit_of(rec->step));
	r->outcome = ret == 0 ? STEP_CHANGED : STEP_LEFT;
	return ret;
}

const struct step_kind step_unit = {
	.prefix = "unit ",
	.undo = "It is disabled again, and a timer is stopped as well.",
	.look = look_at_unit,
	.record = record_unit,
	.set = enable_unit,
	.restore = disable_unit,
};
