// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The KVM probe on the real device, and on things that are no KVM device.
#include "vm/kvm.h"

#include "base/clock.h"
#include "tests/tap.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[] = "/tmp/test_kvm.XXXXXX";

static const char *path(const char *name)
{
	static char text[64];

	snprintf(text, sizeof(text), "%s/%s", dir, name);
	return text;
}

static void refused(const char *device, const char *words)
{
	struct gb_error err = {};
	uint64_t begin = gb_clock_ns();

	CHECK_EQ(gb_kvm_probe(device, &err), GB_ELACKS);
	if (!strstr(err.message, words))
		tap_fail_("%s: \"%s\" does not say \"%s\"", device, err.message, words);
	CHECK(strstr(err.message, device) != NULL);
	CHECK(strstr(err.message, "--accel tcg") != NULL);
	CHECK(gb_clock_ns() - begin < 10 * GB_SECOND);
	CHECK_EQ(gb_kvm_probe(device, NULL), GB_ELACKS);
}

static void missing(void)
{
	refused(path("nothing"), "No such file");
}

static void null_device(void)
{
	refused("/dev/null", "no KVM device");
}

static void plain_file(void)
{
	int fd = open(path("file"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	REQUIRE(fd >= 0);
	close(fd);
	refused(path("file"), "no KVM device");
}

static void fifo(void)
{
	REQUIRE(mkfifo(path("fifo"), 0600) == 0);
	refused(path("fifo"), "no KVM device");
}

static void directory(void)
{
	refused(dir, "Is a directory");
}

static void no_permission(void)
{
	int fd = open(path("locked"), O_CREAT | O_WRONLY | O_CLOEXEC, 0000);
	bool root = geteuid() == 0;

	REQUIRE(fd >= 0);
	close(fd);
	if (root)
		REQUIRE(chmod(dir, 0711) == 0 && seteuid(65534) == 0);
	refused(path("locked"), "adduser");
	if (root)
		REQUIRE(seteuid(0) == 0);
}

// Whatever the answer is here, it comes in time, is the same twice, and leaves no child behind.
static void real_device(void)
{
	struct gb_error err = {};
	int first = gb_kvm_probe("/dev/kvm", &err);

	printf("# /dev/kvm: %s\n", first == 0 ? "works" : err.message);
	CHECK(first == 0 || (first == GB_ELACKS && strstr(err.message, "/dev/kvm")));
	CHECK_EQ(gb_kvm_probe("/dev/kvm", NULL), first);
	CHECK_EQ(waitpid(-1, NULL, WNOHANG), -1);
}

static void remove_files(void)
{
	static const char *const names[] = {"file", "fifo", "locked"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlink(path(names[i]));
	rmdir(dir);
}

int main(void)
{
	static const struct tap_case cases[] = {
		TAP_CASE(missing),   TAP_CASE(null_device),   TAP_CASE(plain_file),  TAP_CASE(fifo),
		TAP_CASE(directory), TAP_CASE(no_permission), TAP_CASE(real_device),
	};
	int status;

	if (!mkdtemp(dir))
		return 1;
	status = tap_run(cases, sizeof(cases) / sizeof(cases[0]));
	remove_files();
	return status;
}
