// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Raw images: RAM without the machine that says where it lies.
//
// A machine with more RAM than fits below its PCI hole has the rest from 4 GiB on, and the file of its RAM does not
// say where it was split. The kernel in it does: max_pfn is one past its highest frame. What that is more than 4 GiB
// lies above, and what is left of the file lies below; or the file holds the hole, too. What comes out, and what the user
// says of a kernel that is found, must prove itself (image_proof.h): what is contradicted is refused, and what the user says
// and nothing proves is marked. (max_low_pfn does not help: a 64-bit kernel sets it to
// max_pfn.) Where nothing does, the bytes are still those of the file, and can be read as they lie there.
//
// A file that ends before max_pfn was cut short. It can be read as far as it goes, and what is read is not all.
#pragma once

#include "kernel/kernel.h"

struct gb_image {
	struct gb_ram *ram;
	struct gb_kernel *kernel; // NULL: no Linux that is understood; why says what was found
	struct gb_error why;
	uint64_t missing; // bytes of RAM that the kernel has (or the user says) and the file lacks
	bool unproved; // laid out as the user says, and the kernel that was found cannot tell whether that is so
	bool unplaced; // no layout fits the kernel that was found: ram is the file as it is, and why says so
};

// split: bytes of RAM that lie below the hole, by who knows it; 0: find out. GB_EUNKNOWN when the kernel that was
// found contradicts it, GB_EUSAGE when nothing can be split there, and what gb_ram_open() can fail with.
int gb_image_open(const char *path, uint64_t split, struct gb_image *ret, struct gb_error *err);
void gb_image_close(struct gb_image *i); // accepts a zeroed one

// The layout of a file of size bytes whose kernel's RAM reaches so far, and what it lacks. GB_EUNKNOWN when
// there is none.
int gb_image_fit(uint64_t size, const struct gb_kernel_reach *reach, struct gb_layout *ret,
		 uint64_t *missing_ret, struct gb_error *err);
// The same when so many bytes of RAM lie below the hole. The file may end before they do. GB_EUSAGE.
int gb_image_split(uint64_t size, uint64_t split, const struct gb_kernel_reach *reach,
		   struct gb_layout *ret, uint64_t *missing_ret, struct gb_error *err);
