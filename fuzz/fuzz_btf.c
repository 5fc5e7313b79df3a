// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Fuzz target: BTF blobs. What parses must answer every question without end or harm.
#include "base/cleanup.h"
#include "fuzz/fuzz.h"
#include "kernel/btf.h"
#include "kernel/test_guest.h"

#include <stdlib.h>
#include <string.h>

static void ask(const struct gb_btf *b, uint32_t id)
{
	GB_CLEANUP(gb_buf_deinit) struct gb_buf text = {};
	struct gb_btf_member m;
	struct gb_btf_type t;
	uint32_t found;

	gb_btf_get(b, id, &t);
	gb_btf_size(b, id);
	// ("struct x" as a name would narrow the search)
	if (id && *t.name && !strchr(t.name, ' ') && strlen(t.name) < 200 &&
	    gb_btf_find(b, t.name, 1u << t.kind, &found) != 0)
		__builtin_trap(); // what is there is found
	for (uint32_t i = 0; (t.kind == GB_BTF_STRUCT || t.kind == GB_BTF_UNION) && i < t.count;
	     i++) {
		gb_btf_member_at(b, &t, i, &m);
		if (*m.name && !strchr(m.name, '.') && i < 8 &&
		    gb_btf_member(b, id, m.name, &m) != 0)
			__builtin_trap();
	}
	gb_btf_print(b, id, &text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	GB_CLEANUP(gb_btf_cleanup) struct gb_btf *b = NULL;
	uint8_t *copy = malloc(size + 1);
	int64_t v;

	if (!copy)
		return 0;
	memcpy(copy, data, size);
	if (gb_btf_parse(copy, size, &b, NULL) != 0)
		return 0;
	for (uint32_t id = 0; id < gb_btf_count(b) && id < 64; id++)
		ask(b, id);
	gb_btf_enum_value(b, NULL, "x", &v);
	return 0;
}

size_t fuzz_seed(unsigned n, uint8_t *buf, size_t cap)
{
	GB_CLEANUP(gb_buf_deinit) struct gb_buf out = {};
	static const char *const names[] = {"A", "B"};
	static const int32_t values[] = {1, -1};
	struct test_btf b = {};
	size_t len;

	if (n >= 16)
		return 0;
	test_btf_int(&b, "int", 4);
	for (unsigned i = 0; i < n; i++) {
		const struct test_member members[] = {{"m", b.count, 0}, {NULL, b.count / 2, 64}};

		test_btf_struct(&b, i % 2 ? "s" : NULL, 16, members, 2);
		test_btf_array(&b, b.count, 1 + i);
		test_btf_type(&b, "t", GB_BTF_TYPEDEF + n % 4, 0, b.count);
		test_btf_type(&b, NULL, GB_BTF_PTR, 0, b.count);
	}
	test_btf_enum(&b, "e", names, values, 2);
	test_btf_finish(&b, &out);
	test_btf_deinit(&b);
	len = out.len < cap ? out.len : 0;
	memcpy(buf, out.data, len);
	return len;
}
