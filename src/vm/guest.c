// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// What a user's words about a guest stand for.
#include "vm/guest.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "vm/guest_script.h"
#include "vm/kvm.h"
#include "vm/tsc.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MIB ((uint64_t)1 << 20)
#define DISK_MEMORY (1024 * MIB)
#define CUSTOM_MEMORY (256 * MIB)
#define CPUS_MAX 64

// What the kernel of a guest is told. The options are measured in docs/guests.md.
static const struct guest {
	const char *name, *script;
	const char *modules; // archive beside the kernel, or NULL
	uint64_t memory;
	const char *append; // under TCG, besides what every guest of ours gets
	bool whole;         // brings its own userland: initrd and append beside the kernel
} guests[] = {
	{"debian", "debian.sh", "modules.cpio", 128 * MIB,
	 "cryptomgr.notests audit=0 nowatchdog rcupdate.rcu_expedited=1 init_on_alloc=0"},
	{"tiny", "tiny.sh", NULL, 64 * MIB, ""},
	{"alpine", "alpine.sh", NULL, 256 * MIB, "", .whole = true},
};

const char *const gb_guest_names[] = {"debian", "tiny", "alpine", NULL};

static const struct guest *find_guest(const char *name)
{
	for (size_t i = 0; i < sizeof(guests) / sizeof(guests[0]); i++)
		if (strcmp(guests[i].name, name) == 0)
			return &guests[i];
	return NULL;
}

static int copy(char *to, size_t size, const char *from, const char *what, struct gb_error *err)
{
	if (strlen(from) >= size)
		return gb_fail(err, GB_EUSAGE, "%s is too long", what);
	memcpy(to, from, strlen(from) + 1);
	return 0;
}

// QEMU runs elsewhere once it is in the background: paths are made absolute.
static int copy_file(char to[PATH_MAX], const char *from, const char *what, struct gb_error *err)
{
	char real[PATH_MAX];

	if (!realpath(from, real))
		return gb_fail(err, GB_ENOTFOUND, "%s %s: there is no such file", what, from);
	if (access(real, R_OK) != 0)
		return gb_fail_os(err, "cannot read %s %s", what, from);
	memcpy(to, real, sizeof(real));
	return 0;
}

static int choose_accel(const char *asked, struct gb_config *c, struct gb_error *err)
{
	bool automatic = !asked || strcmp(asked, "auto") == 0;
	int r;

	if (!automatic && strcmp(asked, "kvm") != 0 && strcmp(asked, "tcg") != 0)
		return gb_fail(err, GB_EUSAGE,
			       "there is no accelerator '%s': take tcg, kvm or auto", asked);
	memcpy(c->accel, "tcg", 4);
	if (!automatic && strcmp(asked, "tcg") == 0)
		return 0;
	r = gb_kvm_probe("/dev/kvm", automatic ? NULL : err);
	if (r == 0)
		memcpy(c->accel, "kvm", 4);
	return automatic ? 0 : r;
}

// Under TCG every calibration against a timer costs real time (LAPIC timer, IO-APIC check, TSC), and
// each character on the console is an exit to QEMU. More than one CPU cannot do without the LAPIC
// timer. A microvm has no other way to end than to reboot.
static void our_append(const struct gb_config *c, const struct guest *g, char *ret, size_t size)
{
	bool tcg = strcmp(c->accel, "tcg") == 0, microvm = strcmp(c->machine, "microvm") == 0;
	unsigned khz = tcg ? gb_tsc_khz() : 0;
	char tsc[48] = "";

	if (khz)
		snprintf(tsc, sizeof(tsc), " tsc_early_khz=%u", khz);
	snprintf(ret, size, "console=ttyS0 loglevel=4%s%s%s%s%s%s", microvm ? " reboot=t" : "",
		 tcg && c->cpus == 1 ? " nolapic_timer" : "", tcg ? " no_timer_check" : "", tsc,
		 tcg && g && *g->append ? " " : "", tcg && g ? g->append : "");
}

// The one line of DIR/append.
static int read_append(const char *dir, char *ret, size_t size, struct gb_error *err)
{
	GB_CLEANUP(gb_buf_deinit) struct gb_buf text = {};
	char path[PATH_MAX + 8];
	int r;

	snprintf(path, sizeof(path), "%s/append", dir);
	r = gb_file_read(path, size - 1, &text, err);
	if (r == 0)
		snprintf(ret, size, "%.*s", (int)strcspn(text.data ? text.data : "", "\n"),
			 text.data ? text.data : "");
	return r;
}

