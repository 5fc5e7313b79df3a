// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Finding out about a QEMU that somebody else started.
#include "vm/attach_private.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define ASK_MS 2000
#define CMDLINE_MAX ((size_t)1 << 20)
#define SOCKETS_MAX 8

static int check_qemu(pid_t pid, struct gb_vm_info *info, struct gb_error *err)
{
	struct gb_host_process process;
	char link[64], exe[PATH_MAX];
	const char *name;
	ssize_t n;
	int r = gb_process_identify(pid, &process, err);

	if (r != 0)
		return r;
	snprintf(link, sizeof(link), "/proc/%d/exe", (int)pid);
	n = readlink(link, exe, sizeof(exe) - 1);
	if (n < 0 && (errno == EACCES || errno == EPERM))
		return gb_fail(
			err, GB_ELACKS,
			"you may not look into process %d: it belongs to another user; attach as "
			"that user, or as root",
			(int)pid);
	if (n < 0)
		return gb_fail(err, GB_EFORMAT, "process %d is no QEMU", (int)pid);
	exe[n] = 0;
	name = strrchr(exe, '/');
	name = name ? name + 1 : exe;
	if (strncmp(name, "qemu-system-", 12) != 0 && strncmp(name, "qemu-kvm", 8) != 0 &&
	    strncmp(name, "kvm", 3) != 0)
		return gb_fail(err, GB_EFORMAT, "process %d is no QEMU but %s", (int)pid, exe);
	info->qemu_pid = process.pid;
	info->qemu_start = process.start;
	return 0;
}

