// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// BTF: the kernel's own description of its types, as it lies in its read-only data.
//
// gb_btf_parse() validates a whole blob once: all sections, names, references and kinds. After that
// look-ups need no further checks; only walks along references carry a budget, because references
// may form a cycle. A type is an id, 0 is void. Offsets and sizes are in bits where the name says
// so, else in bytes.
#pragma once

#include "base/buf.h"
#include "base/error.h"

#include <stddef.h>

enum gb_btf_kind {
	GB_BTF_VOID = 0,
	GB_BTF_INT = 1,
	GB_BTF_PTR = 2,
	GB_BTF_ARRAY = 3,
	GB_BTF_STRUCT = 4,
	GB_BTF_UNION = 5,
	GB_BTF_ENUM = 6,
	GB_BTF_FWD = 7,
	GB_BTF_TYPEDEF = 8,
	GB_BTF_VOLATILE = 9,
	GB_BTF_CONST = 10,
	GB_BTF_RESTRICT = 11,
	GB_BTF_FUNC = 12,
	GB_BTF_FUNC_PROTO = 13,
	GB_BTF_VAR = 14,
	GB_BTF_DATASEC = 15,
	GB_BTF_FLOAT = 16,
	GB_BTF_DECL_TAG = 17,
	GB_BTF_TYPE_TAG = 18,
	GB_BTF_ENUM64 = 19,
	GB_BTF_KIND_COUNT
};

struct gb_btf;

// One type as it stands in the blob.
struct gb_btf_type {
	uint32_t id;
	enum gb_btf_kind kind;
	bool kflag;     // bitfield sizes in members, signed enum, union forward
	uint32_t count; // members, enumerators, parameters
	uint32_t size;  // bytes: int, struct, union, enum, float, datasec
	uint32_t ref; // what it refers to: pointer, array (elements), modifiers, typedef, func, var
	uint32_t elements; // array
	const char *name;  // "" without a name; lives as long as the blob
};

struct gb_btf_member {
	const char *name; // "" for an anonymous struct or union
	uint32_t type;
	uint64_t bit_offset; // from the start of the struct that was asked for
	uint32_t bits;       // of a bitfield; 0: whole bytes
	uint64_t size;       // bytes of its type (0: incomplete or void)
};

// How long a blob is that starts with these bytes (24 of them), or 0 when it is no BTF header.
size_t gb_btf_blob_size(const uint8_t header[24]);

// Takes data over (malloc), also on failure. GB_EFORMAT says what is wrong and where.
int gb_btf_parse(uint8_t *data, size_t size, struct gb_btf **ret, struct gb_error *err);
void gb_btf_destroy(struct gb_btf *b);  // accepts NULL
void gb_btf_cleanup(struct gb_btf **b); // for GB_CLEANUP

size_t gb_btf_count(const struct gb_btf *b); // ids are 0..count-1
// Made of the same bytes.
bool gb_btf_same(const struct gb_btf *a, const struct gb_btf *b);
void gb_btf_get(const struct gb_btf *b, uint32_t id, struct gb_btf_type *ret);
// The first type with this name whose kind is in kinds (a mask of 1 << kind). GB_ENOTFOUND.
// "struct task_struct", "union ...", "enum ..." narrow the mask themselves.
int gb_btf_find(const struct gb_btf *b, const char *name, uint32_t kinds, uint32_t *ret);
// Through typedefs, const, volatile, restrict and type tags to what it is; 0 when they go in
// circles.
uint32_t gb_btf_resolve(const struct gb_btf *b, uint32_t id);
// Bytes a value takes; 0 for void, functions and incomplete types.
uint64_t gb_btf_size(const struct gb_btf *b, uint32_t id);

// Member i of a struct or union, i < count; enumerator i of an enum; parameter i of a prototype.
void gb_btf_member_at(const struct gb_btf *b, const struct gb_btf_type *t, uint32_t i,
		      struct gb_btf_member *ret);
void gb_btf_enumerator_at(const struct gb_btf *b, const struct gb_btf_type *t, uint32_t i,
			  const char **name_ret, int64_t *value_ret);
void gb_btf_param_at(const struct gb_btf *b, const struct gb_btf_type *t, uint32_t i,
		     const char **name_ret, uint32_t *type_ret);
// A member by path ("signal", "f_path.dentry"), through anonymous structs and unions. GB_ENOTFOUND.
int gb_btf_member(const struct gb_btf *b, uint32_t id, const char *path, struct gb_btf_member *ret);
// An enumerator's value. enum_name NULL: of any enum. GB_ENOTFOUND.
int gb_btf_enum_value(const struct gb_btf *b, const char *enum_name, const char *name,
		      int64_t *ret);

// The declaration of a name with this type as C writes it: "struct list_head *next[4]".
void gb_btf_declare(const struct gb_btf *b, uint32_t id, const char *name, struct gb_buf *out);
// The definition as C, a comment with offset and size behind each member. Ends with a newline.
void gb_btf_print(const struct gb_btf *b, uint32_t id, struct gb_buf *out);
