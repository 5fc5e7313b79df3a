// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Tests of the registry: names, claims, crashes, races. Each case has a runtime directory of its own.
#include "vm/claim.h"
#include "vm/info.h"
#include "vm/place.h"
#include "vm/runtime.h"
#include "vm/sweep.h"

#include "base/file.h"
#include "tests/tap.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SET(array, text) snprintf((array), sizeof(array), "%s", (text))

static char base_dir[64];

static void fresh(void)
{
	snprintf(base_dir, sizeof(base_dir), "/dev/shm/test_registry.XXXXXX");
	gb_assert(mkdtemp(base_dir));
	setenv("XDG_RUNTIME_DIR", base_dir, 1);
}

static void clean(void)
{
	char root[128];

	snprintf(root, sizeof(root), "%s/glassbox", base_dir);
	rmdir(root);
	// Nothing may be left in it.
	CHECK(rmdir(base_dir) == 0);
}

// A guest whose QEMU is this very process.
static void fill(const struct gb_claim *c, struct gb_vm_info *ret)
{
	struct gb_host_process self = {};

	gb_assert(gb_process_identify(getpid(), &self, NULL) == 0);
	*ret = (struct gb_vm_info){.guest = "tiny",
				   .machine = "q35",
				   .accel = "tcg",
				   .qemu_pid = self.pid,
				   .qemu_start = self.start,
				   .supervisor_pid = self.pid,
				   .supervisor_start = self.start,
				   .memory = 8192,
				   .cpus = 2,
				   .ssh_port = 40000,
				   .attached = true};
	SET(ret->name, c->name);
	SET(ret->dir, c->dir);
	snprintf(ret->ram_path, sizeof(ret->ram_path), "%.1000s/ram", c->dir);
	gb_layout_identity(8192, &ret->layout);
}

static void names(void)
{
	char host[GB_VM_NAME_MAX];
	char longest[GB_VM_NAME_MAX + 1];

	CHECK(gb_vm_name_valid("a") && gb_vm_name_valid("A.b_c-9") && gb_vm_name_valid("_x"));
	CHECK(!gb_vm_name_valid("") && !gb_vm_name_valid(".a") && !gb_vm_name_valid("-a"));
	CHECK(!gb_vm_name_valid("a/b") && !gb_vm_name_valid("a b") &&
	      !gb_vm_name_valid("\xc3\xa4"));
	memset(longest, 'n', sizeof(longest));
	longest[GB_VM_NAME_MAX] = 0;
	CHECK(!gb_vm_name_valid(longest));
	longest[GB_VM_NAME_MAX - 1] = 0;
	CHECK(gb_vm_name_valid(longest));
	gb_vm_host_name("_a_b", host);
	CHECK_STR(host, "ga-b");
}

static void a_life(void)
{
	struct gb_claim c = GB_CLAIM_NONE, second = GB_CLAIM_NONE;
	struct gb_error err = {};
	struct gb_vm_info info, found = {}, *list = NULL;
	struct gb_ram *ram = NULL;
	size_t n = 9;

	fresh();
	CHECK_EQ(gb_vm_find("one", &found, &err), GB_ENOTFOUND);
	CHECK_OK(gb_vm_list(&list, &n, &err), err);
	CHECK_EQ(n, 0);
	REQUIRE_OK(gb_claim_take("one", true, &c, &err), err);
	CHECK_EQ(gb_claim_take("one", true, &second, &err), GB_EBUSY);
	CHECK_EQ(gb_claim_check("one", &err), 0); // not registered yet
	fill(&c, &info);
	info.layout.count = 0;
	CHECK_OK(gb_info_write(&info, &err), err);
	CHECK_EQ(gb_claim_check("one", &err), GB_EBUSY);
	CHECK_EQ(gb_vm_find("one", &found, &err), GB_ENOTFOUND);
	CHECK(strstr(err.message, "still being started"));
	CHECK_OK(gb_vm_lookup("one", &found, &err), err);
	fill(&c, &info);
	CHECK_OK(gb_info_write(&info, &err), err);
	REQUIRE_OK(gb_vm_find("one", &found, &err), err);
	CHECK_MEM(&found, &info, sizeof(found));
	CHECK_EQ(gb_vm_open_ram(&found, &ram, &err), GB_EGONE);
	REQUIRE_OK(gb_claim_take("one", false, &second, &err), err);
	CHECK_STR(second.name, "one-2");
	fill(&second, &info);
	CHECK_OK(gb_info_write(&info, &err), err);
	CHECK_OK(gb_vm_list(&list, &n, &err), err);
	REQUIRE(n == 2);
	CHECK_STR(list[0].name, "one");
	CHECK_STR(list[1].name, "one-2");
	free(list);
	gb_claim_release(&second);
	gb_claim_release(&c);
	gb_claim_release(&c); // once more does nothing
	CHECK_EQ(gb_vm_find("one", &found, &err), GB_ENOTFOUND);
	clean();
}

