// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Modules of the kernel: the list that hangs on the variable `modules`, as m_show() of
// kernel/module/procfs.c prints it.
//
// Who uses a module hangs on its source_list, a struct module_use each. Until 6.3 core_layout and
// init_layout are a module's memory, since 6.4 the parts of mem[], of which the first is its text;
// parts that are freed after it has started have size 0.
#include "kernel/module.h"

#include "base/cleanup.h"
#include "kernel/listing.h"

#include <inttypes.h>
#include <stdlib.h>

#define MODULES_MAX 4096
#define USERS_MAX 1024 // of one module
#define BYTES_MAX ((uint64_t)64 << 20)
#define PARTS_MAX 16
#define UNFORMED 3 // not shown by the kernel

struct walk {
	struct gb_listing *l;
	struct gb_chain modules, users;
};

static int no_memory(struct gb_error *err)
{
	return gb_fail(err, GB_ENOMEM, "no memory for the guest's modules");
}

// Bytes of a part, and where it begins; 0 bytes of one that cannot be read.
static uint64_t read_part(struct gb_listing *l, uint64_t at, enum gb_struct_id type,
			  enum gb_member_id base, enum gb_member_id size, gb_gva *base_ret)
{
	struct gb_object *o = &l->object;

	if (gb_listing_object(l, type, at, o) != 0) {
		l->broken = true;
		return 0;
	}
	base_ret->v = gb_get(o, base);
	return (uint32_t)gb_get(o, size);
}

static void read_memory(struct gb_listing *l, struct gb_module *m)
{
	const struct gb_kernel *k = l->k;
	uint32_t each = k->offsets.structs[GB_S_MODULE_MEMORY].size,
		 parts = each ? k->offsets.members[GB_M_MODULE_MEM].size / each : 0;
	uint64_t mem = m->at.v + gb_offset(k, GB_M_MODULE_MEM);
	gb_gva other;

	if (!gb_has(k, GB_M_MODULE_MEM)) {
		m->size = read_part(l, m->at.v + gb_offset(k, GB_M_MODULE_CORE), GB_S_MODULE_LAYOUT,
				    GB_M_MODULE_LAYOUT_BASE, GB_M_MODULE_LAYOUT_SIZE, &m->base);
		if (gb_has(k, GB_M_MODULE_INIT_LAYOUT))
			m->size += read_part(l, m->at.v + gb_offset(k, GB_M_MODULE_INIT_LAYOUT),
					     GB_S_MODULE_LAYOUT, GB_M_MODULE_LAYOUT_BASE,
					     GB_M_MODULE_LAYOUT_SIZE, &other);
		return;
	}
	for (uint32_t i = 0; i < parts && i < PARTS_MAX; i++)
		m->size += read_part(l, mem + i * each, GB_S_MODULE_MEMORY, GB_M_MODULE_MEMORY_BASE,
				     GB_M_MODULE_MEMORY_SIZE, i == 0 ? &m->base : &other);
}

static int read_users(struct walk *w, struct gb_module *m, struct gb_error *err)
{
	struct gb_listing *l = w->l;
	uint64_t head = m->at.v + gb_offset(l->k, GB_M_MODULE_USERS);
	char name[64];
	int r = gb_listing_chain(l, head, gb_offset(l->k, GB_M_MODULE_USE_LIST), USERS_MAX,
				 &w->users, err);

	l->broken |= !w->users.whole;
	m->users = r == 0 ? gb_arena_array(l->arena, w->users.count + 1, sizeof(*m->users)) : NULL;
	if (r == 0 && !m->users)
		return no_memory(err);
	for (size_t i = 0; i < w->users.count && r == 0; i++) {
		if (gb_listing_object(l, GB_S_MODULE_USE, w->users.objects[i], &l->object) != 0 ||
		    gb_listing_text(l,
				    gb_get(&l->object, GB_M_MODULE_USE_SOURCE) +
					    gb_offset(l->k, GB_M_MODULE_NAME),
				    name, sizeof(name)) != 0) {
			l->broken = true;
			break;
		}
		m->users[m->user_count] = gb_arena_strndup(l->arena, name, strlen(name));
		if (!m->users[m->user_count++])
			return no_memory(err);
	}
	return r;
}

// *shown_ret: the kernel would show it.
static int read_module(struct walk *w, uint64_t at, struct gb_module *ret, bool *shown_ret,
		       struct gb_error *err)
{
	struct gb_object *o = &w->l->object;
	const struct gb_kernel *k = w->l->k;
	uint64_t state;

