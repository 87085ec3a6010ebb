/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "module.h"
#include "program.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

/* "kernel/net/netfilter/ipvs/ip_vs.ko\n" is the file of module ip_vs; '-' and '_' are the same. */
static bool is_file_of(const char *line, const char *name)
{
	const char *slash = strrchr(line, '/');
	const char *file = slash ? slash + 1 : line;

	while (*name && (*file == *name || (*file == '-' && *name == '_'))) {
		file++;
		name++;
	}
	return *name == '\0' && strncmp(file, ".ko", 3) == 0;
}

/* A built-in module without parameters is not in /sys/module. */
static bool is_built_in(const char *name)
{
	char path[sizeof(struct utsname)], line[512];
	struct utsname kernel;
	bool found = false;
	FILE *list;

	if (uname(&kernel) < 0)
		return false;
	snprintf(path, sizeof(path), "/lib/modules/%s/modules.builtin", kernel.release);
	list = fopen(path, "re");
	if (!list)
		return false;
	while (!found && fgets(line, sizeof(line), list))
		found = is_file_of(line, name);
	fclose(list);
	return found;
}

int module_present(struct err *e, const char *name)
{
	char loaded[128], path[128];

	/* What is built in has no state (kernel/module/sysfs.c, kernel/params.c). */
	if (snprintf(loaded, sizeof(loaded), "/sys/module/%s/initstate", name) >= (int)sizeof(loaded))
		return err_set(e, ERR_USAGE, "'%.60s...' is not a kernel module's name", name);
	if (access(loaded, F_OK) == 0)
		return MODULE_LOADED;
	snprintf(path, sizeof(path), "/sys/module/%s", name);
	return access(path, F_OK) == 0 || is_built_in(name) ? MODULE_BUILT_IN : 0;
}

/* What modprobe says in one line, without its own name. */
static int explain_modprobe(struct err *e, const char *name, const char *said)
{
	int code = EIO;

	if (strstr(said, "not found")) {
		struct utsname kernel = { .release = "this one" };

		uname(&kernel);
		err_set(e, ERR_NO_KERNEL, "kernel module %s is not there for kernel %s", name,
			kernel.release);
		return err_advise(e, "install the modules of the running kernel, or boot one that has it");
	}
	if (strstr(said, "Operation not permitted") || strstr(said, "Permission denied"))
		code = EPERM;
	err_set(e, code, "cannot load kernel module %s: %.*s", name, (int)strcspn(said, "\n"), said);
	return code == EPERM ? err_advise(e, "in a container, load it on the host") : -code;
}

int module_load(struct err *e, const char *name)
{
	CLEANUP(program_result_clear) struct program_result result = { 0 };
	char modprobe[PROGRAM_PATH_MAX];
	const char *const argv[] = { modprobe, "--", name, NULL };
	int ret;

	if (program_find(e, "modprobe", modprobe) < 0)
		return err_set(e, ERR_NO_KERNEL,
			       "cannot load kernel module %s: there is no modprobe; install kmod, or load it "
			       "on the host that this container runs on", name);
	ret = program_run(e, argv, &result);
	if (ret < 0)
		return err_wrap(e, "cannot load kernel module %s", name);
	return result.status == 0 ? 0 : explain_modprobe(e, name, result.errors);
}

/*
 * The system call, not modprobe -r, which would also remove what others loaded
 * and nobody uses at the moment.
 */
int module_unload(struct err *e, const char *name)
{
	if (syscall(SYS_delete_module, name, O_NONBLOCK) == 0)
		return 0;
	if (errno == EWOULDBLOCK || errno == EBUSY)
		return err_set(e, EBUSY, "kernel module %s is in use", name);
	return err_sys(e, errno, "cannot unload kernel module %s", name);
}