static void bad_names_and_places(void)
{
	struct gb_claim c = GB_CLAIM_NONE;
	struct gb_error err = {};
	char root[256], deep[256];

	fresh();
	CHECK_EQ(gb_claim_take("../x", true, &c, &err), GB_EUSAGE);
	CHECK_EQ(gb_claim_take("", true, &c, &err), GB_EUSAGE);
	snprintf(root, sizeof(root), "%s/glassbox", base_dir);
	gb_assert(mkdir(root, 0755) == 0);
	chmod(root, 0755);
	CHECK_EQ(gb_claim_take("x", true, &c, &err), GB_ELACKS);
	CHECK(strstr(err.message, "chmod 700"));
	rmdir(root);
	gb_assert(symlink("/tmp", root) == 0);
	CHECK_EQ(gb_claim_take("x", true, &c, &err), GB_ELACKS);
	unlink(root);
	setenv("XDG_RUNTIME_DIR", "/nonexistent", 1);
	CHECK_EQ(gb_claim_take("x", true, &c, &err), GB_EOS);
	CHECK(strstr(err.message, "XDG_RUNTIME_DIR"));
	snprintf(deep, sizeof(deep), "%s/%0100d", base_dir, 0);
	gb_assert(mkdir(deep, 0700) == 0);
	setenv("XDG_RUNTIME_DIR", deep, 1);
	CHECK_EQ(gb_claim_take("x", true, &c, &err), GB_ERANGE);
	snprintf(root, sizeof(root), "%s/%0100d/glassbox", base_dir, 0);
	rmdir(root);
	rmdir(deep);
	clean();
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

	fresh();
	child = fork();
	if (child == 0) {
		pause();
		_exit(0);
	}
	REQUIRE_OK(gb_process_identify(child, &qemu, &err), err);
	REQUIRE_OK(gb_claim_take("dead", true, &c, &err), err);
	fill(&c, &info);
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
	clean();
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

static void remove_ram(const char *dir)
{
	char file[96];

	snprintf(file, sizeof(file), "%.60s/ram", dir);
	unlink(file);
	snprintf(file, sizeof(file), "%.60s/lock", dir);
	unlink(file);
	CHECK(rmdir(dir) == 0);
}

// The registry is gone, the supervisor too: RAM in /dev/shm goes by its lock alone. What is held, what
// is no one's of ours and what has no lock stays.
static void ram_without_registry_is_swept(void)
{
	enum { LEFT, HELD, NO_LOCK, THEIRS, OTHER_NAME, COUNT };
	char dirs[COUNT][64];
	struct gb_error err = {};
	int held = -1;

	fresh();
	for (int i = 0; i < COUNT; i++) {
		ram_name(i, dirs[i]);
		if (i == OTHER_NAME)
			snprintf(dirs[i] + strlen(dirs[i]), 2, "0");
		make_ram(dirs[i], i != NO_LOCK);
	}
	REQUIRE_OK(gb_runtime_lock(dirs[HELD], &held, &err), err);
	if (geteuid() == 0)
		gb_assert(chown(dirs[THEIRS], 65534, 65534) == 0);
	else
		remove_ram(dirs[THEIRS]);
	CHECK(gb_sweep_ram_count() > 0);
	CHECK_OK(gb_claim_sweep(&err), err);
	CHECK(access(dirs[LEFT], F_OK) != 0);
	remove_ram(dirs[HELD]);
	remove_ram(dirs[NO_LOCK]);
	remove_ram(dirs[OTHER_NAME]);
	if (geteuid() == 0)
		remove_ram(dirs[THEIRS]);
	close(held);
	clean();
}

// Somebody else put a link under the name of RAM that is gone: what it leads to is left alone.
static void links_are_not_followed(void)
{
	struct gb_claim c = GB_CLAIM_NONE;
	struct gb_error err = {};
	struct gb_vm_info info;
	char target[96], file[128], ram_dir[64];

	fresh();
	ram_name(9, ram_dir);
	snprintf(target, sizeof(target), "%s/target", base_dir);
	make_ram(target, true);
	REQUIRE_OK(gb_claim_take("dead", true, &c, &err), err);
	fill(&c, &info);
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
	remove_ram(target);
	clean();
}

// What --dry-run shows is what a start takes.
static void previews(void)
{
	struct gb_claim c = GB_CLAIM_NONE, left = GB_CLAIM_NONE;
	struct gb_error err = {};
	struct gb_vm_info info = {};
	char root[96], want[128];

	fresh();
	snprintf(root, sizeof(root), "%s/glassbox", base_dir);
	REQUIRE_OK(gb_claim_preview("one", false, 4096, &info, &err), err);
	CHECK_STR(info.name, "one");
	CHECK(access(root, F_OK) != 0);
	REQUIRE_OK(gb_claim_take("one", true, &c, &err), err);
	REQUIRE_OK(gb_claim_preview("one", false, 4096, &info, &err), err);
	CHECK_STR(info.name, "one-2");
	snprintf(want, sizeof(want), "%s/one-2/ram", root);
	CHECK_STR(info.ram_path, want);
	CHECK_EQ(gb_claim_preview("one", true, 4096, &info, &err), GB_EBUSY);
	CHECK_EQ(gb_claim_preview("../x", true, 4096, &info, &err), GB_EUSAGE);
	CHECK_EQ(gb_claim_preview("two", true, (uint64_t)1 << 50, &info, &err), GB_ELACKS);
	// A leftover is swept by a start.
	REQUIRE_OK(gb_claim_take("one-2", true, &left, &err), err);
	close(left.lock_fd);
	REQUIRE_OK(gb_claim_preview("one", false, 4096, &info, &err), err);
	CHECK_STR(info.name, "one-2");
	gb_claim_release(&c);
	CHECK_OK(gb_claim_sweep(&err), err);
	clean();
}

// Without a session guests are registered below home.
static void no_session(void)
{
	char home[96], state[128], path[PATH_MAX], place[PATH_MAX], old[PATH_MAX] = "";
	struct gb_claim c = GB_CLAIM_NONE;
	struct gb_error err = {};

	fresh();
	unsetenv("XDG_RUNTIME_DIR");
	snprintf(path, sizeof(path), "/run/user/%u", (unsigned)geteuid());
	if (access(path, F_OK) == 0) {
		clean();
		return;
	}
	snprintf(old, sizeof(old), "%s", getenv("HOME") ? getenv("HOME") : "");
	snprintf(home, sizeof(home), "%s/home", base_dir);
	gb_assert(mkdir(home, 0755) == 0);
	setenv("HOME", home, 1);
	unsetenv("XDG_STATE_HOME");
	REQUIRE_OK(gb_runtime_place(place, &err), err);
	CHECK_STR(place, home);
	REQUIRE_OK(gb_claim_take("one", true, &c, &err), err);
	snprintf(path, sizeof(path), "%s/.local/state/glassbox/run/one", home);
	CHECK_STR(c.dir, path);
	gb_claim_release(&c);
	snprintf(state, sizeof(state), "%s/state", home);
	setenv("XDG_STATE_HOME", state, 1);
	REQUIRE_OK(gb_runtime_path(path, &err), err);
	CHECK(strncmp(path, state, strlen(state)) == 0);
	unsetenv("XDG_STATE_HOME");
	unsetenv("HOME");
	CHECK_EQ(gb_runtime_path(path, &err), GB_ELACKS);
	CHECK(strstr(err.message, "XDG_RUNTIME_DIR"));
	for (const char *const *p =
		     (const char *const[]){"/.local/state/glassbox/run", "/.local/state/glassbox",
					   "/.local/state", "/.local", "", NULL};
	     *p; p++) {
		snprintf(path, sizeof(path), "%s%s", home, *p);
		CHECK(rmdir(path) == 0);
	}
	setenv("HOME", old, 1);
	clean();
}

// The same pid with another start time is another process.
static void reused_pids_are_safe(void)
{
	struct gb_claim c = GB_CLAIM_NONE;
	struct gb_error err = {};
	struct gb_vm_info info;
	pid_t child;

	fresh();
	child = fork();
	if (child == 0) {
		pause();
		_exit(0);
	}
	REQUIRE_OK(gb_claim_take("old", true, &c, &err), err);
	fill(&c, &info);
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
	clean();
}

// Attached guests are never ended, not even when we crashed.
static void attached_guests_live_on(void)
{
	struct gb_claim c = GB_CLAIM_NONE;
	struct gb_error err = {};
	struct gb_vm_info info;

	fresh();
	REQUIRE_OK(gb_claim_take("theirs", true, &c, &err), err);
	fill(&c, &info); // QEMU is this process: ending it would end the test
	SET(info.ram_path, "/dev/shm/glassbox-ram-not-ours/ram");
	CHECK_OK(gb_info_write(&info, &err), err);
	close(c.lock_fd);
	CHECK_OK(gb_claim_sweep(&err), err);
	CHECK(access(c.dir, F_OK) != 0);
	clean();
}

static void damaged_entries(void)
{
	static const char *const texts[] = {"", "{", "[]", "{\"name\": 1}", "null"};
	struct gb_claim c = GB_CLAIM_NONE;
	struct gb_error err = {};
	struct gb_vm_info info, *list;
	char path[PATH_MAX + 16];
	size_t n = 1;

	fresh();
	REQUIRE_OK(gb_claim_take("bad", true, &c, &err), err);
	snprintf(path, sizeof(path), "%s/vm.json", c.dir);
	CHECK_EQ(gb_vm_find("bad", &info, &err), GB_ENOTFOUND);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		CHECK_OK(gb_file_write(path, texts[i], strlen(texts[i]), 0600, &err), err);
		CHECK_EQ(gb_vm_find("bad", &info, &err), GB_EFORMAT);
		CHECK_OK(gb_vm_list(&list, &n, &err), err);
		CHECK_EQ(n, 0);
		free(list);
	}
	// A directory of another name moved in its place.
	fill(&c, &info);
	SET(info.dir, "/elsewhere");
	gb_claim_release(&c);
	clean();
}

