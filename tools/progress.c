/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "progress.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#define PATIENCE_MS 1000
#define REDRAW_MS 100
#define BAR_MIN 10 /* a shorter bar says nothing */

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct progress progress_start(void)
{
	return (struct progress){ .on_terminal = isatty(STDERR_FILENO) == 1, .started = now_ms() };
}

bool progress_is_due(const struct progress *p, int64_t now)
{
	return p->on_terminal && now - p->started >= PATIENCE_MS &&
	       (p->drawn == 0 || now - p->drawn >= REDRAW_MS);
}

/* 0-100, and 100 only when all is done. */
static unsigned percent(size_t done, size_t total)
{
	return (unsigned)((double)done / (double)total * 100);
}

const char *progress_text(size_t done, size_t total, size_t columns, char buf[static PROGRESS_WIDTH_MAX + 1])
{
	char figures[64];
	int digits = snprintf(NULL, 0, "%zu", total);
	size_t len, bar, filled;

	buf[0] = '\0';
	if (total == 0)
		return buf;
	if (done > total)
		done = total;
	if (columns > PROGRESS_WIDTH_MAX)
		columns = PROGRESS_WIDTH_MAX;
	len = (size_t)snprintf(figures, sizeof(figures), "%3u%% %*zu/%zu", percent(done, total), digits, done,
			       total);
	if (columns < len) { /* the percentage at least */
		len = 4;
		figures[len] = '\0';
	}
	if (columns < len)
		return buf;
	if (columns < len + BAR_MIN + 3)
		return strcpy(buf, figures);
	bar = columns - len - 3;
	filled = (size_t)((double)done / (double)total * (double)bar);
	buf[0] = '[';
	memset(buf + 1, '#', filled);
	memset(buf + 1 + filled, '.', bar - filled);
	snprintf(buf + 1 + bar, PROGRESS_WIDTH_MAX - bar, "] %s", figures);
	return buf;
}

/* The last column stays free: a terminal would begin a new line. */
static size_t room(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
		return 79;
	return size.ws_col - 1u;
}

/* Blanks, no escape sequence: every terminal knows them. */
static void draw(struct progress *p, const char *text)
{
	size_t len = strlen(text);
	size_t rest = p->width > len ? p->width - len : 0;

	fprintf(stderr, "\r%s%*s%s", text, (int)rest, "", len == 0 ? "\r" : "");
	fflush(stderr);
	p->width = len;
}

void progress_tell(void *ctx, size_t done, size_t total)
{
	struct progress *p = ctx;
	char text[PROGRESS_WIDTH_MAX + 1];
	int64_t now = now_ms();

	if (!progress_is_due(p, now))
		return;
	draw(p, progress_text(done, total, room(), text));
	p->drawn = now;
}

void progress_end(struct progress *p)
{
	if (p->width > 0)
		draw(p, "");
}
