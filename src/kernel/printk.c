// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The kernel's log: the lockless ring buffer of kernel/printk/printk_ringbuffer.c, since 5.10.
//
// Descriptors, one a record, stand in an array, at their id modulo its size; ids count up from
// tail_id to head_id. Bits 62 and 63 of state_var are the state, the others the id: 0 reserved, 1
// committed but not yet final, 2 final, 3 free for use. Beside it in another array lies a struct
// printk_info. Text is in a ring of bytes: a block is the id of its record, then the text; begin and
// next of the descriptor are logical positions, which count on when the ring begins anew, and a block
// that does not fit before the end lies at the start of the ring. A position whose lowest bit is set
// is no block: 3 of a record whose text is empty, 1 of one that lost it.
//
// Readers in the kernel take no lock, and nor do we: a record counts when its descriptor said that it
// is final both before and after it was copied.
#include "kernel/printk.h"

#include "base/cleanup.h"
#include "kernel/internal.h"

#include <inttypes.h>

#define STATE_SHIFT 62
#define ID_MASK (((uint64_t)1 << STATE_SHIFT) - 1)
#define FINAL 2u
#define DESCS_BITS_MAX \
	22 // 2^25 bytes are the largest log that can be configured, 2^5 a record on average
#define TEXT_BITS_MAX 31
#define TEXT_MAX ((uint64_t)32 << 20) // of all records
#define NO_BLOCK 1u                   // bit of a position
#define EMPTY 3u

struct ring {
	const struct gb_kernel *k;
	uint64_t descs, infos, data;
	uint64_t head, tail;
	uint64_t desc_mask, text_mask;
	uint64_t text_bits;
	uint64_t
		text_left; // twice what the ring holds: some of it may be overwritten while it is read
};

static int unlike(struct gb_error *err)
{
	return gb_fail(err, GB_EUNKNOWN,
		       "the kernel's log does not look like one of 5.10 or later");
}

static bool is_known(const struct gb_kernel *k)
{
	for (int m = GB_M_PRB_COUNT_BITS; m <= GB_M_PRINTK_FACILITY; m++)
		if (!gb_has(k, (enum gb_member_id)m))
			return false;
	// the level is in the byte behind the facility
	return gb_offset(k, GB_M_PRINTK_FACILITY) + 1 <
	       (uint64_t)k->offsets.structs[GB_S_PRINTK_INFO].to;
}

static int read_ring(const struct gb_kernel *k, struct ring *ret, struct gb_error *err)
{
	GB_CLEANUP(gb_cleanup_free) struct gb_object *o = malloc(sizeof(*o));
	uint64_t at = gb_read_u64_or_0(k, k->symbol[GB_Y_PRB]), bits;

	if (!o)
		return gb_fail(err, GB_ENOMEM, "no memory for the kernel's log");
	if (!k->symbol[GB_Y_PRB] || !is_known(k))
		return gb_fail(
			err, GB_EUNKNOWN,
			"the kernel has no log that is understood: it is older than 5.10, or made "
			"without CONFIG_PRINTK or CONFIG_KALLSYMS_ALL");
	if (gb_object_read(k, GB_S_PRB, at, o) != 0)
		return unlike(err);
	bits = gb_get(o, GB_M_PRB_COUNT_BITS);
	*ret = (struct ring){
		.k = k,
		.descs = gb_get(o, GB_M_PRB_DESCS),
		.infos = gb_get(o, GB_M_PRB_INFOS),
		.data = gb_get(o, GB_M_PRB_DATA),
		.head = gb_get(o, GB_M_PRB_HEAD) & ID_MASK,
		.tail = gb_get(o, GB_M_PRB_TAIL) & ID_MASK,
		.text_bits = gb_get(o, GB_M_PRB_SIZE_BITS),
	};
	if (bits > DESCS_BITS_MAX && bits <= 32)
		return gb_fail(
			err, GB_EUNKNOWN,
			"the kernel's log is larger than any that is read: it has room for 2^%u "
			"records (log_buf_len=)",
			(unsigned)bits);
	if (bits < 1 || bits > DESCS_BITS_MAX || ret->text_bits < 4 ||
	    ret->text_bits > TEXT_BITS_MAX)
		return unlike(err);
	ret->desc_mask = ((uint64_t)1 << bits) - 1;
	ret->text_mask = ((uint64_t)1 << ret->text_bits) - 1;
	ret->text_left = (uint64_t)2 << ret->text_bits;
	if (ret->text_left > TEXT_MAX)
		ret->text_left = TEXT_MAX;
	return ((ret->head - ret->tail) & ID_MASK) <= ret->desc_mask ? 0 : unlike(err);
}

// Where the bytes of a block are, and how many; 0: none.
static uint64_t find_text(const struct ring *ring, uint64_t id, uint64_t begin, uint64_t next,
			  uint64_t *size_ret)
{
	bool whole = begin >> ring->text_bits == (next - 1) >> ring->text_bits;
	uint64_t at = whole ? begin & ring->text_mask : 0;
	uint64_t size = whole ? next - begin : next & ring->text_mask;

	if (size - 8 > ring->text_mask || gb_read_u64_or_0(ring->k, ring->data + at) != id)
		return 0;
	*size_ret = size - 8;
	return ring->data + at + 8;
}

