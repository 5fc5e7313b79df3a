// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The plain requests.
#include "serve/api.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "serve/mapping.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BYTES_MAX 65536
#define FRESH_NS GB_SECOND

static int check(const struct gb_buf *b, struct gb_error *err)
{
	return gb_buf_failed(b) ? gb_fail(err, GB_ENOMEM, "no memory for the answer") : 0;
}

void gb_api_error(const struct gb_error *err, struct gb_buf *out)
{
	struct gb_json j = gb_json_init(out);

	gb_json_object(&j);
	gb_json_key(&j, "error");
	gb_json_object(&j);
	gb_json_pair(&j, "code", str, gb_code_name(err->code));
	gb_json_pair(&j, "message", str, err->message);
	gb_json_end_object(&j);
	gb_json_end_object(&j);
}

// Order of the cube: the smallest whose voxels hold all bytes.
static unsigned cube_order(uint64_t bytes)
{
	unsigned order = 1;

	while (order < 10 && (uint64_t)1 << 3 * order < bytes)
		order++;
	return order;
}

static void put_classes(struct gb_json *j)
{
	gb_json_key(j, "classes");
	gb_json_array(j);
	for (unsigned c = 0; c < GB_FRAME_CLASS_COUNT; c++) {
		gb_json_object(j);
		gb_json_pair(j, "name", str, gb_frame_class_name(c));
		gb_json_pair(j, "group", str, gb_frame_group_info(gb_frame_class_group(c))->key);
		gb_json_end_object(j);
	}
	gb_json_end_array(j);
}

static void put_groups(struct gb_json *j)
{
	gb_json_key(j, "groups");
	gb_json_array(j);
	for (unsigned g = 0; g < GB_FRAME_GROUP_COUNT; g++) {
		const struct gb_frame_group_info *info = gb_frame_group_info(g);
		char rgb[8];

		snprintf(rgb, sizeof(rgb), "#%06x", (unsigned)info->rgb & 0xffffff);
		gb_json_object(j);
		gb_json_pair(j, "key", str, info->key);
		gb_json_pair(j, "words", str, info->words);
		gb_json_pair(j, "family", str, info->family);
		gb_json_pair(j, "rgb", str, rgb);
		gb_json_end_object(j);
	}
	gb_json_end_array(j);
}

static void put_kernel(struct gb_json *j, struct gb_guest_kernel *g, const char *reason)
{
	const struct gb_kernel_info none = {},
				    *k = g ? gb_kernel_info(gb_guest_kernel_get(g)) : &none;

	gb_json_pair(j, "understood", bool, g != NULL);
	gb_json_pair(j, "reason", str, g ? NULL : reason);
	gb_json_pair(j, "release", str, g ? k->release : NULL);
	gb_json_pair(j, "banner", str, g ? k->banner : NULL);
	gb_json_pair(j, "paging_levels", u64, k->paging_levels);
	gb_json_pair(j, "symbols", u64, k->symbols);
	gb_json_pair(j, "btf_types", u64, k->btf_types);
	gb_json_pair(j, "attach_ms", double, k->attach_ms);
}

int gb_api_hello(const struct gb_api *api, struct gb_buf *out, struct gb_error *err)
{
	GB_CLEANUP(gb_census_unref) struct gb_census *c = NULL;
	const struct gb_serve_options *o = api->options;
	const struct gb_layout *l = gb_ram_layout(o->ram);
	struct gb_json j = gb_json_init(out);
	char reason[400];
	int r = gb_live_census(api->live, UINT64_MAX, &c, err);

	if (r != 0)
		return r;
	gb_live_unknown_reason(api->live, reason);
	gb_json_object(&j);
	gb_json_pair(&j, "protocol", u64, 1);
	gb_json_pair(&j, "version", str, GB_VERSION);
	gb_json_pair(&j, "vm", str, o->name);
	gb_json_pair(&j, "guest", str, o->guest);
	gb_json_pair(&j, "live", bool, o->vm.state != NULL);
	put_kernel(&j, c->kernel, reason);
	gb_json_pair(&j, "frames", u64, gb_ram_frames(o->ram));
	gb_json_pair(&j, "frame_size", u64, GB_PAGE_SIZE);
	gb_json_pair(&j, "missing", u64, o->missing);
	gb_json_pair(&j, "order", u64, cube_order(gb_layout_size(l)));
	gb_json_pair(&j, "started_ns", u64, o->started_real_ns);
	gb_json_key(&j, "layout");
	gb_layout_json(&j, l);
	put_classes(&j);
	put_groups(&j);
	gb_json_end_object(&j);
	return check(out, err);
}

static int answer_hello(const struct gb_api *api, const char *rest, struct gb_buf *out,
			struct gb_error *err)
{
	(void)rest;
	return gb_api_hello(api, out, err);
}

