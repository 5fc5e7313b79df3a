// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// What QEMU's human monitor tells about memory and registers.
#include "vm/mtree.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_LIMIT 512

// Copy the next line, cut to LINE_LIMIT; NULL at the end.
static const char *next_line(const char *text, char line[LINE_LIMIT])
{
	size_t len = strcspn(text, "\n"), kept = len < LINE_LIMIT - 1 ? len : LINE_LIMIT - 1;

	if (!*text)
		return NULL;
	memcpy(line, text, kept);
	line[kept] = 0;
	if (kept && line[kept - 1] == '\r')
		line[kept - 1] = 0;
	return text[len] ? text + len + 1 : text + len;
}

struct piece {
	uint64_t first, last, offset;
};

static bool parse_piece(const char *line, const char *backend, struct piece *ret)
{
	struct piece p = {};
	const char *at;
	char kind[16];
	int n = 0;

	if (sscanf(line, " %16" SCNx64 "-%16" SCNx64 " (prio %*d, %15[a-z/]):%n", &p.first, &p.last,
		   kind, &n) != 3 ||
	    n == 0)
		return false;
	if (strcmp(kind, "ram") != 0 && strcmp(kind, "rom") != 0)
		return false;
	at = line + n;
	if (*at != ' ' || strncmp(at + 1, backend, strlen(backend)) != 0)
		return false;
	at += 1 + strlen(backend);
	if (*at && (*at != ' ' || (at[1] == '@' && sscanf(at + 1, "@%16" SCNx64, &p.offset) != 1)))
		return false;
	*ret = p;
	return true;
}

struct span {
	uint64_t gpa, offset, end; // end: of the offsets
};

struct spans {
	struct span items[GB_LAYOUT_MAX];
	size_t count;
};

static int add_piece(struct spans *s, const struct piece *p, struct gb_error *err)
{
	uint64_t size = p->last - p->first + 1, end;
	struct span *known = s->items;

	if (p->last < p->first || size == 0 || __builtin_add_overflow(p->offset, size, &end))
		return gb_fail(err, GB_EFORMAT, "a range in QEMU's memory map makes no sense");
	while (known < s->items + s->count && known->gpa - known->offset != p->first - p->offset)
		known++;
	if (known == s->items + s->count) {
		if (s->count == GB_LAYOUT_MAX)
			return gb_fail(err, GB_EFORMAT, "QEMU's RAM is in more than %d places",
				       GB_LAYOUT_MAX);
		s->count++;
		*known = (struct span){.gpa = p->first, .offset = p->offset, .end = end};
	}
	if (p->offset < known->offset) {
		known->offset = p->offset;
		known->gpa = p->first;
	}
	if (end > known->end)
		known->end = end;
	return 0;
}

static int collect(const char *text, const char *backend, struct spans *ret, struct gb_error *err)
{
	bool found = false, ours = false;
	char line[LINE_LIMIT];

	while ((text = next_line(text, line))) {
		struct piece p;
		int r;

		if (strncmp(line, "FlatView", 8) == 0)
			ours = false;
		else if (strncmp(line, " AS \"memory\",", 13) == 0)
			found = ours = true;
		if (!ours || !parse_piece(line, backend, &p))
			continue;
		r = add_piece(ret, &p, err);
		if (r != 0)
			return r;
	}
	if (!found || ret->count == 0)
		return gb_fail(err, GB_EFORMAT,
			       "QEMU's memory map ('info mtree -f') does not show the RAM '%s'",
			       backend);
	return 0;
}

static int by_offset(const void *a, const void *b)
{
	const struct span *x = a, *y = b;

	return (x->offset > y->offset) - (x->offset < y->offset);
}

// What firmware hid at the end of a piece (TSEG, say) belongs to it: each reaches to the next.
static int build(struct spans *s, uint64_t file_size, struct gb_layout *ret, struct gb_error *err)
{
	struct gb_layout layout = {};

	qsort(s->items, s->count, sizeof(s->items[0]), by_offset);
	for (size_t i = 0; i < s->count; i++) {
		const struct span *p = &s->items[i];
		uint64_t end = i + 1 < s->count ? p[1].offset : file_size;
		int r;

		if (p->end > end || (i == 0 && p->offset != 0))
			return gb_fail(err, GB_EFORMAT,
				       "QEMU's memory map does not fit the RAM file of %" PRIu64
				       " bytes",
				       file_size);
		r = gb_layout_add(&layout,
				  (struct gb_segment){{p->gpa}, end - p->offset, p->offset}, err);
		if (r != 0)
			return r;
	}
	*ret = layout;
	return 0;
}

int gb_mtree_parse(const char *text, const char *backend, uint64_t file_size, struct gb_layout *ret,
		   struct gb_error *err)
{
	struct spans s = {};
	int r = collect(text, backend, &s, err);

	return r == 0 ? build(&s, file_size, ret, err) : r;
}

static bool find_register(const char *line, const char *name, uint64_t *ret)
{
	const char *p = strstr(line, name);

	return p && (p == line || p[-1] == ' ') && sscanf(p + strlen(name), "%16" SCNx64, ret) == 1;
}

enum { SEEN_RIP = 1, SEEN_CR0 = 2, SEEN_CR3 = 4, SEEN_CR4 = 8, SEEN_ALL = 15 };

static unsigned read_registers(const char *line, struct gb_cpu *cpu)
{
	unsigned seen = 0;

	// A CPU in 16- or 32-bit mode shows EIP.
	if (find_register(line, "RIP=", &cpu->rip) || find_register(line, "EIP=", &cpu->rip))
		seen |= SEEN_RIP;
	if (find_register(line, "CR0=", &cpu->cr0))
		seen |= SEEN_CR0;
	if (find_register(line, "CR3=", &cpu->cr3))
		seen |= SEEN_CR3;
	if (find_register(line, "CR4=", &cpu->cr4))
		seen |= SEEN_CR4;
	return seen;
}

int gb_registers_parse(const char *text, struct gb_cpu *ret, size_t max, size_t *count_ret,
		       struct gb_error *err)
{
	char line[LINE_LIMIT];
	unsigned seen = SEEN_ALL;
	size_t n = 0;

	while ((text = next_line(text, line))) {
		unsigned index;

		if (sscanf(line, "CPU#%u", &index) == 1) {
			if (seen != SEEN_ALL)
				break;
			if (n == max)
				return gb_fail(err, GB_ERANGE, "more than %zu CPUs", max);
			ret[n++] = (struct gb_cpu){.index = index};
			seen = 0;
		} else if (n) {
			seen |= read_registers(line, &ret[n - 1]);
		}
	}
	if (n == 0 || seen != SEEN_ALL)
		return gb_fail(err, GB_EFORMAT, "QEMU's 'info registers' is not understood");
	*count_ret = n;
	return 0;
}

unsigned gb_usernet_port(const char *text, unsigned guest_port)
{
	char line[LINE_LIMIT];

	while ((text = next_line(text, line))) {
		unsigned host, guest;

		if (sscanf(line, " TCP[HOST_FORWARD] %*d %*s %u %*s %u", &host, &guest) == 2 &&
		    guest == guest_port)
			return host;
	}
	return 0;
}
