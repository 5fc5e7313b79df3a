// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Tests of BTF: parse, look up, print; damaged blobs are refused.
#include "base/cleanup.h"
#include "base/clock.h"
#include "kernel/btf.h"
#include "kernel/test_guest.h"
#include "tests/tap.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

// struct outer { int a; struct { char *text; int bits:3; }; struct list { struct list *next; }
// list[2]; void (*fn)(int n, ...); }
static void build(struct gb_buf *out)
{
	struct test_btf b = {};
	const char *const names[] = {"RED", "BLUE"};
	const int32_t values[] = {1, -2};
	uint32_t i = test_btf_int(&b, "int", 4), c = test_btf_int(&b, "char", 1);
	uint32_t constant = test_btf_type(&b, NULL, GB_BTF_CONST, 0, c);
	uint32_t text = test_btf_type(&b, NULL, GB_BTF_PTR, 0, constant);
	uint32_t list_pointer = test_btf_type(&b, NULL, GB_BTF_PTR, 0, 6);
	const struct test_member next = {"next", list_pointer, 0};
	uint32_t list = test_btf_struct(&b, "list", 8, &next, 1);
	uint32_t lists = test_btf_array(&b, list, 2);
	const struct test_member inner[] = {{"text", text, 0}, {"count", i, 64}};
	uint32_t anonymous = test_btf_struct(&b, NULL, 16, inner, 2);
	uint32_t proto = test_btf_type(&b, NULL, GB_BTF_FUNC_PROTO, 2, 0);
	uint32_t fn;

	test_btf_u32(&b, test_btf_string(&b, "n"));
	test_btf_u32(&b, i);
	test_btf_u32(&b, 0); // ...
	test_btf_u32(&b, 0);
	fn = test_btf_type(&b, NULL, GB_BTF_PTR, 0, proto);
	const struct test_member outer[] = {{"a", i, 0},
					    {NULL, anonymous, 64},
					    {"list", lists, 192},
					    {"fn", fn, 320}};

	gb_assert(list == 6);
	test_btf_struct(&b, "outer", 48, outer, 4);
	test_btf_enum(&b, "colour", names, values, 2);
	test_btf_type(&b, "outer_t", GB_BTF_TYPEDEF, 0, b.count - 1);
	test_btf_finish(&b, out);
	test_btf_deinit(&b);
}

static int parse(const struct gb_buf *blob, struct gb_btf **ret, struct gb_error *err)
{
	uint8_t *copy = malloc(blob->len);

	memcpy(copy, blob->data, blob->len);
	return gb_btf_parse(copy, blob->len, ret, err);
}

static void finds_types_and_members(void)
{
	GB_CLEANUP(gb_buf_deinit) struct gb_buf blob = {};
	GB_CLEANUP(gb_btf_cleanup) struct gb_btf *b = NULL;
	struct gb_error err = {};
	struct gb_btf_member m;
	uint32_t id = 0, same = 0;
	int64_t v = 0;

	build(&blob);
	REQUIRE_OK(parse(&blob, &b, &err), err);
	CHECK_EQ(gb_btf_find(b, "struct outer", ~0u, &id), 0);
	CHECK_EQ(gb_btf_find(b, "union outer", ~0u, &same), GB_ENOTFOUND);
	CHECK_EQ(gb_btf_find(b, "outer_t", 1 << GB_BTF_TYPEDEF, &same), 0);
	CHECK_EQ(gb_btf_resolve(b, same), id);
	CHECK_EQ(gb_btf_size(b, id), 48);
	CHECK_EQ(gb_btf_member(b, id, "count", &m), 0); // through the anonymous struct
	CHECK_EQ(m.bit_offset, 128);
	CHECK_EQ(m.size, 4);
	CHECK_EQ(gb_btf_member(b, id, "list", &m), 0);
	CHECK_EQ(m.size, 16);
	CHECK_EQ(gb_btf_member(b, id, "nothing", &m), GB_ENOTFOUND);
	CHECK_EQ(gb_btf_member(b, id, "a.b", &m), GB_ENOTFOUND);
	CHECK_EQ(gb_btf_enum_value(b, "colour", "RED", &v), 0);
	CHECK_EQ(v, 1);
	CHECK_EQ(gb_btf_enum_value(b, NULL, "GREEN", &v), GB_ENOTFOUND);
}

static void prints_c(void)
{
	GB_CLEANUP(gb_buf_deinit) struct gb_buf blob = {}, text = {};
	GB_CLEANUP(gb_btf_cleanup) struct gb_btf *b = NULL;
	struct gb_error err = {};
	uint32_t id = 0;

	build(&blob);
	REQUIRE_OK(parse(&blob, &b, &err), err);
	gb_btf_find(b, "outer", 1 << GB_BTF_STRUCT, &id);
	gb_btf_print(b, id, &text);
	CHECK_STR(text.data, "struct outer {\n"
			     "\tint a; // 0, 4\n"
			     "\tstruct {\n"
			     "\t\tconst char *text; // 8, 8\n"
			     "\t\tint count; // 16, 4\n"
			     "\t}; // 8, 16\n"
			     "\tstruct list list[2]; // 24, 16\n"
			     "\tvoid (*fn)(int n, ...); // 40, 8\n"
			     "}; // size 48\n");
}

