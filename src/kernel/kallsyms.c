// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// kallsyms: find its parts around the token table, decode, look up.
//
// scripts/kallsyms.c of the kernel writes these arrays into read-only data, each aligned to 8 bytes
// (to 4 since 7.0):
//
//	num_syms	u32
//	names		num_syms entries: a length, then so many bytes, each the number of
//			a token; the text of all tokens together is the type letter and the
//			name. A length of 0x80 or more takes two bytes, low 7 bits first
//			(since 6.1, for the long names of Rust)
//	markers		u32: where every 256th entry of names begins
//	token_table	256 strings, NUL-terminated
//	token_index	u16: where each token begins
//	offsets		s32 for each symbol
//	relative_base	u64
//	seqs_of_names	3 bytes for each symbol: an order by name (since 6.2)
//
// Their order has changed:
//
//	A  to 6.3	offsets, relative_base, num_syms, names, markers,
//			[6.2: seqs_of_names,] token_table, token_index
//	B  6.4 on	num_syms, names, markers, token_table, token_index, offsets,
//			relative_base, seqs_of_names
//	C  7.0 on	as B without relative_base: an offset counts from its own slot, so
//			that nothing is relocated and RAM holds no virtual address
//
// In A and B a negative offset means relative_base - 1 - offset, and one that is not negative an
// absolute value (ABSOLUTE_PERCPU, until per-CPU symbols stopped being zero-based with 6.15); a
// table without any negative one counts from relative_base. Nothing says which order or rule a
// kernel uses. We try them, and believe the one that gives addresses in ascending order, as the
// kernel's own search needs them.
#include "kernel/kallsyms.h"

#include "base/hash.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define SYMBOLS_MIN 300        // fewer than two blocks cannot be told from chance
#define SYMBOLS_MAX (4u << 20) // an allyesconfig kernel has about 1 M
#define NAME_LONG 1024         // KSYM_NAME_LEN is 512
#define POOL_MAX ((size_t)256 << 20)
#define STEPS_MAX ((int64_t)64 << 20)

struct tables {
	const struct gb_window *w;
	size_t tokens, index;   // positions in the window
	size_t markers, blocks; // where, how many
	size_t names, names_end;
	size_t numbered; // where num_syms stands
	uint32_t count;
	bool plain_lengths; // a length is always one byte
	int64_t budget;     // steps left: what a hostile table may cost
	uint16_t token_at[256];
	uint8_t token_len[256];
};

static uint16_t u16_at(const struct gb_window *w, size_t at)
{
	uint16_t v = 0;

	if (at <= w->size && w->size - at >= 2)
		memcpy(&v, w->bytes + at, 2);
	return v;
}

static uint32_t u32_at(const struct gb_window *w, size_t at)
{
	uint32_t v = 0;

	if (at <= w->size && w->size - at >= 4)
		memcpy(&v, w->bytes + at, 4);
	return v;
}

static uint64_t u64_at(const struct gb_window *w, size_t at)
{
	uint64_t v = 0;

	if (at <= w->size && w->size - at >= 8)
		memcpy(&v, w->bytes + at, 8);
	return v;
}

// Alignment counts in guest memory; windows start at a multiple of the page size.
static size_t align_up(size_t at, size_t to)
{
	return (at + to - 1) & ~(to - 1);
}

// The token table begins index['0'] bytes before its digits; all 256 entries of the index must
// agree.
static bool index_fits(struct tables *t, size_t digits, size_t index)
{
	const struct gb_window *w = t->w;
	size_t zero = u16_at(w, index + 2 * '0'), at;

	if (zero > digits || index + 512 > w->size)
		return false;
	at = digits - zero;
	t->tokens = at;
	t->index = index;
	for (int i = 0; i < 256; i++) {
		size_t len = strnlen((const char *)w->bytes + at, index - at);

		if (at >= index || len > 255 || u16_at(w, index + 2 * (size_t)i) != at - t->tokens)
			return false;
		t->token_at[i] = (uint16_t)(at - t->tokens);
		t->token_len[i] = (uint8_t)len;
		at += len + 1;
	}
	return index - at < 8;
}

static int find_tokens(struct tables *t, size_t digits, struct gb_error *err)
{
	const struct gb_window *w = t->w;
	size_t at = digits;

	for (int i = '0'; i < 256 && at < w->size; i++)
		at += strnlen((const char *)w->bytes + at, w->size - at) + 1;
	if (at < w->size)
		for (size_t to = 8; to > 0; to /= 2)
			if (index_fits(t, digits, align_up(at, to)))
				return 0;
	return gb_fail(err, GB_EFORMAT, "no token index behind the tokens of kallsyms");
}

