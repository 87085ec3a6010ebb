/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "program.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

int program_find(struct err *e, const char *name, char path[static PROGRAM_PATH_MAX])
{
	static const char *const dirs[] = { "/usr/sbin", "/usr/bin", "/sbin", "/bin" };
	char candidate[PROGRAM_PATH_MAX];

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		int n = snprintf(candidate, sizeof(candidate), "%s/%s", dirs[i], name);

		if (n < (int)sizeof(candidate) && access(candidate, X_OK) == 0) {
			strcpy(path, candidate);
			return 0;
		}
	}
	return err_set(e, ENOENT, "no program '%.100s' in /usr/sbin, /usr/bin, /sbin or /bin", name);
}

/* One end of the child's output that is being collected. */
struct stream {
	int fd; /* -1: at its end */
	char *data;
	size_t len, size;
};

static void stream_close(struct stream *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

struct streams {
	struct stream of[2]; /* stdout, stderr */
};

static void streams_clear(struct streams *s)
{
	for (size_t i = 0; i < ARRAY_LEN(s->of); i++) {
		stream_close(&s->of[i]);
		free(s->of[i].data);
	}
}

/* Reads what is there; at the end closes the stream. */
static int stream_read(struct err *e, struct stream *s)
{
	ssize_t n;

	if (s->len + 1 >= s->size) {
		size_t size = s->size ? s->size * 2 : 4096;
		char *grown;

		if (s->size == PROGRAM_OUTPUT_MAX)
			return err_set(e, EFBIG, "it printed more than %u bytes", PROGRAM_OUTPUT_MAX - 1);
		grown = realloc(s->data, size);
		if (!grown)
			return err_set(e, ENOMEM, "out of memory");
		s->data = grown;
		s->size = size;
	}
	n = read(s->fd, s->data + s->len, s->size - s->len - 1);
	if (n < 0 && errno != EINTR)
		return err_sys(e, errno, "cannot read its output");
	if (n > 0)
		s->len += (size_t)n;
	s->data[s->len] = '\0';
	if (n == 0)
		stream_close(s);
	return 0;
}

/* Both at a time: a child that fills one pipe while we wait for the other would hang. */
static int collect(struct err *e, struct streams *s)
{
	while (s->of[0].fd >= 0 || s->of[1].fd >= 0) {
		struct pollfd fds[2] = { { .fd = s->of[0].fd, .events = POLLIN },
					 { .fd = s->of[1].fd, .events = POLLIN } };

		if (poll(fds, 2, -1) < 0) {
			if (errno == EINTR)
				continue;
			return err_sys(e, errno, "cannot wait for its output");
		}
		for (size_t i = 0; i < 2; i++) {
			int ret = fds[i].revents ? stream_read(e, &s->of[i]) : 0;

			if (ret < 0)
				return ret;
		}
	}
	return 0;
}

/*
 * Whoever started us may block or ignore signals: the child has all as a program
 * expects them, but for those that nohup(1) and shells ignore on purpose, for
 * children, too. Returns an errno.
 */
static int set_signals(posix_spawnattr_t *attributes)
{
	sigset_t signals;
	int ret;

	sigemptyset(&signals);
	ret = posix_spawnattr_setsigmask(attributes, &signals);
	sigfillset(&signals);
	sigdelset(&signals, SIGHUP);
	sigdelset(&signals, SIGINT);
	sigdelset(&signals, SIGQUIT);
	if (ret == 0)
		ret = posix_spawnattr_setsigdefault(attributes, &signals);
	if (ret == 0)
		ret = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	return ret;
}

/* /dev/null as input, these two descriptors as output, and no others. Returns an errno. */
static int set_descriptors(posix_spawn_file_actions_t *actions, int out, int errors)
{
	int ret = posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0);

	if (ret == 0)
		ret = posix_spawn_file_actions_adddup2(actions, out, 1);
	if (ret == 0)
		ret = posix_spawn_file_actions_adddup2(actions, errors, 2);
	if (ret == 0)
		ret = posix_spawn_file_actions_addclosefrom_np(actions, 3);
	return ret;
}