// Every blob that is cut short is refused; every one with a byte changed is refused, or answers.
static void mutants_do_no_harm(void)
{
	GB_CLEANUP(gb_buf_deinit) struct gb_buf blob = {};
	size_t refused = 0;

	build(&blob);
	for (size_t len = 0; len < blob.len; len++) {
		struct gb_buf cut = {.data = blob.data, .len = len};
		struct gb_btf *b = NULL;
		struct gb_error err = {};

		CHECK_EQ(parse(&cut, &b, &err), GB_EFORMAT);
	}
	for (size_t at = 0; at < blob.len; at++) {
		GB_CLEANUP(gb_buf_deinit) struct gb_buf text = {};
		GB_CLEANUP(gb_btf_cleanup) struct gb_btf *b = NULL;
		struct gb_error err = {};

		blob.data[at] ^= 0x55;
		if (parse(&blob, &b, &err) != 0)
			refused++;
		for (uint32_t id = 0; b && id < gb_btf_count(b); id++)
			gb_btf_print(b, id, &text);
		blob.data[at] ^= 0x55;
	}
	CHECK(refused > 24);
}

static void types_that_contain_themselves_end(void)
{
	GB_CLEANUP(gb_buf_deinit) struct gb_buf blob = {}, text = {};
	GB_CLEANUP(gb_btf_cleanup) struct gb_btf *b = NULL;
	const struct test_member members[] = {{NULL, 1, 0}, {NULL, 1, 0}, {NULL, 1, 0},
					      {NULL, 1, 0}, {NULL, 1, 0}, {NULL, 2, 0}};
	struct test_btf w = {};
	struct gb_error err = {};
	struct gb_btf_member m;

	test_btf_struct(&w, NULL, 8, members, 6);
	test_btf_type(&w, "loop", GB_BTF_TYPEDEF, 0, 2);
	test_btf_finish(&w, &blob);
	test_btf_deinit(&w);
	REQUIRE_OK(parse(&blob, &b, &err), err);
	CHECK_EQ(gb_btf_member(b, 1, "x", &m), GB_ENOTFOUND);
	CHECK_EQ(gb_btf_resolve(b, 2), 0);
	gb_btf_print(b, 1, &text);
	CHECK(text.len < (8u << 20));
}

static void end(struct test_btf *w, struct gb_btf **ret)
{
	GB_CLEANUP(gb_buf_deinit) struct gb_buf blob = {};
	struct gb_error err = {};

	test_btf_finish(w, &blob);
	test_btf_deinit(w);
	CHECK_OK(parse(&blob, ret, &err), err);
}

// One type of each kind that refers to another, and the other is itself.
static void types_that_are_themselves_end(void)
{
	static const unsigned kinds[] = {GB_BTF_PTR,   GB_BTF_TYPEDEF,  GB_BTF_VOLATILE,
					 GB_BTF_CONST, GB_BTF_RESTRICT, GB_BTF_TYPE_TAG,
					 GB_BTF_FUNC,  GB_BTF_ARRAY};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		GB_CLEANUP(gb_buf_deinit) struct gb_buf text = {};
		GB_CLEANUP(gb_btf_cleanup) struct gb_btf *b = NULL;
		struct test_btf w = {};
		struct gb_btf_member m;

		if (kinds[i] == GB_BTF_ARRAY)
			test_btf_array(&w, 1, 1);
		else
			test_btf_type(&w, "self", kinds[i], 0, 1);
		end(&w, &b);
		REQUIRE(b);
		CHECK_EQ(gb_btf_size(b, 1), kinds[i] == GB_BTF_PTR ? 8 : 0);
		CHECK_EQ(gb_btf_member(b, 1, "x.y", &m), GB_ENOTFOUND);
		gb_btf_print(b, 1, &text);
		CHECK(text.len < 4096);
	}
}

// A function that takes and returns pointers to itself: what is printed is cut, and so is the work.
static void functions_that_take_themselves_end(void)
{
	GB_CLEANUP(gb_buf_deinit) struct gb_buf text = {};
	GB_CLEANUP(gb_btf_cleanup) struct gb_btf *b = NULL;
	const struct test_member member = {"fn", 1, 0};
	uint64_t start = gb_clock_ns();
	struct test_btf w = {};

	test_btf_type(&w, NULL, GB_BTF_FUNC_PROTO, 2000, 1);
	for (int i = 0; i < 2000; i++) {
		test_btf_u32(&w, 0);
		test_btf_u32(&w, 1);
	}
	test_btf_struct(&w, "taker", 8, &member, 1);
	end(&w, &b);
	REQUIRE(b);
	gb_btf_print(b, 2, &text);
	CHECK(text.len < 1u << 20);
	CHECK(gb_clock_ns() - start < 10 * GB_SECOND);
}

