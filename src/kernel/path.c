// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Paths of files, as d_path() of fs/d_path.c prints them.
//
// A path goes up from a dentry through d_parent; at the root of a mount it goes on at the mount
// point in the parent mount, and it ends at the root directory of pid 1 or at the topmost mount. A
// dentry that is out of the hash was unlinked and adds " (deleted)". Pseudo file systems name their
// dentries themselves, with d_dname(). Newlines come out as \012, as in /proc/PID/maps.
#include "kernel/listing.h"

#include <inttypes.h>
#include <stdio.h>

#define PATH_BYTES 4096
#define STEPS_MAX 4096 // each but those over mounts adds a byte
#define NAME_BYTES 255
#define KEEP_MAX ((size_t)16 << 20) // bytes that all kept paths may be made of

// Text that grows towards its beginning.
struct tail {
	char text[PATH_BYTES + 64];
	size_t at;
	bool broken;
};

static void put(struct tail *t, const char *s, size_t len)
{
	if (len > t->at)
		t->broken = true;
	else
		memcpy(t->text + (t->at -= len), s, len);
}

static void put_name(struct gb_listing *l, struct tail *t, const struct gb_object *dentry)
{
	char name[NAME_BYTES];
	uint64_t len = gb_get(dentry, GB_M_DENTRY_LEN) & UINT32_MAX;

	if (len > sizeof(name) ||
	    gb_listing_read(l, gb_get(dentry, GB_M_DENTRY_NAME), name, len) != 0) {
		t->broken = true;
		return;
	}
	for (size_t i = len; i-- > 0;) {
		if (name[i] == '\n')
			put(t, "\\012", 4);
		else
			put(t, &name[i], 1);
	}
}

// A mount's struct vfsmount, which paths point to, lies in a struct mount.
static bool read_mount(struct gb_listing *l, uint64_t mnt, struct gb_object *ret)
{
	return gb_listing_object(l, GB_S_MOUNT, mnt - gb_offset(l->k, GB_M_MOUNT_MNT), ret) == 0;
}

static void walk_up(struct gb_listing *l, uint64_t mnt, uint64_t dentry, struct tail *t)
{
	struct gb_object *o = &l->object;
	uint64_t root = 0, parent = 0, point = 0;
	bool any = false;
	int steps;

	if (!read_mount(l, mnt, o)) {
		t->broken = true;
		return;
	}
	root = gb_get(o, GB_M_MOUNT_ROOT);
	parent = gb_get(o, GB_M_MOUNT_PARENT) + gb_offset(l->k, GB_M_MOUNT_MNT);
	point = gb_get(o, GB_M_MOUNT_POINT);
	for (steps = STEPS_MAX; steps > 0 && !t->broken; steps--) {
		if (dentry == l->root_dentry && mnt == l->root_mnt)
			break;
		if (dentry == root) {
			if (parent == mnt || !read_mount(l, parent, o))
				break;
			dentry = point;
			mnt = parent;
			root = gb_get(o, GB_M_MOUNT_ROOT);
			parent = gb_get(o, GB_M_MOUNT_PARENT) + gb_offset(l->k, GB_M_MOUNT_MNT);
			point = gb_get(o, GB_M_MOUNT_POINT);
			continue;
		}
		if (gb_listing_object(l, GB_S_DENTRY, dentry, o) != 0) {
			t->broken = true;
			break;
		}
		if (gb_get(o, GB_M_DENTRY_PARENT) == dentry)
			break; // a root that is no mount's: lazily unmounted
		put_name(l, t, o);
		put(t, "/", 1);
		any = true;
		dentry = gb_get(o, GB_M_DENTRY_PARENT);
	}
	t->broken |= steps == 0;
	if (!any)
		put(t, "/", 1);
}

static void put_inode(struct gb_listing *l, const char *kind, uint64_t inode, struct tail *t)
{
	char text[64];

	if (gb_listing_object(l, GB_S_INODE, inode, &l->object) != 0) {
		t->broken = true;
		return;
	}
	snprintf(text, sizeof(text), "%s:[%" PRIu64 "]", kind, gb_get(&l->object, GB_M_INODE_INO));
	put(t, text, strlen(text));
}

static void put_namespace(struct gb_listing *l, const struct gb_object *dentry, struct tail *t)
{
	struct gb_object *o = &l->object;
	uint64_t inode = gb_get(dentry, GB_M_DENTRY_INODE);
	char kind[32] = "";

	if (gb_listing_object(l, GB_S_INODE, inode, o) != 0 ||
	    gb_listing_object(l, GB_S_NS, gb_get(o, GB_M_INODE_PRIVATE), o) != 0 ||
	    gb_listing_object(l, GB_S_NS_OPS, gb_get(o, GB_M_NS_KIND), o) != 0 ||
	    gb_listing_text(l, gb_get(o, GB_M_NS_OPS_NAME), kind, sizeof(kind)) != 0)
		t->broken = true;
	else
		put_inode(l, kind, inode, t);
}

static void put_dmabuf(struct gb_listing *l, const struct gb_object *dentry, struct tail *t)
{
	char name[64] = "";
	uint64_t at;

	if (gb_listing_object(l, GB_S_DMABUF, gb_get(dentry, GB_M_DENTRY_FSDATA), &l->object) !=
	    0) {
		t->broken = true;
		return;
	}
	at = gb_get(&l->object, GB_M_DMABUF_NAME);
	t->broken |= at && gb_listing_text(l, at, name, sizeof(name)) != 0;
	put(t, name, strlen(name));
	put(t, ":", 1);
	put_name(l, t, dentry);
	put(t, "/", 1);
}