static bool is_step(uint32_t low, uint32_t high)
{
	return high > low && high - low >= 512 && high - low <= 256 * 1026;
}

// Markers that end right before a place, but for padding.
static bool markers_before(struct tables *t, size_t end)
{
	const struct gb_window *w = t->w;
	size_t at = end & ~(size_t)3, blocks = 1;

	while (at >= 4 && at + 8 > end && u32_at(w, at - 4) == 0)
		at -= 4;
	while (at >= 8 && blocks <= SYMBOLS_MAX / 256 &&
	       is_step(u32_at(w, at - 8), u32_at(w, at - 4))) {
		at -= 4;
		blocks++;
	}
	if (at < 4 || u32_at(w, at - 4) != 0)
		return false;
	t->markers = at - 4;
	t->blocks = blocks;
	t->budget -= (int64_t)blocks;
	return blocks > 1 && t->budget > 0;
}

// 6.2 and 6.3: seqs_of_names stands between, and tells its length only by where markers fit before
// it. Nothing is read twice: for each count of blocks the end of the markers is known to 768 bytes.
static bool markers_before_sequence(struct tables *t, size_t *from)
{
	for (size_t blocks = *from; blocks <= SYMBOLS_MAX / 256; blocks++) {
		size_t low = 3 * 256 * (blocks - 1), high = low + 3 * 256 + 16;

		if (high > t->tokens)
			return false;
		for (size_t end = t->tokens - high; end <= t->tokens - low; end += 4) {
			size_t first = end - 4 * blocks;

			if (end < 4 * blocks + 16 || u32_at(t->w, first) != 0 ||
			    !is_step(0, u32_at(t->w, first + 4)))
				continue;
			if (markers_before(t, end) && t->blocks == blocks && t->markers == first) {
				*from = blocks + 1;
				return true;
			}
		}
	}
	return false;
}

// The next entry of names: how many bytes its head takes, how many tokens follow. False at the end.
static bool next_name(const struct tables *t, size_t *at, size_t *len_ret)
{
	const uint8_t *p = t->w->bytes;
	size_t len;

	if (*at >= t->names_end)
		return false;
	len = p[(*at)++];
	if (len >= 0x80 && !t->plain_lengths) {
		if (*at >= t->names_end)
			return false;
		len = (len & 0x7f) | (size_t)p[(*at)++] << 7;
	}
	*len_ret = len;
	return len > 0 && len <= t->names_end - *at;
}

// All names from t->names on hit all markers and end where the markers begin.
static bool chain_fits(struct tables *t)
{
	size_t at = t->names, len;

	for (uint32_t i = 0; i < t->count; i++) {
		if (i % 256 == 0 && at - t->names != u32_at(t->w, t->markers + i / 256 * 4))
			return false;
		if (t->budget-- <= 0 || !next_name(t, &at, &len))
			return false;
		at += len;
	}
	return t->names_end - at < 8;
}

static bool names_at(struct tables *t, size_t names, size_t numbered)
{
	uint32_t count = u32_at(t->w, numbered);

	if (count < SYMBOLS_MIN || count <= (t->blocks - 1) * 256 || count > t->blocks * 256)
		return false;
	t->names = names;
	t->numbered = numbered;
	t->count = count;
	t->plain_lengths = false;
	if (chain_fits(t))
		return true;
	t->plain_lengths = true;
	return chain_fits(t);
}

// names begins a little more than the last marker's value before the markers.
static bool find_names(struct tables *t)
{
	size_t last = u32_at(t->w, t->markers + 4 * (t->blocks - 1)), at;

	t->names_end = t->markers;
	if (last + 16 > t->markers)
		return false;
	at = (t->markers - last) & ~(size_t)3;
	for (size_t tries = 256 * 1026 / 4; tries > 0 && at >= 4; tries--, at -= 4)
		if (names_at(t, at, at - 8) || names_at(t, at, at - 4))
			return true;
	return false;
}

static int find_tables(struct tables *t, size_t digits, struct gb_error *err)
{
	size_t from = 2;
	int r = find_tokens(t, digits, err);

	if (r != 0)
		return r;
	if (markers_before(t, t->tokens) && find_names(t))
		return 0;
	while (markers_before_sequence(t, &from))
		if (find_names(t))
			return 0;
	return gb_fail(err, GB_EFORMAT, "no names before the tokens of kallsyms");
}

