// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The table of benches.
#include "bench/bench.h"

const struct gb_bench_entry gb_benches[] = {
	{"ram", "reading, copying and watching guest RAM, against memcpy", gb_bench_ram},
	{"kernel", "finding and reading the kernel of a guest", gb_bench_kernel},
	{"boot", "from exec of QEMU to userland ready, under TCG", gb_bench_boot},
	{},
};
