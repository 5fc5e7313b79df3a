// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// BTF: parse, validate, look up.
//
// The format (Documentation/bpf/btf.rst): a header of 24 bytes - u16 magic 0xeb9f, u8 version 1, u8
// flags, u32 header length, then offset and length of the type section and of the string section,
// both counted from the end of the header. The type section is a run of records
//
//	u32 name offset; u32 info; u32 size-or-type; then what the kind adds
//
// whose position gives their id, from 1. info holds the count of members (bits 0-15), the kind
// (24-28) and the "kind flag" (31). Members take 12 bytes (name, type, offset in bits; with the
// kind flag, bits 24-31 of the offset are the width of a bitfield), enumerators 8, parameters 8,
// section variables 12.
//
// New kinds come at the end: FLOAT with 5.13, DECL_TAG with 5.16, TYPE_TAG with 5.17, ENUM64
// with 6.0. An unknown kind cannot be skipped, since its length is not known, and is refused.
// Since 6.13 the kind flag of a DECL_TAG or TYPE_TAG marks an attribute. References go forwards and
// backwards; only a whole pass over the records can check them.
#include "kernel/btf.h"

#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

struct gb_btf {
	uint8_t *data;
	const uint8_t *types;
	const char *strings;
	uint32_t types_len, strings_len;
	uint32_t *offsets; // of each id in types; [0] is not used
	uint32_t count;
	uint32_t *names; // open addressing: ids by hash of name; 0 is empty
	uint32_t names_mask;
};