// Eight processes want one name at once: exactly one gets it.
static void racing_claims(void)
{
	int won = 0, status, go[2];
	pid_t children[8];
	char byte;

	fresh();
	gb_assert(pipe(go) == 0);
	for (int i = 0; i < 8; i++) {
		children[i] = fork();
		if (children[i] == 0) {
			struct gb_claim c = GB_CLAIM_NONE;

			close(go[1]);
			gb_assert(read(go[0], &byte, 1) == 0);
			// Who wins holds the name until all have tried: its directory stays.
			_exit(gb_claim_take("race", true, &c, NULL) == 0 ? (pause(), 0) : 1);
		}
	}
	close(go[1]);
	for (int i = 0; i < 7; i++) {
		gb_assert(waitpid(-1, &status, 0) > 0);
		won += WIFEXITED(status) && WEXITSTATUS(status) == 1;
	}
	CHECK_EQ(won, 7);
	for (int i = 0; i < 8; i++)
		kill(children[i], SIGKILL);
	waitpid(-1, &status, 0);
	CHECK_OK(gb_claim_sweep(NULL), (struct gb_error){});
	close(go[0]);
	clean();
}

// Every claim sweeps; none may take another that has just begun for a leftover.
static int claim_again_and_again(int which)
{
	char name[16];

	snprintf(name, sizeof(name), "n%d", which);
	for (int i = 0; i < 100; i++) {
		struct gb_claim c = GB_CLAIM_NONE;

		if (gb_claim_take(name, true, &c, NULL) != 0 || access(c.dir, F_OK) != 0 ||
		    !gb_runtime_locked(c.dir))
			return 1;
		gb_claim_release(&c);
	}
	return 0;
}