static bool ascending(const uint64_t *a, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (a[i] < a[i - 1])
			return false;
	return true;
}

static bool is_kernel_address(uint64_t v)
{
	return v >= 0xff00000000000000;
}

static bool based_addresses(const struct tables *t, size_t offsets, size_t base_at, uint64_t *ret)
{
	uint64_t base = u64_at(t->w, base_at);
	bool negative = false;

	if (!is_kernel_address(base) || offsets + 4 * (size_t)t->count > t->w->size)
		return false;
	for (uint32_t i = 0; i < t->count; i++)
		negative |= (int32_t)u32_at(t->w, offsets + 4 * (size_t)i) < 0;
	for (uint32_t i = 0; i < t->count; i++) {
		int32_t off = (int32_t)u32_at(t->w, offsets + 4 * (size_t)i);

		if (!negative)
			ret[i] = base + (uint32_t)off;
		else
			ret[i] = off < 0 ? base - 1 - (int64_t)off : (uint64_t)off;
	}
	return ascending(ret, t->count) && is_kernel_address(ret[t->count - 1]);
}

static bool slot_addresses(const struct tables *t, size_t offsets, uint64_t *ret)
{
	if (offsets + 4 * (size_t)t->count > t->w->size)
		return false;
	for (uint32_t i = 0; i < t->count; i++) {
		size_t slot = offsets + 4 * (size_t)i;

		ret[i] = t->w->start.v + slot + (int64_t)(int32_t)u32_at(t->w, slot);
	}
	return ascending(ret, t->count) && ret[t->count - 1] < (uint64_t)1 << 52;
}

static int find_addresses(const struct tables *t, struct gb_kallsyms *s, struct gb_error *err)
{
	size_t bytes = 4 * (size_t)t->count, behind = align_up(t->index + 512, 8);
	size_t before = align_up(bytes, 8) + 8;

	if (t->numbered >= before &&
	    based_addresses(t, t->numbered - before, t->numbered - 8, s->addresses))
		return 0;
	if (based_addresses(t, behind, align_up(behind + bytes, 8), s->addresses))
		return 0;
	s->physical = true;
	if (slot_addresses(t, align_up(t->index + 512, 4), s->addresses))
		return 0;
	return gb_fail(err, GB_EFORMAT, "the addresses in kallsyms are in no order that is known");
}

#define SHORT 16 // nearly all tokens; copied whole, which is faster than counting

struct expander {
	const struct tables *t;
	char tokens[256][SHORT];
};

static void fill_expander(const struct tables *t, struct expander *e)
{
	e->t = t;
	for (int i = 0; i < 256; i++)
		memcpy(e->tokens[i], t->w->bytes + t->tokens + t->token_at[i],
		       t->token_len[i] < SHORT ? t->token_len[i] : SHORT);
}

// The text of one name. out has room for NAME_LONG + SHORT bytes. False when it is too long or
// empty.
static bool expand(const struct expander *e, const uint8_t *tokens, size_t n, char *out,
		   size_t *len_ret)
{
	const struct tables *t = e->t;
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		size_t more = t->token_len[tokens[i]];

		if (len + more > NAME_LONG)
			return false;
		if (more <= SHORT)
			memcpy(out + len, e->tokens[tokens[i]], SHORT);
		else
			memcpy(out + len, t->w->bytes + t->tokens + t->token_at[tokens[i]], more);
		len += more;
	}
	out[len++] = 0;
	*len_ret = len;
	return len > 2;
}

static int expand_names(const struct tables *t, struct gb_kallsyms *s, struct gb_error *err)
{
	size_t at = t->names, cap = (size_t)t->count * 32 + 4096, used = 0, len, more;
	struct expander e = {};

	fill_expander(t, &e);
	s->pool = malloc(cap);
	for (uint32_t i = 0; i < t->count && s->pool; i++) {
		if (cap - used < NAME_LONG + SHORT + 1) {
			char *pool = cap < POOL_MAX ? realloc(s->pool, cap *= 2) : NULL;

			if (!pool)
				return gb_fail(err, GB_ENOMEM,
					       "no memory for the names in kallsyms");
			s->pool = pool;
		}
		if (!next_name(t, &at, &len) ||
		    !expand(&e, t->w->bytes + at, len, s->pool + used, &more))
			return gb_fail(err, GB_EFORMAT, "name %" PRIu32 " in kallsyms is damaged",
				       i);
		at += len;
		s->names[i] = (uint32_t)used;
		used += more;
	}
	return s->pool ? 0 : gb_fail(err, GB_ENOMEM, "no memory for the names in kallsyms");
}