static int answer_owners(const struct gb_api *api, const char *rest, struct gb_buf *out,
			 struct gb_error *err)
{
	GB_CLEANUP(gb_census_unref) struct gb_census *c = NULL;
	int r = gb_live_census(api->live, FRESH_NS, &c, err);

	(void)rest;
	if (r == 0)
		gb_buf_add(out, c->owners_json.data, c->owners_json.len);
	return r ? r : check(out, err);
}

static int answer_processes(const struct gb_api *api, const char *rest, struct gb_buf *out,
			    struct gb_error *err)
{
	GB_CLEANUP(gb_census_unref) struct gb_census *c = NULL;
	int r = gb_live_census(api->live, FRESH_NS, &c, err);

	(void)rest;
	if (r == 0)
		gb_buf_add(out, c->processes_json.data, c->processes_json.len);
	return r ? r : check(out, err);
}

// A number of a path, decimal or 0x: all digits, up to '/' or the end; *rest moves behind it.
static bool take_number(const char **rest, uint64_t *ret)
{
	bool hex = strncmp(*rest, "0x", 2) == 0;
	const char *digits = *rest + (hex ? 2 : 0);
	size_t n = strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789");

	if (n == 0 || n > (hex ? 16 : 19) || (digits[n] != 0 && digits[n] != '/'))
		return false;
	*ret = strtoull(digits, NULL, hex ? 16 : 10);
	*rest = digits + n;
	return true;
}

static int answer_frame(const struct gb_api *api, const char *rest, struct gb_buf *out,
			struct gb_error *err)
{
	GB_CLEANUP(gb_census_unref) struct gb_census *c = NULL;
	uint64_t index;
	int r;

	if (!take_number(&rest, &index) || *rest)
		return gb_fail(err, GB_EUSAGE, "write api/frame/INDEX");
	if (index >= gb_ram_frames(api->options->ram))
		return gb_fail(err, GB_ENOTFOUND, "there is no frame %" PRIu64 ", only %" PRIu64,
			       index, gb_ram_frames(api->options->ram));
	r = gb_live_census(api->live, FRESH_NS, &c, err);
	if (r == 0)
		r = gb_mapping_frame(c, api->options->ram, index, out, err);
	return r ? r : check(out, err);
}

static int answer_process_frames(const struct gb_api *api, const char *rest, struct gb_buf *out,
				 struct gb_error *err)
{
	GB_CLEANUP(gb_census_unref) struct gb_census *c = NULL;
	const struct gb_process *p;
	uint64_t pid;
	int r;

	if (!take_number(&rest, &pid) || strcmp(rest, "/frames") != 0 || pid > INT32_MAX)
		return gb_fail(err, GB_EUSAGE, "write api/process/PID/frames");
	r = gb_live_census(api->live, FRESH_NS, &c, err);
	if (r != 0)
		return r;
	p = gb_process_find(&c->processes, (int32_t)pid);
	if (!p)
		return gb_fail(err, GB_ENOTFOUND, "there is no process %" PRIu64, pid);
	r = gb_mapping_process(c, api->options->ram, p, out, err);
	return r ? r : check(out, err);
}

static int answer_bytes(const struct gb_api *api, const char *rest, struct gb_buf *out,
			struct gb_error *err)
{
	uint64_t gpa, len;
	void *to;

	if (!take_number(&rest, &gpa) || *rest++ != '/' || !take_number(&rest, &len) || *rest)
		return gb_fail(err, GB_EUSAGE, "write api/bytes/ADDRESS/LENGTH");
	if (len == 0 || len > BYTES_MAX)
		return gb_fail(err, GB_EUSAGE, "a length is 1 to %d bytes", BYTES_MAX);
	to = gb_buf_extend(out, (size_t)len);
	if (!to)
		return check(out, err);
	return gb_ram_read(api->options->ram, (gb_gpa){gpa}, to, (size_t)len, err);
}

static const struct {
	const char *name; // with '/' at its end: something follows
	const char *type;
	int (*answer)(const struct gb_api *api, const char *rest, struct gb_buf *out,
		      struct gb_error *err);
} requests[] = {
	{"hello", "application/json", answer_hello},
	{"owners", "application/json", answer_owners},
	{"processes", "application/json", answer_processes},
	{"frame/", "application/json", answer_frame},
	{"process/", "application/json", answer_process_frames},
	{"bytes/", "application/octet-stream", answer_bytes},
};

int gb_api_get(const struct gb_api *api, const char *path, struct gb_api_answer *ret,
	       struct gb_error *err)
{
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		size_t n = strlen(requests[i].name);
		bool more = requests[i].name[n - 1] == '/';

		if (strncmp(path, requests[i].name, n) != 0 || (!more && path[n]))
			continue;
		ret->type = requests[i].type;
		return requests[i].answer(api, path + n, &ret->body, err);
	}
	return gb_fail(err, GB_ENOTFOUND, "there is no such request");
}
