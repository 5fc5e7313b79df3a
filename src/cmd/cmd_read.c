// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// glassbox read
#include "cmd/commands.h"
#include "cmd/space.h"

#include "base/cleanup.h"
#include "ram/guard.h"

#include <inttypes.h>
#include <string.h>

#define READ_MAX ((uint64_t)256 << 20)

static const struct gb_option options[] = {
	{"pid", 'p', "PID", "ADDR is virtual in this process (default: physical, or the kernel's)"},
	{"raw", 0, NULL, "write the bytes themselves"},
	GB_TARGET_OPTIONS,
	{},
};

static void hex_line(uint64_t address, const uint8_t *bytes, size_t n)
{
	printf("%016" PRIx64 ":", address);
	for (size_t i = 0; i < 16; i++) {
		if (i % 8 == 0)
			putchar(' ');
		if (i < n)
			printf(" %02x", bytes[i]);
		else
			fputs("   ", stdout);
	}
	fputs("  ", stdout);
	for (size_t i = 0; i < n; i++)
		putchar(bytes[i] >= 0x20 && bytes[i] < 0x7f ? bytes[i] : '.');
	putchar('\n');
}

static int print_json(const struct gb_target *t, uint64_t address, const uint8_t *bytes, size_t len,
		      bool torn, struct gb_error *err)
{
	static const char digits[] = "0123456789abcdef";
	GB_CLEANUP(gb_buf_deinit) struct gb_buf hex = {};
	char *to = gb_buf_extend(&hex, 2 * len);
	struct gb_answer a;

	for (size_t i = 0; to && i < len; i++) {
		to[2 * i] = digits[bytes[i] >> 4];
		to[2 * i + 1] = digits[bytes[i] & 15];
	}
	if (gb_buf_failed(&hex))
		return gb_fail(err, GB_ENOMEM, "no memory for the answer");
	gb_answer_begin(&a, "read", t->name);
	gb_target_stamp(t, torn, &a.json);
	gb_json_pair(&a.json, "address", hex, address);
	gb_json_pair(&a.json, "length", u64, len);
	gb_json_pair(&a.json, "bytes", strn, hex.data, hex.len);
	return gb_answer_end(&a, err);
}

static int print(const struct gb_args *args, const struct gb_target *t, uint64_t address,
		 const uint8_t *bytes, size_t len, bool torn, struct gb_error *err)
{
	if (args->json)
		return print_json(t, address, bytes, len, torn, err);
	if (gb_args_has(args, "raw"))
		fwrite(bytes, 1, len, stdout);
	else
		for (size_t i = 0; i < len; i += 16)
			hex_line(address + i, bytes + i, len - i < 16 ? len - i : 16);
	return gb_flush_stdout(err);
}

struct range {
	struct gb_space space;
	uint64_t address, len;
	bool is_virtual;
	uint8_t *bytes;
};

static int read_range(struct gb_guard *g, void *arg, struct gb_error *err)
{
	struct range *range = arg;

	return range->is_virtual
		       ? gb_guard_space_read(g, range->space, (gb_gva){range->address},
					     range->bytes, range->len, err)
		       : gb_guard_read(g, (gb_gpa){range->address}, range->bytes, range->len, err);
}

static int run(struct gb_args *args, struct gb_error *err)
{
	GB_CLEANUP(gb_target_close) struct gb_target t = {};
	GB_CLEANUP(gb_cleanup_free) uint8_t *bytes = NULL;
	struct gb_space space = {};
	uint64_t address, len;
	bool is_virtual, torn = false;
	int r = gb_parse_number(args->positional[1], 0, UINT64_MAX, &address, err);

	if (r == 0)
		r = gb_parse_number(args->positional[2], 1, READ_MAX, &len, err);
	if (r == 0)
		r = gb_target_open(args, false, &t, err);
	if (r == 0)
		r = gb_space_choose(&t, args, address, &space, &is_virtual, err);
	if (r != 0)
		return r;
	bytes = malloc(len);
	if (!bytes)
		return gb_fail(err, GB_ENOMEM, "no memory for %" PRIu64 " bytes", len);
	r = gb_guard_run(t.ram, read_range, &(struct range){space, address, len, is_virtual, bytes},
			 &torn, err);
	if (r == 0)
		r = gb_target_settle(&t, err);
	if (r == 0)
		r = print(args, &t, address, bytes, len, torn, err);
	return r ? r
		 : gb_target_end(args, &t, torn,
				 "the bytes changed while they were read, at every try", err);
}

const struct gb_command gb_cmd_read = {
	.name = "read",
	.usage = "T ADDR LEN",
	.summary = "print bytes of guest memory",
	.detail =
		"ADDR is guest-physical; an address in the upper half is the kernel's virtual one, and "
		"with --pid it is virtual in that process.",
	.example =
		"glassbox read debian 0x1000000 64\nglassbox read debian 0x400000 4096 --pid 1 --raw",
	.options = options,
	.min_args = 3,
	.max_args = 3,
	.run = run,
};
