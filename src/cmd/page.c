// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The page of one guest or RAM file.
#include "cmd/page.h"

#include "serve/serve.h"
#include "serve/vm_guest.h"

#include <stdio.h>
#include <stdlib.h>

struct gb_page {
	struct gb_ram *ram; // only if it is ours to close
	struct gb_vm_guest guest;
	char name[GB_VM_NAME_MAX * 4];
	struct gb_serve *serve;
};

static int start(struct gb_page *page, const struct gb_page_options *options, struct gb_error *err)
{
	struct gb_serve_options o = {.ram = options->ram,
				     .name = page->name,
				     .port = options->port,
				     .missing = options->missing,
				     .unknown = options->unknown};
	int r = 0;

	snprintf(page->name, sizeof(page->name), "%s",
		 options->vm ? options->vm->name : options->name);
	if (!o.ram) {
		r = gb_vm_open_ram(options->vm, &page->ram, err);
		o.ram = page->ram;
	}
	if (options->vm) {
		gb_vm_guest_init(&page->guest, options->vm, options->watched);
		o.vm = gb_vm_guest_calls(&page->guest);
		o.guest = page->guest.vm.guest;
		o.started_real_ns = page->guest.vm.started_real_ns;
		o.guest_cpus = page->guest.vm.cpus;
	}
	return r ? r : gb_serve_start(&o, &page->serve, err);
}

int gb_page_start(const struct gb_page_options *options, struct gb_page **ret, struct gb_error *err)
{
	struct gb_page *page = calloc(1, sizeof(*page));
	int r;

	if (!page)
		return gb_fail(err, GB_ENOMEM, "no memory for the page");
	r = start(page, options, err);
	if (r == 0)
		*ret = page;
	else
		gb_page_stop(page);
	return r;
}

const char *gb_page_url(const struct gb_page *page)
{
	return gb_serve_url(page->serve);
}

void gb_page_guest_ended(struct gb_page *page, int wait_status)
{
	if (page)
		gb_serve_guest_ended(page->serve, wait_status);
}

void gb_page_stop(struct gb_page *page)
{
	if (!page)
		return;
	gb_serve_stop(page->serve);
	gb_ram_close(page->ram);
	free(page);
}
