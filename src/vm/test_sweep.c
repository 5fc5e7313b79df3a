// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Tests of sweeping: what is removed, what is left alone, and what happens in the midst of it.
#include "vm/info.h"
#include "vm/runtime.h"
#include "vm/sweep.h"

#include "base/file.h"
#include "vm/test_root.h"

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>

// Other starts on this machine sweep /dev/shm, too: where we may, we have one of our own.
__attribute__((constructor)) static void take_own_shm(void)
{
	if (unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	    mount("none", "/dev/shm", "tmpfs", 0, NULL) == 0)
		puts("# with a /dev/shm of its own");
}

// A supervisor that dies leaves its directory, its RAM elsewhere and its QEMU; the next claim ends
// and removes all three, and leaves alone what merely looks alike.
static void crash_is_swept(void)
{
	struct gb_claim c = GB_CLAIM_NONE;
	struct gb_error err = {};
	struct gb_host_process qemu;
	char ram_dir[64] = "/dev/shm/glassbox-ram-0123456789abcdef", file[96];
	struct gb_vm_info info;
	pid_t child;
	int status;

	fresh_root();
	child = fork();
	if (child == 0) {
		pause();
		_exit(0);
	}
	REQUIRE_OK(gb_process_identify(child, &qemu, &err), err);
	REQUIRE_OK(gb_claim_take("dead", true, &c, &err), err);
	fill_info(&c, &info);
	info.attached = false;
	info.qemu_pid = qemu.pid;
	info.qemu_start = qemu.start;
	gb_assert(mkdir(ram_dir, 0700) == 0);
	snprintf(info.ram_path, sizeof(info.ram_path), "%s/ram", ram_dir);
	CHECK_OK(gb_info_write(&info, &err), err);
	CHECK_OK(gb_file_write(info.ram_path, "x", 1, 0600, &err), err);
	snprintf(file, sizeof(file), "%.60s/glassbox/dead/leftover", base_dir);
	CHECK_OK(gb_file_write(file, "x", 1, 0600, &err), err);
	close(c.lock_fd); // what the kernel does when its holder dies
	CHECK_EQ(gb_vm_find("dead", &info, &err), GB_ENOTFOUND);
	REQUIRE_OK(gb_claim_take("dead", true, &c, &err), err);
	CHECK(access(file, F_OK) != 0);
	CHECK(access(ram_dir, F_OK) != 0);
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK(WIFSIGNALED(status));
	gb_claim_release(&c);
	check_and_remove_root();
}

static void ram_name(int which, char ret[64])
{
	snprintf(ret, 64, "/dev/shm/glassbox-ram-%08x%08x", (unsigned)getpid(), (unsigned)which);
}

static void make_ram(const char *dir, bool with_lock)
{
	char file[96];

	gb_assert(mkdir(dir, 0700) == 0);
	snprintf(file, sizeof(file), "%.60s/ram", dir);
	gb_assert(gb_file_write(file, "x", 1, 0600, NULL) == 0);
	snprintf(file, sizeof(file), "%.60s/lock", dir);
	gb_assert(!with_lock || gb_file_write(file, "", 0, 0600, NULL) == 0);
}

static void check_and_remove_ram(const char *dir)
{
	char file[96];

	snprintf(file, sizeof(file), "%.60s/ram", dir);
	CHECK(unlink(file) == 0);
	snprintf(file, sizeof(file), "%.60s/lock", dir);
	unlink(file);
	CHECK(rmdir(dir) == 0);
}

// The registry is gone, the supervisor too: RAM in /dev/shm goes by its lock alone. What is held, is
// somebody else's, is named otherwise or has no lock stays.
static void ram_without_registry_is_swept(void)
{
	enum { LEFTOVER, HELD, UNLOCKED, FOREIGN, LONGER_NAME, COUNT };
	char dirs[COUNT][64];
	struct gb_error err = {};
	int held = -1;

	fresh_root();
	for (int i = 0; i < COUNT; i++) {
		ram_name(i, dirs[i]);
		if (i == LONGER_NAME)
			snprintf(dirs[i] + strlen(dirs[i]), 2, "0");
		make_ram(dirs[i], i != UNLOCKED);
	}
	REQUIRE_OK(gb_runtime_lock(dirs[HELD], &held, &err), err);
	if (geteuid() == 0)
		gb_assert(chown(dirs[FOREIGN], 65534, 65534) == 0);
	else
		check_and_remove_ram(dirs[FOREIGN]);
	CHECK(gb_sweep_ram_count() > 0);
	CHECK_OK(gb_claim_sweep(&err), err);
	CHECK(access(dirs[LEFTOVER], F_OK) != 0);
	check_and_remove_ram(dirs[HELD]);
	check_and_remove_ram(dirs[UNLOCKED]);
	check_and_remove_ram(dirs[LONGER_NAME]);
	if (geteuid() == 0)
		check_and_remove_ram(dirs[FOREIGN]);
	close(held);
	check_and_remove_root();
}

