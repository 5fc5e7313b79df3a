// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// What every command prints the same way.
#include "cmd/output.h"

#include "base/cleanup.h"
#include "base/utf8.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

void gb_answer_begin(struct gb_answer *a, const char *command, const char *vm)
{
	a->text = (struct gb_buf){};
	a->json = gb_json_init(&a->text);
	gb_json_object(&a->json);
	gb_json_pair(&a->json, "schema", u64, 1);
	gb_json_pair(&a->json, "command", str, command);
	if (vm)
		gb_json_pair(&a->json, "vm", str, vm);
}

static bool given;

bool gb_answer_given(void)
{
	return given;
}

int gb_answer_end(struct gb_answer *a, struct gb_error *err)
{
	int r;

	gb_json_end_object(&a->json);
	gb_buf_add(&a->text, "\n", 1);
	if (gb_buf_failed(&a->text))
		r = gb_fail(err, GB_ENOMEM, "no memory for the answer");
	else {
		given = true;
		fwrite(a->text.data, 1, a->text.len, stdout);
		r = gb_flush_stdout(err);
	}
	gb_buf_deinit(&a->text);
	return r;
}

void gb_print_text(FILE *out, const char *text, int width)
{
	GB_CLEANUP(gb_buf_deinit) struct gb_buf b = {};
	int columns = 0;

	gb_escape(&b, text, strlen(text));
	for (size_t i = 0; i < b.len; i++)
		columns += ((unsigned char)b.data[i] & 0xc0) != 0x80;
	if (b.data)
		fputs(b.data, out);
	for (; columns < width; columns++)
		fputc(' ', out);
}

int gb_print_lines(const struct gb_buf *lines, struct gb_error *err)
{
	GB_CLEANUP(gb_buf_deinit) struct gb_buf escaped = {};
	const struct gb_buf *out = isatty(STDOUT_FILENO) ? &escaped : lines;
	size_t left = out == lines ? 0 : lines->len;
	const char *at = lines->data, *newline;

	while (left && (newline = memchr(at, '\n', left))) {
		gb_escape(&escaped, at, (size_t)(newline - at));
		gb_buf_add(&escaped, "\n", 1);
		left -= (size_t)(newline + 1 - at);
		at = newline + 1;
	}
	if (gb_buf_failed(lines) || gb_buf_failed(out))
		return gb_fail(err, GB_ENOMEM, "no memory to print what the guest says");
	if (out->len)
		fwrite(out->data, 1, out->len, stdout);
	return 0;
}

const char *gb_format_size(uint64_t bytes, char buf[24])
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	double v = (double)bytes;
	size_t u = 0;

	for (; v >= 1024 && u < 4; u++)
		v /= 1024;
	snprintf(buf, 24, v < 10 && v != (double)(int)v ? "%.1f %s" : "%.0f %s", v, units[u]);
	return buf;
}

bool gb_colour_ok(FILE *out)
{
	const char *no = getenv("NO_COLOR");

	return isatty(fileno(out)) && !(no && *no);
}

int gb_flush_stdout(struct gb_error *err)
{
	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	if (errno == EPIPE)
		return 0;
	return gb_fail_os(err, "cannot write to standard output");
}
