// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The QEMU command line of a guest.
#include "vm/config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

// hpet, sata, smbus and vmport cost boot time (each is probed by the guest) and serve nobody here;
// a CD hangs on sata. The machine types are those of the oldest QEMU that is supported.
static const struct machine {
	const char *name, *type;
	const char *type_with_cd; // NULL: there is no place for a CD
	const char *nic, *disk, *cd, *vga;
	const char *kernel_firmware; // instead of SeaBIOS where a kernel is given: 50 ms less
	bool second_serial_is_device;
} machines[] = {
	{
		.name = "q35",
		.type = "pc-q35-10.0,hpet=off,sata=off,smbus=off,vmport=off",
		.type_with_cd = "pc-q35-10.0,hpet=off,vmport=off",
		.nic = "virtio-net-pci,romfile=",
		.disk = "virtio-blk-pci",
		.cd = "ide-cd",
		.vga = "VGA",
		.kernel_firmware = "qboot.rom",
	},
	{
		.name = "pc",
		.type = "pc-i440fx-10.0,hpet=off,smbus=off,vmport=off",
		.type_with_cd = "pc-i440fx-10.0,hpet=off,vmport=off",
		.nic = "virtio-net-pci,romfile=",
		.disk = "virtio-blk-pci",
		.cd = "ide-cd",
		.vga = "VGA",
		.kernel_firmware = "qboot.rom",
	},
	{
		.name = "microvm",
		.type = "microvm,acpi=off",
		.nic = "virtio-net-device",
		.disk = "virtio-blk-device",
		.second_serial_is_device = true,
	},
};

static const struct machine *find_machine(const char *name)
{
	for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++)
		if (strcmp(machines[i].name, name) == 0)
			return &machines[i];
	return NULL;
}

const char *gb_config_cpu(const char *accel)
{
	return strcmp(accel, "kvm") == 0 ? "Nehalem-v1" : "qemu64-v1";
}

int gb_config_check(const struct gb_config *c, struct gb_error *err)
{
	const struct machine *m = find_machine(c->machine);

	if (!m)
		return gb_fail(err, GB_EUSAGE, "there is no machine '%s': take q35, microvm or pc",
			       c->machine);
	if (c->media == GB_MEDIA_CD && !m->type_with_cd)
		return gb_fail(err, GB_EUSAGE, "a %s has no place for a CD: take --machine q35",
			       m->name);
	if (!m->vga && !*c->kernel)
		return gb_fail(err, GB_EUSAGE,
			       "a %s starts nothing but a --kernel: take --machine q35", m->name);
	if (*c->initrd && !*c->kernel)
		return gb_fail(err, GB_EUSAGE, "an --initrd needs a --kernel");
	if (c->memory % (2 << 20) != 0)
		return gb_fail(err, GB_EUSAGE, "--mem must be a multiple of 2M");
	return 0;
}

// QEMU reads a doubled comma in a value as one comma.
struct escaped {
	char text[2 * PATH_MAX];
};

static struct escaped escape(const char *path)
{
	struct escaped e = {};
	size_t n = 0;

	for (; *path && n < sizeof(e.text) - 2; path++) {
		if (*path == ',')
			e.text[n++] = ',';
		e.text[n++] = *path;
	}
	return e;
}

static void add_base(const struct gb_config *c, const struct machine *m,
		     const struct gb_vm_info *info, struct gb_words *w)
{
	gb_words_add(w, "qemu-system-x86_64");
	gb_words_add(w, "-name");
	gb_words_add(w, "guest=%s,debug-threads=on", info->name);
	gb_words_add(w, "-nodefaults");
	gb_words_add(w, "-no-user-config");
	gb_words_add(w, "-display");
	gb_words_add(w, "none");
	gb_words_add(w, "-sandbox");
	gb_words_add(w, "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny");
	gb_words_add(w, "-machine");
	gb_words_add(w, "%s,memory-backend=mem",
		     c->media == GB_MEDIA_CD ? m->type_with_cd : m->type);
	gb_words_add(w, "-accel");
	gb_words_add(w, "%s", c->accel);
	gb_words_add(w, "-cpu");
	gb_words_add(w, "%s", c->cpu);
	gb_words_add(w, "-smp");
	gb_words_add(w, "%u", c->cpus);
	gb_words_add(w, "-m");
	gb_words_add(w, "%" PRIu64 "M", c->memory >> 20);
	gb_words_add(w, "-object");
	gb_words_add(w, "memory-backend-file,id=mem,size=%" PRIu64 "M,mem-path=%s,share=on",
		     c->memory >> 20, escape(info->ram_path).text);
}

