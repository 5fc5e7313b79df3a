// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// For tests and fuzzing: a small guest made by code, and the encoders of the formats that a kernel carries.
//
// The guest has 8 MiB, 4-level page tables, types and symbols of its own, a process with a thread, a kernel
// thread and a page cache. Its structures have the members that members.h asks for, at offsets of no
// real kernel.
#pragma once

#include "base/buf.h"
#include "kernel/kallsyms.h"

#include <stdint.h>

// BTF, type by type. Ids count from 1.
struct test_btf {
	struct gb_buf types, strings;
	uint32_t count;
};
struct test_member {
	const char *name; // NULL: anonymous
	uint32_t type, bit_offset;
};
void test_btf_deinit(struct test_btf *b);
uint32_t test_btf_type(struct test_btf *b, const char *name, unsigned kind, unsigned count,
		       uint32_t size_or_type);
uint32_t test_btf_int(struct test_btf *b, const char *name, uint32_t size);
uint32_t test_btf_array(struct test_btf *b, uint32_t of, uint32_t elements);
uint32_t test_btf_struct(struct test_btf *b, const char *name, uint32_t size,
			 const struct test_member *members, unsigned count);
uint32_t test_btf_enum(struct test_btf *b, const char *name, const char *const *names,
		       const int32_t *values, unsigned count);
void test_btf_u32(struct test_btf *b, uint32_t v); // what a type adds
uint32_t test_btf_string(struct test_btf *b, const char *s);
// The whole blob.
void test_btf_finish(const struct test_btf *b, struct gb_buf *out);

// kallsyms in the orders that kernels have used.
enum test_order {
	TEST_ORDER_A,	  // to 6.1
	TEST_ORDER_A_SEQ, // 6.2 and 6.3: seqs_of_names between
	TEST_ORDER_B,	  // 6.4 on
	TEST_ORDER_B_POSITIVE, // 6.15 on: no per-CPU symbols at zero
	TEST_ORDER_C,	  // 7.0 on
	TEST_ORDER_COUNT
};
struct test_symbol {
	uint64_t address;
	char type;
	const char *name;
};
// Symbols must ascend. at is where the first byte will lie, for order C; addresses are then physical.
// Returns the position of the digits in out.
size_t test_kallsyms(enum test_order order, const struct test_symbol *symbols, uint32_t count,
		     uint64_t base, uint64_t at, struct gb_buf *out);

// The guest.
#define TEST_GUEST_SIZE ((size_t)8 << 20)
#define TEST_GUEST_BANNER "Linux version 9.9.9-test (glass@box) #1"
enum { TEST_PID = 1, TEST_TID = 77, TEST_KTHREAD_PID = 2 };
void test_guest_build(uint8_t *ram, size_t size, enum test_order order);
// Where its structures lie in RAM: places worth patching. Returns how many there are.
size_t test_guest_places(const uint32_t **ret);
