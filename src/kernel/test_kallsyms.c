// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Tests of kallsyms in all orders, with damage; and of the scan against its plain twin.
#include "base/cleanup.h"
#include "base/clock.h"
#include "kernel/kallsyms.h"
#include "kernel/scan.h"
#include "kernel/test_guest.h"
#include "tests/tap.h"

#define COUNT 1000
#define BASE 0xffffffff81000000ull

static char names[COUNT][400];

// A per-CPU symbol at 0 first, where the order has them; then ascending, some at the same address.
static size_t build(enum test_order order, struct test_symbol *symbols, struct gb_buf *out)
{
	uint64_t at = order == TEST_ORDER_C ? 0x1000000 : BASE;

	for (unsigned i = 0; i < COUNT; i++) {
		snprintf(names[i], sizeof(names[i]), "sys_call__%u", i / 2);
		if (i == 500)
			memset(names[i], 'x', 333); // more than 127 tokens
		symbols[i] = (struct test_symbol){at + 8 * (i / 3), "tTdDrR"[i % 6], names[i]};
	}
	if (order != TEST_ORDER_C && order != TEST_ORDER_B_POSITIVE)
		symbols[0].address = 0;
	return test_kallsyms(order, symbols, COUNT, BASE, 0x1100000, out);
}

static void decodes_each_order(void)
{
	static struct test_symbol want[COUNT];

	for (int order = 0; order < TEST_ORDER_COUNT; order++) {
		GB_CLEANUP(gb_buf_deinit) struct gb_buf bytes = {};
		size_t digits = build(order, want, &bytes), first;
		struct gb_window w = {(const uint8_t *)bytes.data, bytes.len, {0x1100000}};
		struct gb_kallsyms *s = NULL;
		struct gb_error err = {};

		CHECK(gb_kallsyms_probe(&w, digits));
		REQUIRE_OK(gb_kallsyms_decode(&w, digits, &s, &err), err);
		CHECK_EQ(s->count, COUNT);
		CHECK_EQ(s->physical, order == TEST_ORDER_C);
		for (size_t i = 0; i < COUNT; i++) {
			CHECK_EQ(s->addresses[i], want[i].address);
			CHECK_EQ(gb_kallsyms_type(s, i), want[i].type);
			CHECK_STR(gb_kallsyms_name(s, i), want[i].name);
		}
		first = gb_kallsyms_find(s, "sys_call__7", SIZE_MAX);
		CHECK_EQ(first, 14);
		CHECK_EQ(gb_kallsyms_find(s, "sys_call__7", first), 15);
		CHECK_EQ(gb_kallsyms_find(s, "sys_call__7", 15), SIZE_MAX);
		CHECK_EQ(gb_kallsyms_nearest(s, want[9].address + 3), 11);
		gb_kallsyms_destroy(s);
	}
}

// One byte of the table changed: an error, or the names that stand there then.
static void mutants_do_no_harm(void)
{
	static struct test_symbol symbols[COUNT];
	GB_CLEANUP(gb_buf_deinit) struct gb_buf bytes = {};
	size_t digits = build(TEST_ORDER_B, symbols, &bytes), refused = 0;
	struct gb_window w = {(const uint8_t *)bytes.data, bytes.len, {0x1100000}};

	for (size_t at = 0; at < bytes.len; at += 7) {
		struct gb_kallsyms *s = NULL;
		struct gb_error err = {};

		bytes.data[at] ^= 0x51;
		if (gb_kallsyms_decode(&w, digits, &s, &err) != 0)
			refused++;
		gb_kallsyms_destroy(s);
		bytes.data[at] ^= 0x51;
	}
	CHECK(refused > 100);
	for (w.size = 0; w.size < bytes.len - 3 * COUNT - 16; w.size += 31) {
		struct gb_kallsyms *s = NULL;
		struct gb_error err = {};

		CHECK_EQ(gb_kallsyms_decode(&w, digits, &s, &err), GB_EFORMAT);
	}
}

// The number of symbols is where the names begin in orders B and C, and says how far loops go.
static void counts_that_lie_are_refused(void)
{
	static const uint32_t lies[] = {0,         1,         299,       COUNT - 1,
					COUNT + 1, COUNT * 2, INT32_MAX, UINT32_MAX};
	static struct test_symbol symbols[COUNT];

	for (int order = TEST_ORDER_B; order < TEST_ORDER_COUNT; order++) {
		GB_CLEANUP(gb_buf_deinit) struct gb_buf bytes = {};
		size_t digits = build(order, symbols, &bytes);
		struct gb_window w = {(const uint8_t *)bytes.data, bytes.len, {0x1100000}};

		for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
			struct gb_kallsyms *s = NULL;
			struct gb_error err = {};

			memcpy(bytes.data, &lies[i], 4);
			CHECK_EQ(gb_kallsyms_decode(&w, digits, &s, &err), GB_EFORMAT);
			CHECK(err.message[0] != 0);
		}
	}
}