// GB_ENOTFOUND: it lost its text, and the kernel does not show it either. GB_ETORN: there is no such text.
static int read_text(struct ring *ring, uint64_t id, const struct gb_object *desc, size_t len,
		     struct gb_arena *arena, struct gb_printk_record *ret)
{
	uint64_t begin = gb_get(desc, GB_M_PRB_DESC_BEGIN), next = gb_get(desc, GB_M_PRB_DESC_NEXT);
	uint64_t at, size = 0;
	char *text;

	if (begin & NO_BLOCK && next & NO_BLOCK) {
		if (begin != EMPTY || next != EMPTY)
			return GB_ENOTFOUND;
		len = 0;
	}
	at = len ? find_text(ring, id, begin, next, &size) : 0;
	if (len && !at)
		return GB_ETORN;
	if (len > size || len > ring->text_left)
		return GB_ETORN;
	ret->len = len;
	ring->text_left -= len;
	text = gb_arena_alloc(arena, ret->len + 1);
	ret->text = text;
	return text ? gb_read_va(ring->k, at, text, ret->len) : GB_ENOMEM;
}

static int read_info(const struct ring *ring, uint64_t id, struct gb_object *o,
		     struct gb_printk_record *ret, size_t *len_ret)
{
	uint32_t each = ring->k->offsets.structs[GB_S_PRINTK_INFO].size;

	if (gb_object_read(ring->k, GB_S_PRINTK_INFO, ring->infos + (id & ring->desc_mask) * each,
			   o) != 0)
		return GB_ETORN;
	*ret = (struct gb_printk_record){
		.seq = gb_get(o, GB_M_PRINTK_SEQ),
		.time_ns = gb_get(o, GB_M_PRINTK_TIME),
		.caller = (uint32_t)gb_get(o, GB_M_PRINTK_CALLER),
		.facility = (uint8_t)gb_get(o, GB_M_PRINTK_FACILITY),
		// flags in the lower five bits of the byte that follows
		.level = gb_object_at(o, GB_M_PRINTK_FACILITY)[1] >> 5,
	};
	*len_ret = (uint16_t)gb_get(o, GB_M_PRINTK_LEN);
	return 0;
}

// 0, GB_ENOTFOUND (not final, or overwritten meanwhile), GB_ETORN (damaged), GB_ENOMEM.
static int read_record(struct ring *ring, uint64_t id, struct gb_object *o, struct gb_arena *arena,
		       struct gb_printk_record *ret)
{
	const struct gb_kernel *k = ring->k;
	uint64_t at = ring->descs + (id & ring->desc_mask) * k->offsets.structs[GB_S_PRB_DESC].size;
	uint64_t final = id | (uint64_t)FINAL << STATE_SHIFT, after;
	size_t len;
	int r;

	if (gb_object_read(k, GB_S_PRB_DESC, at, o) != 0)
		return GB_ETORN;
	if (gb_get(o, GB_M_PRB_DESC_STATE) != final)
		return GB_ENOTFOUND;
	r = read_info(ring, id, &o[1], ret, &len);
	if (r == 0)
		r = read_text(ring, id, o, len, arena, ret);
	after = gb_read_u64_or_0(k, at + gb_offset(k, GB_M_PRB_DESC_STATE));
	return after == final || r == GB_ENOMEM ? r : GB_ENOTFOUND;
}

static int read_all(struct ring *ring, struct gb_object *o, struct gb_arena *arena,
		    struct gb_printk *ret)
{
	uint64_t count = ((ring->head - ring->tail) & ID_MASK) + 1;
	int r = 0;

	ret->list = gb_arena_array(arena, count, sizeof(*ret->list));
	if (!ret->list)
		return GB_ENOMEM;
	for (uint64_t i = 0; i < count && r != GB_ENOMEM; i++) {
		r = read_record(ring, (ring->tail + i) & ID_MASK, o, arena, &ret->list[ret->count]);
		ret->count += r == 0;
		ret->damaged += r != 0 && r != GB_ENOTFOUND;
	}
	return r == GB_ENOMEM ? r : 0;
}

int gb_printk_read(const struct gb_kernel *k, struct gb_arena *arena, struct gb_printk *ret,
		   struct gb_error *err)
{
	GB_CLEANUP(gb_cleanup_free) struct gb_object *two = malloc(2 * sizeof(*two));
	struct gb_printk log = {};
	struct ring ring = {};
	int r = two ? read_ring(k, &ring, err) : GB_ENOMEM;

	if (r == 0)
		r = read_all(&ring, two, arena, &log);
	if (r == 0)
		*ret = log;
	return r == GB_ENOMEM ? gb_fail(err, r, "no memory for the kernel's log") : r;
}

static void print_line(const struct gb_printk_record *r, bool priority, const char *text,
		       size_t len, struct gb_buf *out)
{
	if (priority)
		gb_buf_printf(out, "<%u>", (unsigned)r->facility << 3 | r->level);
	gb_buf_printf(out, "[%5" PRIu64 ".%06" PRIu64 "] ", r->time_ns / 1000000000,
		      r->time_ns % 1000000000 / 1000);
	gb_buf_add(out, text, len);
	gb_buf_add(out, "\n", 1);
}

void gb_printk_print(const struct gb_printk_record *r, bool priority, struct gb_buf *out)
{
	const char *at = r->text, *end = r->text + r->len, *newline;

	while ((newline = memchr(at, '\n', (size_t)(end - at)))) {
		print_line(r, priority, at, (size_t)(newline - at), out);
		at = newline + 1;
	}
	print_line(r, priority, at, (size_t)(end - at), out);
}
