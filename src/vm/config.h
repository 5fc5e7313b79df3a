// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// What a guest is to be, and the QEMU command line that makes it so.
//
// Every guest can be handed over to another QEMU: a versioned machine type, a named CPU model, and
// no device that cannot migrate. (microvm is the exception that QEMU itself makes: it has one
// version only.) QEMU runs in its seccomp sandbox, with no device but those asked for, and opens no
// port but the forwards asked for.
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "vm/registry.h"

enum gb_media { GB_MEDIA_NONE, GB_MEDIA_QCOW2, GB_MEDIA_RAW, GB_MEDIA_CD };

#define GB_FORWARDS_MAX 16

struct gb_forward {
	unsigned host;  // port on 127.0.0.1; 0: one that is free
	unsigned guest; // port in the guest
};

struct gb_config {
	char guest[64];   // debian, tiny, alpine, or the file name of what is booted
	char machine[16]; // q35, microvm, pc
	char accel[8];    // tcg, kvm
	char cpu[128];    // as for -cpu
	uint64_t memory;
	unsigned cpus;
	char kernel[PATH_MAX], initrd[PATH_MAX]; // "" for none
	char append[2048];
	char disk[PATH_MAX];
	enum gb_media media;
	bool snapshot; // what the guest writes to the disk is thrown away
	bool control;  // the guest has our userland: it speaks on the control port
	bool network;
	struct gb_forward forwards[GB_FORWARDS_MAX];
	size_t forward_count;
};

#define GB_WORDS_MAX 128

// A command line. The words are in the arena.
struct gb_words {
	struct gb_arena arena;
	const char *items[GB_WORDS_MAX + 1]; // ends with NULL
	size_t count;
	bool failed; // no memory, or too many words
};

void gb_words_deinit(struct gb_words *w);
void gb_words_add(struct gb_words *w, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
// The words as one line that a POSIX shell reads back as the same words.
void gb_words_quote(const struct gb_words *w, struct gb_buf *out);

// GB_EUSAGE when the machine is not one of ours, or has no place for what the guest needs.
int gb_config_check(const struct gb_config *c, struct gb_error *err);
// The words that start QEMU for a guest whose name, directory and RAM file info tells.
// Does nothing else: no file is looked at.
int gb_config_line(const struct gb_config *c, const struct gb_vm_info *info, struct gb_words *ret,
		   struct gb_error *err);
// The CPU model for an accelerator: one with 4-level paging, which every host that has the
// accelerator can give.
const char *gb_config_cpu(const char *accel);

// Look at the first bytes of a disk image or CD. GB_EFORMAT when it is neither.
int gb_media_detect(const char *path, enum gb_media *ret, struct gb_error *err);
// Parse "8080:80,2222:22" behind the forwards that are there. GB_EUSAGE.
int gb_forwards_parse(const char *text, struct gb_config *c, struct gb_error *err);

// Sockets in the guest's directory. QEMU connects to the first three as a client, and listens on the
// last, which command-line tools use.
#define GB_SOCKET_CONSOLE "console.sock"
#define GB_SOCKET_CONTROL "control.sock"
#define GB_SOCKET_MONITOR "monitor.sock"
#define GB_SOCKET_QMP "qmp.sock"
