// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// A registered guest as the server sees it: asked and steered over its free QMP socket, in short
// sessions.
#pragma once

#include "serve/serve.h"
#include "vm/registry.h"

struct gb_vm_guest {
	struct gb_vm_info vm;
	struct gb_serve_state last; // when QMP was busy, this still holds
};

void gb_vm_guest_init(struct gb_vm_guest *g, const struct gb_vm_info *vm);
// The calls for gb_serve_options.vm; g must outlive the server.
struct gb_serve_guest gb_vm_guest_calls(struct gb_vm_guest *g);
