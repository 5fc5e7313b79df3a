// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Tests of the registry: names, claims, races.
#include "vm/claim.h"
#include "vm/info.h"
#include "vm/place.h"
#include "vm/runtime.h"
#include "vm/sweep.h"

#include "base/file.h"
#include "vm/test_root.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

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

static void from_claim_to_release(void)
{
	struct gb_claim c = GB_CLAIM_NONE, second = GB_CLAIM_NONE;
	struct gb_error err = {};
	struct gb_vm_info info, found = {}, *list = NULL;
	struct gb_ram *ram = NULL;
	size_t n = 9;

	fresh_root();
	CHECK_EQ(gb_vm_find("one", &found, &err), GB_ENOTFOUND);
	CHECK_OK(gb_vm_list(&list, &n, &err), err);
	CHECK_EQ(n, 0);
	REQUIRE_OK(gb_claim_take("one", true, &c, &err), err);
	CHECK_EQ(gb_claim_take("one", true, &second, &err), GB_EBUSY);
	CHECK_EQ(gb_claim_check("one", &err), 0); // not registered yet
	fill_info(&c, &info);
	info.layout.count = 0;
	CHECK_OK(gb_info_write(&info, &err), err);
	CHECK_EQ(gb_claim_check("one", &err), GB_EBUSY);
	CHECK_EQ(gb_vm_find("one", &found, &err), GB_ENOTFOUND);
	CHECK(strstr(err.message, "still being started"));
	CHECK_OK(gb_vm_lookup("one", &found, &err), err);
	fill_info(&c, &info);
	CHECK_OK(gb_info_write(&info, &err), err);
	REQUIRE_OK(gb_vm_find("one", &found, &err), err);
	CHECK_MEM(&found, &info, sizeof(found));
	CHECK_EQ(gb_vm_open_ram(&found, &ram, &err), GB_EGONE);
	REQUIRE_OK(gb_claim_take("one", false, &second, &err), err);
	CHECK_STR(second.name, "one-2");
	fill_info(&second, &info);
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
	check_and_remove_root();
}

static void bad_names_and_places(void)
{
	struct gb_claim c = GB_CLAIM_NONE;
	struct gb_error err = {};
	char root[256], deep[256];

	fresh_root();
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
	check_and_remove_root();
}

// What --dry-run shows is what a start takes.
static void previews(void)
{
	struct gb_claim c = GB_CLAIM_NONE, left = GB_CLAIM_NONE;
	struct gb_error err = {};
	struct gb_vm_info info = {};
	char root[96], second[112], want[128];

	fresh_root();
	snprintf(root, sizeof(root), "%s/glassbox", base_dir);
	snprintf(second, sizeof(second), "%s/one-2", root);
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
	CHECK_OK(gb_claim_sweep(&err), err);
	// So is one that a crash left empty, before its lock was made.
	gb_assert(mkdir(second, 0700) == 0);
	REQUIRE_OK(gb_claim_preview("one", false, 4096, &info, &err), err);
	CHECK_STR(info.name, "one-2");
	REQUIRE_OK(gb_claim_take("one", false, &left, &err), err);
	CHECK_STR(left.name, "one-2");
	gb_claim_release(&left);
	// A link to nowhere is in the way, though nothing is there.
	gb_assert(symlink("/nonexistent", second) == 0);
	REQUIRE_OK(gb_claim_preview("one", false, 4096, &info, &err), err);
	CHECK_STR(info.name, "one-3");
	unlink(second);
	gb_claim_release(&c);
	check_and_remove_root();
}

// A directory that is not there is an error to --dry-run where it is one to a start: only home's are made.
static void previews_of_nowhere(void)
{
	char home[96], state[128], old[PATH_MAX] = "";
	struct gb_claim c = GB_CLAIM_NONE;
	struct gb_error err = {};
	struct gb_vm_info info = {};

	fresh_root();
	snprintf(old, sizeof(old), "%s", getenv("HOME") ? getenv("HOME") : "");
	snprintf(home, sizeof(home), "%s/home", base_dir);
	snprintf(state, sizeof(state), "%s/.local/state", home);
	setenv("HOME", home, 1);
	unsetenv("XDG_STATE_HOME");
	for (const char *const *p = (const char *const[]){state, "/nonexistent", NULL}; *p; p++) {
		setenv("XDG_RUNTIME_DIR", *p, 1);
		CHECK_EQ(gb_claim_preview("one", true, 4096, &info, &err), GB_EOS);
		CHECK(strstr(err.message, "XDG_RUNTIME_DIR"));
		CHECK_EQ(gb_claim_take("one", true, &c, &err), GB_EOS);
		CHECK(strstr(err.message, "XDG_RUNTIME_DIR"));
	}
	setenv("HOME", old, 1);
	check_and_remove_root();
}