	*shown_ret = false;
	if (gb_listing_object(w->l, GB_S_MODULE, at, o) != 0) {
		w->l->broken = true;
		return 0;
	}
	state = (uint32_t)gb_get(o, GB_M_MODULE_STATE);
	w->l->broken |= state > UNFORMED;
	if (state >= UNFORMED)
		return 0;
	*shown_ret = true;
	*ret = (struct gb_module){
		.at = {at},
		.state = (enum gb_module_state)state,
		.taints = gb_get(o, GB_M_MODULE_TAINTS),
		.permanent = gb_get(o, GB_M_MODULE_INIT) && gb_has(k, GB_M_MODULE_EXIT) &&
			     !gb_get(o, GB_M_MODULE_EXIT),
		.counted = gb_has(k, GB_M_MODULE_REFS),
		.refs = (int32_t)((uint32_t)gb_get(o, GB_M_MODULE_REFS) - 1), // one is its own
	};
	gb_object_text(o, GB_M_MODULE_NAME, ret->name, sizeof(ret->name));
	read_memory(w->l, ret);
	return gb_has(k, GB_M_MODULE_USERS) && gb_has(k, GB_M_MODULE_USE_SOURCE)
		       ? read_users(w, ret, err)
		       : 0;
}

static int read_all(struct walk *w, struct gb_modules *ret, struct gb_error *err)
{
	struct gb_listing *l = w->l;
	uint64_t head = l->k->symbol[GB_Y_MODULES];
	int r = gb_listing_chain(l, head, gb_offset(l->k, GB_M_MODULE_LIST), MODULES_MAX,
				 &w->modules, err);

	l->broken |= !w->modules.whole;
	ret->count = 0;
	ret->list = gb_arena_array(l->arena, w->modules.count + 1, sizeof(*ret->list));
	if (r == 0 && !ret->list)
		r = no_memory(err);
	for (size_t i = 0; i < w->modules.count && r == 0 && !l->guard.full; i++) {
		bool shown;

		r = read_module(w, w->modules.objects[i], &ret->list[ret->count], &shown, err);
		ret->count += shown;
	}
	return r;
}

static int read_until_whole(struct walk *w, struct gb_modules *ret, struct gb_error *err)
{
	struct gb_arena_mark mark = gb_arena_mark(w->l->arena);
	bool unchanged = false;
	int r = 0;

	ret->torn = true;
	for (int tries = GB_STABLE_TRIES; tries > 0 && ret->torn && r == 0; tries--) {
		gb_arena_rewind(w->l->arena, mark);
		gb_listing_begin(w->l, BYTES_MAX);
		r = read_all(w, ret, err);
		if (r == 0)
			r = gb_guard_check(&w->l->guard, &unchanged, err);
		ret->torn = !unchanged || w->l->broken;
	}
	return r;
}

static void end_walk(struct walk *w)
{
	gb_guard_deinit(&w->l->guard);
	free(w->modules.objects);
	free(w->users.objects);
	free(w->l);
}

int gb_module_list(const struct gb_kernel *k, struct gb_arena *arena, struct gb_modules *ret,
		   struct gb_error *err)
{
	GB_CLEANUP(end_walk) struct walk w = {.l = calloc(1, sizeof(*w.l))};
	struct gb_modules modules = {};
	int r;

	if (!w.l)
		return no_memory(err);
	w.l->k = k;
	w.l->arena = arena;
	if (!k->symbol[GB_Y_MODULES] || !gb_has(k, GB_M_MODULE_LIST) ||
	    !gb_has(k, GB_M_MODULE_NAME) ||
	    (!gb_has(k, GB_M_MODULE_MEM) && !gb_has(k, GB_M_MODULE_CORE)))
		return gb_fail(err, GB_EUNKNOWN,
			       "the kernel was made without modules, or does not tell of them "
			       "(CONFIG_MODULES, CONFIG_KALLSYMS_ALL)");
	r = read_until_whole(&w, &modules, err);
	if (r == 0)
		*ret = modules;
	return r;
}

static void print_flags(const struct gb_module *m, struct gb_buf *out)
{
	static const char letters[] = "PFSRMBUDAWCIOELKXTNJ"; // kernel/panic.c, taint_flags
	static const char *const marks[] = {"", "+", "-"};

	if (!m->taints)
		return;
	gb_buf_add_str(out, " (");
	for (unsigned i = 0; i < sizeof(letters) - 1; i++)
		if (m->taints >> i & 1)
			gb_buf_add(out, &letters[i], 1);
	gb_buf_add_str(out, marks[m->state]);
	gb_buf_add_str(out, ")");
}

void gb_module_print(const struct gb_module *m, struct gb_buf *out)
{
	static const char *const states[] = {"Live", "Loading", "Unloading"};

	gb_buf_printf(out, "%s %" PRIu64 " ", m->name, m->size);
	if (m->counted)
		gb_buf_printf(out, "%" PRId32 " ", m->refs);
	else
		gb_buf_add_str(out, "- ");
	for (size_t i = 0; i < m->user_count; i++)
		gb_buf_printf(out, "%s,", m->users[i]);
	if (m->permanent)
		gb_buf_add_str(out, "[permanent],");
	if (!m->user_count && !m->permanent)
		gb_buf_add_str(out, "-");
	gb_buf_printf(out, " %s 0x%016" PRIx64, states[m->state], m->base.v);
	print_flags(m, out);
	gb_buf_add_str(out, "\n");
}
