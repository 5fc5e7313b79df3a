// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// glassbox doctor: what this machine has of what Glass Box can use.
#include "cmd/commands.h"
#include "cmd/output.h"

#include "base/cleanup.h"
#include "base/data_dir.h"
#include "vm/child.h"
#include "vm/guest.h"
#include "vm/kvm.h"
#include "vm/place.h"
#include "vm/qemu_version.h"
#include "vm/runtime.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>

#define GUEST_ROOM ((uint64_t)192 << 20) // the default guest with its initramfs

enum state { STATE_OK, STATE_MISSING };

struct finding {
	enum state state;
	char detail[PATH_MAX + 64];
	const char *fix; // how to get it; NULL where the detail says it
};

static void found(struct finding *f, const char *detail)
{
	f->state = STATE_OK;
	snprintf(f->detail, sizeof(f->detail), "%s", detail);
}

static void missing(struct finding *f, const char *detail, const char *fix)
{
	f->state = STATE_MISSING;
	snprintf(f->detail, sizeof(f->detail), "%s", detail);
	f->fix = fix;
}

static void check_qemu(struct finding *f)
{
	struct gb_error err = {};
	char path[PATH_MAX];

	if (gb_qemu_check(-1, &err) != 0 || gb_child_find("qemu-system-x86_64", path, sizeof(path), &err))
		missing(f, err.message, NULL);
	else
		found(f, path);
}

static void check_kvm(struct finding *f)
{
	struct gb_error err = {};

	if (gb_kvm_probe("/dev/kvm", &err) == 0)
		found(f, "works: guests run at the speed of the processor");
	else
		missing(f, err.message, "guests run under TCG, which is slower and needs nothing");
}

static void check_tmpfs(struct finding *f)
{
	char root[PATH_MAX], text[PATH_MAX + 64], size[24];
	uint64_t room = 0, shm_room = 0;
	bool tmpfs = false, shm_tmpfs = false;
	struct gb_error err = {};

	if (gb_runtime_root(true, root, &err) != 0 || gb_place_free(root, &room, &tmpfs, &err) != 0) {
		missing(f, err.message, NULL);
		return;
	}
	if (gb_place_free("/dev/shm", &shm_room, &shm_tmpfs, NULL) == 0 && shm_tmpfs &&
	    (!tmpfs || shm_room > room)) {
		room = shm_room;
		snprintf(root, sizeof(root), "/dev/shm");
		tmpfs = true;
	}
	snprintf(text, sizeof(text), "%s for guest RAM in %s", gb_format_size(tmpfs ? room : 0, size),
		 root);
	if (tmpfs && room >= GUEST_ROOM)
		found(f, text);
	else
		missing(f, text, "mount -o remount,size=1G /dev/shm (in a container: --shm-size=1g)");
}

static void check_data(struct finding *f)
{
	char dir[PATH_MAX], path[PATH_MAX + 32];
	struct gb_error err = {};

	if (gb_data_dir(dir, &err) != 0) {
		missing(f, err.message, NULL);
		return;
	}
	snprintf(path, sizeof(path), "%s/guest/seed.sh", dir);
	if (access(path, R_OK) == 0)
		found(f, dir);
	else
		missing(f, dir, "it holds no guest/seed.sh: set GLASSBOX_DATA, or install Glass Box again");
}

static void check_tools(struct finding *f)
{
	static const char *const tools[] = {"bsdtar", "ssh-keygen", "ssh", "sh"};
	char text[256] = "", path[PATH_MAX];

	for (size_t i = 0; i < sizeof(tools) / sizeof(tools[0]); i++)
		if (gb_child_find(tools[i], path, sizeof(path), NULL) != 0)
			snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s",
				 *text ? ", " : "not there: ", tools[i]);
	if (*text)
		missing(f, text, "run 'make deps', or install libarchive-tools and openssh-client");
	else
		found(f, "bsdtar, ssh-keygen, ssh");
}

// The scripts decide what is current; here it is only asked whether something is there.
static bool is_cached(const char *guest)
{
	const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	char pattern[PATH_MAX];
	glob_t g = {};
	bool any;

	if (cache && *cache == '/')
		snprintf(pattern, sizeof(pattern), "%s/glassbox/guests/%s-*/vmlinux", cache, guest);
	else
		snprintf(pattern, sizeof(pattern), "%s/.cache/glassbox/guests/%s-*/vmlinux",
			 home ? home : "", guest);
	any = glob(pattern, 0, NULL, &g) == 0;
	globfree(&g);
	return any;
}

