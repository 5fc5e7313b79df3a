// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Reads of a running guest that were verified to be unchanged.
#include "ram/guard.h"

#include "base/cleanup.h"

#include <string.h>

int gb_ram_read_stable(struct gb_ram *ram, gb_gpa gpa, void *ret, size_t len, bool *torn_ret,
		       struct gb_error *err)
{
	bool same = false;

	for (int n = 0; n < GB_STABLE_TRIES && !same; n++) {
		int r = gb_ram_read(ram, gpa, ret, len, err);

		if (r == 0)
			r = gb_ram_equals(ram, gpa, ret, len, &same, err);
		if (r != 0)
			return r;
	}
	*torn_ret = !same;
	return 0;
}

struct record {
	uint64_t gpa;
	size_t len;
};

void gb_guard_deinit(struct gb_guard *g)
{
	gb_buf_deinit(&g->seen);
}

void gb_guard_reset(struct gb_guard *g)
{
	gb_buf_clear(&g->seen);
	g->full = false;
}

static size_t padded(size_t len)
{
	return (len + 7) & ~(size_t)7;
}

// *to_ret: NULL in a full guard.
static int make_room(struct gb_guard *g, size_t len, char **to_ret, struct gb_error *err)
{
	*to_ret = NULL;
	g->full |= g->limit && (g->seen.len > g->limit || len > g->limit - g->seen.len);
	if (g->full)
		return 0;
	*to_ret = gb_buf_extend(&g->seen, len);
	return *to_ret ? 0
		       : gb_fail(err, GB_ENOMEM, "no memory to note what was read of guest RAM");
}

int gb_guard_note(struct gb_guard *g, gb_gpa gpa, const void *bytes, size_t len,
		  struct gb_error *err)
{
	struct record rec = {gpa.v, len};
	char *to;
	int r = make_room(g, sizeof(rec) + padded(len), &to, err);

	if (to) {
		memcpy(to, &rec, sizeof(rec));
		memcpy(to + sizeof(rec), bytes, len);
	}
	return r;
}

int gb_guard_append(struct gb_guard *g, const char *records, size_t len, struct gb_error *err)
{
	char *to;
	int r = make_room(g, len, &to, err);

	if (to)
		memcpy(to, records, len);
	return r;
}

int gb_guard_read(struct gb_guard *g, gb_gpa gpa, void *ret, size_t len, struct gb_error *err)
{
	int r = gb_ram_read(g->ram, gpa, ret, len, err);

	return r != 0 ? r : gb_guard_note(g, gpa, ret, len, err);
}

static int note_page(void *arg, const struct gb_walk *walk, const void *bytes, size_t len,
		     struct gb_error *err)
{
	struct gb_guard *g = arg;
	int r = 0;

	for (unsigned i = 0; i < walk->depth && r == 0; i++)
		r = gb_guard_note(g, walk->tables[i], &walk->entries[i], sizeof(walk->entries[i]),
				  err);
	return r == 0 && bytes ? gb_guard_note(g, walk->gpa, bytes, len, err) : r;
}

int gb_guard_space_read(struct gb_guard *g, struct gb_space space, gb_gva gva, void *ret,
			size_t len, struct gb_error *err)
{
	return gb_space_read_seen(g->ram, space, gva, ret, len, note_page, g, err);
}

int gb_guard_space_read_u64(struct gb_guard *g, struct gb_space space, gb_gva gva, uint64_t *ret,
			    struct gb_error *err)
{
	uint64_t v;
	int r = gb_guard_space_read(g, space, gva, &v, sizeof(v), err);

	if (r == 0)
		*ret = v;
	return r;
}

int gb_guard_check(struct gb_guard *g, bool *unchanged_ret, struct gb_error *err)
{
	bool same = !g->full;

	if (gb_buf_failed(&g->seen))
		return gb_fail(err, GB_ENOMEM, "no memory to note what was read of guest RAM");
	for (size_t at = 0; at < g->seen.len && same;) {
		struct record rec;
		int r;

		memcpy(&rec, g->seen.data + at, sizeof(rec));
		at += sizeof(rec);
		r = gb_ram_equals(g->ram, (gb_gpa){rec.gpa}, g->seen.data + at, rec.len, &same,
				  err);
		if (r != 0)
			return r;
		at += padded(rec.len);
	}
	*unchanged_ret = same;
	return 0;
}

int gb_guard_run(struct gb_ram *ram, gb_guard_fn *fn, void *arg, bool *torn_ret,
		 struct gb_error *err)
{
	GB_CLEANUP(gb_guard_deinit) struct gb_guard g = gb_guard_init(ram);
	bool unchanged = false;
	int r = 0;

	for (int n = 0; n < GB_STABLE_TRIES && !unchanged; n++) {
		struct gb_error check_err = {};
		int checked;

		gb_guard_reset(&g);
		r = fn(&g, arg, err);
		checked = gb_guard_check(&g, &unchanged, &check_err);
		if (checked != 0) {
			if (err)
				*err = check_err;
			return checked;
		}
	}
	*torn_ret = !unchanged;
	return r;
}
