// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// A QEMU without a monitor for us, by its command line.
//
// libvirt opens the only monitor itself (-chardev socket,id=charmonitor,fd=N) and keeps the connection.
// Its RAM is found all the same:
//
//	-machine pc-q35-7.2,usb=off,memory-backend=pc.ram
//	-object {"qom-type":"memory-backend-memfd","id":"pc.ram","share":true,"size":1073741824}
//
// QEMU starts only if the backend is as large as -m says, and the file behind it must have that size.
// Where it lies, hw/i386 decides: pc_q35.c, pc_piix.c and microvm.c all put RAM of less than 0xb0000000
// bytes in one piece at 0, unless max-ram-below-4g is set. Larger RAM is split around the PCI hole, at a
// place that depends on type and version: that is not guessed. Nor is whether memory was plugged in later,
// where there was room for it.
#include "vm/attach_private.h"

#include "base/cleanup.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define WHOLE_BELOW 0xb0000000
#define MIB ((uint64_t)1 << 20)
#define ADD_MONITOR \
	"only a monitor tells, and libvirt keeps the one there is: give it another (virsh edit: " \
	"<qemu:commandline><qemu:arg value='-qmp'/><qemu:arg " \
	"value='unix:/run/vm.qmp,server=on,wait=off'/></qemu:commandline>)"

// The value of the next -machine or -M.
static const char *next_machine(const struct gb_line *l, size_t *at)
{
	size_t behind_long = *at, behind_short = *at;
	const char *long_one = gb_line_option(l, "machine", &behind_long);
	const char *short_one = gb_line_option(l, "M", &behind_short);

	if (short_one && (!long_one || behind_short < behind_long)) {
		*at = behind_short;
		return short_one;
	}
	*at = behind_long;
	return long_one;
}

// What the last -machine or -M that has the key says: later ones win.
static bool machine_value(const struct gb_line *l, const char *key, char *ret, size_t size)
{
	const char *options;
	bool found = false;
	size_t at = 0;

	while ((options = next_machine(l, &at)))
		found |= gb_line_value(options, key, ret, size) ||
			 (strcmp(key, "type") == 0 && gb_line_first(options, ret, size));
	return found;
}

static bool is_pc(const char *type)
{
	return strncmp(type, "pc-q35", 6) == 0 || strncmp(type, "pc-i440fx", 9) == 0 ||
	       strcmp(type, "q35") == 0 || strcmp(type, "pc") == 0 || strcmp(type, "microvm") == 0;
}

static uint64_t parse_size(const char *text)
{
	static const char units[] = "KMGT";
	char *end;
	uint64_t v = strtoull(text, &end, 10);
	const char *unit = *end ? strchr(units, *end & ~0x20) : NULL;

	return unit && __builtin_mul_overflow(v, (uint64_t)1 << (10 * (unit - units + 1)), &v) ? 0
											       : v;
}

// An object as words: its kind, then key=value.
static bool object_of_words(const char *options, const char *id, struct gb_backend *ret)
{
	char found[sizeof(ret->id)], size[32] = "", share[8] = "";

	if (!gb_line_value(options, "id", found, sizeof(found)) || strcmp(found, id) != 0)
		return false;
	gb_line_value(options, "size", size, sizeof(size));
	gb_line_value(options, "share", share, sizeof(share));
	ret->size = parse_size(size);
	ret->share =
		strcmp(share, "on") == 0 || strcmp(share, "yes") == 0 || strcmp(share, "true") == 0;
	return true;
}

// An object as JSON, as libvirt writes it.
static bool object_of_json(const char *text, const char *id, struct gb_backend *ret)
{
	json_t *object = json_loads(text, 0, NULL);
	const char *found = json_string_value(json_object_get(object, "id"));
	const json_t *size = json_object_get(object, "size");
	bool ours = found && strcmp(found, id) == 0;

	if (ours && json_is_integer(size) && json_integer_value(size) > 0)
		ret->size = (uint64_t)json_integer_value(size);
	if (ours)
		ret->share = json_is_true(json_object_get(object, "share"));
	json_decref(object);
	return ours;
}

static int find_backend(const struct gb_line *l, struct gb_backend *ret, struct gb_error *err)
{
	struct gb_backend b = {};
	const char *options;
	bool found = false;
	size_t at = 0;

	while ((options = gb_line_option(l, "numa", &at)))
		if (strstr(options, "memdev"))
			return gb_fail(err, GB_ELACKS,
				       "this QEMU's RAM is in NUMA nodes, which are not supported");
	at = 0;
	if (machine_value(l, "memory-backend", b.id, sizeof(b.id)))
		while (!found && (options = gb_line_option(l, "object", &at)))
			found = *options == '{' ? object_of_json(options, b.id, &b)
						: object_of_words(options, b.id, &b);
	if (!found || !b.share || b.size == 0)
		return gb_fail(err, GB_ELACKS, "this QEMU's RAM is private: " GB_ADD_SHARE);
	*ret = b;
	return 0;
}

