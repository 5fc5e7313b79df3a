// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// A registered guest as the server sees it.
#include "serve/vm_guest.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "vm/qmp.h"

#include <string.h>

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
	GB_CLEANUP(gb_qmp_cleanup) struct gb_qmp *q = NULL;
	json_t *answer = NULL;
	const char *status;
	int r = gb_qmp_connect(g->vm.qmp_path, ASK_TIMEOUT_MS, &q, err);

	if (r == 0)
		r = gb_qmp_execute(q, "query-status", NULL, &answer, err);
	if (r != 0)
		return r;
	status = json_string_value(json_object_get(answer, "status"));
	if (!status) {
		json_decref(answer);
		return gb_fail(err, GB_EFORMAT, "QEMU's answer to query-status has no status");
	}
	*ret = (struct gb_serve_state){
		.running = json_is_true(json_object_get(answer, "running")),
		.paused = !json_is_true(json_object_get(answer, "running")),
	};
	json_decref(answer);
	return 0;
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

static int command(struct gb_vm_guest *g, const char *name, struct gb_error *err)
{
	GB_CLEANUP(gb_qmp_cleanup) struct gb_qmp *q = NULL;
	int r = gb_qmp_connect(g->vm.qmp_path, GB_QMP_TIMEOUT_MS, &q, err);

	return r ? r : gb_qmp_execute(q, name, NULL, NULL, err);
}

static int pause_guest(void *arg, struct gb_error *err)
{
	return command(arg, "stop", err);
}

static int resume_guest(void *arg, struct gb_error *err)
{
	return command(arg, "cont", err);
}

struct gb_serve_guest gb_vm_guest_calls(struct gb_vm_guest *g)
{
	return (struct gb_serve_guest){.arg = g,
				       .state = state,
				       .pause = pause_guest,
				       .resume = resume_guest};
}
