// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Tests of the cube's tables against plain Skilling. With an argument N: write the tables of N
// frames to stdout (extent, cells, offsets; little-endian), for the page's test to compare.
#include "tests/tap.h"
#include "view/cube.h"

static uint16_t offsets[GB_CUBE_TURNS][4096];

static uint64_t next(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return *state >> 20;
}

static bool right_byte(const struct gb_cube *c, uint64_t index)
{
	uint64_t got;

	return gb_cube_byte_at(c, offsets, gb_hilbert_voxel(c->order + 4, index), &got) &&
	       got == index;
}

// Byte orders 5 and 6: every byte of every frame.
static void all_bytes_of_small_cubes(void)
{
	for (unsigned order = 5; order <= 6; order++) {
		struct gb_error err = {};
		struct gb_cube c = {};

		REQUIRE_OK(gb_cube_make((uint64_t)1 << 3 * (order - 4), &c, &err), err);
		CHECK_EQ(c.order, order - 4);
		for (uint64_t i = 0; i < (uint64_t)1 << 3 * order; i++)
			REQUIRE(right_byte(&c, i));
		gb_cube_deinit(&c);
	}
}

static void random_bytes_of_large_cubes(void)
{
	uint64_t random = 1;

	for (unsigned order = 7; order <= 10; order++) {
		struct gb_error err = {};
		struct gb_cube c = {};

		REQUIRE_OK(gb_cube_make((uint64_t)1 << 3 * (order - 4), &c, &err), err);
		for (int n = 0; n < 100000; n++)
			REQUIRE(right_byte(&c, next(&random) & (((uint64_t)1 << 3 * order) - 1)));
		gb_cube_deinit(&c);
	}
}

// Each number of frames up to 600, and some odd large ones: places are in the box, each frame is
// where its cell says, and the box is as small as can be.
static void a_prefix_fills_its_box(void)
{
	static const uint64_t more[] = {16384, 20480, 32768 - 160, 49152, 65537, 131072, 786432};
	uint64_t random = 1;

	for (uint64_t n = 1; n <= 600 + sizeof(more) / sizeof(more[0]); n++) {
		uint64_t frames = n <= 600 ? n : more[n - 601];
		uint32_t high[3] = {};
		struct gb_error err = {};
		struct gb_cube c = {};

		REQUIRE_OK(gb_cube_make(frames, &c, &err), err);
		for (uint32_t f = 0; f < frames; f++) {
			struct gb_voxel v = gb_hilbert_voxel(c.order, f);
			uint32_t at[3] = {v.x, v.y, v.z};

			REQUIRE(c.places[f] == v.x + c.extent[0] * (v.y + c.extent[1] * v.z));
			REQUIRE((c.cells[c.places[f]] & 0x7ffffff) == f);
			for (unsigned d = 0; d < 3; d++)
				high[d] = at[d] + 1 > high[d] ? at[d] + 1 : high[d];
		}
		CHECK_MEM(high, c.extent, sizeof(high));
		for (int i = 0; i < 100; i++)
			REQUIRE(right_byte(&c, next(&random) % (frames << 12)));
		gb_cube_deinit(&c);
	}
}

static void a_voxel_outside_has_no_byte(void)
{
	struct gb_error err = {};
	struct gb_cube c = {};
	uint64_t index = 7;

	REQUIRE_OK(gb_cube_make(5, &c, &err), err);
	CHECK(!gb_cube_byte_at(&c, offsets, (struct gb_voxel){16 * c.extent[0], 0, 0}, &index));
	// The last cell of a 2 x 2 x 2 box that five frames do not reach.
	CHECK(!gb_cube_byte_at(&c, offsets, gb_hilbert_voxel(5, 7 << 12), &index));
	CHECK_EQ(index, 7);
	gb_cube_deinit(&c);
}

static void sizes_are_checked(void)
{
	struct gb_error err = {};
	struct gb_cube c = {};

	CHECK_EQ(gb_cube_make(0, &c, &err), (uint64_t)GB_EUSAGE);
	CHECK_EQ(gb_cube_make(GB_CUBE_FRAMES_MAX + 1, &c, &err), (uint64_t)GB_EUSAGE);
	CHECK(c.cells == NULL);
}

static int write_tables(const char *frames)
{
	struct gb_error err = {};
	struct gb_cube c = {};
	bool ok;

	if (gb_cube_make(strtoull(frames, NULL, 10), &c, &err) != 0) {
		fprintf(stderr, "%s\n", err.message);
		return 1;
	}
	ok = fwrite(c.extent, sizeof(c.extent), 1, stdout) == 1 &&
	     fwrite(c.cells, sizeof(*c.cells) * c.extent[0] * c.extent[1] * c.extent[2], 1,
		    stdout) == 1 &&
	     fwrite(offsets, sizeof(offsets), 1, stdout) == 1 && fflush(stdout) == 0;
	gb_cube_deinit(&c);
	return ok ? 0 : 1;
}

// For the tests of other forms of the curve: indices on standard input, voxels as x | y << 10 |
// z << 20 on standard output.
static int write_voxels(const char *order)
{
	unsigned k = (unsigned)strtoul(order, NULL, 10);
	uint32_t index;

	if (k < 1 || k > 10)
		return 1;
	while (fread(&index, sizeof(index), 1, stdin) == 1) {
		struct gb_voxel v = gb_hilbert_voxel(k, index);
		uint32_t packed = v.x | v.y << 10 | v.z << 20;

		if (fwrite(&packed, sizeof(packed), 1, stdout) != 1)
			return 1;
	}
	return fflush(stdout) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
		TAP_CASE(all_bytes_of_small_cubes), TAP_CASE(random_bytes_of_large_cubes),
		TAP_CASE(a_prefix_fills_its_box),   TAP_CASE(a_voxel_outside_has_no_byte),
		TAP_CASE(sizes_are_checked),
	};

	gb_cube_offsets(offsets);
	if (argc == 3 && strcmp(argv[1], "voxels") == 0)
		return write_voxels(argv[2]);
	return argc > 1 ? write_tables(argv[1]) : tap_run(cases, sizeof(cases) / sizeof(cases[0]));
}
