// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Resolves the table of members through BTF.
#include "kernel/members.h"

#include "kernel/btf.h"
#include "kernel/internal.h"

#include <string.h>

static const char *const struct_names[] = {
#define S(id, name) name,
#define M(id, in, path, need)
	GB_MEMBERS(S, M)
#undef S
#undef M
};

static const struct {
	enum gb_struct_id in;
	const char *path;
	int need;
} rows[] = {
#define S(id, name)
#define M(id, in, path, need) {GB_S_##in, path, need},
	GB_MEMBERS(S, M)
#undef S
#undef M
};

// One of several paths, separated by '|'.
static int find_path(const struct gb_btf *btf, uint32_t type, const char *paths,
		     struct gb_btf_member *ret)
{
	char path[64];

	for (;;) {
		size_t len = strcspn(paths, "|");

		memcpy(path, paths, len);
		path[len] = 0;
		if (gb_btf_member(btf, type, path, ret) == 0 && !ret->bits &&
		    ret->bit_offset % 8 == 0)
			return 0;
		if (!paths[len])
			return GB_ENOTFOUND;
		paths += len + 1;
	}
}

static void resolve_struct(const struct gb_btf *btf, enum gb_struct_id s, uint32_t *type_ret,
			   struct gb_offsets *ret)
{
	*type_ret = 0;
	ret->structs[s].from = -1;
	ret->structs[s].to = -1;
	if (gb_btf_find(btf, struct_names[s], 1 << GB_BTF_STRUCT, type_ret) == 0)
		ret->structs[s].size = (uint32_t)gb_btf_size(btf, *type_ret);
}

// How much of a member is read with its object: arrays and structures are located, not loaded.
static uint32_t loaded(uint32_t size)
{
	return size < 1 ? 1 : size > 64 ? 64 : size;
}

static void resolve_member(const struct gb_btf *btf, uint32_t type, enum gb_member_id m,
			   struct gb_offsets *ret)
{
	struct gb_btf_member member;
	enum gb_struct_id s = rows[m].in;
	int32_t to;

	ret->members[m].at = -1;
	if (!type || find_path(btf, type, rows[m].path, &member) != 0 ||
	    member.bit_offset / 8 + loaded((uint32_t)member.size) > GB_OBJECT_MAX)
		return;
	ret->members[m].at = (int32_t)(member.bit_offset / 8);
	ret->members[m].size = (uint32_t)member.size;
	if (rows[m].need & GB_PLACE)
		return;
	to = ret->members[m].at + (int32_t)loaded((uint32_t)member.size);
	if (ret->structs[s].from < 0 || ret->members[m].at < ret->structs[s].from)
		ret->structs[s].from = ret->members[m].at;
	if (to > ret->structs[s].to)
		ret->structs[s].to = to;
}

// Put a member's bytes into the run that touches them, or into a new one.
static void add_run(struct gb_offsets *o, enum gb_struct_id s, int32_t from, int32_t to)
{
	uint32_t first = o->structs[s].run, end = first + o->structs[s].runs, at = first;

	while (at < end && o->runs[at].to < from)
		at++;
	if (at == end || o->runs[at].from > to) {
		memmove(&o->runs[at + 1], &o->runs[at], (end - at) * sizeof(o->runs[0]));
		o->runs[at].from = from;
		o->runs[at].to = to;
		o->structs[s].runs++;
		return;
	}
	if (from < o->runs[at].from)
		o->runs[at].from = from;
	if (to > o->runs[at].to)
		o->runs[at].to = to;
}

// Members come in the order of the table, each structure's together; runs that grew into each other
// may overlap, which does no harm.
static void find_runs(struct gb_offsets *o)
{
	uint32_t at = 0;

	for (int m = 0; m < GB_MEMBER_COUNT; m++) {
		enum gb_struct_id s = rows[m].in;
		int32_t from = o->members[m].at;

		if (o->structs[s].runs == 0)
			o->structs[s].run = at;
		if (from >= 0 && !(rows[m].need & GB_PLACE))
			add_run(o, s, from, from + (int32_t)loaded(o->members[m].size));
		at = o->structs[s].run + o->structs[s].runs;
	}
}

int gb_offsets_resolve(const struct gb_btf *btf, struct gb_offsets *ret, struct gb_error *err)
{
	uint32_t types[GB_STRUCT_COUNT];

	*ret = (struct gb_offsets){};
	for (int s = 0; s < GB_STRUCT_COUNT; s++)
		resolve_struct(btf, s, &types[s], ret);
	for (int m = 0; m < GB_MEMBER_COUNT; m++) {
		resolve_member(btf, types[rows[m].in], m, ret);
		if (rows[m].need & GB_NEED && ret->members[m].at < 0)
			return gb_fail(err, GB_EUNKNOWN, "the kernel's BTF has no member %s.%s",
				       struct_names[rows[m].in], rows[m].path);
	}
	find_runs(ret);
	if (ret->members[GB_M_MM_MT].at < 0 && ret->members[GB_M_MM_RB].at < 0)
		return gb_fail(err, GB_EUNKNOWN,
			       "the kernel's BTF has neither mm_struct.mm_mt nor mm_rb");
	return 0;
}
