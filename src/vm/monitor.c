// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// What is asked of a QEMU over its monitor, in our words.
#include "vm/monitor.h"

#include "base/cleanup.h"

#include <string.h>

#define STATE_MS 500

static void cleanup_json(json_t **v)
{
	json_decref(*v);
}

static int bad_answer(const char *command, struct gb_error *err)
{
	return gb_fail(err, GB_EFORMAT, "QEMU's answer to '%s' is not understood", command);
}

int gb_monitor_backend(struct gb_qmp *q, struct gb_backend *ret, struct gb_error *err)
{
	GB_CLEANUP(cleanup_json) json_t *list = NULL;
	const json_t *first, *size;
	const char *id;
	int r = gb_qmp_execute(q, "query-memdev", NULL, &list, err);

	if (r != 0)
		return r;
	if (!json_is_array(list))
		return bad_answer("query-memdev", err);
	if (json_array_size(list) == 0)
		return gb_fail(err, GB_ELACKS, "this QEMU's RAM is private: " GB_ADD_SHARE);
	if (json_array_size(list) > 1)
		return gb_fail(err, GB_ELACKS,
			       "this QEMU has %zu RAM backends; memory modules (pc-dimm, nvdimm, "
			       "virtio-mem) and more than one NUMA node are " GB_ONE_BACKEND,
			       json_array_size(list));
	first = json_array_get(list, 0);
	id = json_string_value(json_object_get(first, "id"));
	size = json_object_get(first, "size");
	if (!id || strlen(id) >= sizeof(ret->id) || !json_is_integer(size) ||
	    json_integer_value(size) <= 0)
		return bad_answer("query-memdev", err);
	*ret = (struct gb_backend){.size = (uint64_t)json_integer_value(size),
				   .share = json_is_true(json_object_get(first, "share"))};
	memcpy(ret->id, id, strlen(id) + 1);
	return 0;
}

int gb_monitor_layout(struct gb_qmp *q, const struct gb_backend *backend, struct gb_layout *ret,
		      struct gb_error *err)
{
	GB_CLEANUP(gb_cleanup_free) char *text = NULL;
	int r = gb_qmp_hmp(q, "info mtree -f", &text, err);

	return r == 0 ? gb_mtree_parse(text, backend->id, backend->size, ret, err) : r;
}

int gb_monitor_cpus(struct gb_qmp *q, struct gb_cpu *ret, size_t max, size_t *count_ret,
		    struct gb_error *err)
{
	GB_CLEANUP(gb_cleanup_free) char *text = NULL;
	int r = gb_qmp_hmp(q, "info registers -a", &text, err);

	return r == 0 ? gb_registers_parse(text, ret, max, count_ret, err) : r;
}

int gb_monitor_port(struct gb_qmp *q, unsigned guest_port, unsigned *ret, struct gb_error *err)
{
	GB_CLEANUP(gb_cleanup_free) char *text = NULL;
	int r = gb_qmp_hmp(q, "info usernet", &text, err);
	unsigned port = r == 0 ? gb_usernet_port(text, guest_port) : 0;

	if (r != 0)
		return r;
	if (!port)
		return gb_fail(err, GB_ENOTFOUND, "QEMU forwards no port to port %u of the guest",
			       guest_port);
	*ret = port;
	return 0;
}

int gb_monitor_status(struct gb_qmp *q, char ret[32], bool *running_ret, struct gb_error *err)
{
	GB_CLEANUP(cleanup_json) json_t *v = NULL;
	int r = gb_qmp_execute(q, "query-status", NULL, &v, err);
	const char *status = json_string_value(json_object_get(v, "status"));

	if (r != 0)
		return r;
	if (!status || strlen(status) >= 32 || !json_is_boolean(json_object_get(v, "running")))
		return bad_answer("query-status", err);
	memcpy(ret, status, strlen(status) + 1);
	*running_ret = json_is_true(json_object_get(v, "running"));
	return 0;
}

static int open_session(const struct gb_vm_info *vm, int timeout_ms, struct gb_qmp **ret,
			struct gb_error *err)
{
	int r = gb_qmp_connect(vm->qmp_path, timeout_ms, ret, err);

	// The socket goes with the guest.
	if (r == GB_ENOTFOUND || r == GB_EGONE)
		return gb_fail(err, GB_EGONE, "'%s' has ended", vm->name);
	return r;
}

int gb_vm_status(const struct gb_vm_info *vm, int timeout_ms, char ret[32], bool *running_ret,
		 struct gb_error *err)
{
	GB_CLEANUP(gb_qmp_cleanup) struct gb_qmp *q = NULL;
	int r = open_session(vm, timeout_ms, &q, err);

	return r == 0 ? gb_monitor_status(q, ret, running_ret, err) : r;
}

static const char *word_for(int code)
{
	switch (code) {
	case GB_EBUSY:
	case GB_ETIMEOUT:
		return "busy";
	case GB_EGONE:
		return "ended";
	default:
		return "unknown";
	}
}

void gb_vm_state(const struct gb_vm_info *vm, char ret[32])
{
	bool running;
	int r;

	if (vm->layout.count == 0 || !*vm->qmp_path) {
		snprintf(ret, 32, "%s", vm->layout.count ? "unknown" : "starting");
		return;
	}
	r = gb_vm_status(vm, STATE_MS, ret, &running, NULL);
	if (r != 0)
		snprintf(ret, 32, "%s", word_for(r));
}

static int set_running(const struct gb_vm_info *vm, bool run, struct gb_error *err)
{
	GB_CLEANUP(gb_qmp_cleanup) struct gb_qmp *q = NULL;
	bool running = !run;
	char status[32];
	int r = open_session(vm, GB_QMP_TIMEOUT_MS, &q, err);

	if (r == 0)
		r = gb_qmp_execute(q, run ? "cont" : "stop", NULL, NULL, err);
	if (r == 0)
		r = gb_monitor_status(q, status, &running, err);
	if (r == 0 && running != run)
		return gb_fail(err, GB_EBUSY, "QEMU says that '%s' is %s", vm->name, status);
	return r;
}

int gb_vm_pause(const struct gb_vm_info *vm, struct gb_error *err)
{
	return set_running(vm, false, err);
}

int gb_vm_resume(const struct gb_vm_info *vm, struct gb_error *err)
{
	return set_running(vm, true, err);
}