static void claims_leave_each_other_alone(void)
{
	pid_t children[6];
	int status;

	fresh();
	for (int i = 0; i < 6; i++) {
		children[i] = fork();
		if (children[i] == 0)
			_exit(claim_again_and_again(i));
	}
	for (int i = 0; i < 6; i++) {
		gb_assert(waitpid(children[i], &status, 0) == children[i]);
		CHECK_EQ(WEXITSTATUS(status), 0);
	}
	clean();
}

static void room_is_looked_at(void)
{
	struct gb_error err = {};
	char place[PATH_MAX];

	fresh();
	CHECK_EQ(gb_place_choose(base_dir, (uint64_t)1 << 50, place, &err), GB_ELACKS);
	CHECK(strstr(err.message, "--mem") && strstr(err.message, "remount"));
	CHECK_OK(gb_place_choose(base_dir, 4096, place, &err), err);
	CHECK_STR(place, base_dir);
	// No tmpfs: a private directory on one.
	CHECK_OK(gb_place_choose("/proc", 4096, place, &err), err);
	CHECK(strncmp(place, "/dev/shm/glassbox-ram-", 22) == 0);
	clean();
}

TAP_MAIN(TAP_CASE(names), TAP_CASE(a_life), TAP_CASE(bad_names_and_places),
	 TAP_CASE(crash_is_swept), TAP_CASE(ram_without_registry_is_swept),
	 TAP_CASE(links_are_not_followed), TAP_CASE(previews), TAP_CASE(no_session),
	 TAP_CASE(reused_pids_are_safe), TAP_CASE(attached_guests_live_on),
	 TAP_CASE(damaged_entries), TAP_CASE(racing_claims),
	 TAP_CASE(claims_leave_each_other_alone), TAP_CASE(room_is_looked_at))
