// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// glassbox sym
#include "cmd/commands.h"
#include "cmd/target.h"

#include "base/cleanup.h"
#include "kernel/memory.h"
#include "kernel/symbols.h"
#include "kernel/types.h"

#include <inttypes.h>
#include <string.h>

struct found {
	struct gb_symbol symbol;
	uint64_t offset;
};

// Bytes up to the next symbol that has another address, or 0 at the end of the table.
static uint64_t size_of(const struct gb_kernel *k, const struct gb_symbol *s)
{
	struct gb_symbol next;

	for (size_t i = s->index + 1; i < gb_kernel_info(k)->symbols; i++) {
		gb_symbol_at(k, i, &next);
		if (next.address.v != s->address.v)
			return next.address.v - s->address.v;
	}
	return 0;
}

static void print_line(const struct gb_kernel *k, const struct found *f)
{
	GB_CLEANUP(gb_buf_deinit) struct gb_buf c = {};
	const uint32_t kinds = 1 << GB_BTF_FUNC | 1 << GB_BTF_VAR;
	uint32_t id;

	printf("%016" PRIx64 " %c ", f->symbol.address.v, f->symbol.type);
	gb_print_text(stdout, f->symbol.name, 0);
	if (f->offset)
		printf("+0x%" PRIx64, f->offset);
	printf("/0x%" PRIx64, size_of(k, &f->symbol));
	if (gb_btf_find(gb_kernel_types(k), f->symbol.name, kinds, &id) == 0) {
		struct gb_btf_type t;

		gb_btf_get(gb_kernel_types(k), id, &t);
		gb_btf_declare(gb_kernel_types(k), t.ref, t.name, &c);
		fputs("  ", stdout);
		gb_print_text(stdout, c.data ? c.data : "", 0);
	}
	putchar('\n');
}

static void print_json(const struct gb_kernel *k, const struct found *f, struct gb_json *j)
{
	char type[2] = {f->symbol.type};
	gb_gpa gpa;

	gb_json_object(j);
	gb_json_pair(j, "name", str, f->symbol.name);
	gb_json_pair(j, "address", hex, f->symbol.address.v);
	gb_json_pair(j, "type", str, type);
	gb_json_pair(j, "offset", u64, f->offset);
	gb_json_pair(j, "size", u64, size_of(k, &f->symbol));
	if (gb_kernel_translate(k, (gb_gva){f->symbol.address.v + f->offset}, &gpa, NULL) == 0)
		gb_json_pair(j, "gpa", hex, gpa.v);
	gb_json_end_object(j);
}

struct output {
	const struct gb_target *t;
	struct gb_answer a;
	bool json;
};

static void print(struct output *o, const struct found *f)
{
	if (o->json)
		print_json(o->t->kernel, f, &o->a.json);
	else
		print_line(o->t->kernel, f);
}

static int by_address(struct output *o, const char *text, struct gb_error *err)
{
	struct found f = {};
	uint64_t address;
	int r = gb_parse_number(text, 0, UINT64_MAX, &address, err);

	if (r != 0)
		return r;
	if (gb_symbol_nearest(o->t->kernel, (gb_gva){address}, &f.symbol, &f.offset) != 0)
		return gb_fail_at(err, GB_ENOTFOUND, address,
				  "no symbol: the address is not in the kernel's image");
	print(o, &f);
	return 0;
}

static int by_name(struct output *o, const char *name, struct gb_error *err)
{
	struct found f = {};
	size_t after = SIZE_MAX, n = 0;

	while (gb_symbol_find(o->t->kernel, name, after, &f.symbol) == 0) {
		print(o, &f);
		after = f.symbol.index;
		n++;
	}
	if (!n)
		return gb_fail(err, GB_ENOTFOUND, "the kernel has no symbol '%s'", name);
	return 0;
}

static int run(struct gb_args *args, struct gb_error *err)
{
	GB_CLEANUP(gb_target_close) struct gb_target t = {};
	const char *what = args->positional[1];
	struct output o = {.t = &t, .json = args->json};
	bool torn = false;
	int r = gb_target_open(args, true, &t, err);

	if (r == 0)
		r = gb_target_verify(&t, &torn, err);
	if (r != 0)
		return r;
	if (o.json) {
		gb_answer_begin(&o.a, "sym", t.name);
		gb_target_stamp(&t, torn, &o.a.json);
		gb_json_key(&o.a.json, "symbols");
		gb_json_array(&o.a.json);
	}
	r = *what >= '0' && *what <= '9' ? by_address(&o, what, err) : by_name(&o, what, err);
	if (r != 0) {
		if (o.json)
			gb_buf_deinit(&o.a.text);
		return r;
	}
	if (o.json)
		gb_json_end_array(&o.a.json);
	r = o.json ? gb_answer_end(&o.a, err) : gb_flush_stdout(err);
	return r ? r : gb_target_end(args, &t, torn, GB_TARGET_KERNEL_TORN, err);
}

const struct gb_command gb_cmd_sym = {
	.name = "sym",
	.usage = "T NAME|ADDR",
	.summary = "look up a symbol of the kernel by name or address",
	.detail =
		"By name: every symbol that has it. By address: the symbol it lies in. Prints address, "
		"type, name+offset/size, and the declaration where the kernel's types have one.",
	.example = "glassbox sym debian init_task\nglassbox sym debian 0xffffffff81000123",
	.options = gb_target_options,
	.min_args = 2,
	.max_args = 2,
	.run = run,
};
