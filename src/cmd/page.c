// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The page of one guest or RAM file.
#include "cmd/page.h"

#include "base/cleanup.h"
#include "base/sigmask.h"
#include "serve/serve.h"
#include "serve/vm_guest.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

struct gb_page {
	struct gb_ram *ram; // only if it is ours to close
	struct gb_vm_guest guest;
	char name[GB_VM_NAME_MAX * 4];
	const char *command;
	struct gb_serve *serve;
	struct gb_page_ending ending;
	char why[128];
	int ended_fd; // closed when the page has ended
};

static void stop(struct gb_page *page)
{
	gb_serve_stop(page->serve);
	gb_ram_close(page->ram);
	free(page);
}

static int start(struct gb_page *page, const struct gb_page_options *options, struct gb_error *err)
{
	struct gb_serve_options o = {.ram = options->ram,
				     .name = page->name,
				     .port = options->port,
				     .missing = options->missing,
				     .unknown = options->unknown};
	int r = 0;

	page->command = options->command;
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
		stop(page);
	return r;
}

const char *gb_page_url(const struct gb_page *page)
{
	return gb_serve_url(page->serve);
}

static void *end(void *arg)
{
	struct gb_page *page = arg;
	int ended_fd = page->ended_fd;

	if (page->ending.guest_ended)
		gb_serve_guest_ended(page->serve, page->ending.wait_status, page->ending.why);
	stop(page);
	if (ended_fd >= 0)
		close(ended_fd); // tells await_end()
	return NULL;
}

static bool await_end(int ended_fd, int signals)
{
	struct pollfd p[] = {{.fd = ended_fd, .events = POLLIN}, {.fd = signals, .events = POLLIN}};

	while (poll(p, 2, -1) < 0)
		if (errno != EINTR)
			return false;
	return p[0].revents != 0;
}

static bool start_end(struct gb_page *page, pthread_t *thread_ret)
{
	sigset_t old;
	int r;

	gb_sigmask_block(&old);
	r = pthread_create(thread_ret, NULL, end, page);
	gb_sigmask_restore(&old);
	return r == 0;
}

// A viewer that does not read holds the end up for some seconds: it goes on beside us, so that a person who
// does not want to wait is heard.
bool gb_page_end(struct gb_page *page, const struct gb_page_ending *ending, int signals)
{
	GB_CLEANUP(gb_cleanup_fd) int ended_fd = -1;
	int ends[2] = {-1, -1};
	const char *command;
	pthread_t thread;

	if (!page)
		return true;
	command = page->command; // the page may be gone when it is told
	page->ending = *ending;
	snprintf(page->why, sizeof(page->why), "%s", ending->why ? ending->why : "");
	page->ending.why = page->why;
	if (pipe2(ends, O_CLOEXEC) != 0)
		ends[0] = ends[1] = -1;
	ended_fd = ends[0];
	page->ended_fd = ends[1];
	if (ended_fd < 0 || !start_end(page, &thread)) {
		end(page);
		return true;
	}
	if (await_end(ended_fd, signals))
		return pthread_join(thread, NULL) == 0;
	pthread_detach(thread);
	fprintf(stderr, "glassbox %s: the page is closed without waiting for its viewers\n",
		command);
	return false;
}
