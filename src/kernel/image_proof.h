// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Does the kernel in an image say that the image was laid out rightly?
//
// A wrong split moves every byte of what lies above the PCI hole, and nothing that lies below. So what proves it is
// what makes sense and lies above. In this order, and the first that says anything is believed:
//
//   - the kernel's own image, if it lies there: its page tables map it where it is, or it is not understood;
//   - the first task of the kernel's list: it points back to the list's head for as long as a kernel runs. If it does not,
//     that contradicts the layout;
//   - struct pages and process 1 with its memory, where they make sense and one of them lies above;
//   - where the kernel says that RAM below 4 GiB ends (max_low_pfn_mapped): just below the hole, firmware keeps the rest.
//
// Not every kernel has all of that. One that found no userspace has a process 1 without memory; one that has hardly started has
// no task but its own, and its RAM is not mapped yet. In an image that was cut short anything may be missing. That proves
// nothing, and contradicts nothing either.
#pragma once

#include "kernel/kernel.h"

#define GB_HOLE_END ((uint64_t)1 << 32) // of the PCI hole

enum gb_image_proof {
	GB_IMAGE_CONTRADICTED,
	GB_IMAGE_UNPROVED, // it may be so
	GB_IMAGE_PROVED,
};

// k NULL: the kernel is not understood when the image is laid out so. low: where RAM ends below the hole; 0: that is not
// known, or the file holds the hole, too. reach: as it was found in this layout.
enum gb_image_proof gb_image_prove(struct gb_kernel *k, uint64_t low,
				   const struct gb_kernel_reach *reach);