// A device's driver: the first word, or "driver" of JSON.
static void driver_of(const char *options, char *ret, size_t size)
{
	json_t *object = *options == '{' ? json_loads(options, 0, NULL) : NULL;
	const char *driver = json_string_value(json_object_get(object, "driver"));

	*ret = 0;
	if (driver)
		snprintf(ret, size, "%s", driver);
	else if (!gb_line_value(options, "driver", ret, size))
		gb_line_first(options, ret, size);
	json_decref(object);
}

// Memory modules are RAM beside that of the machine, in files of their own, where there is room.
static int check_modules(const struct gb_line *l, struct gb_error *err)
{
	static const char *const modules[] = {"pc-dimm", "nvdimm", "virtio-mem", "virtio-pmem"};
	const char *options;
	char driver[32];
	size_t at = 0;

	while ((options = gb_line_option(l, "device", &at))) {
		driver_of(options, driver, sizeof(driver));
		for (size_t i = 0; i < sizeof(modules) / sizeof(modules[0]); i++)
			if (strncmp(driver, modules[i], strlen(modules[i])) == 0)
				return gb_fail(
					err, GB_ELACKS,
					"this QEMU has memory in a %s device: memory modules are " GB_ONE_BACKEND,
					modules[i]);
	}
	return 0;
}

// QEMU plugs memory in later only if it was started with a maxmem above the size: it cannot be below, and slots
// do not go without it. A size that we do not understand counts as above.
static bool can_grow(const struct gb_line *l, uint64_t size)
{
	const char *options;
	char max[32] = "";
	size_t at = 0;

	machine_value(l, "memory.max-size", max, sizeof(max));
	while ((options = gb_line_option(l, "m", &at)))
		gb_line_value(options, "maxmem", max, sizeof(max));
	return *max && parse_size(max) != size;
}

// What was plugged in at run time is on no command line.
static int check_growth(const struct gb_line *l, uint64_t size, struct gb_error *err)
{
	if (!can_grow(l, size))
		return 0;
	return gb_fail(
		err, GB_ELACKS,
		"memory can be plugged into this QEMU while it runs (-m with slots or maxmem), and "
		"whether it was, " ADD_MONITOR "; or start it without slots and maxmem");
}

static int find_layout(const struct gb_line *l, const struct gb_backend *b, const char *type,
		       struct gb_layout *ret, struct gb_error *err)
{
	char below[32];

	if (is_pc(type) && b->size < WHOLE_BELOW &&
	    !machine_value(l, "max-ram-below-4g", below, sizeof(below))) {
		gb_layout_identity(b->size, ret);
		return 0;
	}
	return gb_fail(err, GB_ELACKS,
		       "where the %" PRIu64
		       " MiB of RAM of this %.32s lie around the PCI hole, " ADD_MONITOR,
		       b->size / MIB, type);
}

static void describe(const struct gb_line *l, const char *type, struct gb_vm_info *info)
{
	char name[256] = "", accel[32] = "", cpus[16] = "";
	const char *options;
	size_t at = 0;

	while ((options = gb_line_option(l, "name", &at)))
		if (!gb_line_value(options, "guest", name, sizeof(name)))
			gb_line_first(options, name, sizeof(name));
	if (gb_vm_name_valid(name))
		snprintf(info->name, sizeof(info->name), "%s", name);
	snprintf(info->machine, sizeof(info->machine), "%.15s", type);
	at = 0;
	options = gb_line_option(l, "accel", &at);
	if (!options || !gb_line_first(options, accel, sizeof(accel)))
		machine_value(l, "accel", accel, sizeof(accel));
	memcpy(info->accel, strncmp(accel, "kvm", 3) == 0 ? "kvm" : "tcg", 4);
	at = 0;
	options = gb_line_option(l, "smp", &at);
	if (options && !gb_line_value(options, "cpus", cpus, sizeof(cpus)))
		gb_line_first(options, cpus, sizeof(cpus));
	info->cpus = *cpus ? (unsigned)strtoul(cpus, NULL, 10) : 1;
}

int gb_attach_line(const struct gb_line *l, struct gb_backend *backend_ret, struct gb_vm_info *info,
		   struct gb_error *err)
{
	struct gb_backend b;
	char type[64] = "pc"; // QEMU's own default
	int r = find_backend(l, &b, err);

	machine_value(l, "type", type, sizeof(type));
	if (r == 0)
		r = check_modules(l, err);
	if (r == 0)
		r = check_growth(l, b.size, err);
	if (r == 0)
		r = find_layout(l, &b, type, &info->layout, err);
	if (r != 0)
		return r;
	describe(l, type, info);
	*backend_ret = b;
	return 0;
}
