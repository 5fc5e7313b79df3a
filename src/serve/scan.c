// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// What every frame held when it was last looked at.
#include "serve/scan.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <xxhash.h>

static const uint8_t zero_page[GB_PAGE_SIZE];

uint64_t gb_scan_hash(const struct gb_scan *s, const void *page)
{
	return XXH3_64bits_withSeed(page, GB_PAGE_SIZE, s->seed);
}

int gb_scan_init(struct gb_scan *s, uint64_t frames, struct gb_error *err)
{
	uint64_t seed, *hashes;

	if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		return gb_fail_os(err, "no random numbers for the frames' hashes");
	hashes = calloc(frames ? frames : 1, sizeof(*hashes));
	if (!hashes)
		return gb_fail(err, GB_ENOMEM, "no memory for the hashes of %llu frames",
			       (unsigned long long)frames);
	*s = (struct gb_scan){.frames = frames, .hashes = hashes, .seed = seed};
	s->zero = gb_scan_hash(s, zero_page);
	for (uint64_t i = 0; i < frames; i++)
		hashes[i] = s->zero;
	return 0;
}

void gb_scan_deinit(struct gb_scan *s)
{
	free(s->hashes);
	*s = (struct gb_scan){};
}

struct run {
	const struct gb_scan *scan;
	const struct gb_layout *layout;
	gb_scan_visitor *visit;
	void *arg;
	uint64_t next; // frames below are done
};

// Holes between two visited spans read as zeros.
static int holes_until(struct run *run, uint64_t index)
{
	while (run->next < index) {
		uint64_t left = index - run->next;
		size_t n = left < GB_SCAN_RUN ? (size_t)left : GB_SCAN_RUN;
		int r = run->visit(run->arg, run->next, NULL, n);

		if (r != 0)
			return r;
		run->next += n;
	}
	return 0;
}

static int span(void *arg, gb_gpa gpa, const uint8_t *bytes, size_t len)
{
	struct run *run = arg;
	uint64_t hashes[GB_SCAN_RUN], index;
	int r;

	if (!gb_layout_index_of(run->layout, gb_gpa_pfn(gpa), &index))
		return GB_EBUG;
	r = holes_until(run, index);
	for (size_t done = 0; r == 0 && done < len;) {
		size_t n = 0;

		for (; n < GB_SCAN_RUN && done < len; n++, done += GB_PAGE_SIZE)
			hashes[n] = gb_scan_hash(run->scan, bytes + done);
		r = run->visit(run->arg, run->next, hashes, n);
		run->next += n;
	}
	return r;
}

int gb_scan_run(const struct gb_scan *s, struct gb_ram *ram, gb_scan_visitor *visit, void *arg,
		struct gb_error *err)
{
	struct run run = {
		.scan = s, .layout = gb_ram_layout(ram), .visit = visit, .arg = arg};
	gb_gpa end = gb_layout_end(run.layout);
	int r = gb_ram_visit(ram, (gb_gpa){0}, end.v, span, &run, err);

	return r != 0 ? r : holes_until(&run, s->frames);
}
