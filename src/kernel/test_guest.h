// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// For tests and fuzzing: a small guest made by code, and the encoders of the formats that a kernel
// carries.
//
// The guest has 8 MiB, 4-level page tables, types and symbols of its own, a process with a thread,
// a kernel thread and a page cache. Its structures have the members that members.h asks for, at
// offsets of no real kernel.
#pragma once

#include "base/buf.h"
#include "kernel/kallsyms.h"
#include "kernel/members.h"
#include "kernel/process.h"

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
	TEST_ORDER_A,          // to 6.1
	TEST_ORDER_A_SEQ,      // 6.2 and 6.3: seqs_of_names between
	TEST_ORDER_B,          // 6.4 on
	TEST_ORDER_B_POSITIVE, // 6.15 on: no per-CPU symbols at zero
	TEST_ORDER_C,          // 7.0 on
	TEST_ORDER_COUNT
};
struct test_symbol {
	uint64_t address;
	char type;
	const char *name;
};
// Symbols must ascend. at is where the first byte will lie, for order C; addresses are then
// physical. Returns the position of the digits in out.
size_t test_kallsyms(enum test_order order, const struct test_symbol *symbols, uint32_t count,
		     uint64_t base, uint64_t at, struct gb_buf *out);

// The guest.
#define TEST_GUEST_SIZE ((size_t)8 << 20)
#define TEST_GUEST_BANNER "Linux version 9.9.9-test (glass@box) #1"
enum { TEST_PID = 1, TEST_TID = 77, TEST_KTHREAD_PID = 2 };
void test_guest_build(uint8_t *ram, size_t size, enum test_order order);
// Where its structures lie in RAM: places worth patching. Returns how many there are.
size_t test_guest_places(const uint32_t **ret);

// Its objects, each of which has 8 KiB; names are at 1 KiB behind the start of what they name.
enum test_object {
	TEST_TASK = 1, // the leader of the process
	TEST_THREAD,
	TEST_KTHREAD,
	TEST_SIGNAL, // of the process
	TEST_KSIGNAL,
	TEST_CRED, // of all
	TEST_MM,
	TEST_MAPLE, // the tree of VMAs is one leaf
	TEST_VMA1,
	TEST_VMA2,
	TEST_FILE,
	TEST_INODE,
	TEST_SUPER,
	TEST_TYPE,
	TEST_DENTRY,
	TEST_ROOT_DENTRY,
	TEST_MOUNT,
	TEST_FS,
	TEST_MAPPING,
	TEST_CACHE,
	TEST_PRB, // the kernel's log: 16 records, of which one is there, and 256 bytes of text
	TEST_PRB_DESCS, // arrays
	TEST_PRB_INFOS,
	TEST_PRB_TEXT,
	TEST_FILES, // of the process: four descriptors, of which number 2 is open
	TEST_FDTABLE,
	TEST_OBJECTS_END
};
#define TEST_NAME_AT 0x400u
#define TEST_USER_AT 0x500000u // tables, then pages of the process; its arguments at:
#define TEST_ARGS_AT 0x506100u
#define TEST_SCRATCH_AT 0x700000u // 1 MiB that is free
// Physical addresses of an object, of a member of it, of a symbol; and a virtual one.
uint64_t test_guest_object(enum test_object o);
uint64_t test_guest_at(enum test_object o, enum gb_member_id m);
uint64_t test_guest_symbol(enum gb_symbol_id id);
uint64_t test_guest_va(uint64_t pa);
// Where a member lies in its structure.
uint32_t test_guest_offset(enum gb_member_id m);
// The same VMAs on the red-black tree of older kernels.
void test_guest_plant_rb_tree(uint8_t *ram);

// The guest in a memfd, opened. Both sides see the same bytes.
struct test_guest {
	int fd;
	uint8_t *bytes; // writable
	struct gb_ram *ram;
	struct gb_kernel *kernel;
	struct gb_arena arena;
	struct gb_error err;
};
bool test_guest_make(struct test_guest *g, enum test_order order); // kernel: not opened yet
bool test_guest_open(struct test_guest *g); // make one in order B, and open its kernel
// All of its processes, with all there is of them.
int test_guest_list(struct test_guest *g, struct gb_processes *p);
void test_guest_free(struct test_guest *g);
void test_guest_put(struct test_guest *g, uint64_t pa, uint64_t v);
void test_guest_set(struct test_guest *g, enum test_object o, enum gb_member_id m, uint64_t v);
uint64_t test_guest_get(const struct test_guest *g, uint64_t pa);
// More dentries, in the memory that is free; the name of each is at 0x100 behind it.
#define TEST_DENTRY_AT(n) (TEST_SCRATCH_AT + 0x200 * (n))
void test_guest_put_name(struct test_guest *g, uint64_t dentry, const char *name, size_t len);
void test_guest_put_parent(struct test_guest *g, uint64_t dentry, uint64_t parent);
// n of them, each in the next, with names of len letters; the last is in the root directory.
void test_guest_put_path(struct test_guest *g, unsigned n, size_t len);
