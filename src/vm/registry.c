// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The registry of running guests.
#include "vm/registry.h"

#include "base/cleanup.h"
#include "vm/info.h"
#include "vm/runtime.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool gb_vm_name_valid(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	size_t len = strlen(name);

	return len > 0 && len < GB_VM_NAME_MAX && name[0] != '.' && name[0] != '-' &&
	       strspn(name, allowed) == len;
}

void gb_vm_host_name(const char *name, char ret[GB_VM_NAME_MAX])
{
	size_t n = 0;

	for (; name[n] && n < GB_VM_NAME_MAX - 1; n++)
		ret[n] = name[n] != '_' ? name[n] : n ? '-' : 'g';
	ret[n] = 0;
}

static int not_running(const char *name, struct gb_error *err)
{
	return gb_fail(err, GB_ENOTFOUND,
		       "no guest named '%s' runs; 'glassbox ls' lists those that do", name);
}

// A guest runs when its supervisor lives and QEMU has told where its RAM is.
static bool runs(const struct gb_vm_info *info)
{
	struct gb_host_process qemu = gb_vm_qemu(info);

	return info->layout.count > 0 && gb_process_alive(&qemu);
}

int gb_vm_lookup(const char *name, struct gb_vm_info *ret, struct gb_error *err)
{
	char root[PATH_MAX], dir[2 * PATH_MAX];
	int r;

	if (!gb_vm_name_valid(name))
		return not_running(name, err);
	r = gb_runtime_root(false, root, err);
	if (r == GB_ENOTFOUND)
		return not_running(name, err);
	if (r != 0)
		return r;
	snprintf(dir, sizeof(dir), "%s/%s", root, name);
	if (!gb_runtime_locked(dir))
		return not_running(name, err);
	r = gb_info_read(dir, ret, err);
	return r == GB_ENOTFOUND ? not_running(name, err) : r;
}

int gb_vm_find(const char *name, struct gb_vm_info *ret, struct gb_error *err)
{
	struct gb_vm_info info;
	int r = gb_vm_lookup(name, &info, err);

	if (r != 0)
		return r;
	if (info.layout.count == 0)
		return gb_fail(err, GB_ENOTFOUND, "'%s' is still being started; try again", name);
	if (!runs(&info))
		return not_running(name, err);
	*ret = info;
	return 0;
}

struct list {
	struct gb_vm_info *items;
	size_t count, room;
};

static int list_add(struct list *l, const struct gb_vm_info *info)
{
	if (l->count == l->room) {
		size_t room = l->room ? 2 * l->room : 8;
		struct gb_vm_info *items = reallocarray(l->items, room, sizeof(*items));

		if (!items)
			return GB_ENOMEM;
		l->items = items;
		l->room = room;
	}
	l->items[l->count++] = *info;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const struct gb_vm_info *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int list_dir(const char *root, DIR *d, struct list *l, struct gb_error *err)
{
	struct gb_vm_info info;
	struct dirent *e;

	while ((errno = 0, e = readdir(d)) != NULL) {
		// A damaged or vanished entry is no guest; looking it up by name tells which.
		if (!gb_vm_name_valid(e->d_name) || gb_vm_lookup(e->d_name, &info, NULL) != 0)
			continue;
		if (list_add(l, &info) != 0)
			return gb_fail(err, GB_ENOMEM, "no memory for the list of guests");
	}
	return errno ? gb_fail_os(err, "cannot read %s", root) : 0;
}

int gb_vm_list_all(struct gb_vm_info **ret, size_t *count_ret, struct gb_error *err)
{
	struct list l = {};
	char root[PATH_MAX];
	int r = gb_runtime_root(false, root, err);
	DIR *d;

	if (r == 0) {
		d = opendir(root);
		if (!d)
			return gb_fail_os(err, "cannot read %s", root);
		r = list_dir(root, d, &l, err);
		closedir(d);
	}
	if (r != 0 && r != GB_ENOTFOUND) {
		free(l.items);
		return r;
	}
	if (l.count)
		qsort(l.items, l.count, sizeof(*l.items), by_name);
	*ret = l.items;
	*count_ret = l.count;
	return 0;
}

int gb_vm_list(struct gb_vm_info **ret, size_t *count_ret, struct gb_error *err)
{
	struct gb_vm_info *all;
	size_t n, kept = 0;
	int r = gb_vm_list_all(&all, &n, err);

	if (r != 0)
		return r;
	for (size_t i = 0; i < n; i++)
		if (runs(&all[i]))
			all[kept++] = all[i];
	*ret = all;
	*count_ret = kept;
	return 0;
}

static int has_ended(const struct gb_vm_info *vm, struct gb_error *err)
{
	return gb_fail(err, GB_EGONE,
		       "'%s' has ended, and its RAM went with it: start it again; 'glassbox ls' "
		       "lists the guests that run",
		       vm->name);
}

int gb_vm_check(const struct gb_vm_info *vm, struct gb_error *err)
{
	struct gb_host_process qemu = gb_vm_qemu(vm);

	return gb_process_alive(&qemu) ? 0 : has_ended(vm, err);
}

int gb_vm_open_ram(const struct gb_vm_info *vm, struct gb_ram **ret, struct gb_error *err)
{
	struct gb_ram *ram = NULL;
	int r = gb_ram_open(vm->ram_path, &vm->layout, &ram, err);

	// Behind /proc/PID/fd a reused pid would be somebody else's file: look after opening.
	if (r == 0)
		r = gb_vm_check(vm, err);
	else if (r == GB_ENOTFOUND)
		r = has_ended(vm, err);
	if (r == 0)
		*ret = ram;
	else
		gb_ram_close(ram);
	return r;
}
