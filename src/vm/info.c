// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// vm.json: struct gb_vm_info on disk.
#include "vm/info.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#define INFO_LIMIT 65536

enum kind { TEXT, NUMBER, FLAG };

// The one list of what is kept: reading and writing loop over it.
static const struct field {
	const char *key;
	enum kind kind;
	size_t offset, size;
} fields[] = {
// clang-format off
#define FIELD(kind, name) \
	{#name, kind, offsetof(struct gb_vm_info, name), sizeof(((struct gb_vm_info *)0)->name)}
	// clang-format on
	FIELD(TEXT, name),
	FIELD(TEXT, dir),
	FIELD(TEXT, ram_path),
	FIELD(TEXT, qmp_path),
	FIELD(TEXT, guest),
	FIELD(TEXT, machine),
	FIELD(TEXT, accel),
	FIELD(TEXT, url),
	FIELD(NUMBER, qemu_pid),
	FIELD(NUMBER, qemu_start),
	FIELD(NUMBER, supervisor_pid),
	FIELD(NUMBER, supervisor_start),
	FIELD(NUMBER, memory),
	FIELD(NUMBER, cpus),
	FIELD(NUMBER, ssh_port),
	FIELD(NUMBER, started_real_ns),
	FIELD(NUMBER, boot_ns),
	FIELD(FLAG, attached),
#undef FIELD
};

#define FIELD_COUNT (sizeof(fields) / sizeof(fields[0]))

static uint64_t get_number(const struct field *f, const void *at)
{
	uint32_t narrow;
	uint64_t wide;

	if (f->size == sizeof(narrow)) {
		memcpy(&narrow, at, sizeof(narrow));
		return narrow;
	}
	memcpy(&wide, at, sizeof(wide));
	return wide;
}

static void write_field(struct gb_json *j, const struct field *f, const struct gb_vm_info *info)
{
	const char *at = (const char *)info + f->offset;

	gb_json_key(j, f->key);
	if (f->kind == TEXT)
		gb_json_str(j, at);
	else if (f->kind == FLAG)
		gb_json_bool(j, *(const bool *)at);
	else
		gb_json_hex(j, get_number(f, at));
}

int gb_info_write(const struct gb_vm_info *info, struct gb_error *err)
{
	GB_CLEANUP(gb_buf_deinit) struct gb_buf text = {};
	struct gb_json j = gb_json_init(&text);
	char path[PATH_MAX + 16];

	gb_json_object(&j);
	for (size_t i = 0; i < FIELD_COUNT; i++)
		write_field(&j, &fields[i], info);
	gb_json_key(&j, "layout");
	gb_layout_json(&j, &info->layout);
	gb_json_end_object(&j);
	gb_buf_add(&text, "\n", 1);
	if (gb_buf_failed(&text))
		return gb_fail(err, GB_ENOMEM, "no memory for vm.json");
	snprintf(path, sizeof(path), "%s/vm.json", info->dir);
	return gb_file_write(path, text.data, text.len, 0600, err);
}

static bool read_number(const json_t *v, uint64_t *ret)
{
	const char *text = json_string_value(v);
	char *end;

	if (!text || strncmp(text, "0x", 2) != 0)
		return false;
	errno = 0;
	*ret = strtoull(text + 2, &end, 16);
	return errno == 0 && end != text + 2 && *end == 0;
}

static bool read_field(const json_t *object, const struct field *f, struct gb_vm_info *info)
{
	const json_t *v = json_object_get(object, f->key);
	char *at = (char *)info + f->offset;
	uint64_t wide;
	uint32_t narrow;

	if (f->kind == TEXT) {
		if (!json_is_string(v) || json_string_length(v) >= f->size)
			return false;
		memcpy(at, json_string_value(v), json_string_length(v) + 1);
		return strlen(at) == json_string_length(v);
	}
	if (f->kind == FLAG) {
		*(bool *)at = json_is_true(v);
		return json_is_boolean(v);
	}
	if (!read_number(v, &wide))
		return false;
	narrow = (uint32_t)wide;
	if (f->size == sizeof(narrow))
		memcpy(at, &narrow, sizeof(narrow));
	else
		memcpy(at, &wide, sizeof(wide));
	return f->size == sizeof(wide) || narrow == wide;
}

static bool read_layout(const json_t *array, struct gb_layout *ret)
{
	size_t i;
	const json_t *v;

	json_array_foreach(array, i, v)
	{
		struct gb_segment s;

		if (!read_number(json_object_get(v, "gpa"), &s.gpa.v) ||
		    !read_number(json_object_get(v, "size"), &s.size) ||
		    !read_number(json_object_get(v, "offset"), &s.offset) ||
		    gb_layout_add(ret, s, NULL) != 0)
			return false;
	}
	return json_is_array(array);
}

static bool read_all(const json_t *object, struct gb_vm_info *info)
{
	for (size_t i = 0; i < FIELD_COUNT; i++)
		if (!read_field(object, &fields[i], info))
			return false;
	return read_layout(json_object_get(object, "layout"), &info->layout);
}

int gb_info_read(const char *dir, struct gb_vm_info *ret, struct gb_error *err)
{
	GB_CLEANUP(gb_buf_deinit) struct gb_buf text = {};
	struct gb_vm_info info = {};
	char path[PATH_MAX + 16];
	json_t *object;
	bool good;
	int r;

	snprintf(path, sizeof(path), "%s/vm.json", dir);
	r = gb_file_read(path, INFO_LIMIT, &text, err);
	if (r != 0)
		return r;
	object = json_loadb(text.data ? text.data : "", text.len, 0, NULL);
	good = object && read_all(object, &info) && strcmp(info.dir, dir) == 0;
	json_decref(object);
	if (!good)
		return gb_fail(err, GB_EFORMAT, "%s is damaged; stop the guest and start it again",
			       path);
	*ret = info;
	return 0;
}
