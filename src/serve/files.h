// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The page's files, read into memory once when the server starts: a fixed table of names and bytes.
// No path of a request ever reaches the file system.
#pragma once

#include "base/buf.h"

struct gb_page_file {
	char name[64]; // "app.js"; the page itself is "index.html"
	const char *type;
	struct gb_buf bytes;
};

struct gb_page_files {
	struct gb_page_file *list;
	size_t count;
};

// Every *.html, *.js, *.css, *.svg of DIR/web and every *.wgsl of DIR/shaders; what is no plain file
// is left out. GB_ENOTFOUND without web/index.html.
int gb_page_files_load(const char *dir, struct gb_page_files *ret, struct gb_error *err);
void gb_page_files_deinit(struct gb_page_files *f);
// By exact name; "" is the page itself. NULL if there is none.
const struct gb_page_file *gb_page_files_find(const struct gb_page_files *f, const char *name);
