// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// TARGET: the name of a running guest, or a file that holds a raw RAM image.
#include "cmd/target.h"

#include "base/cleanup.h"
#include "vm/qmp.h"

#include <string.h>

#define VERIFY_TRIES 4

static bool is_paused(const struct gb_vm_info *vm)
{
	GB_CLEANUP(gb_qmp_cleanup) struct gb_qmp *q = NULL;
	json_t *status = NULL;
	bool running = true;

	if (gb_qmp_connect(vm->qmp_path, GB_QMP_TIMEOUT_MS, &q, NULL) != 0 ||
	    gb_qmp_execute(q, "query-status", NULL, &status, NULL) != 0)
		return false; // not known: then it is treated as running
	running = json_is_true(json_object_get(status, "running"));
	json_decref(status);
	return !running;
}

static int open_vm(struct gb_target *t, struct gb_error *err)
{
	t->live = true;
	t->paused = is_paused(&t->vm);
	snprintf(t->name, sizeof(t->name), "%s", t->vm.name);
	return gb_vm_open_ram(&t->vm, &t->ram, err);
}

static int open_file(const char *path, struct gb_target *t, struct gb_error *err)
{
	const char *slash = strrchr(path, '/');

	snprintf(t->name, sizeof(t->name), "%s", slash && slash[1] ? slash + 1 : path);
	if (access(path, F_OK) != 0 && gb_vm_name_valid(path))
		return gb_fail(
			err, GB_ENOTFOUND,
			"no guest named '%s' runs and there is no such file; 'glassbox ls' lists "
			"the guests",
			path);
	return gb_ram_open(path, NULL, &t->ram, err);
}

int gb_target_open(const char *target, bool understand, struct gb_target *ret, struct gb_error *err)
{
	struct gb_target t = {};
	int r = gb_vm_name_valid(target) ? gb_vm_find(target, &t.vm, err) : GB_ENOTFOUND;

	if (r == 0)
		r = open_vm(&t, err);
	else if (r == GB_ENOTFOUND)
		r = open_file(target, &t, err);
	if (r == 0 && understand)
		r = gb_kernel_open(t.ram, &(struct gb_kernel_options){}, &t.kernel, err);
	if (r == 0)
		*ret = t;
	else
		gb_target_close(&t);
	return r;
}

void gb_target_settle(struct gb_target *t)
{
	if (t->paused)
		t->paused = is_paused(&t->vm);
}

int gb_target_verify(struct gb_target *t, bool *torn_ret, struct gb_error *err)
{
	*torn_ret = false;
	gb_target_settle(t);
	if (!t->live || t->paused)
		return 0;
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
	if (!t->live)
		return "image";
	return t->paused ? "paused" : "verified";
}

void gb_target_stamp(const struct gb_target *t, bool torn, struct gb_json *j)
{
	gb_json_pair(j, "consistent", bool, !torn);
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

int gb_target_end(const struct gb_args *args, const struct gb_target *t, bool torn,
		  const char *what, struct gb_error *err)
{
	if (torn)
		return gb_fail(err, GB_ETORN, "torn: %s; %s", what,
			       t->live ? "pause the guest for one instant's view"
				       : "the image was taken of a running guest, or is damaged");
	if (!args->json)
		fprintf(stderr, "glassbox %s: %s\n", args->command->name, stamp_words(t));
	return 0;
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
