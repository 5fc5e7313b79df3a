// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// What `glassbox doctor` looks at: the host.
#include "cmd/doctor.h"
#include "cmd/output.h"

#include "base/cleanup.h"
#include "vm/child.h"
#include "vm/kvm.h"
#include "vm/place.h"
#include "vm/qemu_version.h"
#include "vm/runtime.h"
#include "vm/sweep.h"

#include <glob.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define MIB ((uint64_t)1 << 20)
#define GUEST_RAM (128 * MIB) // of the default guest
#define FILES_MIN 256

__attribute__((format(printf, 2, 3))) static void good(struct gb_finding *f, const char *format,
						       ...)
{
	va_list args;

	f->ok = true;
	va_start(args, format);
	vsnprintf(f->detail, sizeof(f->detail), format, args);
	va_end(args);
}

__attribute__((format(printf, 2, 3))) static void fix(struct gb_finding *f, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(f->fix, sizeof(f->fix), format, args);
	va_end(args);
}

static void bad(struct gb_finding *f, const char *message)
{
	snprintf(f->detail, sizeof(f->detail), "%s", message);
}

void gb_doctor_qemu(const struct gb_checkup *row, struct gb_finding *ret)
{
	GB_CLEANUP(gb_buf_deinit) struct gb_buf out = {};
	const char *argv[] = {"qemu-system-x86_64", "--version", NULL};
	struct gb_child child = {.argv = argv,
				 .interrupt_fd = -1,
				 .timeout_ms = 20000,
				 .out = &out,
				 .quiet = true};
	struct gb_error err = {};
	int status;

	(void)row;
	if (gb_qemu_check(-1, &err) != 0) {
		bad(ret, err.message);
		gb_doctor_install("run", ret);
	} else if (gb_child_run(&child, &status, &err) != 0 || !out.data) {
		bad(ret, err.message);
	} else {
		good(ret, "%.*s", (int)strcspn(out.data, "\n"), out.data);
	}
}

void gb_doctor_kvm(const struct gb_checkup *row, struct gb_finding *ret)
{
	struct gb_error err = {};

	(void)row;
	if (gb_kvm_probe("/dev/kvm", &err) == 0)
		good(ret, "a virtual CPU runs");
	else
		bad(ret, err.message);
}

void gb_doctor_state(const struct gb_checkup *row, struct gb_finding *ret)
{
	char place[PATH_MAX], path[PATH_MAX];
	struct gb_error err = {};

	(void)row;
	if (gb_runtime_place(place, &err) == 0 && gb_runtime_path(path, &err) == 0) {
		good(ret, "%.400s, for you alone", path);
		return;
	}
	bad(ret, err.message);
	fix(ret, "sudo install -d -m 700 -o $USER /run/user/$(id -u) && export "
		 "XDG_RUNTIME_DIR=/run/user/$(id -u)");
}

void gb_doctor_ram(const struct gb_checkup *row, struct gb_finding *ret)
{
	char place[PATH_MAX], chosen[PATH_MAX], size[24];
	struct gb_error err = {};
	uint64_t room;
	bool tmpfs;

	(void)row;
	// With no place for the state, the RAM still goes to /dev/shm.
	if (gb_runtime_place(place, NULL) != 0)
		snprintf(place, sizeof(place), "/dev/shm");
	if (gb_place_choose(place, GUEST_RAM, chosen, &err) != 0) {
		bad(ret, err.message);
		fix(ret, "sudo mount -o remount,size=1G /dev/shm (in a container: --shm-size=1g)");
		return;
	}
	if (strcmp(chosen, place) != 0)
		snprintf(place, sizeof(place), "/dev/shm");
	if (gb_place_free(place, &room, &tmpfs, &err) != 0)
		bad(ret, err.message);
	else
		good(ret, "%.400s, a tmpfs with %s free", place, gb_format_size(room, size));
}

void gb_doctor_leftovers(const struct gb_checkup *row, struct gb_finding *ret)
{
	char root[PATH_MAX];
	unsigned n = 0, ram = gb_sweep_ram_count();

	(void)row;
	if (gb_runtime_root(false, root, NULL) == 0)
		n = gb_sweep_root_count(root);
	if (n + ram == 0) {
		good(ret, "none");
		return;
	}
	if (n)
		snprintf(ret->detail, sizeof(ret->detail), "%u in %.400s", n, root);
	if (ram)
		snprintf(ret->detail + strlen(ret->detail),
			 sizeof(ret->detail) - strlen(ret->detail),
			 "%s%u with RAM in " GB_PLACE_SHM, n ? ", " : "", ram);
	fix(ret, "nothing: the next 'glassbox run' removes %s", n + ram == 1 ? "it" : "them");
}