// What is counted is what is removed.
static void counts(void)
{
	static const char *const names[] = {"locked", "left", "empty", "notes"};
	struct gb_error err = {};
	char root[96], dir[128], file[160];
	int held = -1;

	fresh_root();
	snprintf(root, sizeof(root), "%s/glassbox", base_dir);
	gb_assert(mkdir(root, 0700) == 0);
	for (int i = 0; i < 4; i++) {
		snprintf(dir, sizeof(dir), "%s/%s", root, names[i]);
		gb_assert(mkdir(dir, 0700) == 0);
		snprintf(file, sizeof(file), "%s/%s", dir, i == 3 ? "notes" : "lock");
		gb_assert(i == 2 || gb_file_write(file, "", 0, 0600, NULL) == 0);
		if (i == 0)
			REQUIRE_OK(gb_runtime_lock(dir, &held, &err), err);
	}
	CHECK_EQ(gb_sweep_root_count(root), 2);
	CHECK_OK(gb_sweep_root(root, &err), err);
	CHECK_EQ(gb_sweep_root_count(root), 0);
	CHECK(unlink(file) == 0 && rmdir(dir) == 0);
	close(held);
	CHECK_EQ(gb_sweep_root_count(root), 1);
	CHECK_OK(gb_sweep_root(root, &err), err);
	check_and_remove_root();
}

// A directory that somebody put into a guest's is not removed, so the guest's is not either: with its
// lock it is still known for ours, and goes when it can.
static void what_stays_keeps_its_lock(void)
{
	char dir[64], file[96], below[96];
	struct gb_error err = {};

	fresh_root();
	ram_name(20, dir);
	make_ram(dir, true);
	snprintf(below, sizeof(below), "%s/below", dir);
	gb_assert(mkdir(below, 0700) == 0);
	CHECK_OK(gb_claim_sweep(&err), err);
	snprintf(file, sizeof(file), "%s/ram", dir);
	CHECK(access(file, F_OK) != 0);
	CHECK(gb_runtime_has_lock(dir));
	CHECK(rmdir(below) == 0);
	CHECK_OK(gb_claim_sweep(&err), err);
	CHECK(access(dir, F_OK) != 0);
	check_and_remove_root();
}

// What others do between two steps of ours: the linker sends the taking of locks here.
static struct {
	bool sweeps;            // before a lock is made
	char swept[PATH_MAX];   // where that was
	const char *replaces;   // after the lock of this directory was taken
	const char *renamed_to; // what it is called then
} others;

int __real_gb_runtime_lock(const char *dir, int *fd_ret, struct gb_error *err);
int __wrap_gb_runtime_lock(const char *dir, int *fd_ret, struct gb_error *err);
int __wrap_gb_runtime_lock(const char *dir, int *fd_ret, struct gb_error *err)
{
	if (others.sweeps) {
		others.sweeps = false;
		SET(others.swept, dir);
		gb_sweep_ram();
	}
	return __real_gb_runtime_lock(dir, fd_ret, err);
}

int __real_gb_runtime_lock_left(int dir_fd, const char *dir, int *fd_ret, struct gb_error *err);
int __wrap_gb_runtime_lock_left(int dir_fd, const char *dir, int *fd_ret, struct gb_error *err);
int __wrap_gb_runtime_lock_left(int dir_fd, const char *dir, int *fd_ret, struct gb_error *err)
{
	int r = __real_gb_runtime_lock_left(dir_fd, dir, fd_ret, err);

	if (r == 0 && others.replaces && strcmp(others.replaces, dir) == 0) {
		gb_assert(rename(dir, others.renamed_to) == 0);
		make_ram(dir, true);
	}
	return r;
}

// A sweep that comes between a directory for RAM and its lock removes it: the start takes another name, as
// the sweep may still be at work under the first.
static void a_sweep_meets_a_start(void)
{
	struct gb_claim c = GB_CLAIM_NONE;
	struct gb_error err = {};
	struct gb_vm_info info;
	char dir[PATH_MAX];

	fresh_root();
	REQUIRE_OK(gb_claim_take("one", true, &c, &err), err);
	fill_info(&c, &info);
	memcpy(dir, c.dir, sizeof(dir));
	SET(c.dir, "/proc"); // no tmpfs: RAM goes to /dev/shm
	others.sweeps = true;
	CHECK_OK(gb_claim_place_ram(&c, 4096, &info, &err), err);
	memcpy(c.dir, dir, sizeof(dir));
	CHECK(strncmp(others.swept, "/dev/shm/glassbox-ram-", 22) == 0);
	CHECK(strcmp(others.swept, c.ram_dir) != 0);
	CHECK(access(others.swept, F_OK) != 0);
	gb_sweep_ram();
	CHECK(gb_runtime_locked(c.ram_dir));
	REQUIRE_OK(gb_vm_lookup("one", &info, &err), err);
	CHECK(strncmp(info.ram_path, c.ram_dir, strlen(c.ram_dir)) == 0);
	gb_claim_release(&c);
	check_and_remove_root();
}

