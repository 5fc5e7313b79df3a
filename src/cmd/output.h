// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// What every command prints the same way: the JSON envelope and text for people.
#pragma once

#include "base/json.h"

#include <stdio.h>

// A JSON answer: {"schema":1,"command":...,"vm":...,<what the command adds>}. vm may be NULL.
struct gb_answer {
	struct gb_buf text;
	struct gb_json json;
};
void gb_answer_begin(struct gb_answer *a, const char *command, const char *vm);
// Close the object, print it on stdout with a newline, free it.
int gb_answer_end(struct gb_answer *a, struct gb_error *err);
// An answer was printed, or at least begun: stdout holds one JSON document, never a second one.
bool gb_answer_given(void);

// Print guest text escaped (see gb_escape), padded with spaces to width columns.
void gb_print_text(FILE *out, const char *text, int width);
// Lines that are the guest's own, each with its newline: the bytes as they are, escaped only where standard output is a
// terminal. GB_ENOMEM, also of a failed buffer.
int gb_print_lines(const struct gb_buf *lines, struct gb_error *err);
// "1.5 GiB", "128 MiB", "4 KiB"
const char *gb_format_size(uint64_t bytes, char buf[24]);
// Colour may be used on this stream: a terminal, and NO_COLOR is not set.
bool gb_colour_ok(FILE *out);
// All of stdout has arrived: GB_EOS when a write failed (a full disk, a closed pipe is quiet).
int gb_flush_stdout(struct gb_error *err);
