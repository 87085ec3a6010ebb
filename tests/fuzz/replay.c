/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * replay: a main() for a fuzzer that does without libFuzzer: gives it each of
 * the files named, or those of its corpus, in a stable order. That it ends well
 * says that none of them breaks anything; else the last line is of the one that does.
 */
#include "fuzz.h"

#include <dirent.h>
#include <limits.h>
#include <sys/stat.h>

#define PREFIX "fuzz_"

static char *read_file(const char *path, size_t *len)
{
	FILE *in = fopen(path, "re");
	struct stat status;
	char *bytes;

	require(in != NULL && fstat(fileno(in), &status) == 0);
	*len = (size_t)status.st_size;
	/* Exactly as long, so that a read past its end is noticed. */
	bytes = malloc(*len ? *len : 1);
	require(bytes != NULL && fread(bytes, 1, *len, in) == *len);
	fclose(in);
	return bytes;
}

static void replay(const char *path)
{
	CLEANUP_FREE char *bytes = NULL;
	size_t len;

	fprintf(stderr, "%s\n", path);
	bytes = read_file(path, &len);
	LLVMFuzzerTestOneInput((const uint8_t *)bytes, len);
}

static int is_input(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* How many there were. */
static int replay_directory(const char *directory)
{
	struct dirent **entries;
	int n = scandir(directory, &entries, is_input, alphasort);
	char path[PATH_MAX + NAME_MAX];

	if (n < 0)
		perror(directory);
	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s", directory, entries[i]->d_name);
		replay(path);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	return n;
}

int main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/'), *name = slash ? slash + 1 : argv[0];
	char directory[PATH_MAX - 2];
	int n = argc - 1;

	for (int i = 1; i < argc; i++)
		replay(argv[i]);
	if (argc == 1) {
		snprintf(directory, sizeof(directory), "%s/%s", CORPUS, name + strlen(PREFIX));
		n = replay_directory(directory);
	}
	fprintf(stderr, "%s: %d inputs\n", name, n);
	return n > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
