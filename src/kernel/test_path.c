// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Tests of paths: mounts, pseudo files, and a guest whose directories have no end.
#include "base/cleanup.h"
#include "kernel/test_guest.h"
#include "tests/tap.h"

#define DENTRY_AT(n) TEST_DENTRY_AT(n)

// The name of the first VMA's file; a process whose files have no names that can be read is torn.
static const char *read_path(struct test_guest *g)
{
	struct gb_processes p;

	if (test_guest_list(g, &p) != 0) {
		tap_fail_("%s", g->err.message);
		return "";
	}
	CHECK_EQ(p.torn, !*gb_process_find(&p, TEST_PID)->vmas[0].name);
	CHECK_EQ(gb_process_find(&p, TEST_PID)->vma_count, 2);
	return gb_process_find(&p, TEST_PID)->vmas[0].name;
}

static bool open_with_file(struct test_guest *g, uint64_t dentry)
{
	if (!test_guest_open(g))
		return false;
	test_guest_set(g, TEST_FILE, GB_M_FILE_DENTRY, test_guest_va(dentry));
	return true;
}

static void paths_have_a_length(void)
{
	static const struct {
		unsigned n;
		size_t len;
	} cases[] = {{1, 1}, {1, 255}, {15, 255}, {16, 255}, {17, 255}, {255, 15}, {1900, 1}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t whole = cases[i].n * (cases[i].len + 1);
		struct test_guest g;

		REQUIRE(open_with_file(&g, DENTRY_AT(0)));
		test_guest_put_path(&g, cases[i].n, cases[i].len);
		CHECK_EQ(strlen(read_path(&g)), whole <= 4160 ? whole : 0);
		test_guest_free(&g);
	}
}

static void lengths_of_names_are_checked(void)
{
	static const uint32_t lengths[] = {256, 4096, INT32_MAX, UINT32_MAX};

	for (int i = 0; i < 4; i++) {
		struct test_guest g;

		REQUIRE(test_guest_open(&g));
		test_guest_set(&g, TEST_DENTRY, GB_M_DENTRY_LEN, lengths[i]);
		CHECK_STR(read_path(&g), "");
		test_guest_free(&g);
	}
}

static void directories_in_circles_end(void)
{
	for (unsigned n = 2; n < 5; n++) {
		struct test_guest g;

		REQUIRE(open_with_file(&g, DENTRY_AT(0)));
		test_guest_put_path(&g, n, 1);
		test_guest_put_parent(&g, DENTRY_AT(n - 1), DENTRY_AT(0));
		CHECK_STR(read_path(&g), "");
		test_guest_free(&g);
	}
}

// Two mounts, each mounted on the root of the other.
static void mounts_in_circles_end(void)
{
	uint64_t other = DENTRY_AT(2000), root = test_guest_object(TEST_ROOT_DENTRY);
	struct test_guest g;

	REQUIRE(open_with_file(&g, DENTRY_AT(0)));
	test_guest_put_path(&g, 1, 3);
	test_guest_set(&g, TEST_FS, GB_M_FS_ROOT_DENTRY, 0);
	test_guest_set(&g, TEST_MOUNT, GB_M_MOUNT_PARENT, test_guest_va(other));
	test_guest_set(&g, TEST_MOUNT, GB_M_MOUNT_POINT, test_guest_va(root));
	test_guest_put(&g, other + test_guest_offset(GB_M_MOUNT_ROOT), test_guest_va(root));
	test_guest_put(&g, other + test_guest_offset(GB_M_MOUNT_POINT), test_guest_va(root));
	test_guest_put(&g, other + test_guest_offset(GB_M_MOUNT_PARENT),
		       test_guest_va(test_guest_object(TEST_MOUNT)));
	CHECK_STR(read_path(&g), "");
	test_guest_free(&g);
}

static void mounts_lead_up(void)
{
	uint64_t outer = DENTRY_AT(2000);
	struct test_guest g;

	REQUIRE(open_with_file(&g, DENTRY_AT(0)));
	test_guest_put_path(&g, 1, 3); // the file, in the root of its mount
	test_guest_put_name(&g, DENTRY_AT(1), "mnt", 3);
	test_guest_put_parent(&g, DENTRY_AT(1), DENTRY_AT(2));
	test_guest_put_parent(&g, DENTRY_AT(2), DENTRY_AT(2));
	test_guest_set(&g, TEST_FS, GB_M_FS_ROOT_DENTRY, test_guest_va(DENTRY_AT(2)));
	test_guest_set(&g, TEST_FS, GB_M_FS_ROOT_MNT,
		       test_guest_va(outer + test_guest_offset(GB_M_MOUNT_MNT)));
	test_guest_set(&g, TEST_MOUNT, GB_M_MOUNT_PARENT, test_guest_va(outer));
	test_guest_set(&g, TEST_MOUNT, GB_M_MOUNT_POINT, test_guest_va(DENTRY_AT(1)));
	test_guest_put(&g, outer + test_guest_offset(GB_M_MOUNT_ROOT), test_guest_va(DENTRY_AT(2)));
	test_guest_put(&g, outer + test_guest_offset(GB_M_MOUNT_PARENT), test_guest_va(outer));
	CHECK_STR(read_path(&g), "/mnt/ddd");
	// a file that has no name any more
	test_guest_put(&g, DENTRY_AT(0) + test_guest_offset(GB_M_DENTRY_HASH), 0);
	CHECK_STR(read_path(&g), "/mnt/ddd (deleted)");
	test_guest_free(&g);
}