// A million names of three tokens that could begin at any of 60,000 places, hit all markers, and do
// not end where they must: 10^11 steps for who tries them all.
static void names_that_never_end_well_have_a_budget(void)
{
	enum { BLOCKS = 4096, NAMES = BLOCKS * 256 - 100 };
	static struct test_symbol symbols[COUNT];
	GB_CLEANUP(gb_buf_deinit) struct gb_buf bytes = {}, table = {};
	// before '0' stand 32 tokens without text, and 16 of one character
	size_t digits = build(TEST_ORDER_B, symbols, &table), tokens = digits - 32 - 16 * 2;
	const uint32_t word = (NAMES & ~0xffu) | 3; // a length, three tokens; and a count of names
	const uint8_t junk[16] = {0xff, 0xff, 0xff, 0xff};
	struct gb_window w = {.start = {0x1100000}};
	struct gb_kallsyms *s = NULL;
	struct gb_error err = {};
	uint64_t start = gb_clock_ns();

	for (uint32_t n = 0; n < NAMES + 300000; n++)
		gb_buf_add(&bytes, &word, 4);
	gb_buf_add(&bytes, junk, sizeof(junk));
	for (uint32_t n = 0; n < BLOCKS; n++)
		gb_buf_add(&bytes, &(uint32_t){n * 1024}, 4);
	CHECK_EQ(bytes.len % 8, 0);
	digits = bytes.len + (digits - tokens);
	gb_buf_add(&bytes, table.data + tokens, table.len - tokens);
	w.bytes = (const uint8_t *)bytes.data;
	w.size = bytes.len;
	CHECK_EQ(gb_kallsyms_decode(&w, digits, &s, &err), GB_EFORMAT);
	CHECK(gb_clock_ns() - start < 20 * GB_SECOND);
	gb_kallsyms_destroy(s);
}

static void names_all_alike_are_refused(void)
{
	enum { MANY = 16000 };
	GB_CLEANUP(gb_buf_deinit) struct gb_buf bytes = {};
	struct test_symbol *symbols = calloc(MANY, sizeof(*symbols));
	struct gb_window w = {.start = {0x1100000}};
	struct gb_kallsyms *s = NULL;
	struct gb_error err = {};
	size_t digits;

	REQUIRE(symbols);
	for (unsigned i = 0; i < MANY; i++)
		symbols[i] = (struct test_symbol){BASE + i, 't', "same"};
	digits = test_kallsyms(TEST_ORDER_B, symbols, MANY, BASE, 0x1100000, &bytes);
	w.bytes = (const uint8_t *)bytes.data;
	w.size = bytes.len;
	CHECK_EQ(gb_kallsyms_decode(&w, digits, &s, &err), GB_EFORMAT);
	CHECK(strstr(err.message, "share a name") != NULL);
	gb_kallsyms_destroy(s);
	free(symbols);
}

struct hits {
	size_t count, sum;
	size_t stop_at;
};

static int on_hit(void *arg, enum gb_scan_mark mark, size_t offset)
{
	struct hits *h = arg;

	h->count++;
	h->sum = h->sum * 31 + offset * 2 + mark;
	return h->count == h->stop_at ? 5 : 0;
}

static void scan_agrees_with_its_plain_twin(void)
{
	static uint8_t bytes[9000];
	uint64_t random = 88172645463325252u;

	for (int round = 0; round < 300; round++) {
		size_t len = sizeof(bytes) - (size_t)round * 4;
		struct hits fast = {.stop_at = (size_t)round % 5}, plain = fast;

		for (size_t i = 0; i < sizeof(bytes); i++) {
			random ^= random << 13, random ^= random >> 7, random ^= random << 17;
			bytes[i] = "\0\001\2370\1\xeb"[random % 6];
		}
		for (int i = 0; i < 8; i++) {
			const uint32_t magic = 0x0001eb9f;
			size_t at = (random >> i * 8) % (len - 40);

			memcpy(bytes + at, gb_scan_digits, GB_SCAN_DIGITS_LEN);
			memcpy(bytes + (at * 7 % len & ~(size_t)3), &magic, 4);
		}
		memcpy(bytes + len - 7, gb_scan_digits, 7); // begins inside, ends behind
		CHECK_EQ(gb_scan(bytes, len, on_hit, &fast),
			 gb_scan_plain(bytes, len, on_hit, &plain));
		CHECK_EQ(fast.count, plain.count);
		CHECK_EQ(fast.sum, plain.sum);
		CHECK(plain.count > 0);
	}
}

TAP_MAIN(TAP_CASE(decodes_each_order), TAP_CASE(mutants_do_no_harm),
	 TAP_CASE(counts_that_lie_are_refused), TAP_CASE(names_that_never_end_well_have_a_budget),
	 TAP_CASE(names_all_alike_are_refused), TAP_CASE(scan_agrees_with_its_plain_twin))
