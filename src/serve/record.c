// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Records of the memory stream.
#include "serve/record.h"

#include "base/addr.h"

void gb_put_u32(uint8_t *out, uint32_t v)
{
	for (unsigned i = 0; i < 4; i++)
		out[i] = (uint8_t)(v >> 8 * i);
}

void gb_put_u64(uint8_t *out, uint64_t v)
{
	gb_put_u32(out, (uint32_t)v);
	gb_put_u32(out + 4, (uint32_t)(v >> 32));
}

void gb_record_put(uint8_t out[GB_RECORD_HEADER], const struct gb_record *r)
{
	gb_put_u32(out, r->kind);
	gb_put_u32(out + 4, r->count);
	gb_put_u64(out + 8, r->time_ns);
	gb_put_u64(out + 16, r->bytes);
}

uint64_t gb_record_owners_bytes(uint64_t frames)
{
	return ((frames + 3) & ~(uint64_t)3) + 4 * frames;
}

uint64_t gb_record_frames_bytes(uint64_t count)
{
	return count * (4 + GB_PAGE_SIZE);
}
