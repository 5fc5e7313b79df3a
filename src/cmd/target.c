// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// TARGET: the name of a running guest, or a file that holds a raw RAM image.
#include "cmd/target.h"

#include "kernel/image.h"
#include "vm/monitor.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#define VERIFY_TRIES 4

const struct gb_option gb_target_options[] = {GB_TARGET_OPTIONS, {}};

static bool is_paused(const struct gb_vm_info *vm)
{
	char status[32];
	bool running;

	// not known: then it is treated as running
	return gb_vm_status(vm, GB_QMP_TIMEOUT_MS, status, &running, NULL) == 0 && !running;
}

static int open_vm(struct gb_target *t, struct gb_error *err)
{
	t->live = true;
	t->paused = is_paused(&t->vm);
	snprintf(t->name, sizeof(t->name), "%s", t->vm.name);
	return gb_vm_open_ram(&t->vm, &t->ram, err);
}

static void take_image(struct gb_image *i, struct gb_target *t)
{
	t->ram = i->ram;
	t->kernel = i->kernel;
	t->missing = i->missing;
	t->unplaced = i->unplaced;
	t->unproved = i->unproved;
	t->why = i->why;
	if (i->missing)
		gb_error_prefix(&t->why, "the image is cut short");
}

int gb_target_understand(struct gb_target *t, struct gb_error *err)
{
	if (t->kernel)
		return 0;
	if (t->live)
		return gb_kernel_open(t->ram, &(struct gb_kernel_options){}, &t->kernel, err);
	if (err)
		*err = t->why;
	return GB_EUNKNOWN;
}

static int open_file(const char *path, uint64_t split, struct gb_target *t, struct gb_error *err)
{
	const char *slash = strrchr(path, '/');
	struct gb_image image;
	int r;

	snprintf(t->name, sizeof(t->name), "%s", slash && slash[1] ? slash + 1 : path);
	if (access(path, F_OK) != 0 && gb_vm_name_valid(path))
		return gb_fail(
			err, GB_ENOTFOUND,
			"no guest named '%s' runs and there is no such file; 'glassbox ls' lists "
			"the guests",
			path);
	r = gb_image_open(path, split, &image, err);
	if (r == 0)
		take_image(&image, t);
	return r;
}

static int parse_split(const struct gb_args *args, uint64_t *ret, struct gb_error *err)
{
	const char *text = gb_args_get(args, "split");
	int r = text ? gb_parse_size(text, ret, err) : 0;

	if (r == 0 && text && *ret == 0)
		r = gb_fail(err, GB_EUSAGE, "nothing lies below 0");
	if (r != 0)
		gb_error_prefix(err, "--split");
	return r;
}

int gb_target_open(const struct gb_args *args, bool understand, struct gb_target *ret,
		   struct gb_error *err)
{
	const char *target = args->positional[0];
	struct gb_target t = {};
	uint64_t split = 0;
	int r = parse_split(args, &split, err);

	if (r != 0)
		return r;
	r = gb_vm_name_valid(target) ? gb_vm_find(target, &t.vm, err) : GB_ENOTFOUND;
	if (r == 0 && split)
		r = gb_fail(err, GB_EUSAGE, "--split is for images: QEMU says it of a guest");
	else if (r == 0)
		r = open_vm(&t, err);
	else if (r == GB_ENOTFOUND)
		r = open_file(target, split, &t, err);
	if (r == 0 && understand)
		r = gb_target_understand(&t, err);
	if (r == 0)
		*ret = t;
	else
		gb_target_close(&t);
	return r;
}

int gb_target_settle(struct gb_target *t, struct gb_error *err)
{
	if (t->paused)
		t->paused = is_paused(&t->vm);
	return gb_target_check(t, err);
}

int gb_target_check(const struct gb_target *t, struct gb_error *err)
{
	return t->live ? gb_vm_check(&t->vm, err) : 0;
}

static int find_again(struct gb_target *t, bool *torn_ret, struct gb_error *err)
{
	for (int tries = VERIFY_TRIES; tries > 0; tries--) {
		struct gb_kernel *again = NULL;
		int r = gb_kernel_open(t->ram, &(struct gb_kernel_options){}, &again, err);

		if (r != 0)
			return r;
		*torn_ret = !gb_kernel_same(t->kernel, again);
		gb_kernel_close(t->kernel);
		t->kernel = again;
		if (!*torn_ret)
			break;
	}
	return 0;
}

