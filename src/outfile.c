/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "outfile.h"

#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

/*
 * The path without symbolic links; one that does not exist yet is as it is. The
 * kernel follows them, as realpath(3) would follow what somebody else has put
 * into /tmp (fs.protected_symlinks), and gives a pipe behind /dev/stdout a name.
 * *former: what is there now; all zero: nothing.
 */
static int resolve(struct err *e, const char *path, char **out, struct stat *former)
{
	CLEANUP_CLOSE int fd = open(path, O_PATH | O_CLOEXEC);
	char link[sizeof("/proc/self/fd/") + BASE_NUMBER_STRLEN];

	if (path[0] == '\0')
		return err_set(e, ERR_USAGE, "the name of the file to write is empty; give one");
	if (fd < 0 && errno != ENOENT)
		return err_sys(e, errno, "cannot write %s", path);
	if (fd >= 0 && (fstat(fd, former) < 0 || !S_ISREG(former->st_mode)))
		return err_set(e, ERR_USAGE, "%s is not a regular file; name another one, or one that does not exist yet",
			       path);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	*out = fd >= 0 ? realpath(link, NULL) : strdup(path);
	return *out ? 0 : err_sys(e, errno, "cannot write %s", path);
}

/* What a directory knows of its files is not on the disk with them. */
static int sync_directory(const char *path)
{
	CLEANUP_FREE char *copy = strdup(path);
	CLEANUP_CLOSE int fd = -1;

	if (!copy)
		return -ENOMEM;
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 && fsync(fd) == 0 ? 0 : -errno;
}

/* A file in path's directory that has no name: whoever is killed leaves nothing. -1: not on this file system. */
static int open_nameless(const char *path)
{
	CLEANUP_FREE char *copy = strdup(path);

	return copy ? open(dirname(copy), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600) : -1;
}

static int open_named(struct err *e, struct outfile *f)
{
	int fd;

	if (asprintf(&f->temporary, "%s.XXXXXX", f->path) < 0) {
		f->temporary = NULL;
		return err_set(e, ENOMEM, "out of memory");
	}
	fd = mkostemp(f->temporary, O_CLOEXEC);
	if (fd < 0) {
		free(steal_ptr(f->temporary));
		return err_sys(e, errno, "cannot make a file beside %s", f->path);
	}
	return fd;
}

/* Of a new file, which others never write. Not every kernel takes the umask from O_TMPFILE's (vfs_tmpfile). */
static mode_t new_mode(void)
{
	mode_t mask = umask(077);

	umask(mask);
	return 0644 & ~mask;
}

/* Somebody else's, in a directory such as /tmp: he may have put it there to be given what we write. */
static bool is_planted(const char *path, const struct stat *former)
{
	CLEANUP_FREE char *copy = strdup(path);
	struct stat directory;

	return former->st_uid != geteuid() &&
	       (!copy || stat(dirname(copy), &directory) < 0 || (directory.st_mode & S_IWOTH));
}

/*
 * What takes a file's place is for the same people, if they may have been chosen.
 * If it is of another group, that and all others get only what both had.
 */
static int be_as(int fd, const char *path, const struct stat *former)
{
	bool planted = is_planted(path, former);
	mode_t mode = former->st_mode & (planted ? new_mode() : 0777), both = (mode >> 3) & mode & 07;
	struct stat now;

	/* Who is not root may at most give it to a group of his. */
	if (!planted && fchown(fd, former->st_uid, former->st_gid) < 0)
		(void)!fchown(fd, (uid_t)-1, former->st_gid);
	if (fstat(fd, &now) < 0)
		return -1;
	return fchmod(fd, now.st_gid == former->st_gid ? mode : (mode & 0700) | both << 3 | both);
}