// What a sweep removes is what it judged dead, not what has its name by then.
static void a_sweep_is_overtaken(void)
{
	char dead[96], fresh[64], file[128];

	fresh_root();
	ram_name(21, fresh);
	snprintf(dead, sizeof(dead), "%s/dead", base_dir);
	make_ram(fresh, true);
	others.replaces = fresh;
	others.renamed_to = dead;
	gb_sweep_ram();
	others.replaces = NULL;
	check_and_remove_ram(fresh);
	snprintf(file, sizeof(file), "%s/ram", dead);
	CHECK(access(file, F_OK) != 0);
	CHECK(rmdir(dead) == 0);
	check_and_remove_root();
}

// Somebody else put a link under the name of RAM that is gone: what it leads to is left alone.
static void links_are_not_followed(void)
{
	struct gb_claim c = GB_CLAIM_NONE;
	struct gb_error err = {};
	struct gb_vm_info info;
	char target[96], file[128], ram_dir[64];

	fresh_root();
	ram_name(9, ram_dir);
	snprintf(target, sizeof(target), "%s/target", base_dir);
	make_ram(target, true);
	REQUIRE_OK(gb_claim_take("dead", true, &c, &err), err);
	fill_info(&c, &info);
	snprintf(info.ram_path, sizeof(info.ram_path), "%s/ram", ram_dir);
	CHECK_OK(gb_info_write(&info, &err), err);
	gb_assert(symlink(target, ram_dir) == 0);
	close(c.lock_fd);
	CHECK_OK(gb_claim_sweep(&err), err);
	CHECK(access(c.dir, F_OK) != 0);
	snprintf(file, sizeof(file), "%s/ram", target);
	CHECK(access(file, F_OK) == 0);
	gb_sweep_remove(ram_dir);
	CHECK(access(file, F_OK) == 0);
	unlink(ram_dir);
	if (geteuid() == 0) { // a directory of somebody else
		gb_assert(chown(target, 65534, 65534) == 0);
		gb_sweep_remove(target);
		CHECK(access(file, F_OK) == 0);
	}
	check_and_remove_ram(target);
	check_and_remove_root();
}

// The same pid with another start time is another process.
static void reused_pids_are_safe(void)
{
	struct gb_claim c = GB_CLAIM_NONE;
	struct gb_error err = {};
	struct gb_vm_info info;
	pid_t child;

	fresh_root();
	child = fork();
	if (child == 0) {
		pause();
		_exit(0);
	}
	REQUIRE_OK(gb_claim_take("old", true, &c, &err), err);
	fill_info(&c, &info);
	info.attached = false;
	info.qemu_pid = child;
	info.qemu_start -= 1;
	CHECK_OK(gb_info_write(&info, &err), err);
	CHECK_EQ(gb_vm_find("old", &info, &err), GB_ENOTFOUND);
	close(c.lock_fd);
	CHECK_OK(gb_claim_sweep(&err), err);
	CHECK(access(c.dir, F_OK) != 0);
	CHECK_EQ(kill(child, 0), 0);
	CHECK_EQ(waitpid(child, NULL, WNOHANG), 0);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	check_and_remove_root();
}

// Attached guests are never ended, not even when we crashed.
static void attached_guests_live_on(void)
{
	struct gb_claim c = GB_CLAIM_NONE;
	struct gb_error err = {};
	struct gb_vm_info info;

	fresh_root();
	REQUIRE_OK(gb_claim_take("theirs", true, &c, &err), err);
	fill_info(&c, &info); // QEMU is this process: ending it would end the test
	SET(info.ram_path, "/dev/shm/glassbox-ram-not-ours/ram");
	CHECK_OK(gb_info_write(&info, &err), err);
	close(c.lock_fd);
	CHECK_OK(gb_claim_sweep(&err), err);
	CHECK(access(c.dir, F_OK) != 0);
	check_and_remove_root();
}

TAP_MAIN(TAP_CASE(crash_is_swept), TAP_CASE(ram_without_registry_is_swept), TAP_CASE(counts),
	 TAP_CASE(what_stays_keeps_its_lock), TAP_CASE(a_sweep_meets_a_start),
	 TAP_CASE(a_sweep_is_overtaken), TAP_CASE(links_are_not_followed),
	 TAP_CASE(reused_pids_are_safe), TAP_CASE(attached_guests_live_on))