// What d_dname() of a pseudo file system prints. False when the dentry has none. What one that we do not know
// would print cannot be told.
static bool own_name(struct gb_listing *l, const struct gb_object *dentry, struct tail *t)
{
	uint64_t ops = gb_get(dentry, GB_M_DENTRY_OP), inode = gb_get(dentry, GB_M_DENTRY_INODE),
		 fn;
	const uint64_t *symbol = l->k->symbol;

	if (!ops || gb_listing_read(l, ops + gb_offset(l->k, GB_M_DENTRY_OPS_DNAME), &fn, 8) != 0 ||
	    !fn)
		return false;
	if (fn == symbol[GB_Y_PIPE_DNAME]) {
		put_inode(l, "pipe", inode, t);
	} else if (fn == symbol[GB_Y_SOCK_DNAME]) {
		put_inode(l, "socket", inode, t);
	} else if (fn == symbol[GB_Y_NS_DNAME]) {
		put_namespace(l, dentry, t);
	} else if (fn == symbol[GB_Y_PIDFS_DNAME]) {
		put(t, "anon_inode:[pidfd]", 18);
	} else if (fn == symbol[GB_Y_DMABUF_DNAME]) {
		put_dmabuf(l, dentry, t);
	} else if (fn == symbol[GB_Y_ANON_INODE_DNAME]) {
		put_name(l, t, dentry);
		put(t, "anon_inode:", 11);
	} else if (fn == symbol[GB_Y_SIMPLE_DNAME]) {
		put(t, " (deleted)", 10);
		put_name(l, t, dentry);
		put(t, "/", 1);
	} else {
		t->broken = true;
	}
	return true;
}

// NULL when it cannot be read or has no end.
static const char *read_path(struct gb_listing *l, uint64_t mnt, uint64_t dentry)
{
	struct gb_object *o = &l->object;
	struct tail t;

	t.at = sizeof(t.text);
	t.broken = false;
	if (gb_listing_object(l, GB_S_DENTRY, dentry, o) != 0)
		return NULL;
	// own_name() reads other objects over this one
	struct gb_object first;
	memcpy(&first, o, offsetof(struct gb_object, bytes));
	memcpy(first.bytes, o->bytes,
	       (size_t)(l->k->offsets.structs[GB_S_DENTRY].to -
			l->k->offsets.structs[GB_S_DENTRY].from));
	if (!own_name(l, &first, &t)) {
		if (!gb_get(&first, GB_M_DENTRY_HASH) &&
		    gb_get(&first, GB_M_DENTRY_PARENT) != dentry)
			put(&t, " (deleted)", 10);
		walk_up(l, mnt, dentry, &t);
	}
	return t.broken ? NULL : gb_arena_strndup(l->arena, t.text + t.at, sizeof(t.text) - t.at);
}

// Read a path and keep what it was made of.
static const char *fill_entry(struct gb_listing *l, struct gb_path_entry *e, uint64_t mnt,
			      uint64_t dentry)
{
	size_t mark = l->guard.seen.len, len;
	const char *name = read_path(l, mnt, dentry);

	l->broken |= !name;
	e->dentry = 0;
	l->kept -= e->seen.cap;
	gb_buf_deinit(&e->seen);
	len = l->guard.seen.len - mark;
	if (!name || l->guard.full || l->kept + len > KEEP_MAX)
		return name ? name : "";
	gb_buf_add(&e->seen, l->guard.seen.data + mark, len);
	l->kept += e->seen.cap;
	if (gb_buf_failed(&e->seen))
		return name;
	e->mnt = mnt;
	e->dentry = dentry;
	e->name = name;
	e->attempt = l->attempt;
	return name;
}

// A name from the cache is verified with each process that has it. Who has read or taken all that
// it may, and is torn, gets no more names: each could take a megabyte of reading.
const char *gb_path_read(struct gb_listing *l, uint64_t mnt, uint64_t dentry)
{
	struct gb_path_entry *e = &l->paths[(dentry >> 6 ^ mnt >> 5) % GB_PATH_CACHE];

	if (!dentry || l->guard.full || l->arena->refused)
		return "";
	if (e->dentry != dentry || e->mnt != mnt)
		return fill_entry(l, e, mnt, dentry);
	if (e->attempt != l->attempt)
		l->broken |= gb_guard_append(&l->guard, e->seen.data, e->seen.len, NULL) != 0;
	e->attempt = l->attempt;
	return e->name;
}

void gb_paths_forget(struct gb_listing *l, uint64_t attempt)
{
	for (size_t i = 0; l->paths && i < GB_PATH_CACHE; i++)
		if (l->paths[i].attempt >= attempt)
			l->paths[i].dentry = 0;
}

void gb_path_root(struct gb_listing *l, uint64_t fs)
{
	struct gb_object *o = &l->object;

	if (!fs || gb_listing_object(l, GB_S_FS, fs, o) != 0)
		return;
	l->root_mnt = gb_get(o, GB_M_FS_ROOT_MNT);
	l->root_dentry = gb_get(o, GB_M_FS_ROOT_DENTRY);
}