static uint32_t u32_at(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

size_t gb_btf_blob_size(const uint8_t header[24])
{
	uint32_t type_off = u32_at(header + 8), type_len = u32_at(header + 12);
	uint32_t str_off = u32_at(header + 16), str_len = u32_at(header + 20);
	uint64_t end = 24 + (uint64_t)str_off + str_len;

	if (u32_at(header) != 0x0001eb9f || u32_at(header + 4) != 24)
		return 0;
	if (type_off != 0 || type_len % 4 || str_off < type_len || !type_len || !str_len)
		return 0;
	return end <= (64u << 20) ? (size_t)end : 0;
}

// Bytes that a record of this kind takes after its first 12; -1 for a kind that we do not know.
static int64_t extra_size(uint32_t kind, uint32_t count)
{
	switch (kind) {
	case GB_BTF_INT:
	case GB_BTF_VAR:
	case GB_BTF_DECL_TAG:
		return 4;
	case GB_BTF_ARRAY:
		return 12;
	case GB_BTF_STRUCT:
	case GB_BTF_UNION:
	case GB_BTF_DATASEC:
	case GB_BTF_ENUM64:
		return 12 * (int64_t)count;
	case GB_BTF_ENUM:
	case GB_BTF_FUNC_PROTO:
		return 8 * (int64_t)count;
	case GB_BTF_PTR:
	case GB_BTF_FWD:
	case GB_BTF_TYPEDEF:
	case GB_BTF_VOLATILE:
	case GB_BTF_CONST:
	case GB_BTF_RESTRICT:
	case GB_BTF_FUNC:
	case GB_BTF_FLOAT:
	case GB_BTF_TYPE_TAG:
		return 0;
	default:
		return -1;
	}
}

static bool has_ref(uint32_t kind)
{
	const uint32_t refs = 1 << GB_BTF_PTR | 1 << GB_BTF_TYPEDEF | 1 << GB_BTF_VOLATILE |
			      1 << GB_BTF_CONST | 1 << GB_BTF_RESTRICT | 1 << GB_BTF_FUNC |
			      1 << GB_BTF_FUNC_PROTO | 1 << GB_BTF_VAR | 1 << GB_BTF_DECL_TAG |
			      1 << GB_BTF_TYPE_TAG;

	return refs >> kind & 1;
}

// Find where each record starts. Their number is not known before: grow as they come.
static int index_types(struct gb_btf *b, struct gb_error *err)
{
	uint32_t cap = b->types_len / 24 + 16, at = 0;

	b->offsets = malloc(cap * sizeof(*b->offsets));
	b->count = 1;
	while (b->offsets && at < b->types_len) {
		uint32_t info, left = b->types_len - at;
		int64_t extra;

		if (left < 12)
			return gb_fail(err, GB_EFORMAT, "BTF ends inside type %u", b->count);
		info = u32_at(b->types + at + 4);
		extra = extra_size(info >> 24 & 0x1f, info & 0xffff);
		if (extra < 0 || info & 0x60ff0000)
			return gb_fail(err, GB_EFORMAT,
				       "BTF type %u is of no known kind (info 0x%x)", b->count,
				       info);
		if (extra > left - 12)
			return gb_fail(err, GB_EFORMAT, "BTF ends inside type %u", b->count);
		if (b->count == cap) {
			uint32_t *more = realloc(b->offsets, (cap *= 2) * sizeof(*b->offsets));

			if (!more)
				free(b->offsets);
			b->offsets = more;
			if (!more)
				break;
		}
		b->offsets[b->count++] = at;
		at += 12 + (uint32_t)extra;
	}
	if (!b->offsets)
		return gb_fail(err, GB_ENOMEM, "no memory for the types of the guest's kernel");
	b->offsets[0] = 0;
	return 0;
}

// Names and references of what follows a record, by stride and by where they stand in it (-1:
// none).
static bool extras_valid(const struct gb_btf *b, const uint8_t *p, uint32_t n, uint32_t stride,
			 int name_at, int type_at)
{
	for (uint32_t i = 0; i < n; i++, p += stride) {
		if (name_at >= 0 && u32_at(p + name_at) >= b->strings_len)
			return false;
		if (type_at >= 0 && u32_at(p + type_at) >= b->count)
			return false;
	}
	return true;
}

static bool type_valid(const struct gb_btf *b, const uint8_t *p)
{
	uint32_t info = u32_at(p + 4), kind = info >> 24 & 0x1f, n = info & 0xffff;

	if (u32_at(p) >= b->strings_len || (has_ref(kind) && u32_at(p + 8) >= b->count))
		return false;
	switch (kind) {
	case GB_BTF_ARRAY:
		return u32_at(p + 12) < b->count && u32_at(p + 16) < b->count;
	case GB_BTF_STRUCT:
	case GB_BTF_UNION:
		return extras_valid(b, p + 12, n, 12, 0, 4);
	case GB_BTF_ENUM:
		return extras_valid(b, p + 12, n, 8, 0, -1);
	case GB_BTF_ENUM64:
		return extras_valid(b, p + 12, n, 12, 0, -1);
	case GB_BTF_FUNC_PROTO:
		return extras_valid(b, p + 12, n, 8, 0, 4);
	case GB_BTF_DATASEC:
		return extras_valid(b, p + 12, n, 12, -1, 0);
	default:
		return true;
	}
}

static int check_types(const struct gb_btf *b, struct gb_error *err)
{
	for (uint32_t id = 1; id < b->count; id++)
		if (!type_valid(b, b->types + b->offsets[id]))
			return gb_fail(err, GB_EFORMAT,
				       "BTF type %u refers to a name or type that does not exist",
				       id);
	return 0;
}

// Only so much of a name is hashed: in a hostile blob all may share one that fills it.
static uint32_t name_slot(const struct gb_btf *b, const char *name)
{
	return (uint32_t)gb_hash(name, strnlen(name, 256)) & b->names_mask;
}

static int hash_names(struct gb_btf *b, struct gb_error *err)
{
	uint64_t probes = 64 * (uint64_t)b->count + 100000; // all names alike would take count^2
	uint32_t cap = 64;

	while (cap < 2 * b->count)
		cap *= 2;
	b->names = calloc(cap, sizeof(*b->names));
	if (!b->names)
		return gb_fail(err, GB_ENOMEM, "no memory for the types of the guest's kernel");
	b->names_mask = cap - 1;
	for (uint32_t id = 1; id < b->count; id++) {
		const char *name = b->strings + u32_at(b->types + b->offsets[id]);
		uint32_t slot;

		if (!*name)
			continue;
		slot = name_slot(b, name);
		while (b->names[slot] && --probes > 0)
			slot = (slot + 1) & b->names_mask;
		if (probes == 0)
			return gb_fail(err, GB_EFORMAT, "too many types in BTF share a name");
		b->names[slot] = id;
	}
	return 0;
}

static int parse(struct gb_btf *b, size_t size, struct gb_error *err)
{
	int r;

	if (size < 24 || gb_btf_blob_size(b->data) == 0)
		return gb_fail(err, GB_EFORMAT, "no BTF header");
	if (gb_btf_blob_size(b->data) > size)
		return gb_fail(err, GB_EFORMAT, "BTF is cut short: %zu of %zu bytes", size,
			       gb_btf_blob_size(b->data));
	b->types = b->data + 24;
	b->types_len = u32_at(b->data + 12);
	b->strings = (const char *)b->types + u32_at(b->data + 16);
	b->strings_len = u32_at(b->data + 20);
	if (b->strings[0] || b->strings[b->strings_len - 1])
		return gb_fail(err, GB_EFORMAT, "the names in BTF do not begin and end with a NUL");
	r = index_types(b, err);
	if (r == 0)
		r = check_types(b, err);
	if (r == 0)
		r = hash_names(b, err);
	return r;
}

int gb_btf_parse(uint8_t *data, size_t size, struct gb_btf **ret, struct gb_error *err)
{
	struct gb_btf *b = calloc(1, sizeof(*b));
	int r;

	if (!b) {
		free(data);
		return gb_fail(err, GB_ENOMEM, "no memory for the types of the guest's kernel");
	}
	b->data = data;
	r = parse(b, size, err);
	if (r != 0)
		gb_btf_destroy(b);
	else
		*ret = b;
	return r;
}

void gb_btf_destroy(struct gb_btf *b)
{
	if (!b)
		return;
	free(b->names);
	free(b->offsets);
	free(b->data);
	free(b);
}

void gb_btf_cleanup(struct gb_btf **b)
{
	gb_btf_destroy(*b);
}

size_t gb_btf_count(const struct gb_btf *b)
{
	return b->count;
}

bool gb_btf_same(const struct gb_btf *a, const struct gb_btf *b)
{
	return a->types_len == b->types_len && a->strings_len == b->strings_len &&
	       memcmp(a->types, b->types, a->types_len) == 0 &&
	       memcmp(a->strings, b->strings, a->strings_len) == 0;
}

void gb_btf_get(const struct gb_btf *b, uint32_t id, struct gb_btf_type *ret)
{
	const uint8_t *p;
	uint32_t info;

	gb_assert(id < b->count);
	p = b->types + b->offsets[id];
	*ret = (struct gb_btf_type){.id = id, .name = "void"};
	if (id == 0)
		return;
	info = u32_at(p + 4);
	ret->kind = info >> 24 & 0x1f;
	ret->kflag = info >> 31;
	ret->count = info & 0xffff;
	ret->name = b->strings + u32_at(p);
	if (ret->kind == GB_BTF_ARRAY) {
		ret->ref = u32_at(p + 12);
		ret->elements = u32_at(p + 20);
	} else if (has_ref(ret->kind)) {
		ret->ref = u32_at(p + 8);
	} else {
		ret->size = u32_at(p + 8);
	}
}

static uint32_t narrow(const char **name, uint32_t kinds)
{
	static const struct {
		const char *word;
		uint32_t kinds;
	} words[] = {
		{"struct ", 1 << GB_BTF_STRUCT},
		{"union ", 1 << GB_BTF_UNION},
		{"enum ", 1 << GB_BTF_ENUM | 1 << GB_BTF_ENUM64},
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t n = strlen(words[i].word);

		if (strncmp(*name, words[i].word, n) == 0) {
			*name += n;
			return kinds & words[i].kinds;
		}
	}
	return kinds;
}

int gb_btf_find(const struct gb_btf *b, const char *name, uint32_t kinds, uint32_t *ret)
{
	uint32_t slot;

	kinds = narrow(&name, kinds);
	for (slot = name_slot(b, name); b->names[slot]; slot = (slot + 1) & b->names_mask) {
		uint32_t id = b->names[slot];
		const uint8_t *p = b->types + b->offsets[id];

		if (kinds >> (u32_at(p + 4) >> 24 & 0x1f) & 1 &&
		    strcmp(b->strings + u32_at(p), name) == 0) {
			*ret = id;
			return 0;
		}
	}
	return GB_ENOTFOUND;
}

#define MODIFIERS \
	(1 << GB_BTF_TYPEDEF | 1 << GB_BTF_VOLATILE | 1 << GB_BTF_CONST | 1 << GB_BTF_RESTRICT | \
	 1 << GB_BTF_TYPE_TAG)

uint32_t gb_btf_resolve(const struct gb_btf *b, uint32_t id)
{
	struct gb_btf_type t;

	for (int budget = 32; budget > 0; budget--) {
		gb_btf_get(b, id, &t);
		if (!(MODIFIERS >> t.kind & 1))
			return id;
		id = t.ref;
	}
	return 0;
}

uint64_t gb_btf_size(const struct gb_btf *b, uint32_t id)
{
	uint64_t times = 1;

	for (int budget = 16; budget > 0; budget--) {
		struct gb_btf_type t;

		gb_btf_get(b, gb_btf_resolve(b, id), &t);
		switch (t.kind) {
		case GB_BTF_PTR:
			return times * 8;
		case GB_BTF_ARRAY:
			if (__builtin_mul_overflow(times, (uint64_t)t.elements, &times) ||
			    times > UINT32_MAX)
				return 0;
			id = t.ref;
			break;
		case GB_BTF_INT:
		case GB_BTF_STRUCT:
		case GB_BTF_UNION:
		case GB_BTF_ENUM:
		case GB_BTF_ENUM64:
		case GB_BTF_FLOAT:
			return times * t.size;
		default:
			return 0;
		}
	}
	return 0;
}

// Without its size, which takes longer than all the rest.
static void member_at(const struct gb_btf *b, const struct gb_btf_type *t, uint32_t i,
		      struct gb_btf_member *ret)
{
	const uint8_t *p = b->types + b->offsets[t->id] + 12 + 12 * i;
	uint32_t offset = u32_at(p + 8);

	gb_assert(i < t->count && (t->kind == GB_BTF_STRUCT || t->kind == GB_BTF_UNION));
	ret->name = b->strings + u32_at(p);
	ret->type = u32_at(p + 4);
	ret->bits = t->kflag ? offset >> 24 : 0;
	ret->bit_offset = t->kflag ? offset & 0xffffff : offset;
	ret->size = 0;
}

void gb_btf_member_at(const struct gb_btf *b, const struct gb_btf_type *t, uint32_t i,
		      struct gb_btf_member *ret)
{
	member_at(b, t, i, ret);
	ret->size = gb_btf_size(b, ret->type);
}

void gb_btf_enumerator_at(const struct gb_btf *b, const struct gb_btf_type *t, uint32_t i,
			  const char **name_ret, int64_t *value_ret)
{
	uint32_t stride = t->kind == GB_BTF_ENUM64 ? 12 : 8;
	const uint8_t *p = b->types + b->offsets[t->id] + 12 + stride * i;
	uint32_t low = u32_at(p + 4);

	gb_assert(i < t->count && (t->kind == GB_BTF_ENUM || t->kind == GB_BTF_ENUM64));
	*name_ret = b->strings + u32_at(p);
	if (t->kind == GB_BTF_ENUM64)
		*value_ret = (int64_t)((uint64_t)u32_at(p + 8) << 32 | low);
	else
		*value_ret = t->kflag ? (int64_t)(int32_t)low : (int64_t)low;
}

void gb_btf_param_at(const struct gb_btf *b, const struct gb_btf_type *t, uint32_t i,
		     const char **name_ret, uint32_t *type_ret)
{
	const uint8_t *p = b->types + b->offsets[t->id] + 12 + 8 * i;

	gb_assert(i < t->count && t->kind == GB_BTF_FUNC_PROTO);
	*name_ret = b->strings + u32_at(p);
	*type_ret = u32_at(p + 4);
}

struct search {
	const struct gb_btf *btf;
	const char *name;
	size_t len;
	int steps; // members that may still be looked at
};

static int find_member(struct search *s, uint32_t id, int depth, struct gb_btf_member *ret)
{
	struct gb_btf_member m;
	struct gb_btf_type t;

	gb_btf_get(s->btf, gb_btf_resolve(s->btf, id), &t);
	if (depth > 16 || (t.kind != GB_BTF_STRUCT && t.kind != GB_BTF_UNION))
		return GB_ENOTFOUND;
	for (uint32_t i = 0; i < t.count && s->steps-- > 0; i++) {
		member_at(s->btf, &t, i, &m);
		if (*m.name) {
			if (strncmp(m.name, s->name, s->len) != 0 || m.name[s->len])
				continue;
			m.size = gb_btf_size(s->btf, m.type);
			*ret = m;
			return 0;
		}
		if (find_member(s, m.type, depth + 1, ret) == 0) {
			ret->bit_offset += m.bit_offset;
			return 0;
		}
	}
	return GB_ENOTFOUND;
}

int gb_btf_member(const struct gb_btf *b, uint32_t id, const char *path, struct gb_btf_member *ret)
{
	struct gb_btf_member m = {.type = id};
	uint64_t offset = 0;

	while (*path) {
		size_t len = strcspn(path, ".");
		struct search s = {.btf = b, .name = path, .len = len, .steps = 20000};
		int r = find_member(&s, m.type, 0, &m);

		if (r != 0)
			return r;
		offset += m.bit_offset;
		path += len + (path[len] == '.');
	}
	m.bit_offset = offset;
	*ret = m;
	return 0;
}

static int value_in(const struct gb_btf *b, uint32_t id, const char *name, int64_t *ret)
{
	struct gb_btf_type t;
	const char *n;
	int64_t v;

	gb_btf_get(b, id, &t);
	if (t.kind != GB_BTF_ENUM && t.kind != GB_BTF_ENUM64)
		return GB_ENOTFOUND;
	for (uint32_t i = 0; i < t.count; i++) {
		gb_btf_enumerator_at(b, &t, i, &n, &v);
		if (strcmp(n, name) == 0) {
			*ret = v;
			return 0;
		}
	}
	return GB_ENOTFOUND;
}

int gb_btf_enum_value(const struct gb_btf *b, const char *enum_name, const char *name, int64_t *ret)
{
	uint32_t id;

	if (enum_name) {
		if (gb_btf_find(b, enum_name, 1 << GB_BTF_ENUM | 1 << GB_BTF_ENUM64, &id) != 0)
			return GB_ENOTFOUND;
		return value_in(b, id, name, ret);
	}
	for (id = 1; id < b->count; id++)
		if (value_in(b, id, name, ret) == 0)
			return 0;
	return GB_ENOTFOUND;
}
