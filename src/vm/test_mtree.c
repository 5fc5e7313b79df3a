// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Tests of what is read out of QEMU's human monitor. The texts are QEMU 10.0.2's own.
#include "vm/mtree.h"

#include "tests/tap.h"

#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)

static const char small[] =
	"FlatView #0\n"
	" AS \"virtio-pci-cfg-mem-as\", root: virtio-pci\n"
	" Root memory region: virtio-pci\n"
	"  00000000febfc000-00000000febfcfff (prio 0, ram): mem\n"
	"\n"
	"FlatView #1\n"
	" AS \"memory\", root: system\n"
	" AS \"cpu-memory-0\", root: system\n"
	" Root memory region: system\n"
	"  0000000000000000-00000000000bffff (prio 0, ram): mem\n"
	"  00000000000c0000-00000000000c0fff (prio 0, rom): mem @00000000000c0000\n"
	"  00000000000c1000-00000000000c3fff (prio 0, ram): mem @00000000000c1000\n"
	"  00000000000e8000-00000000000effff (prio 0, ram): mem @00000000000e8000\n"
	"  0000000000100000-0000000003ffffff (prio 0, ram): mem @0000000000100000\n"
	"  00000000b0000000-00000000bfffffff (prio 0, i/o): pcie-mmcfg-mmio\n"
	"  00000000ffff0000-00000000ffffffff (prio 0, ram): pc.bios\n"
	"\n"
	"FlatView #2\n"
	" AS \"I/O\", root: io\n"
	" Root memory region: io\n"
	"  0000000000000000-0000000000000007 (prio 0, i/o): dma-chan\n";

static const char split[] =
	"FlatView #0\n"
	" AS \"memory\", root: system\r\n"
	" Root memory region: system\n"
	"  0000000000000000-000000000009ffff (prio 0, ram): mem\n"
	"  00000000000a0000-00000000000bffff (prio 1, i/o): vga-lowmem\n"
	"  00000000000c0000-000000007f7fffff (prio 0, ram): mem @00000000000c0000\n"
	"  000000007f800000-000000007fffffff (prio 1, i/o): tseg-blackhole\n"
	"  0000000100000000-000000013fffffff (prio 0, ram): mem @0000000080000000\r\n";

static void one_segment(void)
{
	struct gb_layout l = {};
	struct gb_error err = {};

	REQUIRE_OK(gb_mtree_parse(small, "mem", 64 * MIB, &l, &err), err);
	REQUIRE(l.count == 1);
	CHECK_EQ(l.segments[0].gpa.v, 0);
	CHECK_EQ(l.segments[0].size, 64 * MIB);
	CHECK_EQ(l.segments[0].offset, 0);
}

static void split_around_the_hole(void)
{
	struct gb_layout l = {};
	struct gb_error err = {};

	REQUIRE_OK(gb_mtree_parse(split, "mem", 3 * GIB, &l, &err), err);
	REQUIRE(l.count == 2);
	CHECK_EQ(l.segments[0].gpa.v, 0);
	CHECK_EQ(l.segments[0].size, 2 * GIB);
	CHECK_EQ(l.segments[1].gpa.v, 4 * GIB);
	CHECK_EQ(l.segments[1].size, GIB);
	CHECK_EQ(l.segments[1].offset, 2 * GIB);
}

static void refused(void)
{
	struct gb_layout l = {.count = 7};
	struct gb_error err = {};

	CHECK_EQ(gb_mtree_parse(small, "pc.ram", 64 * MIB, &l, &err), GB_EFORMAT);
	CHECK(strstr(err.message, "pc.ram"));
	CHECK_EQ(gb_mtree_parse(small, "me", 64 * MIB, &l, &err), GB_EFORMAT);
	CHECK_EQ(gb_mtree_parse(small, "mem", 32 * MIB, &l, &err), GB_EFORMAT);
	CHECK_EQ(gb_mtree_parse(split, "mem", 2 * GIB, &l, &err), GB_EFORMAT);
	CHECK_EQ(gb_mtree_parse("", "mem", 64 * MIB, &l, &err), GB_EFORMAT);
	CHECK_EQ(l.count, 7);
}

