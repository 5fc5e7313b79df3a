// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Fuzz target: symbol tables of each order with patches. Input: u8 order, then patches (u16 offset,
// u8 length, bytes). What decodes must be in order and find its own names.
#include "base/cleanup.h"
#include "fuzz/fuzz.h"
#include "kernel/kallsyms.h"
#include "kernel/test_guest.h"

#include <stdio.h>
#include <string.h>

#define COUNT 400
#define AT 0x1000000

static struct gb_buf tables[TEST_ORDER_COUNT];
static size_t digits[TEST_ORDER_COUNT];

static void build(void)
{
	static char names[COUNT][32];
	struct test_symbol s[COUNT];

	for (unsigned order = 0; order < TEST_ORDER_COUNT && !tables[order].len; order++) {
		uint64_t base = order == TEST_ORDER_C ? AT : 0xffffffff81000000;

		for (unsigned i = 0; i < COUNT; i++) {
			snprintf(names[i], sizeof(names[i]), "sys_name__%u", i);
			s[i] = (struct test_symbol){base + 16 * i, 'T', names[i]};
		}
		digits[order] = test_kallsyms(order, s, COUNT, base, AT, &tables[order]);
	}
}

static void check(const struct gb_kallsyms *s)
{
	for (size_t i = 0; i < s->count; i += 37) {
		if (i && s->addresses[i] < s->addresses[i - 1])
			__builtin_trap();
		if (gb_kallsyms_find(s, gb_kallsyms_name(s, i), SIZE_MAX) > i)
			__builtin_trap();
		if (s->addresses[gb_kallsyms_nearest(s, s->addresses[i])] != s->addresses[i])
			__builtin_trap();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t bytes[65536];
	struct gb_cursor c = gb_cursor_init(data, size, "input");
	struct gb_kallsyms *s = NULL;
	struct gb_window w = {.bytes = bytes, .start = {AT}};
	uint8_t order, len;
	uint16_t at;

	build();
	if (gb_cursor_u8(&c, &order, NULL) != 0)
		return 0;
	order %= TEST_ORDER_COUNT;
	w.size = tables[order].len;
	memcpy(bytes, tables[order].data, w.size);
	while (gb_cursor_u16(&c, &at, NULL) == 0 && gb_cursor_u8(&c, &len, NULL) == 0) {
		const uint8_t *patch;

		if (len > gb_cursor_left(&c) || gb_cursor_span(&c, len, &patch, NULL) != 0)
			break;
		for (size_t i = 0; i < len; i++)
			bytes[(at + i) % w.size] = patch[i];
	}
	if (gb_kallsyms_decode(&w, digits[order], &s, NULL) == 0)
		check(s);
	gb_kallsyms_destroy(s);
	return 0;
}

size_t fuzz_seed(unsigned n, uint8_t *buf, size_t cap)
{
	if (n >= 4 * TEST_ORDER_COUNT || cap < 8)
		return 0;
	buf[0] = (uint8_t)(n % TEST_ORDER_COUNT);
	buf[1] = (uint8_t)(n * 53);
	buf[2] = (uint8_t)(n * 7);
	buf[3] = 2;
	buf[4] = (uint8_t)n;
	buf[5] = 0x80;
	return n < TEST_ORDER_COUNT ? 1 : 6;
}