int gb_target_verify(struct gb_target *t, bool *torn_ret, struct gb_error *err)
{
	int r = gb_target_settle(t, err), gone;

	*torn_ret = false;
	if (r != 0 || !t->live || t->paused)
		return r;
	r = find_again(t, torn_ret, err);
	gone = gb_target_check(t, err); // it explains what else went wrong
	return gone ? gone : r;
}

void gb_target_close(struct gb_target *t)
{
	gb_kernel_close(t->kernel);
	gb_ram_close(t->ram);
	*t = (struct gb_target){};
}

const char *gb_target_consistency(const struct gb_target *t, bool torn)
{
	if (torn)
		return "torn";
	if (t->unplaced)
		return "unplaced";
	if (t->unproved)
		return "unproved";
	if (t->missing)
		return "incomplete";
	if (!t->live)
		return "image";
	return t->paused ? "paused" : "verified";
}

void gb_target_stamp(const struct gb_target *t, bool torn, struct gb_json *j)
{
	gb_json_pair(j, "consistent", bool, !torn && !t->missing && !t->unplaced && !t->unproved);
	gb_json_pair(j, "how", str, gb_target_consistency(t, torn));
}

// What the word in "how" means, for people.
static const char *stamp_words(const struct gb_target *t)
{
	if (!t->live)
		return "read from an image";
	return t->paused ? "read while the guest was paused"
			 : "verified: it was the same when read again";
}

static int fail_missing(const struct gb_target *t, struct gb_error *err)
{
	char size[24], missing[24];

	return gb_fail(err, GB_ETORN,
		       "incomplete: the image ends at %s, and the last %s of its machine's RAM are "
		       "not in it: it was cut short",
		       gb_format_size(gb_layout_size(gb_ram_layout(t->ram)), size),
		       gb_format_size(t->missing, missing));
}

int gb_target_check_image(const struct gb_target *t, struct gb_error *err)
{
	if (t->unproved)
		return gb_fail(err, GB_ETORN,
			       "unproved: RAM is read as --split says, and nothing in the image "
			       "proves it: its kernel has hardly started, or parts of its RAM are "
			       "missing");
	if (t->missing)
		return fail_missing(t, err);
	if (!t->unplaced)
		return 0;
	if (err)
		*err = t->why;
	gb_error_prefix(err, "unplaced: an address is the offset in the file");
	return GB_ETORN;
}

int gb_target_end(const struct gb_args *args, const struct gb_target *t, bool torn,
		  const char *what, struct gb_error *err)
{
	int r = gb_target_check_image(t, err);

	if (r != 0)
		return r;
	if (torn)
		return gb_fail(err, GB_ETORN, "torn: %s; %s", what,
			       t->live ? "pause the guest for one instant's view"
				       : "the image was taken of a running guest, or is damaged");
	if (!args->json)
		fprintf(stderr, "glassbox %s: %s\n", args->command->name, stamp_words(t));
	return 0;
}

int gb_target_end_processes(const struct gb_args *args, const struct gb_target *t,
			    const struct gb_process *cut, bool torn, const char *what,
			    struct gb_error *err)
{
	int r = cut ? gb_target_check_image(t, err) : gb_target_end(args, t, torn, what, err);

	if (r != 0 || !cut)
		return r;
	return gb_fail(err, GB_ETORN,
		       "incomplete: process %" PRId32
		       " has more threads, mappings or names of files than are read of any, "
		       "and not all of it is here",
		       cut->pid);
}

int gb_target_process(const char *pid_text, const struct gb_processes *p,
		      const struct gb_process **ret, struct gb_error *err)
{
	uint64_t pid = 0;
	int r = gb_parse_number(pid_text, 0, INT32_MAX, &pid, err);

	if (r != 0)
		return r;
	*ret = gb_process_find(p, (int32_t)pid);
	if (!*ret && p->torn)
		return gb_fail(err, GB_ETORN,
			       "no process with pid %s was found, but not all could be read; "
			       "'glassbox ps TARGET' lists those that could",
			       pid_text);
	if (!*ret)
		return gb_fail(err, GB_ENOTFOUND,
			       "no process has pid %s; 'glassbox ps TARGET' lists them", pid_text);
	return 0;
}