// The process that serves a monitor; 0: the socket does not tell.
static pid_t peer_of(const struct gb_qmp *q)
{
	struct ucred peer = {};
	socklen_t size = sizeof(peer);

	return getsockopt(gb_qmp_fd(q), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 ? peer.pid : 0;
}

static int find_peer(const char *path, pid_t *ret, struct gb_qmp **qmp_ret, struct gb_error *err)
{
	GB_CLEANUP(gb_qmp_cleanup) struct gb_qmp *q = NULL;
	int r = gb_qmp_connect(path, ASK_MS, &q, err);

	if (r != 0)
		return r;
	if (peer_of(q) <= 0)
		return gb_fail(
			err, GB_ELACKS,
			"%s does not tell which process serves it: attach with the pid of QEMU",
			path);
	*ret = peer_of(q);
	*qmp_ret = gb_steal(&q);
	return 0;
}

static void make_absolute(pid_t pid, char path[PATH_MAX])
{
	char joined[PATH_MAX + 64], real[PATH_MAX];

	if (*path == '/')
		return;
	snprintf(joined, sizeof(joined), "/proc/%d/cwd/%s", (int)pid, path);
	if (realpath(joined, real))
		memcpy(path, real, sizeof(real));
}

// Try the monitors on QEMU's command line until one greets. GB_ENOTFOUND: there is none for us.
static int find_monitor(pid_t pid, const struct gb_line *l, char path_ret[PATH_MAX],
			struct gb_qmp **ret, struct gb_error *err)
{
	char path[PATH_MAX];
	int r = GB_ENOTFOUND;

	for (size_t i = 0; i < SOCKETS_MAX; i++) {
		if (!gb_attach_socket(l->words, l->len, i, path))
			break;
		make_absolute(pid, path);
		r = gb_qmp_connect(path, ASK_MS, ret, err);
		// Another QEMU may have taken the path over: its layout and its buttons are not those of pid.
		if (r == 0 && peer_of(*ret) != pid) {
			gb_qmp_close(gb_steal(ret));
			r = gb_fail(err, GB_ELACKS, "%s is served by another process than %d", path,
				    (int)pid);
		}
		if (r == 0) {
			memcpy(path_ret, path, sizeof(path));
			return 0;
		}
	}
	return r;
}

// The RAM among QEMU's open files: a regular file of its size. memfds of memory backends go first,
// because a disk image may be as large.
static int find_ram(pid_t pid, const struct gb_backend *backend, char ret[PATH_MAX],
		    struct gb_error *err)
{
	char dir[64], link[128], target[PATH_MAX];
	bool sure = false, several = false;
	struct dirent *e;
	struct stat st, found = {};
	DIR *d;

	snprintf(dir, sizeof(dir), "/proc/%d/fd", (int)pid);
	d = opendir(dir);
	if (!d)
		return gb_fail_os(err, "cannot look at the open files of process %d", (int)pid);
	while ((e = readdir(d))) {
		ssize_t n = readlinkat(dirfd(d), e->d_name, target, sizeof(target) - 1);
		bool memory;

		if (n < 0 || fstatat(dirfd(d), e->d_name, &st, 0) != 0 || !S_ISREG(st.st_mode) ||
		    (uint64_t)st.st_size != backend->size ||
		    (found.st_ino == st.st_ino && found.st_dev == st.st_dev))
			continue;
		target[n] = 0;
		memory = strncmp(target, "/memfd:", 7) == 0 ||
			 strncmp(target, "/dev/shm/", 9) == 0 || strstr(target, "ram");
		if (sure && !memory)
			continue;
		several = found.st_ino && memory == sure;
		sure = memory;
		found = st;
		snprintf(link, sizeof(link), "%s/%.32s", dir, e->d_name);
	}
	closedir(d);
	if (!found.st_ino)
		return gb_fail(err, GB_ELACKS, "no open file of QEMU holds its RAM: " GB_ADD_SHARE);
	if (several)
		return gb_fail(
			err, GB_ELACKS,
			"QEMU has several files open that are as large as its RAM, and none tells "
			"that it is the RAM");
	memcpy(ret, link, strlen(link) + 1);
	return 0;
}

static void ask_text(struct gb_qmp *q, const char *command, json_t *arguments, const char *key,
		     char *ret, size_t size)
{
	json_t *v = NULL;
	const char *text;

	if (gb_qmp_execute(q, command, arguments, &v, NULL) != 0)
		return;
	text = json_string_value(key ? json_object_get(v, key) : v);
	if (text)
		snprintf(ret, size, "%s", text);
	json_decref(v);
}

// What is good to know but not needed.
static void ask_about(struct gb_qmp *q, struct gb_vm_info *info)
{
	json_t *v = NULL;
	char type[64] = "", name[GB_VM_NAME_MAX] = "";

	ask_text(q, "query-name", NULL, "name", name, sizeof(name));
	if (gb_vm_name_valid(name))
		memcpy(info->name, name, sizeof(info->name));
	else
		snprintf(info->name, sizeof(info->name), "qemu-%d", (int)info->qemu_pid);
	ask_text(q, "qom-get", json_pack("{s:s,s:s}", "path", "/machine", "property", "type"), NULL,
		 type, sizeof(type));
	if (strstr(type, "-machine"))
		*strstr(type, "-machine") = 0;
	snprintf(info->machine, sizeof(info->machine), "%.15s", type);
	if (gb_qmp_execute(q, "query-kvm", NULL, &v, NULL) == 0)
		memcpy(info->accel, json_is_true(json_object_get(v, "enabled")) ? "kvm" : "tcg", 4);
	json_decref(v);
	v = NULL;
	if (gb_qmp_execute(q, "query-cpus-fast", NULL, &v, NULL) == 0)
		info->cpus = (unsigned)json_array_size(v);
	json_decref(v);
}

static int ask_ram(struct gb_qmp *q, struct gb_vm_info *info, struct gb_error *err)
{
	struct gb_backend backend;
	int r = gb_monitor_backend(q, &backend, err);

	if (r == 0 && !backend.share)
		return gb_fail(err, GB_ELACKS, "this QEMU's RAM is private: " GB_ADD_SHARE);
	if (r == 0)
		r = find_ram(info->qemu_pid, &backend, info->ram_path, err);
	if (r == 0)
		r = gb_monitor_layout(q, &backend, &info->layout, err);
	if (r != 0)
		return r;
	info->memory = backend.size;
	ask_about(q, info);
	return 0;
}

static int read_line(const struct gb_line *l, struct gb_vm_info *info, struct gb_error *err)
{
	struct gb_backend backend;
	int r;

	snprintf(info->name, sizeof(info->name), "qemu-%d", (int)info->qemu_pid);
	r = gb_attach_line(l, &backend, info, err);
	if (r == 0)
		r = find_ram(info->qemu_pid, &backend, info->ram_path, err);
	if (r == 0)
		info->memory = backend.size;
	return r;
}

static int probe_pid(pid_t pid, struct gb_vm_info *info, struct gb_error *err)
{
	GB_CLEANUP(gb_buf_deinit) struct gb_buf text = {};
	GB_CLEANUP(gb_qmp_cleanup) struct gb_qmp *q = NULL;
	struct gb_line line;
	char proc[64];
	int r;

	snprintf(proc, sizeof(proc), "/proc/%d/cmdline", (int)pid);
	r = gb_file_read(proc, CMDLINE_MAX, &text, err);
	if (r != 0)
		return r;
	line = (struct gb_line){text.data ? text.data : "", text.len};
	r = find_monitor(pid, &line, info->qmp_path, &q, err);
	if (r == GB_ENOTFOUND)
		return read_line(&line, info, err);
	return r == 0 ? ask_ram(q, info, err) : r;
}

static int probe_socket(const char *target, struct gb_vm_info *info, struct gb_error *err)
{
	GB_CLEANUP(gb_qmp_cleanup) struct gb_qmp *q = NULL;
	pid_t pid = 0;
	int r;

	if (!realpath(target, info->qmp_path))
		return gb_fail(err, GB_ENOTFOUND, "%s: there is no such socket", target);
	r = find_peer(info->qmp_path, &pid, &q, err);
	if (r == 0)
		r = check_qemu(pid, info, err);
	return r == 0 ? ask_ram(q, info, err) : r;
}

static bool parse_pid(const char *target, pid_t *ret)
{
	char *end;
	unsigned long v = strtoul(target, &end, 10);

	*ret = (pid_t)v;
	return *target >= '0' && *target <= '9' && *end == 0 && v > 0 && v <= INT32_MAX;
}

int gb_attach_probe(const char *target, struct gb_vm_info *ret, struct gb_error *err)
{
	struct gb_vm_info info = {.attached = true};
	pid_t pid;
	int r;

	if (parse_pid(target, &pid)) {
		r = check_qemu(pid, &info, err);
		if (r == 0)
			r = probe_pid(pid, &info, err);
	} else {
		r = probe_socket(target, &info, err);
	}
	if (r != 0)
		return r;
	memcpy(info.guest, "attached", 9);
	*ret = info;
	return 0;
}
