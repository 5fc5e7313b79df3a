// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// glassbox doctor
#include "cmd/commands.h"
#include "cmd/doctor.h"
#include "cmd/output.h"

#include <string.h>

#define LACKS_STATUS 77

static const struct gb_checkup checkups[] = {
	{"qemu", "runs the guest", true, gb_doctor_qemu, NULL},
	{"kvm", "runs a guest at the speed of the processor; without it TCG is used", false,
	 gb_doctor_kvm, NULL},
	{"state", "keeps the sockets and keys of running guests, for you alone", true,
	 gb_doctor_state, NULL},
	{"ram", "holds a guest's RAM, in memory, where it can be read while the guest runs", true,
	 gb_doctor_ram, NULL},
	{"data", "the page, and the scripts that make guests", true, gb_doctor_data, NULL},
	{"programs", "make a guest's keys and its initramfs at each start", true,
	 gb_doctor_programs, "run bsdtar ssh-keygen base64"},
	{"debian", "the default guest", false, gb_doctor_guest, "debian vmlinux"},
	{"tiny", "the smallest and fastest guest", false, gb_doctor_guest, "tiny vmlinux"},
	{"alpine", "the Alpine guest", false, gb_doctor_guest, "alpine append"},
	{"userland", "of the debian and tiny guests", false, gb_doctor_guest,
	 "initramfs initramfs.cpio"},
	{"guest tools", "fetch the debian guest and its userland", false, gb_doctor_guest_programs,
	 "run apt-get apt-cache dpkg-deb bsdtar readelf flock cc modprobe depmod lz4 xz zstd od"},
	{"alpine tools", "fetch the alpine guest", false, gb_doctor_programs,
	 "run curl flock gzip tar lz4 xz zstd od"},
	{"kernel tools", "compile the tiny guest's kernel, once", false, gb_doctor_programs,
	 "guests gcc make bc bison flex pahole perl lz4 xz flock apt-get dpkg-deb"},
	{"cache", "keeps guests that were made", false, gb_doctor_cache, NULL},
	{"browser", "shows the page; it must have WebGPU", false, gb_doctor_browser, NULL},
	{"gpu", "draws the page's cube fast, and pictures without a browser", false, gb_doctor_gpu,
	 NULL},
	{"ssh", "logs in to a guest", false, gb_doctor_programs, "run ssh"},
	{"leftovers", "of runs that crashed", false, gb_doctor_leftovers, NULL},
	{"limits", "of this shell on what a program may use; locked memory is not needed", true,
	 gb_doctor_limits, NULL},
	{"attach", "looks into guests that something else started", false, gb_doctor_attach, NULL},
};

#define COUNT (sizeof(checkups) / sizeof(checkups[0]))

static const char *state_of(const struct gb_finding *f)
{
	return f->ok ? "ok" : f->needed ? "missing" : "optional";
}

static int print_json(const struct gb_finding *findings, bool healthy, struct gb_error *err)
{
	struct gb_answer a;

	gb_answer_begin(&a, "doctor", NULL);
	gb_json_pair(&a.json, "healthy", bool, healthy);
	gb_json_key(&a.json, "checks");
	gb_json_array(&a.json);
	for (size_t i = 0; i < COUNT; i++) {
		gb_json_object(&a.json);
		gb_json_pair(&a.json, "name", str, checkups[i].name);
		gb_json_pair(&a.json, "state", str, state_of(&findings[i]));
		gb_json_pair(&a.json, "purpose", str, checkups[i].purpose);
		gb_json_pair(&a.json, "detail", str, findings[i].detail);
		gb_json_pair(&a.json, "fix", str, *findings[i].fix ? findings[i].fix : NULL);
		gb_json_end_object(&a.json);
	}
	gb_json_end_array(&a.json);
	return gb_answer_end(&a, err);
}

static void print_finding(const struct gb_checkup *row, const struct gb_finding *f, bool colour)
{
	const char *paint = !colour ? "" : f->ok ? "\033[32m" : f->needed ? "\033[31m" : "\033[33m";

	printf("%s%-8s%s  %-12s  ", paint, state_of(f), colour ? "\033[0m" : "", row->name);
	gb_print_text(stdout, f->detail, 0);
	if (!f->ok) {
		printf("\n%24sfor: ", "");
		gb_print_text(stdout, row->purpose, 0);
	}
	if (*f->fix) {
		printf("\n%24sdo:  ", "");
		gb_print_text(stdout, f->fix, 0);
	}
	putchar('\n');
}

static int print_table(const struct gb_finding *findings, bool healthy, struct gb_error *err)
{
	for (size_t i = 0; i < COUNT; i++)
		print_finding(&checkups[i], &findings[i], gb_colour_ok(stdout));
	puts(healthy ? "Guests can run here."
		     : "Guests cannot run here until what is missing above is there.");
	return gb_flush_stdout(err);
}

static int run(struct gb_args *args, struct gb_error *err)
{
	struct gb_finding findings[COUNT] = {};
	bool healthy = true;

	for (size_t i = 0; i < COUNT; i++) {
		findings[i].needed = checkups[i].needed;
		checkups[i].look(&checkups[i], &findings[i]);
		if (!findings[i].ok && findings[i].needed)
			healthy = false;
	}
	args->exit_status = healthy ? 0 : LACKS_STATUS;
	return args->json ? print_json(findings, healthy, err)
			  : print_table(findings, healthy, err);
}

const struct gb_command gb_cmd_doctor = {
	.name = "doctor",
	.usage = "",
	.summary = "say what this machine lacks, and how to get it",
	.detail =
		"Each line is ok, missing (no guest runs without it) or optional, and says what it is "
		"for and the command that brings it. Nothing is installed, started or removed. The exit "
		"status is 77 when something is missing, else 0.",
	.run = run,
};