// Members by the ten thousand, each of which costs much to measure: none of them is the one.
static void members_are_looked_for_by_name(void)
{
	enum { MEMBERS = 60000, ARRAYS = 15 };
	GB_CLEANUP(gb_btf_cleanup) struct gb_btf *b = NULL;
	struct test_member *members = calloc(MEMBERS, sizeof(*members));
	uint64_t start = gb_clock_ns();
	struct test_btf w = {};
	struct gb_btf_member m;
	uint32_t type = test_btf_int(&w, "char", 1);

	REQUIRE(members);
	for (int i = 0; i < ARRAYS; i++) {
		for (int j = 0; j < 30; j++)
			type = test_btf_type(&w, NULL, GB_BTF_CONST, 0, type);
		type = test_btf_array(&w, type, 1);
	}
	for (int i = 0; i < MEMBERS; i++)
		members[i] = (struct test_member){"m", type, 0};
	type = test_btf_struct(&w, "wide", 8, members, MEMBERS);
	free(members);
	end(&w, &b);
	REQUIRE(b);
	for (int i = 0; i < 200; i++) // as many as a kernel is asked for
		CHECK_EQ(gb_btf_member(b, type, "none", &m), GB_ENOTFOUND);
	CHECK(gb_clock_ns() - start < 2 * GB_SECOND);
}

// All of one name: the hash does not help, and what it may cost has an end.
static void names_all_alike_are_refused(void)
{
	GB_CLEANUP(gb_buf_deinit) struct gb_buf blob = {};
	GB_CLEANUP(gb_btf_cleanup) struct gb_btf *b = NULL;
	struct test_btf w = {};
	struct gb_error err = {};
	uint32_t name = test_btf_string(&w, "same");

	for (uint32_t i = 0; i < 300000; i++) {
		test_btf_u32(&w, name);
		test_btf_u32(&w, (uint32_t)GB_BTF_FLOAT << 24);
		test_btf_u32(&w, 4);
		w.count++;
	}
	test_btf_finish(&w, &blob);
	test_btf_deinit(&w);
	CHECK_EQ(parse(&blob, &b, &err), GB_EFORMAT);
	CHECK(strstr(err.message, "share a name") != NULL);
}

// A record that says it has more members, enumerators or parameters than there are bytes.
static void counts_beyond_the_end_are_refused(void)
{
	static const unsigned kinds[] = {GB_BTF_STRUCT, GB_BTF_UNION,      GB_BTF_ENUM,
					 GB_BTF_ENUM64, GB_BTF_FUNC_PROTO, GB_BTF_DATASEC};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		GB_CLEANUP(gb_buf_deinit) struct gb_buf blob = {};
		struct gb_btf *b = NULL;
		struct test_btf w = {};
		struct gb_error err = {};

		test_btf_type(&w, "lies", kinds[i], 0xffff, 8);
		for (int j = 0; j < 30; j++)
			test_btf_u32(&w, 0);
		test_btf_finish(&w, &blob);
		test_btf_deinit(&w);
		CHECK_EQ(parse(&blob, &b, &err), GB_EFORMAT);
		CHECK(strstr(err.message, "ends inside") != NULL);
	}
}

// An id of our own that is none is our fault, and found before anything is read with it.
static void an_id_that_is_none_is_a_fault(void)
{
	GB_CLEANUP(gb_buf_deinit) struct gb_buf blob = {};
	GB_CLEANUP(gb_btf_cleanup) struct gb_btf *b = NULL;
	struct gb_btf_type t;
	struct gb_error err = {};
	int status = 0;
	pid_t child;

	build(&blob);
	REQUIRE_OK(parse(&blob, &b, &err), err);
	child = fork();
	if (child == 0) {
		close(STDERR_FILENO);
		gb_btf_get(b, 1u << 30, &t);
		_exit(0);
	}
	REQUIRE(child > 0 && waitpid(child, &status, 0) == child);
	CHECK_EQ(WIFSIGNALED(status) ? WTERMSIG(status) : 0, SIGABRT);
}

TAP_MAIN(TAP_CASE(an_id_that_is_none_is_a_fault), TAP_CASE(finds_types_and_members),
	 TAP_CASE(prints_c), TAP_CASE(mutants_do_no_harm),
	 TAP_CASE(types_that_contain_themselves_end), TAP_CASE(types_that_are_themselves_end),
	 TAP_CASE(functions_that_take_themselves_end), TAP_CASE(members_are_looked_for_by_name),
	 TAP_CASE(names_all_alike_are_refused), TAP_CASE(counts_beyond_the_end_are_refused))