void gb_doctor_limits(const struct gb_checkup *row, struct gb_finding *ret)
{
	struct rlimit files = {}, size = {}, space = {};

	(void)row;
	getrlimit(RLIMIT_NOFILE, &files);
	getrlimit(RLIMIT_FSIZE, &size);
	getrlimit(RLIMIT_AS, &space);
	if (files.rlim_cur < FILES_MIN) {
		bad(ret, "too few files may be open (ulimit -n)");
		fix(ret, "ulimit -n 1024");
	} else if (size.rlim_cur < GUEST_RAM) {
		bad(ret, "files may not be as large as a guest's RAM (ulimit -f)");
		fix(ret, "ulimit -f unlimited");
	} else if (space.rlim_cur < 4096 * MIB) {
		bad(ret, "a program may not use enough address space for QEMU (ulimit -v)");
		fix(ret, "ulimit -v unlimited");
	} else {
		good(ret, "enough open files, file size and address space");
	}
}

// Whether the descriptors of a process of our own can be seen, as attaching by pid needs. Yama's
// ptrace_scope does not matter for that (it is a read access), hidepid and a security module do.
static bool sees_descriptors(void)
{
	char path[64], target[PATH_MAX];
	bool seen;
	int ends[2];
	pid_t pid;

	if (pipe(ends) != 0)
		return false;
	pid = fork();
	if (pid == 0) {
		char c;

		close(ends[1]);
		_exit(read(ends[0], &c, 1) < 0);
	}
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, ends[0]);
	seen = pid > 0 && readlink(path, target, sizeof(target)) > 0;
	close(ends[0]);
	close(ends[1]);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	return seen;
}

void gb_doctor_attach(const struct gb_checkup *row, struct gb_finding *ret)
{
	(void)row;
	if (!sees_descriptors()) {
		bad(ret,
		    "the files of other processes cannot be seen in /proc: only attaching to a QMP "
		    "socket works");
		fix(ret, "sudo mount -o remount,hidepid=0 /proc");
	} else if (geteuid() == 0) {
		good(ret, "by pid to any QEMU, by socket to any QMP");
	} else {
		good(ret, "by pid to a QEMU of your own; as root also to libvirt's");
	}
}

static bool any_file(const char *pattern)
{
	glob_t found = {};
	bool any = glob(pattern, 0, NULL, &found) == 0;

	globfree(&found);
	return any;
}

void gb_doctor_gpu(const struct gb_checkup *row, struct gb_finding *ret)
{
	bool driver =
		any_file("/usr/share/vulkan/icd.d/*.json") || any_file("/etc/vulkan/icd.d/*.json");
	bool node = any_file("/dev/dri/renderD*");

	(void)row;
	if (node && driver && access("/dev/dri/renderD128", R_OK | W_OK) == 0) {
		good(ret, "/dev/dri/renderD128, with a Vulkan driver");
	} else if (!driver) {
		bad(ret, "no Vulkan driver");
		fix(ret, "sudo apt-get install mesa-vulkan-drivers");
	} else if (node) {
		bad(ret, "you may not use the graphics card (/dev/dri/renderD128)");
		fix(ret, "sudo adduser $USER render, and log in again");
	} else {
		bad(ret, "no graphics card (/dev/dri): the processor draws");
	}
}

// Browsers that have WebGPU on Linux, in the order in which people have them.
static const char *const browsers[] = {
	"google-chrome",  "google-chrome-stable", "chromium", "chromium-browser",
	"microsoft-edge", "brave-browser",        "vivaldi",  "opera",
};

#define SOFTWARE_FLAGS \
	"chromium --enable-unsafe-webgpu --use-webgpu-adapter=swiftshader --enable-features=Vulkan " \
	"--use-vulkan=swiftshader --use-angle=vulkan"

void gb_doctor_browser(const struct gb_checkup *row, struct gb_finding *ret)
{
	char path[PATH_MAX] = "", firefox[PATH_MAX] = "";

	(void)row;
	for (size_t i = 0; i < sizeof(browsers) / sizeof(browsers[0]) && !*path; i++)
		if (gb_child_find(browsers[i], path, sizeof(path), NULL) != 0)
			*path = 0;
	if (!*path) {
		bool has = gb_child_find("firefox", firefox, sizeof(firefox), NULL) == 0;

		bad(ret, has ? "firefox is here, but may have no WebGPU on Linux yet"
			     : "none here: the printed address can be opened on this machine only");
		fix(ret, "sudo apt-get install chromium");
	} else if (!any_file("/dev/dri/renderD*")) {
		good(ret, "%.200s; there is no graphics card (/dev/dri), so WebGPU is slow", path);
		fix(ret, SOFTWARE_FLAGS);
	} else {
		good(ret,
		     "%.200s; where chrome://gpu says that WebGPU is off, start it with the words below",
		     path);
		fix(ret, "%.200s --enable-unsafe-webgpu --enable-features=Vulkan", path);
	}
}
