// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Tests of the control port's protocol, the guest's part played well and badly.
#include "vm/control.h"

#include "tests/tap.h"

struct heard {
	struct gb_buf out, err;
};

static bool hear(void *arg, bool error, const char *bytes, size_t len)
{
	struct heard *h = arg;

	gb_buf_add(error ? &h->err : &h->out, bytes, len);
	return h->out.len < 100;
}

// A reader that has had enough is not called again, and the protocol goes on.
static void enough(void)
{
	struct gb_error err = {};
	struct heard h = {};
	struct gb_control c = {.output = hear, .arg = &h};
	char bytes[200];

	memset(bytes, 'y', sizeof(bytes));
	CHECK_OK(gb_control_feed(&c, "GLASSBOX-READY\no 400\n", 21, &err), err);
	CHECK_OK(gb_control_feed(&c, bytes, 99, &err), err);
	CHECK(!c.unwanted);
	CHECK_OK(gb_control_feed(&c, bytes, 101, &err), err);
	CHECK(c.unwanted);
	CHECK_OK(gb_control_feed(&c, bytes, 200, &err), err);
	CHECK_EQ(h.out.len, 200);
	CHECK_OK(gb_control_feed(&c, "x 3\n", 4, &err), err);
	CHECK_EQ(c.exit_code, 3);
	gb_buf_deinit(&h.out);
}

static void a_whole_command(void)
{
	static const char text[] = "GLASSBOX-READY\r\no 6\nhello\no 3\na\nbe 4\nbad\nx 42\n";
	struct gb_error err = {};

	// In pieces of every size: the state must not depend on how the bytes come.
	for (size_t piece = 1; piece < sizeof(text); piece++) {
		struct heard h = {};
		struct gb_control c = {.output = hear, .arg = &h};

		for (size_t at = 0; at < sizeof(text) - 1; at += piece) {
			size_t left = sizeof(text) - 1 - at;

			CHECK_OK(gb_control_feed(&c, text + at, left < piece ? left : piece, &err),
				 err);
		}
		CHECK(c.ready && c.ended && !c.failed);
		CHECK_EQ(c.exit_code, 42);
		CHECK_STR(h.out.data, "hello\na\nb");
		CHECK_STR(h.err.data, "bad\n");
		gb_buf_deinit(&h.out);
		gb_buf_deinit(&h.err);
	}
}

static void services_that_failed(void)
{
	struct gb_control c = {};

	CHECK_EQ(gb_control_feed(&c, "GLASSBOX-FAILED\n", 16, NULL), 0);
	CHECK(c.failed && !c.ready);
}

static void input_keeps_its_window(void)
{
	struct gb_buf out = {};
	struct gb_control c = {};
	char bytes[GB_CONTROL_WINDOW];

	memset(bytes, 'i', sizeof(bytes));
	CHECK_EQ(gb_control_room(&c), 0);
	CHECK_EQ(gb_control_feed(&c, "GLASSBOX-READY\n", 15, NULL), 0);
	CHECK_EQ(gb_control_room(&c), GB_CONTROL_WINDOW);
	gb_control_send(&c, bytes, 1000, &out);
	CHECK_EQ(gb_control_room(&c), GB_CONTROL_WINDOW - 1000);
	CHECK(strncmp(out.data, "i 1000\niii", 10) == 0);
	CHECK_EQ(out.len, 7 + 1000);
	CHECK_EQ(gb_control_feed(&c, "a 999\n", 6, NULL), 0);
	CHECK_EQ(gb_control_room(&c), GB_CONTROL_WINDOW - 1);
	// More confirmed than was sent.
	CHECK_EQ(gb_control_feed(&c, "a 2\n", 4, NULL), GB_EFORMAT);
	gb_buf_clear(&out);
	gb_control_send(&c, NULL, 0, &out);
	CHECK_STR(out.data, "i 0\n");
	gb_buf_deinit(&out);
}

static void broken_guests(void)
{
	static const char *const first[] = {"\n", "GLASSBOX\n", "glassbox-ready\n", "\x1b[31m\n"};
	static const char *const frames[] = {
		"\n",
		"o\n",
		"o \n",
		"o -1\n",
		"o 1x\n",
		"o 9999999999\n",
		"z 1\n",
		"x 256\n",
		"o  5\n",
		"x 1\nx 1\n",
		"a 1\n",
		"\xff 1\n",
		"oooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooo",
	};

	for (size_t i = 0; i < sizeof(first) / sizeof(first[0]); i++) {
		struct gb_control c = {};

		CHECK_EQ(gb_control_feed(&c, first[i], strlen(first[i]), NULL), GB_EFORMAT);
	}
	for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
		struct gb_control c = {};

		CHECK_EQ(gb_control_feed(&c, "GLASSBOX-READY\n", 15, NULL), 0);
		if (gb_control_feed(&c, frames[i], strlen(frames[i]), NULL) != GB_EFORMAT)
			tap_fail_("frame %zu was taken", i);
	}
}

TAP_MAIN(TAP_CASE(a_whole_command), TAP_CASE(enough), TAP_CASE(services_that_failed),
	 TAP_CASE(input_keeps_its_window), TAP_CASE(broken_guests))
