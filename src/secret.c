/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "secret.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_MAX (2 * SECRET_MAX) /* bytes; more than the longest token with blanks around it */

/* Puts what it is about before the message. */
static int refuse(struct err *e, const char *path)
{
	return err_wrap(e, "cannot use the token in %.300s", path);
}

static int check_file(struct err *e, const char *path, int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(e, errno, "cannot look at it");
	if (!S_ISREG(st.st_mode))
		return err_set(e, EINVAL, "it is not a regular file; name a file with the token in it");
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return err_set(e, EACCES,
			       "it belongs to user %u, who can read and change it; chown it to user %u",
			       st.st_uid, geteuid());
	if (st.st_mode & (S_IRGRP | S_IWGRP | S_IROTH | S_IWOTH))
		return err_set(e, EACCES, "others may read or write it (mode %04o); chmod 600 %.300s",
			       st.st_mode & 07777, path);
	return 0;
}

/* At most FILE_MAX bytes, which is more than a file with a valid token has. */
static int read_text(struct err *e, int fd, char text[static FILE_MAX], size_t *len)
{
	size_t n = 0;
	ssize_t got;

	do {
		got = read(fd, text + n, FILE_MAX - n);
		if (got > 0)
			n += (size_t)got;
	} while ((got > 0 && n < FILE_MAX) || (got < 0 && errno == EINTR));
	if (got < 0)
		return err_sys(e, errno, "cannot read it");
	*len = n;
	return 0;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The token in the text; never in a message. */
static int parse_text(struct err *e, const char *text, size_t len, char out[static SECRET_MAX + 1])
{
	const char *newline = memchr(text, '\n', len);
	const char *end = newline ? newline : text + len;
	bool whole = len < FILE_MAX;

	if (newline && newline + 1 < text + len)
		return err_set(e, EINVAL, "it has more than one line; write only the token into it");
	while (text < end && is_blank(*text))
		text++;
	while (text < end && is_blank(end[-1]))
		end--;
	len = (size_t)(end - text);
	if (len == 0)
		return err_set(e, EINVAL, "it is empty; write the token into it");
	if (len > SECRET_MAX || !whole)
		return err_set(e, EINVAL, "it is longer than %d characters; write only the token into it",
			       SECRET_MAX);
	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return err_set(e, EINVAL,
				       "character %zu of it is not printable ASCII, or a blank; "
				       "write only the token into it",
				       i + 1);
	memcpy(out, text, len);
	out[len] = '\0';
	return 0;
}

int secret_read(struct err *e, const char *path, char out[static SECRET_MAX + 1])
{
	/* O_NONBLOCK: a FIFO must not hold us up before we see that it is one. */
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	char text[FILE_MAX];
	size_t len = 0;
	int ret;

	if (fd < 0) {
		err_sys(e, errno, "cannot open it");
		err_advise(e, "name a readable file with the token in it");
		return refuse(e, path);
	}
	ret = check_file(e, path, fd);
	if (ret == 0)
		ret = read_text(e, fd, text, &len);
	if (ret == 0)
		ret = parse_text(e, text, len, out);
	return ret < 0 ? refuse(e, path) : 0;
}
