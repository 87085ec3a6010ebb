/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * xstate: makes user-mode Linux run on processors with more register state
 * than it knows (AMX, since Sapphire Rapids), and faster on all. Loaded before
 * its C library by boot, with LD_PRELOAD.
 *
 * It keeps 2696 bytes of a process's registers, and gives them back with
 * PTRACE_SETREGSET, which wants all that this processor has: EFAULT
 * (arch/x86/kernel/fpu/regset.c, xstateregs_set), and it panics. So what is
 * given back is filled up here with registers in their initial state. Those
 * are tiles, which a process has to ask for (arch_prctl(2),
 * ARCH_REQ_XCOMP_PERM); nothing in the lab does.
 *
 * It gives them back before a process goes on, whatever it was stopped for, and
 * that is a fifth of what a system call there costs. A process that has not run
 * since its registers were read or set still has them: nothing is given back then.
 */
#include <dlfcn.h>
#include <elf.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

enum {
	XSTATE_MAX = 64 << 10,
	XSTATE_BV = 512, /* which parts are not in their initial state: 64 bits (SDM vol. 1, 13.4.2) */
	XTILE = 17,      /* the first part that it does not keep; the others follow */
};

/* How large the whole state is here; 0: not known yet. User-mode Linux reads one before it sets any. */
static size_t whole;

/* What the process PID, which does not run, has in its registers; 0: of none is it known. */
static struct {
	pid_t pid;
	size_t length;
	unsigned char state[XSTATE_MAX]; /* what follows that length is 0 */
} known;

typedef long ptrace_function(enum __ptrace_request request, pid_t pid, void *addr, void *data);

static ptrace_function *real(void)
{
	static ptrace_function *found;

	if (!found)
		*(void **)&found = dlsym(RTLD_NEXT, "ptrace");
	return found;
}

static void know(pid_t pid, const void *state, size_t length)
{
	known.pid = pid;
	known.length = length;
	memcpy(known.state, state, length);
}

static long learn_whole(pid_t pid)
{
	static unsigned char state[XSTATE_MAX];
	struct iovec all = { state, sizeof(state) };
	long ret = real()(PTRACE_GETREGSET, pid, (void *)NT_X86_XSTATE, &all);

	if (ret >= 0)
		whole = all.iov_len;
	return ret;
}

static long get(pid_t pid, struct iovec *part)
{
	unsigned char *state = part->iov_base;
	uint64_t present;
	long ret = whole ? 0 : learn_whole(pid);

	if (ret >= 0)
		ret = real()(PTRACE_GETREGSET, pid, (void *)NT_X86_XSTATE, part);
	if (ret < 0)
		return ret;
	if (part->iov_len < whole && part->iov_len >= XSTATE_BV + sizeof(present)) {
		memcpy(&present, state + XSTATE_BV, sizeof(present));
		present &= (UINT64_C(1) << XTILE) - 1;
		memcpy(state + XSTATE_BV, &present, sizeof(present));
	}
	know(pid, state, part->iov_len);
	return ret;
}

static long set(pid_t pid, const struct iovec *part)
{
	struct iovec all = { known.state, whole };
	size_t length = part->iov_len < whole ? part->iov_len : whole;

	if (known.pid == pid && known.length == length && memcmp(known.state, part->iov_base, length) == 0)
		return 0;
	know(pid, part->iov_base, length);
	return real()(PTRACE_SETREGSET, pid, (void *)NT_X86_XSTATE, &all);
}

/* As the C library declares it: with an ellipsis. */
long ptrace(enum __ptrace_request request, ...)
{
	va_list ap;
	struct iovec *part;
	void *addr, *data;
	pid_t pid;

	va_start(ap, request);
	pid = va_arg(ap, pid_t);
	addr = va_arg(ap, void *);
	data = va_arg(ap, void *);
	va_end(ap);
	part = data;
	if (request == PTRACE_GETREGSET && addr == (void *)NT_X86_XSTATE)
		return get(pid, part);
	if (request == PTRACE_SETREGSET && addr == (void *)NT_X86_XSTATE && whole)
		return set(pid, part);
	if (pid == known.pid && request != PTRACE_GETREGS && request != PTRACE_SETREGS)
		known.pid = 0; /* it may run */
	return real()(request, pid, addr, data);
}
