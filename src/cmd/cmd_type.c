// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// glassbox type
#include "cmd/commands.h"
#include "cmd/target.h"

#include "base/cleanup.h"
#include "kernel/types.h"

#include <inttypes.h>
#include <string.h>

static const char *const kind_names[] = {
	"void",     "int",     "pointer",  "array", "struct",   "union",    "enum",
	"forward",  "typedef", "volatile", "const", "restrict", "function", "prototype",
	"variable", "section", "float",    "tag",   "tag",      "enum",
};

static void member_json(const struct gb_btf *b, const struct gb_btf_member *m, struct gb_json *j)
{
	GB_CLEANUP(gb_buf_deinit) struct gb_buf c = {};

	gb_btf_declare(b, m->type, "", &c);
	gb_json_object(j);
	gb_json_pair(j, "name", str, m->name);
	gb_json_pair(j, "type", str, c.data ? c.data : "");
	gb_json_pair(j, "offset", u64, m->bit_offset / 8);
	gb_json_pair(j, "size", u64, m->size);
	if (m->bits) {
		gb_json_pair(j, "bit_offset", u64, m->bit_offset % 8);
		gb_json_pair(j, "bits", u64, m->bits);
	}
	gb_json_end_object(j);
}

static void members_json(const struct gb_btf *b, const struct gb_btf_type *t, struct gb_json *j)
{
	gb_json_key(j, "members");
	gb_json_array(j);
	for (uint32_t i = 0; i < t->count; i++) {
		struct gb_btf_member m;

		gb_btf_member_at(b, t, i, &m);
		member_json(b, &m, j);
	}
	gb_json_end_array(j);
}

static void enumerators_json(const struct gb_btf *b, const struct gb_btf_type *t, struct gb_json *j)
{
	gb_json_key(j, "values");
	gb_json_array(j);
	for (uint32_t i = 0; i < t->count; i++) {
		const char *name;
		int64_t value;

		gb_btf_enumerator_at(b, t, i, &name, &value);
		gb_json_object(j);
		gb_json_pair(j, "name", str, name);
		gb_json_pair(j, "value", i64, value);
		gb_json_end_object(j);
	}
	gb_json_end_array(j);
}

static int print_json(const struct gb_target *t, bool torn, uint32_t id, const struct gb_buf *text,
		      struct gb_error *err)
{
	const struct gb_btf *b = gb_kernel_types(t->kernel);
	struct gb_btf_type type;
	struct gb_answer a;

	gb_btf_get(b, id, &type);
	gb_answer_begin(&a, "type", t->name);
	gb_target_stamp(t, torn, &a.json);
	gb_json_pair(&a.json, "name", str, type.name);
	gb_json_pair(&a.json, "kind", str, kind_names[type.kind]);
	gb_json_pair(&a.json, "size", u64, gb_btf_size(b, id));
	if (type.kind == GB_BTF_STRUCT || type.kind == GB_BTF_UNION)
		members_json(b, &type, &a.json);
	if (type.kind == GB_BTF_ENUM || type.kind == GB_BTF_ENUM64)
		enumerators_json(b, &type, &a.json);
	gb_json_pair(&a.json, "c", str, text->data ? text->data : "");
	return gb_answer_end(&a, err);
}

// The text has newlines and tabs of ours; the names in it are the guest's. Line by line, then.
static int print_text(const struct gb_buf *text, struct gb_error *err)
{
	const char *p = text->data ? text->data : "";

	while (*p) {
		if (*p == '\n' || *p == '\t') {
			putchar(*p++);
		} else {
			size_t len = strcspn(p, "\n\t");
			GB_CLEANUP(gb_cleanup_free) char *word = strndup(p, len);

			gb_print_text(stdout, word ? word : "", 0);
			p += len;
		}
	}
	return gb_flush_stdout(err);
}

static int run(struct gb_args *args, struct gb_error *err)
{
	GB_CLEANUP(gb_target_close) struct gb_target t = {};
	GB_CLEANUP(gb_buf_deinit) struct gb_buf text = {};
	// what people mean by a name first: types, then what merely has one
	const uint32_t kinds[] = {
		1 << GB_BTF_STRUCT | 1 << GB_BTF_UNION | 1 << GB_BTF_ENUM | 1 << GB_BTF_ENUM64,
		1 << GB_BTF_TYPEDEF | 1 << GB_BTF_INT | 1 << GB_BTF_FLOAT,
		1 << GB_BTF_FUNC | 1 << GB_BTF_VAR,
		1 << GB_BTF_FWD,
	};
	uint32_t id = 0;
	bool torn = false;
	int r = gb_target_open(args, true, &t, err);

	if (r == 0)
		r = gb_target_verify(&t, &torn, err);
	if (r != 0)
		return r;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && id == 0; i++)
		gb_btf_find(gb_kernel_types(t.kernel), args->positional[1], kinds[i], &id);
	if (id == 0)
		return gb_fail(err, GB_ENOTFOUND, "the kernel has no type '%s'",
			       args->positional[1]);
	gb_btf_print(gb_kernel_types(t.kernel), id, &text);
	if (gb_buf_failed(&text))
		return gb_fail(err, GB_ENOMEM, "no memory for the type");
	r = args->json ? print_json(&t, torn, id, &text, err) : print_text(&text, err);
	return r ? r : gb_target_end(args, &t, torn, GB_TARGET_KERNEL_TORN, err);
}

const struct gb_command gb_cmd_type = {
	.name = "type",
	.usage = "T NAME",
	.summary = "print a type of the kernel as C, with offsets and sizes",
	.detail =
		"Behind each member stand its offset and size in bytes; behind a bitfield its byte "
		"and bit.",
	.example = "glassbox type debian task_struct\nglassbox type ram.img 'enum pageflags'",
	.options = gb_target_options,
	.min_args = 2,
	.max_args = 2,
	.run = run,
};
