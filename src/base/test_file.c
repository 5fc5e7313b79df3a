// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Tests of whole files and directories.
#include "base/cleanup.h"
#include "base/file.h"
#include "tests/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

static void files_are_written_whole_and_read_with_a_limit(void)
{
	char dir[] = "/tmp/gb-test-XXXXXX", path[64], deep[64];
	GB_CLEANUP(gb_buf_deinit) struct gb_buf b = {};
	struct gb_error err = {};

	REQUIRE(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/f", dir);
	snprintf(deep, sizeof(deep), "%s/a/b", dir);
	CHECK_OK(gb_file_write(path, "12345", 5, 0600, &err), err);
	CHECK_EQ(gb_file_read(path, 4, &b, &err), GB_ERANGE);
	gb_buf_clear(&b);
	CHECK_OK(gb_file_read(path, 5, &b, &err), err);
	CHECK_STR(b.data, "12345");
	CHECK_EQ(gb_file_read(deep, 5, &b, &err), GB_ENOTFOUND);
	CHECK_OK(gb_mkdir_all(deep, 0700, &err), err);
	CHECK_EQ(gb_file_write(deep, "x", 1, 0600, &err), GB_EOS);
	CHECK_EQ(rmdir(deep), 0);
	snprintf(deep, sizeof(deep), "%s/a", dir);
	CHECK_EQ(rmdir(deep) | unlink(path), 0);
	CHECK_EQ(rmdir(dir), 0); // fails if a temporary file was left behind
}

static void directories_are_made_and_files_are_none(void)
{
	char dir[] = "/tmp/gb-test-XXXXXX", path[64];
	struct gb_error err = {};
	struct stat st = {};

	REQUIRE(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/a//b/", dir);
	CHECK_OK(gb_mkdir_all(path, 0700, &err), err);
	CHECK_OK(gb_mkdir_all(path, 0700, &err), err); // it is there already
	CHECK(stat(path, &st) == 0 && S_ISDIR(st.st_mode) && (st.st_mode & 0777) == 0700);
	CHECK_EQ(gb_mkdir_all("", 0700, &err), GB_ERANGE);
	snprintf(path, sizeof(path), "%s/a/f", dir);
	CHECK_OK(gb_file_write(path, "", 0, 0600, &err), err);
	CHECK(stat(path, &st) == 0 && st.st_size == 0 && (st.st_mode & 07777) == 0600);
	CHECK_EQ(gb_mkdir_all(path, 0700, &err), GB_EOS);
	CHECK(strstr(err.message, path) != NULL);
	CHECK_EQ(unlink(path), 0);
	snprintf(path, sizeof(path), "%s/a/b", dir);
	CHECK_EQ(rmdir(path), 0);
	snprintf(path, sizeof(path), "%s/a", dir);
	CHECK_EQ(rmdir(path) | rmdir(dir), 0);
}

static void a_full_pipe_is_an_error(void)
{
	static const char much[1 << 20];
	struct gb_error err = {};
	int fd[2];

	REQUIRE(pipe2(fd, O_NONBLOCK | O_CLOEXEC) == 0);
	CHECK_OK(gb_write_all(fd[1], "abc", 3, &err), err);
	CHECK_OK(gb_write_all(fd[1], NULL, 0, &err), err);
	CHECK_EQ(gb_write_all(fd[1], much, sizeof(much), &err), GB_EOS);
	CHECK_EQ(err.os_errno, EAGAIN);
	close(fd[0]);
	close(fd[1]);
}

TAP_MAIN(TAP_CASE(files_are_written_whole_and_read_with_a_limit),
	 TAP_CASE(directories_are_made_and_files_are_none), TAP_CASE(a_full_pipe_is_an_error))
