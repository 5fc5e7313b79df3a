// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// A memory map as /proc/PID/maps prints it.
#include "kernel/maps_text.h"

#include <inttypes.h>

// seq_setwidth() and seq_pad(): the line is padded to this width, and one more blank follows.
enum { PAD_WIDTH = 25 + 6 * 8 - 1 };

void gb_vma_rights(const struct gb_vma *v, char ret[5])
{
	ret[0] = v->flags & 1 ? 'r' : '-';
	ret[1] = v->flags & 2 ? 'w' : '-';
	ret[2] = v->flags & 4 ? 'x' : '-';
	ret[3] = v->flags & 0x80 ? 's' : 'p'; // VM_MAYSHARE
	ret[4] = 0;
}

static void line(const struct gb_vma *v, struct gb_buf *out)
{
	size_t start = out->len;
	char rights[5];

	gb_vma_rights(v, rights);
	gb_buf_printf(out, "%08" PRIx64 "-%08" PRIx64 " %s %08" PRIx64 " %02x:%02x %" PRIu64 " ",
		      v->start, v->end, rights, v->file.v ? v->pgoff << GB_PAGE_SHIFT : 0,
		      v->dev >> 20, v->dev & 0xfffff, v->inode);
	if (*v->name) {
		while (!gb_buf_failed(out) && out->len - start < PAD_WIDTH)
			gb_buf_add(out, " ", 1);
		gb_buf_add(out, " ", 1);
		gb_buf_add_str(out, v->name);
	}
	gb_buf_add(out, "\n", 1);
}

void gb_maps_text(const struct gb_process *p, struct gb_buf *out)
{
	for (size_t i = 0; i < p->vma_count; i++)
		line(&p->vmas[i], out);
}