static void check_guests(struct finding *f)
{
	char text[256] = "";
	bool all = true;

	for (size_t i = 0; gb_guest_names[i]; i++) {
		bool cached = is_cached(gb_guest_names[i]);

		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s %s", i ? ", " : "",
			 gb_guest_names[i], cached ? "is made" : "is not made yet");
		all = all && cached;
	}
	if (all)
		found(f, text);
	else
		missing(f, text, "the first 'glassbox run' makes it (debian: a download, tiny: 10 minutes)");
}

static void check_browser(struct finding *f)
{
	static const char *const browsers[] = {"chromium", "google-chrome", "google-chrome-stable",
					       "microsoft-edge", "firefox", "firefox-esr"};
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof(browsers) / sizeof(browsers[0]); i++) {
		if (gb_child_find(browsers[i], path, sizeof(path), NULL) == 0) {
			found(f, path);
			return;
		}
	}
	missing(f, "none found in PATH",
		"install chromium; or open the page's URL through ssh -L from another machine");
}

static void check_gpu(struct finding *f)
{
	static const char *const icds[] = {"/usr/share/vulkan/icd.d/*.json", "/etc/vulkan/icd.d/*.json"};
	bool driver = false;

	for (size_t i = 0; i < sizeof(icds) / sizeof(icds[0]); i++) {
		glob_t g = {};

		driver = driver || glob(icds[i], 0, NULL, &g) == 0;
		globfree(&g);
	}
	if (access("/dev/dri/renderD128", R_OK | W_OK) == 0 && driver)
		found(f, "/dev/dri/renderD128, with a Vulkan driver");
	else if (driver)
		found(f, "a Vulkan driver, but no GPU that you may use: pictures are drawn by the CPU");
	else
		missing(f, "no Vulkan driver", "install mesa-vulkan-drivers");
}

static const struct check {
	const char *name;
	bool needed;
	void (*fn)(struct finding *f);
} checks[] = {
	{"QEMU", true, check_qemu},	    {"tmpfs", true, check_tmpfs},
	{"data", true, check_data},	    {"tools", true, check_tools},
	{"KVM", false, check_kvm},	    {"guests", false, check_guests},
	{"browser", false, check_browser}, {"GPU", false, check_gpu},
};

static void print_check(const struct check *c, const struct finding *f)
{
	printf("%-8s %-8s ", f->state == STATE_OK ? "ok" : c->needed ? "MISSING" : "no", c->name);
	gb_print_text(stdout, f->detail, 0);
	putchar('\n');
	if (f->state != STATE_OK && f->fix)
		printf("%-17s %s\n", "", f->fix);
}

static void json_check(struct gb_json *j, const struct check *c, const struct finding *f)
{
	gb_json_object(j);
	gb_json_pair(j, "name", str, c->name);
	gb_json_pair(j, "ok", bool, f->state == STATE_OK);
	gb_json_pair(j, "needed", bool, c->needed);
	gb_json_pair(j, "detail", str, f->detail);
	gb_json_pair(j, "fix", str, f->state == STATE_OK ? NULL : f->fix);
	gb_json_end_object(j);
}

static int run(struct gb_args *args, struct gb_error *err)
{
	struct gb_answer a;
	bool good = true;

	if (args->json) {
		gb_answer_begin(&a, "doctor", NULL);
		gb_json_key(&a.json, "checks");
		gb_json_array(&a.json);
	}
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		struct finding f = {};

		checks[i].fn(&f);
		good = good && (f.state == STATE_OK || !checks[i].needed);
		if (args->json)
			json_check(&a.json, &checks[i], &f);
		else
			print_check(&checks[i], &f);
	}
	args->exit_status = good ? 0 : gb_code_exit(GB_ELACKS);
	if (!args->json)
		return gb_flush_stdout(err);
	gb_json_end_array(&a.json);
	gb_json_pair(&a.json, "ok", bool, good);
	return gb_answer_end(&a, err);
}

const struct gb_command gb_cmd_doctor = {
	.name = "doctor",
	.usage = "",
	.summary = "say what this machine lacks, and how to get it",
	.detail = "What is MISSING is needed, and the exit status is 77 then; what says no can be done "
		  "without.",
	.run = run,
};
