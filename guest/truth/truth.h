// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// What a guest's own kernel says about itself at the moment its RAM was frozen: the yardstick of the tests of src/kernel.
//
// A program in the guest (freeze.c) stops everything else by spinning at the highest real-time priority on every processor, reads
// /proc twice into locked memory and then makes QEMU exit by one port write, spinning on until it does. No task runs between the
// second reading and the freeze, so RAM and readings belong together; interrupts do, so a timer may wake a task that then does not get
// to run, and a few frames may change hands. What differs between the two readings was in motion and can be no yardstick:
// compare only what is equal in both.
//
// In RAM the truth lies in pages of struct gb_truth_page, wherever the kernel put them; unpack.c gathers them from the RAM image into
// a file, which is a sequence of sections: struct gb_truth_section, then len bytes, then zeros up to a multiple of 8.
// All numbers are little-endian.
//
//	name        pid   reading   content
//	version     0     1         /proc/version                             text
//	cmdline     0     1         /proc/cmdline                             text
//	cpuinfo     0     1         /proc/cpuinfo                             text; flags the kernel does not use are missing (la57, pti)
//	iomem       0     1         /proc/iomem                               text
//	modules     0     1         /proc/modules                             text
//	kallsyms    0     1         /proc/kallsyms                            text; lines with [module] are not of vmlinux
//	stat        pid   1, 2      /proc/PID/stat                            text; comm in it is raw: it may hold ) and newlines
//	status      pid   1, 2      /proc/PID/status                          text; comm in it is escaped by the kernel
//	cmdline     pid   1, 2      /proc/PID/cmdline                         raw words, each with a zero; missing for kernel threads
//	exe         pid   1, 2      the link /proc/PID/exe                    text; missing for kernel threads
//	maps        pid   1, 2      /proc/PID/maps                            text; missing for kernel threads and zombies
//	pagemap     pid   1, 2      struct gb_truth_mapping per page that /proc/PID/pagemap calls present or swapped
//	fd          pid   1, 2      the links in /proc/PID/fd                 per descriptor its number, a zero, where it leads, a zero
//	threads     pid   1, 2      uint32_t per thread of the process, the leader too
//	task        tid   1, 2      /proc/PID/task/TID/stat                   text
//	meminfo     0     1, 2      /proc/meminfo                             text
//	zoneinfo    0     1, 2      /proc/zoneinfo                            text
//	vmallocinfo 0     1, 2      /proc/vmallocinfo                         text
//	log         0     1, 2      the kernel's log as syslog(2) gives it    text, with <priority>; only the newest of a log that is too long
//	kpageflags  0     1, 2      /proc/kpageflags                          uint64_t per frame, from PFN 0
//	kpagecount  0     1, 2      /proc/kpagecount                          uint64_t per frame, from PFN 0
//	end         0     2         nothing: a truth without it was cut off
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define GB_TRUTH_MAGIC "GlassBox truth:1"
#define GB_TRUTH_PAYLOAD 4056

// One page of RAM. The magic is put together at run time, so that it stands in no page of the program's own text.
struct gb_truth_page {
	char magic[16];
	uint32_t index;
	uint32_t total; // pages
	uint32_t used;  // bytes of the payload
	uint32_t zero;
	uint64_t hash; // FNV-1a 64 of the used bytes
	uint8_t payload[GB_TRUTH_PAYLOAD];
};

struct gb_truth_section {
	char name[16]; // ends with a zero
	uint32_t pid;
	uint32_t reading;
	uint64_t len;
};

struct gb_truth_mapping {
	uint64_t address;
	// as in /proc/PID/pagemap: bit 63 present, 62 swapped, 61 file or shared; bits 0-54 PFN
	uint64_t entry;
};

_Static_assert(sizeof(struct gb_truth_page) == 4096, "one frame");
_Static_assert(sizeof(struct gb_truth_section) == 32, "no padding");

static inline uint64_t gb_truth_hash(const uint8_t *bytes, size_t len)
{
	uint64_t hash = 0xcbf29ce484222325;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ bytes[i]) * 0x100000001b3;
	return hash;
}

// Reads the section at *offset of a truth file in memory: its head, and where its bytes are. Returns 1 and moves *offset on,
// 0 at the end of the file, -1 if the file is damaged there.
static inline int gb_truth_next(const uint8_t *file, size_t size, size_t *offset,
				struct gb_truth_section *head_ret, const uint8_t **bytes_ret)
{
	struct gb_truth_section head;

	if (*offset == size)
		return 0;
	if (*offset > size || size - *offset < sizeof(head))
		return -1;
	memcpy(&head, file + *offset, sizeof(head));
	size_t left = size - *offset - sizeof(head);
	if (head.len > left || ((head.len + 7) & ~UINT64_C(7)) > left ||
	    !memchr(head.name, 0, sizeof(head.name)))
		return -1;
	*head_ret = head;
	*bytes_ret = file + *offset + sizeof(head);
	*offset += sizeof(head) + ((head.len + 7) & ~UINT64_C(7));
	return 1;
}
