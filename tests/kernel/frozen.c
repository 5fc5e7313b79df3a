// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// A frozen guest.
#include "frozen.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <jansson.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRUTH_MAX ((size_t)1 << 30)
#define DIFFERENCES_SHOWN 8

static bool add_extent(struct gb_layout *layout, const json_t *extent, struct gb_error *err)
{
	json_int_t gpa, len, offset;

	if (json_unpack((json_t *)(uintptr_t)extent, "{s:I, s:I, s:I}", "gpa", &gpa, "len", &len,
			"offset", &offset) != 0)
		return false;
	return gb_layout_add(layout,
			     (struct gb_segment){{(uint64_t)gpa}, (uint64_t)len, (uint64_t)offset},
			     err) == 0;
}

static int read_layout(const char *path, struct gb_layout *ret, struct gb_error *err)
{
	json_error_t at;
	json_t *json = json_load_file(path, 0, &at);
	size_t i;
	json_t *extent;
	bool good = json != NULL;

	json_array_foreach(json_object_get(json, "extents"), i, extent) good =
		good && add_extent(ret, extent, err);
	json_decref(json);
	return good && ret->count > 0 ? 0 : gb_fail(err, GB_EFORMAT, "%s is no layout", path);
}

static int index_sections(struct frozen *f, const char *path, struct gb_error *err)
{
	struct section section;
	const uint8_t *bytes;
	size_t at = 0, cap = 0;
	int more;

	while ((more = gb_truth_next(f->truth, f->truth_size, &at, &section.head, &bytes)) > 0) {
		if (f->section_count == cap) {
			cap = cap ? 2 * cap : 1024;
			f->sections = realloc(f->sections, cap * sizeof(*f->sections));
			gb_assert(f->sections);
		}
		section.bytes = f->truth + (bytes - f->truth);
		f->sections[f->section_count++] = section;
	}
	if (more < 0 || !frozen_section(f, "end", 0, 2))
		return gb_fail(err, GB_EFORMAT, "%s is damaged or cut off", path);
	return 0;
}

static int read_truth(struct frozen *f, const char *path, struct gb_error *err)
{
	struct gb_buf file = {};
	int r = gb_file_read(path, TRUTH_MAX, &file, err);

	f->truth = (uint8_t *)file.data;
	f->truth_size = file.len;
	return r == 0 ? index_sections(f, path, err) : r;
}

int frozen_open(const char *dir, struct frozen *ret, struct gb_error *err)
{
	char path[4096];
	int r;

	*ret = (struct frozen){};
	snprintf(path, sizeof(path), "%s/layout.json", dir);
	r = read_layout(path, &ret->layout, err);
	if (r == 0) {
		snprintf(path, sizeof(path), "%s/truth.bin", dir);
		r = read_truth(ret, path, err);
	}
	if (r == 0) {
		snprintf(path, sizeof(path), "%s/ram.img", dir);
		r = gb_ram_open(path, &ret->layout, &ret->ram, err);
	}
	if (r == 0)
		r = gb_kernel_open(ret->ram, &(struct gb_kernel_options){}, &ret->kernel, err);
	if (r == 0)
		r = gb_process_list(ret->kernel,
				    GB_PROCESS_VMAS | GB_PROCESS_NAMES | GB_PROCESS_ARGS |
					    GB_PROCESS_FILES,
				    &ret->arena, &ret->processes, err);
	return r;
}

void frozen_close(struct frozen *f)
{
	gb_arena_deinit(&f->arena);
	gb_kernel_close(f->kernel);
	gb_ram_close(f->ram);
	free(f->sections);
	free(f->truth);
	*f = (struct frozen){};
}

struct section *frozen_section(const struct frozen *f, const char *name, uint32_t number,
			       uint32_t reading)
{
	for (size_t i = 0; i < f->section_count; i++) {
		struct section *s = &f->sections[i];

		if (s->head.pid == number && s->head.reading == reading &&
		    strcmp(s->head.name, name) == 0)
			return s;
	}
	return NULL;
}

struct section *frozen_stable(const struct frozen *f, const char *name, uint32_t number)
{
	struct section *first = frozen_section(f, name, number, 1);
	struct section *second = frozen_section(f, name, number, 2);

	if (!first || !second || first->head.len != second->head.len ||
	    memcmp(first->bytes, second->bytes, second->head.len) != 0)
		return NULL;
	return second;
}

bool tally_count(struct tally *t, bool same, const char *format, ...)
{
	va_list args;

	t->compared++;
	if (same)
		return true;
	if (t->different++ < DIFFERENCES_SHOWN) {
		printf("#   ");
		va_start(args, format);
		vprintf(format, args);
		va_end(args);
		printf("\n");
	}
	return false;
}

const char *shown(const char *bytes, size_t len)
{
	static char buffers[4][4096];
	static unsigned turn;
	char *out = buffers[turn++ % 4];
	size_t n = 0;

	for (size_t i = 0; i < len && n + 8 < sizeof(buffers[0]); i++) {
		unsigned char c = (unsigned char)bytes[i];

		if (c >= ' ' && c < 0x7f && c != '\\')
			out[n++] = (char)c;
		else
			n += (size_t)sprintf(out + n, "\\x%02x", c);
	}
	out[n] = '\0';
	return out;
}