// A view whose pieces overlap, wrap around or begin in the middle is no memory map.
static void nonsense(void)
{
	static const char *const lines[] = {
		"  0000000000000000-ffffffffffffffff (prio 0, ram): mem\n",
		"  0000000000001000-0000000000000fff (prio 0, ram): mem\n",
		"  0000000000000000-0000000000000fff (prio 0, ram): mem @fffffffffffff800\n",
		"  0000000000000000-0000000000000fff (prio 0, ram): mem @0000000000001000\n",
		"  0000000000000000-0000000000001fff (prio 0, ram): mem\n"
		"  0000000000001000-0000000000001fff (prio 0, ram): mem @0000000000000000\n",
		"  0000000000000000-00000000000007ff (prio 0, ram): mem\n"
		"  0000000000100000-0000000000100fff (prio 0, ram): mem @0000000000000800\n",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct gb_layout l;
		char text[512];

		snprintf(text, sizeof(text), "FlatView #0\n AS \"memory\", root: system\n%s",
			 lines[i]);
		CHECK(gb_mtree_parse(text, "mem", 0x2000, &l, NULL) != 0);
	}
}

static const char registers[] =
	"\r\nCPU#0\r\n"
	"RAX=ffffffff814b5a20 RBX=0000000000000000 RCX=0000000000000000 RDX=0000000000000000\r\n"
	"RIP=ffffffff814b5a2b RFL=00000246 [---Z-P-] CPL=0 II=0 A20=1 SMM=0 HLT=1\r\n"
	"CR0=80050033 CR2=00007f1c5a3f1000 CR3=0000000001c0a000 CR4=000006f0\r\n"
	"\r\nCPU#1\r\n"
	"EAX=00000000 EBX=00000000\r\n"
	"EIP=0000fff0 EFL=00000002 [-------] CPL=0 II=0 A20=1 SMM=0 HLT=1\r\n"
	"CR0=60000010 CR2=00000000 CR3=00000000 CR4=00000000\r\n";

static void reads_registers(void)
{
	struct gb_cpu cpus[4];
	struct gb_error err = {};
	size_t n = 0;

	REQUIRE_OK(gb_registers_parse(registers, cpus, 4, &n, &err), err);
	REQUIRE(n == 2);
	CHECK_EQ(cpus[0].rip, 0xffffffff814b5a2b);
	CHECK_EQ(cpus[0].cr3, 0x1c0a000);
	CHECK_EQ(cpus[0].cr4, 0x6f0);
	CHECK_EQ(cpus[1].index, 1);
	CHECK_EQ(cpus[1].rip, 0xfff0);
	CHECK_EQ(cpus[1].cr0, 0x60000010);
	CHECK_EQ(gb_registers_parse(registers, cpus, 1, &n, &err), GB_ERANGE);
	CHECK_EQ(gb_registers_parse("CPU#0\nRIP=0\n", cpus, 4, &n, &err), GB_EFORMAT);
	CHECK_EQ(gb_registers_parse("", cpus, 4, &n, &err), GB_EFORMAT);
}

static void reads_ports(void)
{
	static const char text[] =
		"Hub -1 (net0):\r\n"
		"  Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ SendQ\r\n"
		"  TCP[HOST_FORWARD]   9       127.0.0.1 44833       10.0.2.15    22     0     0\r\n"
		"  TCP[ESTABLISHED]   11       127.0.0.1 50000       10.0.2.15    80     0     0\r\n";

	CHECK_EQ(gb_usernet_port(text, 22), 44833);
	CHECK_EQ(gb_usernet_port(text, 80), 0);
	CHECK_EQ(gb_usernet_port("", 22), 0);
}

TAP_MAIN(TAP_CASE(one_segment), TAP_CASE(split_around_the_hole), TAP_CASE(refused),
	 TAP_CASE(nonsense), TAP_CASE(reads_registers), TAP_CASE(reads_ports))
