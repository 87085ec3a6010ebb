/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store_journal.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/*
 * A process lives for one command: a write-ahead log would be read by each
 * (recovery at every first open), and a rollback journal made and removed by
 * each. One that stays costs least.
 */
int store_journal_set(struct err *e, struct store *s)
{
	return sql_script(e, s, "PRAGMA synchronous = FULL; PRAGMA journal_mode = PERSIST;"
				"PRAGMA journal_size_limit = 1048576;");
}

/*
 * SQLite syncs the journal's directory once in each process that writes, as it
 * may have made the journal: one of five waits for the disk. But the name of one
 * that has been through a commit was synced then. It is known by its header: a
 * commit ends by filling that with zeros (zeroJournalHdr in SQLite's pager.c),
 * while one that was begun has the page's size there from its first write on
 * (writeJournalHdr), whoever was killed. Nobody else makes or removes a journal
 * while we have SQLite's lock to write. One case is left: the very first
 * transaction is rolled back, and whoever does it is killed between these zeros
 * and their sync. Then the name is on the disk only where the sync of a new file takes
 * it along, as that of ext4, xfs and btrfs does.
 */
#define HEADER_SIZE 28

/* A process has one store that it writes to; "": none, or its journal is to be synced whole. */
static char settled[4096 + 16];

static bool is_settled(const char *path)
{
	char header[HEADER_SIZE];
	static const char zeros[HEADER_SIZE];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
	ssize_t n = fd < 0 ? -1 : read(fd, header, sizeof(header));

	if (fd >= 0)
		close(fd);
	return n == HEADER_SIZE && memcmp(header, zeros, sizeof(header)) == 0;
}

static int (*open_directory)(const char *file, int *fd); /* SQLite's own */

/* Asked by SQLite for the directory of a file, to sync it. What cannot be opened is not: some systems do not let it. */
static int open_unsettled(const char *file, int *fd)
{
	*fd = -1;
	return strcmp(file, settled) == 0 ? SQLITE_CANTOPEN : open_directory(file, fd);
}

/* An interface of SQLite's that may be missing, or never ask: then it syncs as ever. */
static bool is_asked(void)
{
	sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);

	if (open_directory)
		return true;
	if (!vfs || vfs->iVersion < 3 || !vfs->xGetSystemCall || !vfs->xSetSystemCall)
		return false;
	open_directory = (int (*)(const char *, int *))vfs->xGetSystemCall(vfs, "openDirectory");
	return open_directory && vfs->xSetSystemCall(vfs, "openDirectory", (sqlite3_syscall_ptr)open_unsettled) == SQLITE_OK;
}

void store_journal_begin(const struct store *s)
{
	const char *file = sqlite3_db_filename(s->db, "main"); /* as SQLite calls it */

	settled[0] = '\0';
	if (!file || file[0] == '\0' || !is_asked())
		return;
	if (snprintf(settled, sizeof(settled), "%s-journal", file) >= (int)sizeof(settled) || !is_settled(settled))
		settled[0] = '\0';
}