static uint32_t hash_slot(const struct gb_kallsyms *s, const char *name)
{
	return (uint32_t)gb_hash(name, strlen(name)) & s->hash_mask;
}

static int hash_names(struct gb_kallsyms *s, struct gb_error *err)
{
	uint64_t probes = 64 * (uint64_t)s->count;
	uint32_t cap = 1024;

	while (cap < s->count + s->count / 2)
		cap *= 2;
	s->hash = calloc(cap, sizeof(*s->hash));
	if (!s->hash)
		return gb_fail(err, GB_ENOMEM, "no memory for the names in kallsyms");
	s->hash_mask = cap - 1;
	for (size_t i = 0; i < s->count; i++) {
		uint32_t slot = hash_slot(s, gb_kallsyms_name(s, i));

		while (s->hash[slot] && --probes > 0)
			slot = (slot + 1) & s->hash_mask;
		if (probes == 0)
			return gb_fail(err, GB_EFORMAT,
				       "too many symbols in kallsyms share a name");
		s->hash[slot] = (uint32_t)i + 1;
	}
	return 0;
}

static int fill(const struct tables *t, struct gb_kallsyms *s, struct gb_error *err)
{
	int r;

	s->count = t->count;
	s->addresses = malloc(s->count * sizeof(*s->addresses));
	s->names = malloc(s->count * sizeof(*s->names));
	if (!s->addresses || !s->names)
		return gb_fail(err, GB_ENOMEM, "no memory for the symbols of the guest's kernel");
	r = find_addresses(t, s, err);
	if (r == 0)
		r = expand_names(t, s, err);
	if (r == 0)
		r = hash_names(s, err);
	return r;
}

bool gb_kallsyms_probe(const struct gb_window *w, size_t digits)
{
	struct tables t = {.w = w};

	return find_tokens(&t, digits, NULL) == 0;
}

int gb_kallsyms_decode(const struct gb_window *w, size_t digits, struct gb_kallsyms **ret,
		       struct gb_error *err)
{
	struct tables t = {.w = w, .budget = STEPS_MAX};
	struct gb_kallsyms *s;
	int r = find_tables(&t, digits, err);

	if (r != 0)
		return r;
	s = calloc(1, sizeof(*s));
	if (!s)
		return gb_fail(err, GB_ENOMEM, "no memory for the symbols of the guest's kernel");
	r = fill(&t, s, err);
	if (r != 0)
		gb_kallsyms_destroy(s);
	else
		*ret = s;
	return r;
}

void gb_kallsyms_destroy(struct gb_kallsyms *s)
{
	if (!s)
		return;
	free(s->hash);
	free(s->pool);
	free(s->names);
	free(s->addresses);
	free(s);
}

bool gb_kallsyms_same(const struct gb_kallsyms *a, const struct gb_kallsyms *b)
{
	bool same = a->count == b->count &&
		    memcmp(a->addresses, b->addresses, a->count * sizeof(*a->addresses)) == 0;

	for (size_t i = 0; i < a->count && same; i++)
		same = strcmp(a->pool + a->names[i], b->pool + b->names[i]) == 0;
	return same;
}

void gb_kallsyms_rebase(struct gb_kallsyms *s, uint64_t delta)
{
	for (size_t i = 0; i < s->count; i++)
		s->addresses[i] += delta;
	s->physical = false;
}

size_t gb_kallsyms_find(const struct gb_kallsyms *s, const char *name, size_t after)
{
	uint32_t slot = hash_slot(s, name);

	for (; s->hash[slot]; slot = (slot + 1) & s->hash_mask) {
		size_t i = s->hash[slot] - 1;

		if ((after == SIZE_MAX || i > after) && strcmp(gb_kallsyms_name(s, i), name) == 0)
			return i;
	}
	return SIZE_MAX;
}

size_t gb_kallsyms_nearest(const struct gb_kallsyms *s, uint64_t address)
{
	size_t low = 0, high = s->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (s->addresses[middle] <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low - 1; // SIZE_MAX when all are above
}
