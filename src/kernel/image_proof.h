// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Does the kernel in an image say that the image was laid out rightly?
//
// Of an image that is whole, struct pages and process 1 are read: both lie in RAM above the PCI hole if there is any,
// and make no sense if it was put elsewhere. Of one that was cut short they may be missing. There the first task of the
// kernel's list is asked: it points back to the list's head for as long as a kernel runs. If it is missing, too, it counts
// where the kernel says that RAM below 4 GiB ends (max_low_pfn_mapped): just below the hole, firmware keeps the rest.
#pragma once

#include "kernel/kernel.h"

// k NULL: the kernel is not understood when the image is laid out so.
bool gb_image_is_proved(struct gb_kernel *k);
// The same for an image that was cut short; low: where RAM ends below the hole.
bool gb_image_cut_is_proved(const struct gb_kernel *k, uint64_t low,
			    const struct gb_kernel_reach *reach);