static int plan_append(const struct gb_request *q, const struct guest *g, struct gb_plan *p,
		       struct gb_error *err)
{
	char ours[512] = "";
	int n;

	if (p->config.control)
		our_append(&p->config, g, ours, sizeof(ours));
	n = snprintf(p->config.append, sizeof(p->config.append), "%s%s%s", ours,
		     *ours && q->append ? " " : "", q->append ? q->append : "");
	if ((size_t)n >= sizeof(p->config.append))
		return gb_fail(err, GB_EUSAGE, "--append is too long for a kernel command line");
	return 0;
}

static int add_archive(struct gb_plan *p, const char *dir, const char *name, struct gb_error *err)
{
	char *path = p->archives[p->archive_count];

	gb_assert(p->archive_count < GB_ARCHIVES_MAX);
	if (snprintf(path, PATH_MAX, "%s/%s", dir, name) >= PATH_MAX)
		return gb_fail(err, GB_ERANGE, "%s: the path is too long", dir);
	if (access(path, R_OK) != 0)
		return gb_fail_os(err, "cannot read %s", path);
	p->archive_count++;
	return 0;
}

static int beside(const char *dir, const char *name, char ret[PATH_MAX], struct gb_error *err)
{
	if (snprintf(ret, PATH_MAX, "%s/%s", dir, name) >= PATH_MAX)
		return gb_fail(err, GB_ERANGE, "%s: the path is too long", dir);
	return access(ret, R_OK) == 0 ? 0 : gb_fail_os(err, "cannot read %s", ret);
}

static int plan_kernel(const struct gb_request *q, const struct guest *g, struct gb_plan *p,
		       struct gb_error *err)
{
	char dir[PATH_MAX];
	int r;

	if (q->kernel)
		return copy_file(p->config.kernel, q->kernel, "--kernel", err);
	r = gb_guest_script(g->script, q->interrupt_fd, dir, err);
	if (r != 0)
		return r;
	r = beside(dir, "vmlinux", p->config.kernel, err);
	return r == 0 && g->modules && !q->initrd ? add_archive(p, dir, g->modules, err) : r;
}

static int plan_userland(const struct gb_request *q, struct gb_plan *p, struct gb_error *err)
{
	char dir[PATH_MAX];
	int r;

	if (q->initrd)
		return copy_file(p->config.initrd, q->initrd, "--initrd", err);
	p->config.control = true;
	// The forward to sshd comes first; the user's own may follow.
	p->config.forwards[p->config.forward_count++] = (struct gb_forward){0, 22};
	r = gb_guest_script("initramfs.sh", q->interrupt_fd, dir, err);
	return r == 0 ? add_archive(p, dir, "initramfs.cpio", err) : r;
}

// A distribution's own kernel, initramfs and command line, each of which the user may replace.
static int plan_whole(const struct gb_request *q, const struct guest *g, struct gb_plan *p,
		      struct gb_error *err)
{
	char dir[PATH_MAX], theirs[1024] = "", ours[512];
	int n, r = gb_guest_script(g->script, q->interrupt_fd, dir, err);

	if (r == 0)
		r = q->kernel ? copy_file(p->config.kernel, q->kernel, "--kernel", err)
			      : beside(dir, "vmlinux", p->config.kernel, err);
	if (r == 0)
		r = q->initrd ? copy_file(p->config.initrd, q->initrd, "--initrd", err)
			      : beside(dir, "initrd", p->config.initrd, err);
	if (r == 0)
		r = read_append(dir, theirs, sizeof(theirs), err);
	if (r != 0)
		return r;
	snprintf(p->config.guest, sizeof(p->config.guest), "%s", g->name);
	p->config.memory = g->memory;
	our_append(&p->config, g, ours, sizeof(ours));
	n = snprintf(p->config.append, sizeof(p->config.append), "%s %s%s%s", ours, theirs,
		     q->append ? " " : "", q->append ? q->append : "");
	if ((size_t)n >= sizeof(p->config.append))
		return gb_fail(err, GB_EUSAGE, "--append is too long for a kernel command line");
	return 0;
}

// A kernel with our userland or with the user's own.
static int plan_linux(const struct gb_request *q, const struct guest *g, struct gb_plan *p,
		      struct gb_error *err)
{
	const char *slash = q->kernel ? strrchr(q->kernel, '/') : NULL;
	const char *name = g ? g->name : slash ? slash + 1 : q->kernel;
	int r;

