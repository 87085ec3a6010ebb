/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cable: joins an interface of one network namespace to one of another, like a
 * long cable: packets arrive late, and some never do. For kernels without
 * netem, and so that "lost in bursts of four" means the same in all of them.
 *
 *	cable [-d MILLISECONDS] [-l PERCENT] [-b PACKETS] [-s SEED] NETNS:INTERFACE NETNS:INTERFACE
 *
 *	-d  how late, each way (default: 0)
 *	-l  how many are lost, each way and each by itself (default: 0)
 *	-b  how many are lost in a row (default: 1); -l is still the share of all
 *	-s  what chance begins with (default: 1)
 *
 * The interfaces are TUN devices, without link layer: no ARP gets lost. They
 * are made unless they exist. Once both are there it prints its process ID and
 * goes into the background.
 */
#include "base.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#define PACKET_MAX 2048 /* bytes; an interface's MTU is 1500 */
#define QUEUE_MAX 4096  /* packets on their way; more are dropped, as a router would */
#define TURN_MAX 64     /* packets taken in a row before the other direction has its turn */

#define NANOSECONDS 1000000000

struct packet {
	int64_t due; /* nanoseconds, CLOCK_MONOTONIC */
	size_t len;
	char bytes[PACKET_MAX];
};

/* One direction: a ring of packets in the order in which they came, which is that in which they are due. */
struct way {
	int from, to;
	unsigned short chance[3]; /* erand48's */
	int losing;               /* packets of this burst that are still to be lost */
	size_t first, n;
	struct packet queue[QUEUE_MAX];
};

struct cable {
	int64_t delay; /* nanoseconds */
	double loss;   /* 0..1 */
	int burst;     /* packets */
	long seed;
};

static _Noreturn void die(const char *format, ...) PRINTF_LIKE(1, 2);

static _Noreturn void die(const char *format, ...)
{
	va_list args;

	fputs("cable: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * NANOSECONDS + t.tv_nsec;
}

/*
 * Is this packet lost? Between two bursts go (1-q)/q packets on average, where
 * q is the chance that one begins; that n of n + (1-q)/q are lost asks for
 * q = loss / (loss + n (1 - loss)).
 */
static bool is_lost(struct way *way, const struct cable *cable)
{
	double begins = cable->loss / (cable->loss + cable->burst * (1 - cable->loss));

	if (way->losing == 0 && erand48(way->chance) < begins)
		way->losing = cable->burst;
	if (way->losing == 0)
		return false;
	way->losing--;
	return true;
}

/* Takes what has come, as far as there is room for it. */
static void take(struct way *way, const struct cable *cable)
{
	for (int i = 0; i < TURN_MAX; i++) {
		struct packet *packet = &way->queue[(way->first + way->n) % QUEUE_MAX];
		char dropped[PACKET_MAX];
		bool full = way->n == QUEUE_MAX;
		ssize_t len = read(way->from, full ? dropped : packet->bytes, PACKET_MAX);

		if (len <= 0)
			return;
		if (full || is_lost(way, cable))
			continue;
		packet->len = (size_t)len;
		packet->due = now() + cable->delay;
		way->n++;
	}
}

/* Delivers what is due. What an interface does not take, being down, is lost. */
static void deliver(struct way *way)
{
	while (way->n > 0 && way->queue[way->first].due <= now()) {
		const struct packet *packet = &way->queue[way->first];

		if (write(way->to, packet->bytes, packet->len) < 0 && errno != EIO)
			die("cannot deliver %zu bytes: %s", packet->len, strerror(errno));
		way->first = (way->first + 1) % QUEUE_MAX;
		way->n--;
	}
}

/* When the next packet is due; none: an hour from now. */
static int64_t next_due(const struct way ways[static 2])
{
	int64_t due = now() + (int64_t)3600 * NANOSECONDS;

	for (int i = 0; i < 2; i++)
		if (ways[i].n > 0 && ways[i].queue[ways[i].first].due < due)
			due = ways[i].queue[ways[i].first].due;
	return due;
}

static _Noreturn void run(struct way ways[static 2], const struct cable *cable)
{
	struct pollfd fds[] = { { ways[0].from, POLLIN, 0 }, { ways[1].from, POLLIN, 0 } };

	for (;;) {
		int64_t wait = next_due(ways) - now();
		struct timespec timeout = { 0 };

		if (wait > 0)
			timeout = (struct timespec){ wait / NANOSECONDS, wait % NANOSECONDS };
		if (ppoll(fds, ARRAY_LEN(fds), &timeout, NULL) < 0 && errno != EINTR)
			die("cannot wait: %s", strerror(errno));
		for (int i = 0; i < 2; i++) {
			take(&ways[i], cable);
			deliver(&ways[i]);
		}
	}
}

/* Attaches to an interface, "NETNS:INTERFACE". The process stays in that namespace. */
static int attach(const char *end)
{
	const char *name = strchr(end, ':');
	struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	char path[256];
	CLEANUP_CLOSE int netns = -1;
	CLEANUP_CLOSE int fd = -1;

	if (!name || strlen(name + 1) >= IFNAMSIZ)
		die("not NETNS:INTERFACE: %s", end);
	strcpy(request.ifr_name, name + 1);
	snprintf(path, sizeof(path), "/run/netns/%.*s", (int)(name - end), end);
	netns = open(path, O_RDONLY | O_CLOEXEC);
	if (netns < 0 || setns(netns, CLONE_NEWNET) < 0)
		die("cannot enter %s: %s", path, strerror(errno));
	fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &request) < 0)
		die("cannot attach to %s: %s", end, strerror(errno));
	return steal_fd(&fd);
}

