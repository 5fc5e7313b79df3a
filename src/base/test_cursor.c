// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Tests of the cursor: no step passes the end, whatever length it is given.
#include "base/cursor.h"
#include "tests/tap.h"

static void cursor_never_passes_the_end(void)
{
	static const uint8_t bytes[] = {1, 2, 0, 3, 0, 0, 0, 'a', 'b', 0, 'c'};
	struct gb_cursor c = gb_cursor_init(bytes, sizeof(bytes), "test");
	struct gb_error err = {};
	const char *s = NULL;
	size_t len = 0;
	uint8_t u8 = 0;
	uint16_t u16 = 0;
	uint32_t u32 = 0;
	uint64_t u64 = 77;

	CHECK_OK(gb_cursor_u8(&c, &u8, &err), err);
	CHECK_OK(gb_cursor_u16(&c, &u16, &err), err);
	CHECK_OK(gb_cursor_u32(&c, &u32, &err), err);
	CHECK_EQ(u8 + u16 + u32, 1 + 2 + 3);
	CHECK_EQ(gb_cursor_u64(&c, &u64, &err), GB_EFORMAT);
	CHECK_EQ(u64, 77);
	CHECK_STR(err.message, "test: 8 bytes wanted at offset 7, but it ends at 11");
	CHECK_OK(gb_cursor_string(&c, &s, &len, &err), err);
	CHECK_STR(s, "ab");
	CHECK_EQ(len, 2);
	CHECK_EQ(gb_cursor_string(&c, &s, NULL, &err), GB_EFORMAT);
	CHECK_EQ(gb_cursor_seek(&c, 12, &err), GB_EFORMAT);
	CHECK_EQ(gb_cursor_skip(&c, SIZE_MAX, &err), GB_EFORMAT);
	CHECK_EQ(c.pos, 10);
}

static void every_length_is_checked(void)
{
	static const uint8_t bytes[16] = {1};

	for (size_t size = 0; size <= sizeof(bytes); size++)
		for (size_t pos = 0; pos <= size; pos++)
			for (size_t n = 0; n <= sizeof(bytes) + 1; n++) {
				struct gb_cursor c = {bytes, size, pos, "t"};
				uint8_t copy[32];
				const uint8_t *span = NULL;
				int want = n <= size - pos ? 0 : GB_EFORMAT;

				CHECK_EQ(gb_cursor_read(&c, copy, n, NULL), want);
				CHECK_EQ(c.pos, want ? pos : pos + n);
				c.pos = pos;
				CHECK_EQ(gb_cursor_span(&c, n, &span, NULL), want);
				CHECK_EQ(span == bytes + pos, want == 0);
				c.pos = pos;
				CHECK_EQ(gb_cursor_skip(&c, n, NULL), want);
				CHECK_EQ(gb_cursor_seek(&c, n, NULL), n <= size ? 0 : GB_EFORMAT);
			}
}

static void huge_lengths_do_not_wrap(void)
{
	static const uint8_t bytes[4] = {};
	struct gb_cursor c = {bytes, sizeof(bytes), 3, "t"};
	const uint8_t *span = NULL;
	struct gb_error err = {};

	for (size_t n = SIZE_MAX; n > SIZE_MAX - 5; n--) {
		CHECK_EQ(gb_cursor_span(&c, n, &span, &err), GB_EFORMAT);
		CHECK_EQ(gb_cursor_skip(&c, n, &err), GB_EFORMAT);
		CHECK_EQ(gb_cursor_seek(&c, n, &err), GB_EFORMAT);
	}
	CHECK_EQ(c.pos, 3);
	CHECK(!span);
}

TAP_MAIN(TAP_CASE(cursor_never_passes_the_end), TAP_CASE(every_length_is_checked),
	 TAP_CASE(huge_lengths_do_not_wrap))
