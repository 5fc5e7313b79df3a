// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The page's files.
#include "serve/files.h"

#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_LIMIT ((size_t)4 << 20)
#define FILES_MAX 256

static const struct {
	const char *folder, *suffix, *type;
} kinds[] = {
	{"web", ".html", "text/html; charset=utf-8"},
	{"web", ".js", "text/javascript; charset=utf-8"},
	{"web", ".css", "text/css; charset=utf-8"},
	{"web", ".svg", "image/svg+xml"},
	{"shaders", ".wgsl", "text/plain; charset=utf-8"},
};

static const char *type_of(const char *folder, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t n = strlen(kinds[i].suffix);

		if (strcmp(kinds[i].folder, folder) == 0 && len > n &&
		    strcmp(name + len - n, kinds[i].suffix) == 0)
			return kinds[i].type;
	}
	return NULL;
}

static bool is_plain_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static int add(struct gb_page_files *f, const char *path, const char *name, const char *type,
	       struct gb_error *err)
{
	struct gb_page_file *list, *file;
	int r;

	if (f->count == FILES_MAX)
		return gb_fail(err, GB_ERANGE, "the page has more than %d files", FILES_MAX);
	list = realloc(f->list, (f->count + 1) * sizeof(*list));
	if (!list)
		return gb_fail(err, GB_ENOMEM, "no memory for the page");
	f->list = list;
	file = &list[f->count];
	*file = (struct gb_page_file){.type = type};
	snprintf(file->name, sizeof(file->name), "%s", name);
	r = gb_file_read(path, FILE_LIMIT, &file->bytes, err);
	if (r == 0)
		f->count++;
	else
		gb_buf_deinit(&file->bytes);
	return r;
}

static int load_folder(struct gb_page_files *f, const char *dir, const char *folder,
		       struct gb_error *err)
{
	char path[PATH_MAX];
	struct dirent *e;
	DIR *d;
	int r = 0;

	snprintf(path, sizeof(path), "%s/%s", dir, folder);
	d = opendir(path);
	if (!d && errno == ENOENT)
		return 0;
	if (!d)
		return gb_fail_os(err, "cannot open %s", path);
	while (r == 0 && (e = readdir(d)) != NULL) {
		const char *type = type_of(folder, e->d_name);
		int n = snprintf(path, sizeof(path), "%s/%s/%s", dir, folder, e->d_name);

		if (!type || e->d_name[0] == '.' || n >= (int)sizeof(path) ||
		    strlen(e->d_name) >= sizeof(f->list->name) || !is_plain_file(path))
			continue;
		r = add(f, path, e->d_name, type, err);
	}
	closedir(d);
	return r;
}

int gb_page_files_load(const char *dir, struct gb_page_files *ret, struct gb_error *err)
{
	struct gb_page_files f = {};
	int r = load_folder(&f, dir, "web", err);

	if (r == 0)
		r = load_folder(&f, dir, "shaders", err);
	if (r == 0 && !gb_page_files_find(&f, ""))
		r = gb_fail(err, GB_ENOTFOUND,
			    "there is no page in %s/web: install Glass Box, or name its data "
			    "directory in GLASSBOX_DATA",
			    dir);
	if (r == 0)
		*ret = f;
	else
		gb_page_files_deinit(&f);
	return r;
}

void gb_page_files_deinit(struct gb_page_files *f)
{
	for (size_t i = 0; i < f->count; i++)
		gb_buf_deinit(&f->list[i].bytes);
	free(f->list);
	*f = (struct gb_page_files){};
}

const struct gb_page_file *gb_page_files_find(const struct gb_page_files *f, const char *name)
{
	if (!*name)
		name = "index.html";
	for (size_t i = 0; i < f->count; i++)
		if (strcmp(f->list[i].name, name) == 0)
			return &f->list[i];
	return NULL;
}
