/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * builtin: does sonm-gw-setup find what is built into this very kernel? Asks for
 * every module of the kernel's own list, and fails if one is missed.
 */
#include "module.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

/* "kernel/crypto/crypto_hash.ko\n": the module's name. Changes the line. */
static const char *name_in(char *line)
{
	char *slash = strrchr(line, '/');
	char *name = slash ? slash + 1 : line;

	name[strcspn(name, ".\n")] = '\0';
	for (char *c = name; *c; c++)
		if (*c == '-')
			*c = '_';
	return name;
}

int main(void)
{
	int n = 0, hidden = 0, missed = 0;
	char path[600], line[512];
	struct utsname kernel;
	FILE *list;

	uname(&kernel);
	snprintf(path, sizeof(path), "/lib/modules/%s/modules.builtin", kernel.release);
	list = fopen(path, "re");
	if (!list) {
		perror(path);
		return EXIT_FAILURE;
	}
	while (fgets(line, sizeof(line), list)) {
		const char *name = name_in(line);
		struct err e;

		if (module_present(&e, name) != MODULE_BUILT_IN) {
			printf("missed: %s\n", name);
			missed++;
		}
		snprintf(path, sizeof(path), "/sys/module/%s", name);
		hidden += access(path, F_OK) != 0;
		n++;
	}
	fclose(list);
	printf("%d modules are built in, %d of them not in /sys/module, %d missed\n", n, hidden, missed);
	return hidden > 0 && missed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