int outfile_begin(struct err *e, const char *path, struct outfile *out)
{
	CLEANUP(outfile_abandon) struct outfile f = { 0 };
	CLEANUP_CLOSE int fd = -1;
	struct stat former = { 0 };

	if (resolve(e, path, &f.path, &former) < 0)
		return -e->code;
	fd = open_nameless(f.path);
	if (fd < 0 && (fd = open_named(e, &f)) < 0)
		return -e->code;
	if ((former.st_mode ? be_as(fd, f.path, &former) : fchmod(fd, new_mode())) < 0)
		return err_sys(e, errno, "cannot give what becomes %s its permissions", path);
	f.stream = fdopen(fd, "w");
	if (!f.stream)
		return err_set(e, ENOMEM, "out of memory");
	(void)steal_fd(&fd);
	*out = f;
	f = (struct outfile){ 0 };
	return 0;
}

/* The directory that a path's last name is in, and that name. */
static bool find_name(const char *path, struct stat *directory, char name[static NAME_MAX + 1])
{
	CLEANUP_FREE char *for_dirname = strdup(path), *for_basename = strdup(path);

	if (!for_dirname || !for_basename || stat(dirname(for_dirname), directory) < 0)
		return false;
	return (size_t)snprintf(name, NAME_MAX + 1, "%s", basename(for_basename)) <= NAME_MAX;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

bool outfile_is(const char *path, const char *other)
{
	char name[NAME_MAX + 1], other_name[NAME_MAX + 1];
	struct stat at, other_at;

	if (stat(path, &at) == 0 && stat(other, &other_at) == 0 && is_same(&at, &other_at))
		return true;
	return find_name(path, &at, name) && find_name(other, &other_at, other_name) && is_same(&at, &other_at) &&
	       strcmp(name, other_name) == 0;
}

/* Only rename(2) replaces what has the path now, and it wants a name. */
static int give_name(struct outfile *f)
{
	char link[sizeof("/proc/self/fd/") + BASE_NUMBER_STRLEN];
	uint32_t chance;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fileno(f->stream));
	for (;;) {
		if (getrandom(&chance, sizeof(chance), 0) < 0 ||
		    asprintf(&f->temporary, "%s.%08" PRIx32, f->path, chance) < 0) {
			f->temporary = NULL;
			return -1;
		}
		if (linkat(AT_FDCWD, link, AT_FDCWD, f->temporary, AT_SYMLINK_FOLLOW) == 0)
			return 0;
		free(steal_ptr(f->temporary));
		if (errno != EEXIST)
			return -1;
	}
}

/* A write that failed has left its mark, but not its number. What kept it most likely keeps one more. */
static bool has_failed(FILE *stream)
{
	if (!ferror(stream))
		return false;
	errno = EIO;
	if (fputc('\n', stream) != EOF)
		(void)!fflush(stream);
	return true;
}

int outfile_end(struct err *e, struct outfile *f)
{
	CLEANUP(outfile_abandon) struct outfile ended = *f;

	*f = (struct outfile){ 0 };
	if (has_failed(ended.stream) || fflush(ended.stream) != 0 || fsync(fileno(ended.stream)) < 0 ||
	    (!ended.temporary && give_name(&ended) < 0) || rename(ended.temporary, ended.path) < 0)
		return err_sys(e, errno, "cannot write %s", ended.path);
	free(ended.temporary);
	ended.temporary = NULL;
	if (sync_directory(ended.path) < 0)
		return err_sys(e, errno, "cannot sync the directory of %s", ended.path);
	return 0;
}

int outfile_remove(struct err *e, const char *path)
{
	if (unlink(path) < 0)
		return err_sys(e, errno, "cannot remove %s", path);
	return sync_directory(path) < 0 ? err_sys(e, errno, "cannot sync the directory of %s", path) : 0;
}

void outfile_abandon(struct outfile *f)
{
	if (f->stream)
		fclose(f->stream);
	if (f->temporary)
		unlink(f->temporary);
	free(f->temporary);
	free(f->path);
	*f = (struct outfile){ 0 };
}
