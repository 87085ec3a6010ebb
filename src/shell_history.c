/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shell_history.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define READ_MAX ((size_t)SHELL_HISTORY_LINES * (SHELL_HISTORY_LINE_MAX + 1))

/* The descriptor, or -1. O_NONBLOCK: a FIFO in its place does not hold us up. */
static int open_ours(const char *path, int flags)
{
	CLEANUP_CLOSE int fd = open(path, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid() || st.st_nlink != 1)
		return -1;
	if ((st.st_mode & 077) != 0 && fchmod(fd, 0600) < 0)
		return -1;
	return steal_fd(&fd);
}

/* The file's text or, of a huge one, its end; NULL: there is none. The caller frees. */
static char *read_text(const char *path)
{
	CLEANUP_CLOSE int fd = open_ours(path, O_RDONLY);
	off_t size = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
	size_t max, len = 0;
	ssize_t n = 1;
	char *text;

	if (size < 0)
		return NULL;
	max = (size_t)size < READ_MAX ? (size_t)size : READ_MAX;
	text = malloc(max + 1);
	while (text && len < max && n > 0) {
		n = pread(fd, text + len, max - len, size - (off_t)(max - len));
		len += n > 0 ? (size_t)n : 0;
	}
	if (text)
		text[len] = '\0';
	return text;
}

/* Where the last lines of a text begin that are to be kept. */
static char *last_lines(char *text)
{
	char *start = text + strlen(text);
	size_t n = 0;

	while (start > text) {
		/* A line's own newline, at its end, is passed over. */
		char *newline = memrchr(text, '\n', (size_t)(start - text - 1));

		if (n++ == SHELL_HISTORY_LINES)
			break;
		start = newline ? newline + 1 : text;
	}
	return start;
}

void shell_history_read(const char *path, void (*each)(void *ctx, const char *line), void *ctx)
{
	CLEANUP_FREE char *text = read_text(path);
	char *rest = text ? last_lines(text) : NULL, *line;

	while ((line = strsep(&rest, "\n")))
		if (*line)
			each(ctx, line);
}

void shell_history_add(const char *path, const char *line)
{
	CLEANUP_CLOSE int fd = -1;
	char text[SHELL_HISTORY_LINE_MAX + 1];
	size_t len = strlen(line);
	ssize_t written;

	if (len > SHELL_HISTORY_LINE_MAX)
		return;
	memcpy(text, line, len);
	text[len] = '\n';
	fd = open_ours(path, O_WRONLY | O_APPEND | O_CREAT);
	written = fd < 0 ? -1 : write(fd, text, len + 1);
	(void)written;
}

static bool write_text(int fd, const char *text)
{
	size_t len = strlen(text);
	ssize_t n = 1;

	for (; len > 0 && n > 0; len -= (size_t)n, text += n)
		n = write(fd, text, len);
	return len == 0;
}

void shell_history_shorten(const char *path)
{
	CLEANUP_FREE char *text = read_text(path);
	CLEANUP_CLOSE int fd = -1;
	char *kept = text ? last_lines(text) : NULL;
	char temporary[PATH_MAX];
	int len = snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path);

	if (kept == text || (size_t)len >= sizeof(temporary))
		return;
	fd = mkostemp(temporary, O_CLOEXEC); /* 0600 */
	if (fd >= 0 && (!write_text(fd, kept) || rename(temporary, path) < 0))
		unlink(temporary);
}