/* Returns an errno. */
static int spawn_with(const char *const argv[], int out, int errors, pid_t *pid)
{
	char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin", locale[] = "LC_ALL=C";
	char *const environment[] = { path, locale, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int ret;

	posix_spawn_file_actions_init(&actions); /* neither of these fails in glibc */
	posix_spawnattr_init(&attributes);
	ret = set_signals(&attributes);
	if (ret == 0)
		ret = set_descriptors(&actions, out, errors);
	if (ret == 0) /* POSIX: the arguments are not modified, whatever the prototype says */
		ret = posix_spawn(pid, argv[0], &actions, &attributes, (char *const *)(uintptr_t)argv, environment);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return ret;
}

/* Starts argv; fds become the reading ends of its stdout and stderr. */
static int spawn(struct err *e, const char *const argv[], int fds[static 2], pid_t *pid)
{
	CLEANUP_CLOSE int out_read = -1, out_write = -1, err_read = -1, err_write = -1;
	int pipes[2], ret;

	if (pipe2(pipes, O_CLOEXEC) < 0)
		return err_sys(e, errno, "cannot make a pipe");
	out_read = pipes[0];
	out_write = pipes[1];
	if (pipe2(pipes, O_CLOEXEC) < 0)
		return err_sys(e, errno, "cannot make a pipe");
	err_read = pipes[0];
	err_write = pipes[1];
	ret = spawn_with(argv, out_write, err_write, pid);
	if (ret != 0)
		return err_sys(e, ret, "cannot start it");
	fds[0] = steal_fd(&out_read);
	fds[1] = steal_fd(&err_read);
	return 0;
}

static int wait_for(struct err *e, pid_t pid, int *status)
{
	int raw;

	while (waitpid(pid, &raw, 0) < 0)
		if (errno != EINTR)
			return err_sys(e, errno, "cannot wait for it");
	*status = WIFSIGNALED(raw) ? 128 + WTERMSIG(raw) : WEXITSTATUS(raw);
	return 0;
}

/* In the place of what it did not come to say. */
static int say_killed(struct err *e, struct stream *errors, int signal)
{
	char *text;

	if (asprintf(&text, "killed by signal %d", signal) < 0)
		return err_set(e, ENOMEM, "out of memory");
	free(errors->data);
	errors->data = text;
	return 0;
}

static int run_and_wait(struct err *e, const char *const argv[], struct program_result *out)
{
	CLEANUP(streams_clear) struct streams s = { { { .fd = -1 }, { .fd = -1 } } };
	int fds[2] = { -1, -1 }, status = 0, ret;
	struct err waiting;
	pid_t pid;

	ret = spawn(e, argv, fds, &pid);
	if (ret < 0)
		return err_wrap(e, "%s", argv[0]);
	s.of[0].fd = fds[0];
	s.of[1].fd = fds[1];
	ret = collect(e, &s);
	if (ret < 0)
		kill(pid, SIGKILL);
	if (wait_for(&waiting, pid, &status) < 0 && ret == 0) {
		*e = waiting;
		ret = -e->code;
	}
	if (ret == 0 && status > 128 && !s.of[1].data[0])
		ret = say_killed(e, &s.of[1], status - 128);
	if (ret < 0)
		return err_wrap(e, "%s", argv[0]);
	out->status = status;
	out->out = steal_ptr(s.of[0].data);
	out->errors = steal_ptr(s.of[1].data);
	return 0;
}

/* Where SIGCHLD is ignored, as whoever started us may have had it, nobody is told how a child ended. */
int program_run(struct err *e, const char *const argv[], struct program_result *out)
{
	const struct sigaction told = { .sa_handler = SIG_DFL };
	struct sigaction before;
	int ret;

	sigaction(SIGCHLD, &told, &before);
	ret = run_and_wait(e, argv, out);
	sigaction(SIGCHLD, &before, NULL);
	return ret;
}

void program_result_clear(struct program_result *r)
{
	free(r->out);
	free(r->errors);
	*r = (struct program_result){ 0 };
}
