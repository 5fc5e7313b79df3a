// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Open files of a process: the table of descriptors that task->files->fdt leads to (fs/file.c).
#include "base/cleanup.h"
#include "kernel/listing.h"

#define CLOEXEC 02000000u // is of the descriptor, not of the file

static int no_memory(struct gb_error *err)
{
	return gb_fail(err, GB_ENOMEM, "no memory for a process's open files");
}

// Pointers to struct file, by descriptor; 0: not open.
static int read_table(struct gb_listing *l, uint64_t files, uint64_t **ret, uint32_t *count_ret,
		      struct gb_error *err)
{
	struct gb_object *o = &l->object;
	uint32_t count;

	*ret = NULL;
	*count_ret = 0;
	if (gb_listing_object(l, GB_S_FILES, files, o) != 0 ||
	    gb_listing_object(l, GB_S_FDTABLE, gb_get(o, GB_M_FILES_FDT), o) != 0) {
		l->broken = true;
		return 0;
	}
	count = (uint32_t)gb_get(o, GB_M_FDTABLE_MAX);
	l->broken |= count > l->share.fds;
	count = count < l->share.fds ? count : (uint32_t)l->share.fds;
	l->share.fds -= count;
	*ret = calloc(count + 1, sizeof(**ret));
	if (!*ret)
		return no_memory(err);
	if (gb_listing_read(l, gb_get(o, GB_M_FDTABLE_FD), *ret, count * sizeof(**ret)) == 0)
		*count_ret = count;
	else
		l->broken = true;
	return 0;
}

static void read_file(struct gb_listing *l, struct gb_file *f)
{
	struct gb_object *o = &l->object;

	f->name = "";
	if (gb_listing_object(l, GB_S_FILE, f->file.v, o) != 0) {
		l->broken = true;
		return;
	}
	f->flags = (uint32_t)gb_get(o, GB_M_FILE_FLAGS) & ~CLOEXEC;
	f->name = gb_path_read(l, gb_get(o, GB_M_FILE_MNT), gb_get(o, GB_M_FILE_DENTRY));
}

int gb_files_read(struct gb_listing *l, struct gb_process *p, uint64_t files, struct gb_error *err)
{
	GB_CLEANUP(gb_cleanup_free) uint64_t *table = NULL;
	uint32_t count, open = 0;
	int r = read_table(l, files, &table, &count, err);

	if (r != 0)
		return r;
	for (uint32_t fd = 0; fd < count; fd++)
		open += table[fd] != 0;
	p->files = gb_arena_array(l->arena, open + 1, sizeof(*p->files));
	if (!p->files)
		return no_memory(err);
	for (uint32_t fd = 0; fd < count && !l->guard.full; fd++)
		if (table[fd]) {
			p->files[p->file_count] = (struct gb_file){.fd = fd, .file = {table[fd]}};
			read_file(l, &p->files[p->file_count++]);
		}
	return 0;
}
