// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// A command line, as words and as text for a shell.
#include "vm/config.h"

#include <stdio.h>
#include <string.h>

void gb_words_deinit(struct gb_words *w)
{
	gb_arena_deinit(&w->arena);
	*w = (struct gb_words){};
}

void gb_words_add(struct gb_words *w, const char *format, ...)
{
	char text[3 * PATH_MAX];
	va_list args;
	char *copy;
	int n;

	va_start(args, format);
	n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	copy = n >= 0 && (size_t)n < sizeof(text) && w->count < GB_WORDS_MAX
		       ? gb_arena_strndup(&w->arena, text, (size_t)n)
		       : NULL;
	if (!copy) {
		w->failed = true;
		return;
	}
	w->items[w->count++] = copy;
}

static void quote_word(const char *word, struct gb_buf *out)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "_-+=./,:@%";

	if (*word && strspn(word, plain) == strlen(word)) {
		gb_buf_add_str(out, word);
		return;
	}
	gb_buf_add(out, "'", 1);
	for (; *word; word++) {
		if (*word == '\'')
			gb_buf_add_str(out, "'\\''");
		else
			gb_buf_add(out, word, 1);
	}
	gb_buf_add(out, "'", 1);
}

void gb_words_quote(const struct gb_words *w, struct gb_buf *out)
{
	for (size_t i = 0; i < w->count; i++) {
		if (i)
			gb_buf_add(out, " ", 1);
		quote_word(w->items[i], out);
	}
}
