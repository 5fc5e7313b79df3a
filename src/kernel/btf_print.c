// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Types as C text.
//
// A C declaration grows around its name: a pointer is put to the left of it, an array or a
// parameter list to the right, and parentheses go around when something to the right follows a
// pointer. So we follow the references and build the declarator, until a type with a name ends it.
#include "kernel/btf.h"

#include "base/cleanup.h"

#include <inttypes.h>
#include <string.h>

// What a print may write before it is cut: types of a hostile guest can nest without end.
#define TEXT_MAX ((size_t)4 << 20)
#define PARAMS_MAX 4096 // of one list of parameters
#define DECLARATOR_MAX 16384
#define DEPTH_MAX 12

struct printer {
	const struct gb_btf *btf;
	struct gb_buf *out;
	size_t max;    // of out
	uint64_t base; // bit offset of the anonymous struct that is being printed
	int depth;
};

static void declare(struct printer *p, uint32_t id, const char *name, bool expand);

static void indent(struct printer *p)
{
	for (int i = 0; i < p->depth; i++)
		gb_buf_add(p->out, "\t", 1);
}

// Names of a hostile guest can be as long as the blob.
static void add_name(struct gb_buf *out, const char *name)
{
	gb_buf_add(out, name, strnlen(name, 1024));
}

static const char *keyword(const struct gb_btf_type *t)
{
	switch (t->kind) {
	case GB_BTF_STRUCT:
		return "struct ";
	case GB_BTF_UNION:
		return "union ";
	case GB_BTF_ENUM:
	case GB_BTF_ENUM64:
		return "enum ";
	case GB_BTF_FWD:
		return t->kflag ? "union " : "struct ";
	default:
		return "";
	}
}

static void print_member(struct printer *p, const struct gb_btf_member *m)
{
	uint64_t base = p->base, bit = base + m->bit_offset;

	indent(p);
	p->base = bit;
	declare(p, m->type, m->name, false);
	p->base = base;
	if (m->bits)
		gb_buf_printf(p->out, ":%u; // %" PRIu64 ".%" PRIu64 "\n", m->bits, bit / 8,
			      bit % 8);
	else
		gb_buf_printf(p->out, "; // %" PRIu64 ", %" PRIu64 "\n", bit / 8, m->size);
}

static void print_members(struct printer *p, const struct gb_btf_type *t)
{
	struct gb_btf_member m;

	gb_buf_add_str(p->out, "{\n");
	p->depth++;
	for (uint32_t i = 0; i < t->count && p->out->len < p->max; i++) {
		gb_btf_member_at(p->btf, t, i, &m);
		print_member(p, &m);
	}
	p->depth--;
	indent(p);
	gb_buf_add_str(p->out, "}");
}

static void print_enumerators(struct printer *p, const struct gb_btf_type *t)
{
	gb_buf_add_str(p->out, "{\n");
	p->depth++;
	for (uint32_t i = 0; i < t->count && p->out->len < p->max; i++) {
		const char *name;
		int64_t value;

		gb_btf_enumerator_at(p->btf, t, i, &name, &value);
		indent(p);
		add_name(p->out, name);
		gb_buf_printf(p->out, " = %" PRId64 ",\n", value);
	}
	p->depth--;
	indent(p);
	gb_buf_add_str(p->out, "}");
}

// The type at the end of a declarator. One without a name has no other text than its body.
static void print_base(struct printer *p, const struct gb_btf_type *t, bool expand)
{
	bool members = t->kind == GB_BTF_STRUCT || t->kind == GB_BTF_UNION;
	bool enumerators = t->kind == GB_BTF_ENUM || t->kind == GB_BTF_ENUM64;

	gb_buf_add_str(p->out, keyword(t));
	add_name(p->out, t->name);
	if (*t->name && !(expand && p->depth == 0))
		return;
	if (*t->name && (members || enumerators))
		gb_buf_add_str(p->out, " ");
	if (p->depth > DEPTH_MAX)
		gb_buf_add_str(p->out, "{ ... }");
	else if (members)
		print_members(p, t);
	else if (enumerators)
		print_enumerators(p, t);
}

static void wrap(struct gb_buf *d, const char *before, const char *after)
{
	struct gb_buf whole = {};

	gb_buf_add_str(&whole, before);
	gb_buf_add(&whole, d->data ? d->data : "", d->len);
	gb_buf_add_str(&whole, after);
	gb_buf_deinit(d);
	*d = whole;
}

