// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Fuzz target: a whole guest whose lists, trees, tables and strings are bent: finding the kernel,
// tasks, VMAs, paths and the owners of frames. Input: patches of the image (see fuzz.h). What is
// read must be in order, counted, and end.
#include "base/cleanup.h"
#include "fuzz/fuzz.h"
#include "kernel/frames.h"
#include "kernel/module.h"
#include "kernel/printk.h"
#include "kernel/test_guest.h"

#include <string.h>

static struct fuzz_image image;

static void build(uint8_t *bytes, size_t size)
{
	test_guest_build(bytes, size, TEST_ORDER_B);
}

static void check_process(const struct gb_process *p)
{
	if (!p->args || memchr(p->comm, 0, sizeof(p->comm)) == NULL)
		__builtin_trap();
	for (size_t i = 0; p->vmas && i < p->vma_count; i++) {
		const struct gb_vma *v = &p->vmas[i];

		if (!v->name || strchr(v->name, '\n'))
			__builtin_trap();
		if (i && strcmp(v->name, "[vsyscall]") != 0 &&
		    (v->start >= v->end || v->start < p->vmas[i - 1].end))
			__builtin_trap();
	}
}

static void check_frames(struct gb_kernel *k, const struct gb_processes *p)
{
	GB_CLEANUP(gb_frames_deinit) struct gb_frames f = {};
	GB_CLEANUP(gb_buf_deinit) struct gb_buf text = {};
	uint64_t sum = 0;

	if (gb_frames_classify(k, p, &f, NULL) != 0)
		return;
	for (int c = 0; c < GB_FRAME_CLASS_COUNT; c++)
		sum += f.by_class[c];
	if (sum != f.count)
		__builtin_trap();
	for (size_t i = 0; i < f.count; i += 5) {
		gb_buf_clear(&text);
		gb_frame_describe(k, p, &f, i, &text);
	}
}

static void check_processes(struct gb_kernel *k)
{
	GB_CLEANUP(gb_arena_deinit) struct gb_arena arena = {};
	struct gb_processes p;

	if (gb_process_list(k, GB_PROCESS_NAMES | GB_PROCESS_ARGS | GB_PROCESS_FILES, &arena, &p,
			    NULL) != 0)
		return;
	for (size_t i = 0; i < p.count; i++)
		check_process(&p.list[i]);
	check_frames(k, &p);
}

static void check_log(struct gb_kernel *k)
{
	GB_CLEANUP(gb_arena_deinit) struct gb_arena arena = {};
	GB_CLEANUP(gb_buf_deinit) struct gb_buf text = {};
	struct gb_error err = {};
	struct gb_printk log = {};

	if (gb_printk_read(k, &arena, &log, &err) != 0 && !err.message[0])
		__builtin_trap();
	for (size_t i = 0; i < log.count; i++)
		if (log.list[i].text[log.list[i].len] != 0)
			__builtin_trap();
		else
			gb_printk_print(&log.list[i], true, &text);
}

static void check_modules(struct gb_kernel *k)
{
	GB_CLEANUP(gb_arena_deinit) struct gb_arena arena = {};
	GB_CLEANUP(gb_buf_deinit) struct gb_buf text = {};
	struct gb_modules modules = {};
	struct gb_error err = {};

	if (gb_module_list(k, &arena, &modules, &err) != 0 && !err.message[0])
		__builtin_trap();
	for (size_t i = 0; i < modules.count; i++) {
		if (!memchr(modules.list[i].name, 0, sizeof(modules.list[i].name)))
			__builtin_trap();
		gb_module_print(&modules.list[i], &text);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gb_cursor c = gb_cursor_init(data, size, "input");
	struct gb_cursor again = c;
	struct gb_kernel *k = NULL;
	struct gb_error err = {};

	fuzz_image_open(&image, TEST_GUEST_SIZE, NULL, build);
	fuzz_image_patch(&image, &c);
	if (gb_kernel_open(image.ram, NULL, &k, &err) != 0) {
		if (!err.message[0])
			__builtin_trap(); // a refusal says why
	} else {
		check_processes(k);
		check_log(k);
		check_modules(k);
	}
	gb_kernel_close(k);
	fuzz_image_restore(&image, &again);
	return 0;
}

// Each seed bends one word of one structure.
size_t fuzz_seed(unsigned n, uint8_t *buf, size_t cap)
{
	static const uint64_t words[] =
		{0, UINT64_MAX, 0xffff888000304000, 0xffff888000308008, 0x7fff, 0xffffffff81080008};
	const uint32_t *places;
	size_t count = test_guest_places(&places);

	if (n >= count * 3)
		return 0;
	return fuzz_seed_patch(buf, cap, 0, places[n % count] + 8 * (n * 5 % 40), &words[n % 6], 8);
}
