// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// One loop on several cores: for work on memory that takes a millisecond and more.
//
// Threads are started for each call (20 us each) and end with it: nothing runs, waits or is left
// behind between calls, and a fork in between is harmless. Items are handed out one by one, so they
// should take 10 us and more. Signals are blocked in the threads, but for those that a fault
// raises.
#pragma once

#include <stdint.h>

#define GB_PARALLEL_MAX 16 // cores used at most: memory bandwidth does not need more

// worker is 0..gb_parallel_width()-1, and belongs to one thread for the whole call. An item that
// returns non-zero stops the loop: items not yet begun are left out.
typedef int gb_parallel_fn(void *arg, unsigned worker, uint64_t item);
// Call fn for items 0..count-1, in no order, and return when all is done: 0, or what one failing
// item returned. With fewer threads than wanted (no memory for them) the others do more.
int gb_parallel(uint64_t count, gb_parallel_fn *fn, void *arg);
// The same on at most `most` cores (at least one), the caller's among them.
int gb_parallel_on(unsigned most, uint64_t count, gb_parallel_fn *fn, void *arg);
// How many workers a call uses at most: the CPUs this process may run on, GB_PARALLEL_MAX at most.
unsigned gb_parallel_width(void);
