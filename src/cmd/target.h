// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// TARGET: the name of a running guest, or a file that holds a raw RAM image.
//
// A command opens its target, reads, settles or verifies, prints with a stamp, and ends:
//
//	r = gb_target_open(args, true, &t, err);
//	r = gb_process_list(t.kernel, 0, &arena, &p, err);
//	r = gb_target_settle(&t, err);
//	... gb_target_stamp(&t, p.torn, &a.json) ...
//	return gb_target_end(args, &t, p.torn, "processes came and went while they were read", err);
#pragma once

#include "cmd/command.h"
#include "cmd/output.h"
#include "kernel/process.h"
#include "vm/registry.h"

struct gb_target {
	char name[GB_VM_NAME_MAX * 4]; // of the guest, or the file's last path component
	bool live;                     // a guest that may change while it is read
	bool paused;                   // a live guest that stands still, as far as is known
	struct gb_vm_info vm;          // only if live
	uint64_t missing;              // bytes of RAM that an image lacks, because it was cut short
	bool unplaced;       // an image that is read as it lies: where it lay is not known
	bool unproved;       // an image that is read as --split says, which nothing in it proves
	struct gb_error why; // of an image without a kernel: why it has none
	struct gb_ram *ram;
	struct gb_kernel *kernel; // NULL unless asked for, or of an image
};

// The options of every command that takes a target.
#define GB_TARGET_OPTIONS \
	{ \
		"split", 0, "SIZE", \
			"of a raw image: so much RAM lies below the PCI hole (default: as its kernel says)" \
	}
extern const struct gb_option gb_target_options[]; // for a command with no other options

// The first operand. GB_ENOTFOUND, GB_EUNKNOWN (with understand, or for --split that the kernel contradicts),
// GB_EUSAGE, and what opening RAM can fail with.
int gb_target_open(const struct gb_args *args, bool understand, struct gb_target *ret,
		   struct gb_error *err);
void gb_target_close(struct gb_target *t); // for GB_CLEANUP; accepts a zeroed one
// Find the kernel, if that has not been done. GB_EUNKNOWN.
int gb_target_understand(struct gb_target *t, struct gb_error *err);

// All was read: a guest that was paused when it was opened may have gone on meanwhile, or may have
// ended (GB_EGONE). After this, paused speaks for all of the reading.
int gb_target_settle(struct gb_target *t, struct gb_error *err);
// What was read after that was of a guest that had not ended yet. GB_EGONE.
int gb_target_check(const struct gb_target *t, struct gb_error *err);
// Instead of settling, where the answer is the kernel itself: its symbols, its types, where it lies. In a guest
// that runs the kernel is found again until two findings in a row are the same; torn: there were none.
int gb_target_verify(struct gb_target *t, bool *torn_ret, struct gb_error *err);

#define GB_TARGET_KERNEL_TORN "the kernel was another one each time it was found"

// How consistent an answer is, as it stands in JSON ("how") and after a table.
const char *gb_target_consistency(const struct gb_target *t, bool torn);
// Add "consistent" and "how" to an answer.
void gb_target_stamp(const struct gb_target *t, bool torn, struct gb_json *j);
// The last word of a command, after its answer: 0, and the stamp on stderr for people; or GB_ETORN, which
// says what was torn, or that the image is not all.
int gb_target_end(const struct gb_args *args, const struct gb_target *t, bool torn,
		  const char *what, struct gb_error *err);

// The same of an answer that was made of processes. cut: one that has more than is read of any (GB_ETORN: to pause the
// guest does not help); NULL: there is none.
int gb_target_end_processes(const struct gb_args *args, const struct gb_target *t,
			    const struct gb_process *cut, bool torn, const char *what,
			    struct gb_error *err);

// GB_ETORN, and what is said of it, for an image that was cut short, or is not known to lie as it is read; else 0.
int gb_target_check_image(const struct gb_target *t, struct gb_error *err);

// A process by the pid that the user typed. GB_ENOTFOUND, GB_EUSAGE; GB_ETORN when it may be among those
// that could not be read.
int gb_target_process(const char *pid_text, const struct gb_processes *p,
		      const struct gb_process **ret, struct gb_error *err);