	snprintf(p->config.guest, sizeof(p->config.guest), "%s", name);
	p->config.memory = g ? g->memory : q->initrd ? CUSTOM_MEMORY : guests[0].memory;
	r = plan_userland(q, p, err);
	if (r == 0)
		r = plan_kernel(q, g, p, err);
	return r == 0 ? plan_append(q, g, p, err) : r;
}

static int plan_disk(const struct gb_request *q, struct gb_plan *p, struct gb_error *err)
{
	const char *slash = strrchr(q->target, '/');
	int r = gb_media_detect(q->target, &p->config.media, err);

	if (r == 0)
		r = copy_file(p->config.disk, q->target, "disk", err);
	if (r == 0 && q->kernel)
		r = copy_file(p->config.kernel, q->kernel, "--kernel", err);
	if (r == 0 && q->initrd)
		r = copy_file(p->config.initrd, q->initrd, "--initrd", err);
	if (r == 0 && q->append)
		r = copy(p->config.append, sizeof(p->config.append), q->append, "--append", err);
	if (r != 0)
		return r;
	snprintf(p->config.guest, sizeof(p->config.guest), "%s", slash ? slash + 1 : q->target);
	p->config.memory = DISK_MEMORY;
	p->config.snapshot = q->snapshot;
	return 0;
}

// The name to claim: what of the guest's name may stand in one.
static void derive_name(struct gb_plan *p)
{
	size_t n = 0;

	for (const char *s = p->config.guest; *s && n < sizeof(p->name) - 8; s++) {
		char one[2] = {*s, 0};

		if (gb_vm_name_valid(one) || (n && strchr(".-", *s)))
			p->name[n++] = *s;
	}
	p->name[n] = 0;
	if (n == 0)
		memcpy(p->name, "guest", 6);
}

static int plan_machine(const struct gb_request *q, struct gb_config *c, struct gb_error *err)
{
	int r = choose_accel(q->accel, c, err);

	if (r == 0)
		r = copy(c->machine, sizeof(c->machine), q->machine ? q->machine : "q35",
			 "--machine", err);
	if (r == 0)
		r = copy(c->cpu, sizeof(c->cpu), q->cpu ? q->cpu : gb_config_cpu(c->accel), "--cpu",
			 err);
	c->cpus = q->cpus ? q->cpus : 1;
	c->network = true;
	return r;
}

int gb_guest_plan(const struct gb_request *q, struct gb_plan *ret, struct gb_error *err)
{
	const char *target = q->target ? q->target : q->kernel ? NULL : guests[0].name;
	const struct guest *g = target ? find_guest(target) : NULL;
	struct gb_plan *p = calloc(1, sizeof(*p));
	int r;

	if (!p)
		return gb_fail(err, GB_ENOMEM, "no memory");
	r = plan_machine(q, &p->config, err);
	if (r == 0)
		r = target && !g    ? plan_disk(q, p, err)
		    : g && g->whole ? plan_whole(q, g, p, err)
				    : plan_linux(q, g, p, err);
	if (r == 0 && q->memory)
		p->config.memory = q->memory;
	if (r == 0 && q->forwards)
		r = gb_forwards_parse(q->forwards, &p->config, err);
	if (r == 0)
		r = gb_config_check(&p->config, err);
	if (r == 0 && q->command && !p->config.control)
		r = gb_fail(
			err, GB_EUSAGE,
			"a command can be run in the debian and tiny guests only (and in a --kernel "
			"without --initrd)");
	derive_name(p);
	if (r == 0)
		*ret = *p;
	free(p);
	return r;
}

uint64_t gb_guest_room(const struct gb_plan *p)
{
	uint64_t room = p->config.memory;
	struct stat st;

	for (size_t i = 0; i < p->archive_count; i++)
		if (stat(p->archives[i], &st) == 0)
			room += (uint64_t)st.st_size;
	return room;
}

int gb_guest_seed(struct gb_plan *p, const struct gb_claim *claim, char **command, int interrupt_fd,
		  struct gb_error *err)
{
	const char *archives[GB_ARCHIVES_MAX + 1] = {};
	int r;

	// The kernel unpacks them in this order: the userland first, what belongs to the run last.
	for (size_t i = 0; i < p->archive_count; i++)
		archives[i] = p->archives[i];
	r = gb_guest_seed_script(claim, archives, command, interrupt_fd, err);
	if (r == 0 &&
	    snprintf(p->config.initrd, PATH_MAX, "%.*s/initrd", PATH_MAX - 8, claim->dir) < 0)
		r = gb_fail(err, GB_ERANGE, "the path is too long");
	return r;
}