static void add_params(struct printer *p, const struct gb_btf_type *t, struct gb_buf *d)
{
	GB_CLEANUP(gb_buf_deinit) struct gb_buf text = {};
	struct printer inner = {.btf = p->btf,
				.out = &text,
				.max = PARAMS_MAX,
				.depth = p->depth + 4};

	for (uint32_t i = 0; i < t->count && text.len < PARAMS_MAX; i++) {
		const char *name;
		uint32_t type;

		gb_btf_param_at(p->btf, t, i, &name, &type);
		if (i)
			gb_buf_add_str(&text, ", ");
		if (type == 0 && !*name)
			gb_buf_add_str(&text, "...");
		else if (inner.depth > DEPTH_MAX)
			gb_buf_add_str(&text, "...");
		else
			declare(&inner, type, name, false);
	}
	gb_buf_printf(d, "(%s)", t->count ? text.data : "void");
}

static const char *modifier(enum gb_btf_kind kind)
{
	switch (kind) {
	case GB_BTF_CONST:
		return "const ";
	case GB_BTF_VOLATILE:
		return "volatile ";
	case GB_BTF_RESTRICT:
		return "restrict ";
	default:
		return NULL;
	}
}

// True when what comes next in the chain is a pointer: a modifier then belongs to the pointer's
// name.
static bool next_is_pointer(const struct gb_btf *b, uint32_t id)
{
	struct gb_btf_type t;

	for (int budget = 8; budget > 0; budget--) {
		gb_btf_get(b, id, &t);
		if (t.kind == GB_BTF_PTR)
			return true;
		if (!modifier(t.kind) && t.kind != GB_BTF_TYPE_TAG)
			return false;
		id = t.ref;
	}
	return false;
}

static void declare(struct printer *p, uint32_t id, const char *name, bool expand)
{
	GB_CLEANUP(gb_buf_deinit) struct gb_buf d = {}, qualifiers = {};
	struct gb_btf_type t;
	bool pointer = false; // the outermost part of the declarator is a '*'

	add_name(&d, name);
	gb_btf_get(p->btf, id, &t);
	for (int budget = 24; budget > 0 && d.len < DECLARATOR_MAX; budget--) {
		if (t.kind == GB_BTF_PTR) {
			wrap(&d, "*", "");
			pointer = true;
		} else if (t.kind == GB_BTF_ARRAY || t.kind == GB_BTF_FUNC_PROTO) {
			if (pointer)
				wrap(&d, "(", ")");
			pointer = false;
			if (t.kind == GB_BTF_ARRAY)
				gb_buf_printf(&d, "[%u]", t.elements);
			else
				add_params(p, &t, &d);
		} else if (modifier(t.kind)) {
			if (next_is_pointer(p->btf, t.ref))
				wrap(&d, modifier(t.kind), "");
			else
				gb_buf_add_str(&qualifiers, modifier(t.kind));
		} else if (t.kind != GB_BTF_TYPE_TAG) {
			break;
		}
		gb_btf_get(p->btf, t.ref, &t);
	}
	gb_buf_add(p->out, qualifiers.data ? qualifiers.data : "", qualifiers.len);
	print_base(p, &t, expand);
	if (d.len)
		gb_buf_printf(p->out, " %s", d.data);
}

void gb_btf_declare(const struct gb_btf *b, uint32_t id, const char *name, struct gb_buf *out)
{
	struct printer p = {.btf = b, .out = out, .max = TEXT_MAX};

	declare(&p, id, name, false);
}

static void print_sized(struct printer *p, const struct gb_btf_type *t)
{
	print_base(p, t, true);
	gb_buf_printf(p->out, "; // size %u\n", t->size);
}

void gb_btf_print(const struct gb_btf *b, uint32_t id, struct gb_buf *out)
{
	struct printer p = {.btf = b, .out = out, .max = TEXT_MAX};
	struct gb_btf_type t;

	gb_btf_get(b, id, &t);
	switch (t.kind) {
	case GB_BTF_STRUCT:
	case GB_BTF_UNION:
	case GB_BTF_ENUM:
	case GB_BTF_ENUM64:
		print_sized(&p, &t);
		return;
	case GB_BTF_TYPEDEF:
		gb_buf_add_str(out, "typedef ");
		declare(&p, t.ref, t.name, true);
		break;
	case GB_BTF_FUNC:
	case GB_BTF_VAR:
		declare(&p, t.ref, t.name, false);
		break;
	default:
		print_base(&p, &t, false);
		break;
	}
	gb_buf_printf(out, "; // size %" PRIu64 "\n", gb_btf_size(b, id));
}