static double number(const char *text, double max)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end != '\0' || !(value >= 0 && value <= max))
		die("not a number from 0 to %g: %s", max, text);
	return value;
}

static void read_options(int argc, char **argv, struct cable *cable)
{
	int option;

	while ((option = getopt(argc, argv, "d:l:b:s:")) != -1) {
		switch (option) {
		case 'd':
			cable->delay = (int64_t)(number(optarg, 60000) * 1000000);
			break;
		case 'l':
			cable->loss = number(optarg, 100) / 100;
			break;
		case 'b':
			cable->burst = (int)number(optarg, 1000);
			break;
		case 's':
			cable->seed = (long)number(optarg, INT32_MAX);
			break;
		default:
			exit(2);
		}
	}
	if (cable->burst < 1 || argc - optind != 2)
		die("usage: cable [-d MILLISECONDS] [-l PERCENT] [-b PACKETS] [-s SEED] "
		    "NETNS:INTERFACE NETNS:INTERFACE");
}

int main(int argc, char **argv)
{
	struct cable cable = { .burst = 1, .seed = 1 };
	struct way *ways;
	int fds[2];

	read_options(argc, argv, &cable);
	ways = calloc(2, sizeof(*ways));
	if (!ways)
		die("out of memory");
	for (int i = 0; i < 2; i++)
		fds[i] = attach(argv[optind + i]);
	for (int i = 0; i < 2; i++) {
		ways[i].from = fds[i];
		ways[i].to = fds[1 - i];
		ways[i].chance[0] = (unsigned short)i;
		ways[i].chance[1] = (unsigned short)(cable.seed & 0xffff);
		ways[i].chance[2] = (unsigned short)(cable.seed >> 16);
	}

	/* The child prints: who reads up to the end of output then knows that both interfaces are there. */
	switch (fork()) {
	case -1:
		die("cannot fork: %s", strerror(errno));
	case 0:
		break;
	default:
		_exit(0);
	}
	setsid();
	printf("%ld\n", (long)getpid());
	if (fflush(stdout) != 0 || !freopen("/dev/null", "w", stdout))
		die("cannot print: %s", strerror(errno));
	run(ways, &cable);
}