static void pseudo_files_name_themselves(void)
{
	static const struct {
		enum gb_symbol_id dname;
		const char *name;
	} cases[] = {
		{GB_Y_PIPE_DNAME, "pipe:[4711]"},
		{GB_Y_SOCK_DNAME, "socket:[4711]"},
		{GB_Y_ANON_INODE_DNAME, "anon_inode:[eventfd]"},
		{GB_Y_SIMPLE_DNAME, "/[eventfd] (deleted)"},
		{GB_Y_DMABUF_DNAME, "/[eventfd]:heap"},
		{GB_Y_PIDFS_DNAME, "anon_inode:[pidfd]"},
		{GB_Y_MODULES, ""}, // not one that we know
	};
	uint64_t ops = DENTRY_AT(50), data = DENTRY_AT(60), text = DENTRY_AT(70);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct test_guest g;

		REQUIRE(open_with_file(&g, DENTRY_AT(0)));
		test_guest_put_name(&g, DENTRY_AT(0), "[eventfd]", 9);
		test_guest_put_parent(&g, DENTRY_AT(0), DENTRY_AT(0));
		test_guest_put(&g, DENTRY_AT(0) + test_guest_offset(GB_M_DENTRY_OP),
			       test_guest_va(ops));
		test_guest_put(&g, DENTRY_AT(0) + test_guest_offset(GB_M_DENTRY_INODE),
			       test_guest_va(test_guest_object(TEST_INODE)));
		test_guest_put(&g, ops + test_guest_offset(GB_M_DENTRY_OPS_DNAME),
			       0xffffffff81000000 + test_guest_symbol(cases[i].dname) - 0x100000);
		test_guest_put(&g, DENTRY_AT(0) + test_guest_offset(GB_M_DENTRY_FSDATA),
			       test_guest_va(data)); // of a dma-buf
		test_guest_put(&g, data + test_guest_offset(GB_M_DMABUF_NAME), test_guest_va(text));
		memcpy(g.bytes + text, "heap", 5);
		CHECK_STR(read_path(&g), cases[i].name);
		test_guest_free(&g);
	}
}

static void namespaces_are_named_by_their_kind(void)
{
	uint64_t ops = DENTRY_AT(50), ns = DENTRY_AT(60), kind = DENTRY_AT(70),
		 text = DENTRY_AT(80);
	struct test_guest g;

	REQUIRE(open_with_file(&g, DENTRY_AT(0)));
	test_guest_put_name(&g, DENTRY_AT(0), "/", 1);
	test_guest_put_parent(&g, DENTRY_AT(0), DENTRY_AT(0));
	test_guest_put(&g, DENTRY_AT(0) + test_guest_offset(GB_M_DENTRY_OP), test_guest_va(ops));
	test_guest_put(&g, DENTRY_AT(0) + test_guest_offset(GB_M_DENTRY_INODE),
		       test_guest_va(test_guest_object(TEST_INODE)));
	test_guest_put(&g, ops + test_guest_offset(GB_M_DENTRY_OPS_DNAME),
		       0xffffffff81000000 + test_guest_symbol(GB_Y_NS_DNAME) - 0x100000);
	test_guest_set(&g, TEST_INODE, GB_M_INODE_PRIVATE, test_guest_va(ns));
	test_guest_put(&g, ns + test_guest_offset(GB_M_NS_KIND), test_guest_va(kind));
	test_guest_put(&g, kind + test_guest_offset(GB_M_NS_OPS_NAME), test_guest_va(text));
	memcpy(g.bytes + text, "mnt", 4);
	CHECK_STR(read_path(&g), "mnt:[4711]");
	test_guest_set(&g, TEST_INODE, GB_M_INODE_PRIVATE, 0x1008);
	CHECK_STR(read_path(&g), "");
	test_guest_free(&g);
}

TAP_MAIN(TAP_CASE(paths_have_a_length), TAP_CASE(lengths_of_names_are_checked),
	 TAP_CASE(directories_in_circles_end), TAP_CASE(mounts_in_circles_end),
	 TAP_CASE(mounts_lead_up), TAP_CASE(pseudo_files_name_themselves),
	 TAP_CASE(namespaces_are_named_by_their_kind))