static void add_socket(struct gb_words *w, const char *id, const char *dir, const char *name,
		       const char *role)
{
	gb_words_add(w, "-chardev");
	gb_words_add(w, "socket,id=%s,path=%s/%s%s", id, escape(dir).text, name, role);
}

// The monitor comes last: when it has connected, the serial ports have.
static void add_ports(const struct gb_config *c, const struct machine *m, const char *dir,
		      struct gb_words *w)
{
	add_socket(w, "console", dir, GB_SOCKET_CONSOLE, "");
	gb_words_add(w, "-serial");
	gb_words_add(w, "chardev:console");
	if (c->control) {
		add_socket(w, "control", dir, GB_SOCKET_CONTROL, "");
		gb_words_add(w, m->second_serial_is_device ? "-device" : "-serial");
		gb_words_add(w, m->second_serial_is_device ? "isa-serial,chardev=control,index=1"
							   : "chardev:control");
	}
	add_socket(w, "qmp", dir, GB_SOCKET_QMP, ",server=on,wait=off");
	gb_words_add(w, "-mon");
	gb_words_add(w, "chardev=qmp,mode=control");
	add_socket(w, "monitor", dir, GB_SOCKET_MONITOR, "");
	gb_words_add(w, "-mon");
	gb_words_add(w, "chardev=monitor,mode=control");
}

static void add_network(const struct gb_config *c, const struct machine *m, struct gb_words *w)
{
	char forwards[GB_FORWARDS_MAX * 48] = "";
	size_t n = 0;

	for (size_t i = 0; i < c->forward_count; i++)
		n += (size_t)snprintf(forwards + n, sizeof(forwards) - n,
				      ",hostfwd=tcp:127.0.0.1:%u-:%u", c->forwards[i].host,
				      c->forwards[i].guest);
	gb_words_add(w, "-netdev");
	// QEMU's user network leads to every service on the host's loopback. Our own userland needs none of
	// it, only what comes in by the forwards.
	gb_words_add(w, "user,id=net%s%s", c->control ? ",restrict=on" : "", forwards);
	gb_words_add(w, "-device");
	gb_words_add(w, "%s,netdev=net", m->nic);
}

static void add_disk(const struct gb_config *c, const struct machine *m, struct gb_words *w)
{
	bool cd = c->media == GB_MEDIA_CD;

	gb_words_add(w, "-drive");
	gb_words_add(w, "if=none,id=disk,format=%s,file=%s%s%s",
		     c->media == GB_MEDIA_QCOW2 ? "qcow2" : "raw", escape(c->disk).text,
		     cd ? ",media=cdrom,readonly=on" : "",
		     c->snapshot && !cd ? ",snapshot=on" : "");
	gb_words_add(w, "-device");
	gb_words_add(w, "%s,drive=disk", cd ? m->cd : m->disk);
}

static void add_boot(const struct gb_config *c, const struct machine *m, struct gb_words *w)
{
	// The built-in guests end QEMU by rebooting where nothing can switch the machine off.
	if (c->control)
		gb_words_add(w, "-no-reboot");
	// Boot loaders and other systems than ours show themselves on a screen.
	if (!*c->kernel && m->vga) {
		gb_words_add(w, "-device");
		gb_words_add(w, "%s", m->vga);
	}
	if (*c->kernel && m->kernel_firmware) {
		gb_words_add(w, "-bios");
		gb_words_add(w, "%s", m->kernel_firmware);
	}
	if (*c->kernel) {
		gb_words_add(w, "-kernel");
		gb_words_add(w, "%s", c->kernel);
	}
	if (*c->initrd) {
		gb_words_add(w, "-initrd");
		gb_words_add(w, "%s", c->initrd);
	}
	if (*c->kernel && *c->append) {
		gb_words_add(w, "-append");
		gb_words_add(w, "%s", c->append);
	}
}

int gb_config_line(const struct gb_config *c, const struct gb_vm_info *info, struct gb_words *ret,
		   struct gb_error *err)
{
	const struct machine *m = find_machine(c->machine);
	struct gb_words w = {};
	int r = gb_config_check(c, err);

	if (r != 0)
		return r;
	add_base(c, m, info, &w);
	add_ports(c, m, info->dir, &w);
	if (c->network)
		add_network(c, m, &w);
	if (c->media != GB_MEDIA_NONE)
		add_disk(c, m, &w);
	add_boot(c, m, &w);
	if (w.failed) {
		gb_words_deinit(&w);
		return gb_fail(err, GB_ENOMEM, "QEMU's command line grew too long");
	}
	*ret = w;
	return 0;
}
