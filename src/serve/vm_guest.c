// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// A registered guest as the server sees it.
#include "serve/vm_guest.h"

#include "base/clock.h"
#include "vm/monitor.h"

// The sampler asks twice a second and must not be held up; a person who pauses may wait longer.
#define ASK_TIMEOUT_MS 200

void gb_vm_guest_init(struct gb_vm_guest *g, const struct gb_vm_info *vm, bool watched)
{
	*g = (struct gb_vm_guest){.vm = *vm, .watched = watched, .last = {.running = true}};
}

static struct gb_serve_state gone(void)
{
	return (struct gb_serve_state){.exited = true, .exited_real_ns = gb_clock_real_ns()};
}

static int query_status(struct gb_vm_guest *g, struct gb_serve_state *ret, struct gb_error *err)
{
	bool running;
	char status[32];
	int r = gb_vm_status(&g->vm, ASK_TIMEOUT_MS, status, &running, err);

	if (r == 0)
		*ret = (struct gb_serve_state){.running = running, .paused = !running};
	return r;
}

// QEMU's own process decides whether it is gone; a busy or deaf monitor only leaves the state as it
// was.
static int state(void *arg, struct gb_serve_state *ret, struct gb_error *err)
{
	struct gb_vm_guest *g = arg;
	struct gb_host_process qemu = gb_vm_qemu(&g->vm);
	int r;

	if (g->last.exited || !gb_process_alive(&qemu)) {
		if (!g->last.exited && !g->watched)
			g->last = gone();
		*ret = g->last;
		return 0;
	}
	r = query_status(g, &g->last, err);
	if (r == 0 || r == GB_EBUSY || r == GB_ETIMEOUT) {
		*ret = g->last;
		return 0;
	}
	return r;
}

static int pause_guest(void *arg, struct gb_error *err)
{
	const struct gb_vm_guest *g = arg;

	return gb_vm_pause(&g->vm, err);
}

static int resume_guest(void *arg, struct gb_error *err)
{
	const struct gb_vm_guest *g = arg;

	return gb_vm_resume(&g->vm, err);
}

struct gb_serve_guest gb_vm_guest_calls(struct gb_vm_guest *g)
{
	return (struct gb_serve_guest){.arg = g,
				       .state = state,
				       .pause = pause_guest,
				       .resume = resume_guest};
}
