/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "secret.h"
#include "unit.h"

#include <fcntl.h>
#include <sys/stat.h>

static char dir[] = "/tmp/test_secret.XXXXXX";
static char path[64], other[64];
static uid_t caller; /* who secret_read believes to run it */

/* Instead of the C library's. */
uid_t geteuid(void)
{
	return caller;
}

static void set_up(void)
{
	strcpy(dir + strlen(dir) - 6, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/token", dir);
	snprintf(other, sizeof(other), "%s/other", dir);
	caller = getuid();
}

static void tear_down(void)
{
	unlink(path);
	unlink(other);
	rmdir(dir);
}

static void given_bytes(const char *text, size_t len, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, len), (ssize_t)len);
	ck_assert_int_eq(fchmod(fd, mode), 0);
	close(fd);
}

static void given_file(const char *text, mode_t mode)
{
	given_bytes(text, strlen(text), mode);
}

static void expect_token(const char *file, const char *token)
{
	char out[SECRET_MAX + 1];
	struct err e = { 0 };

	ck_assert_msg(secret_read(&e, file, out) == 0, "%s", e.msg);
	ck_assert_str_eq(out, token);
}

/* That it is refused with this code, words and the file's name; nothing is written. */
static void expect_refusal(const char *file, int code, const char *words)
{
	char out[SECRET_MAX + 1] = "unchanged";
	struct err e = { 0 };

	ck_assert_int_eq(secret_read(&e, file, out), -code);
	ck_assert_int_eq(e.code, code);
	ck_assert_msg(strstr(e.msg, words) && strstr(e.msg, file), "%s", e.msg);
	ck_assert_str_eq(out, "unchanged");
}

START_TEST(reads_the_only_line_without_blanks_at_its_ends)
{
	static const char *const texts[] = { "s3cret~!", "s3cret~!\n", "s3cret~!\r\n", " \ts3cret~!\t \n" };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		given_file(texts[i], 0600);
		expect_token(path, "s3cret~!");
	}
}
END_TEST

START_TEST(refuses_what_is_not_one_token)
{
	static const struct {
		const char *text, *words;
	} files[] = {
		{ "", "empty" },
		{ "\n", "empty" },
		{ " \t\n", "empty" },
		{ "s3cret\ns3cret\n", "more than one line" },
		{ "s3cret\n\n", "more than one line" },
		{ "\ns3cret\n", "more than one line" },
		{ "s3 cret\n", "character 3" },
		{ "s3cret\x7f\n", "character 7" },
		{ " s3\x01"
		  "cret",
		  "character 3" },
		{ "s3cr\xc3\xa9t", "character 5" },
		{ "s3\rcret\n", "character 3" },
	};

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		given_file(files[i].text, 0600);
		expect_refusal(path, EINVAL, files[i].words);
	}
	given_bytes("s3\0cret", 7, 0600);
	expect_refusal(path, EINVAL, "character 3");
}
END_TEST

START_TEST(never_shows_the_token)
{
	char out[SECRET_MAX + 1];
	struct err e;

	given_file("s3cret s3cret\n", 0600);
	ck_assert_int_eq(secret_read(&e, path, out), -EINVAL);
	ck_assert_ptr_null(strstr(e.msg, "s3c"));
}
END_TEST

START_TEST(takes_a_token_of_the_greatest_length_and_no_longer)
{
	static const size_t too_long[] = { SECRET_MAX + 1, 2 * SECRET_MAX - 1, 2 * SECRET_MAX, 100000 };
	static char text[100001];

	memset(text, 'x', SECRET_MAX);
	text[SECRET_MAX] = '\n';
	given_file(text, 0600);
	text[SECRET_MAX] = '\0';
	expect_token(path, text);
	for (size_t i = 0; i < ARRAY_LEN(too_long); i++) {
		memset(text, 'x', too_long[i]);
		given_bytes(text, too_long[i], 0600);
		expect_refusal(path, EINVAL, "longer than 4096");
	}
}
END_TEST

/* What was not read could be a second line. */
START_TEST(refuses_a_file_that_hides_its_end_behind_blanks)
{
	static char text[100000];

	memset(text, ' ', sizeof(text));
	memcpy(text, "s3cret", 6);
	given_bytes(text, sizeof(text), 0600);
	expect_refusal(path, EINVAL, "longer than 4096");
}
END_TEST

START_TEST(refuses_a_file_that_others_may_read_or_write)
{
	static const mode_t loose[] = { 0640, 0620, 0604, 0602, 0644, 0666, 0660 };
	static const mode_t strict[] = { 0600, 0400, 0700, 0711 };

	for (size_t i = 0; i < ARRAY_LEN(loose); i++) {
		given_file("s3cret\n", loose[i]);
		expect_refusal(path, EACCES, "chmod 600 /tmp/");
	}
	for (size_t i = 0; i < ARRAY_LEN(strict); i++) {
		given_file("s3cret\n", strict[i]);
		expect_token(path, "s3cret");
	}
}
END_TEST

START_TEST(takes_a_file_of_the_caller_or_root_only)
{
	uid_t owner = getuid();

	given_file("s3cret\n", 0600);
	if (owner == 0) {
		caller = 4711;
		expect_token(path, "s3cret");
		owner = 4712;
		ck_assert_int_eq(chown(path, owner, (gid_t)-1), 0);
	}
	caller = owner;
	expect_token(path, "s3cret");
	caller = owner + 1;
	expect_refusal(path, EACCES, "belongs to user");
	caller = 0;
	expect_refusal(path, EACCES, "chown it to user 0");
}
END_TEST

START_TEST(follows_a_link_and_judges_the_file_itself)
{
	given_file("s3cret\n", 0600);
	ck_assert_int_eq(symlink(path, other), 0);
	expect_token(other, "s3cret");
	ck_assert_int_eq(chmod(path, 0644), 0);
	expect_refusal(other, EACCES, "mode 0644");
}
END_TEST

/* Also that it does not wait for a writer to the FIFO. */
START_TEST(refuses_what_is_not_a_regular_file)
{
	ck_assert_int_eq(mkfifo(other, 0600), 0);
	expect_refusal(other, EINVAL, "not a regular file");
	expect_refusal(dir, EINVAL, "not a regular file");
	expect_refusal("/dev/null", EINVAL, "not a regular file");
}
END_TEST

START_TEST(says_that_a_file_is_not_there)
{
	expect_refusal(path, ENOENT, "No such file");
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, reads_the_only_line_without_blanks_at_its_ends);
	tcase_add_test(tc, refuses_what_is_not_one_token);
	tcase_add_test(tc, never_shows_the_token);
	tcase_add_test(tc, takes_a_token_of_the_greatest_length_and_no_longer);
	tcase_add_test(tc, refuses_a_file_that_hides_its_end_behind_blanks);
	tcase_add_test(tc, refuses_a_file_that_others_may_read_or_write);
	tcase_add_test(tc, takes_a_file_of_the_caller_or_root_only);
	tcase_add_test(tc, follows_a_link_and_judges_the_file_itself);
	tcase_add_test(tc, refuses_what_is_not_a_regular_file);
	tcase_add_test(tc, says_that_a_file_is_not_there);
}

int main(void)
{
	return unit_main("secret", add);
}
