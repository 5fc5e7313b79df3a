// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// A registered guest as the server sees it: asked and steered over its free QMP socket, in short
// sessions.
#pragma once

#include "serve/serve.h"
#include "vm/registry.h"

struct gb_vm_guest {
	struct gb_vm_info vm;
	bool watched;
	struct gb_serve_state last; // when QMP was busy, this still holds
};

// watched: somebody in this process learns of the end of QEMU and how it ended, and will call
// gb_serve_guest_ended(): the state does not tell it before.
void gb_vm_guest_init(struct gb_vm_guest *g, const struct gb_vm_info *vm, bool watched);
// The calls for gb_serve_options.vm; g must outlive the server.
struct gb_serve_guest gb_vm_guest_calls(struct gb_vm_guest *g);