// Without a session guests are registered below home.
static void no_session(void)
{
	char home[96], state[128], path[PATH_MAX], place[PATH_MAX], old[PATH_MAX] = "";
	struct gb_claim c = GB_CLAIM_NONE;
	struct gb_error err = {};

	fresh_root();
	unsetenv("XDG_RUNTIME_DIR");
	snprintf(path, sizeof(path), "/run/user/%u", (unsigned)geteuid());
	if (access(path, F_OK) == 0) {
		check_and_remove_root();
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
	CHECK(strstr(err.message, "set XDG_RUNTIME_DIR to one of yours"));
	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[PATH_MAX - 1] = 0;
	setenv("XDG_STATE_HOME", path, 1);
	CHECK_EQ(gb_runtime_path(path, &err), GB_ERANGE);
	CHECK(strstr(err.message, "4108 bytes") && strstr(err.message, "shorter"));
	unsetenv("XDG_STATE_HOME");
	for (const char *const *p =
		     (const char *const[]){"/.local/state/glassbox/run", "/.local/state/glassbox",
					   "/.local/state", "/.local", "", NULL};
	     *p; p++) {
		snprintf(path, sizeof(path), "%s%s", home, *p);
		CHECK(rmdir(path) == 0);
	}
	setenv("HOME", old, 1);
	check_and_remove_root();
}

static void damaged_entries(void)
{
	static const char *const texts[] = {"", "{", "[]", "{\"name\": 1}", "null"};
	struct gb_claim c = GB_CLAIM_NONE;
	struct gb_error err = {};
	struct gb_vm_info info, *list;
	char path[PATH_MAX + 16], moved[128];
	size_t n = 1;

	fresh_root();
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
	// A directory that was moved to another name is not that guest.
	fill_info(&c, &info);
	CHECK_OK(gb_info_write(&info, &err), err);
	snprintf(moved, sizeof(moved), "%s/glassbox/moved", base_dir);
	gb_assert(rename(c.dir, moved) == 0);
	CHECK_EQ(gb_vm_find("moved", &info, &err), GB_EFORMAT);
	gb_assert(rename(moved, c.dir) == 0);
	gb_claim_release(&c);
	check_and_remove_root();
}

// Eight processes want one name at once: exactly one gets it.
static void racing_claims(void)
{
	int won = 0, status, go[2];
	pid_t children[8];
	char byte;

	fresh_root();
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
	check_and_remove_root();
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

	fresh_root();
	for (int i = 0; i < 6; i++) {
		children[i] = fork();
		if (children[i] == 0)
			_exit(claim_again_and_again(i));
	}
	for (int i = 0; i < 6; i++) {
		gb_assert(waitpid(children[i], &status, 0) == children[i]);
		CHECK_EQ(WEXITSTATUS(status), 0);
	}
	check_and_remove_root();
}

static void room_is_looked_at(void)
{
	struct gb_error err = {};
	char place[PATH_MAX];

	fresh_root();
	CHECK_EQ(gb_place_choose(base_dir, (uint64_t)1 << 50, place, &err), GB_ELACKS);
	CHECK(strstr(err.message, "--mem") && strstr(err.message, "remount"));
	CHECK_OK(gb_place_choose(base_dir, 4096, place, &err), err);
	CHECK_STR(place, base_dir);
	// No tmpfs: a private directory on one.
	CHECK_OK(gb_place_choose("/proc", 4096, place, &err), err);
	CHECK(strncmp(place, "/dev/shm/glassbox-ram-", 22) == 0);
	check_and_remove_root();
}

TAP_MAIN(TAP_CASE(names), TAP_CASE(from_claim_to_release), TAP_CASE(bad_names_and_places),
	 TAP_CASE(previews), TAP_CASE(previews_of_nowhere), TAP_CASE(no_session),
	 TAP_CASE(damaged_entries), TAP_CASE(racing_claims),
	 TAP_CASE(claims_leave_each_other_alone), TAP_CASE(room_is_looked_at))
