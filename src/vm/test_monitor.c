// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Tests of a guest's state in one word, by monitors that answer and sockets that are none.
#include "vm/monitor.h"

#include "tests/tap.h"

#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define READY "{\"QMP\": {\"version\": {}, \"capabilities\": []}}\n{\"return\": {}, \"id\": 1}\n"
#define STATUS(members) READY "{\"return\": {" members "}, \"id\": 2}\n"

// Sends its bytes to the one who comes, and hangs up, or waits until that goes.
struct monitor {
	int fd;
	const char *bytes;
	bool hang_up;
	pthread_t thread;
};

static void *serve(void *arg)
{
	struct monitor *m = arg;
	int client = accept(m->fd, NULL, NULL);
	char heard[256];

	send(client, m->bytes, strlen(m->bytes), MSG_NOSIGNAL);
	if (m->hang_up)
		shutdown(client, SHUT_WR);
	while (read(client, heard, sizeof(heard)) > 0)
		;
	close(client);
	return NULL;
}

static void monitor_start(struct monitor *m, const char *path)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};

	m->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	gb_assert(strlen(path) < sizeof(addr.sun_path));
	memcpy(addr.sun_path, path, strlen(path));
	gb_assert(bind(m->fd, (struct sockaddr *)&addr, sizeof(addr)) == 0);
	gb_assert(listen(m->fd, 1) == 0);
	gb_assert(pthread_create(&m->thread, NULL, serve, m) == 0);
}

static void monitor_end(struct monitor *m, const char *path)
{
	pthread_join(m->thread, NULL);
	close(m->fd);
	unlink(path);
}

static void monitors_that_are_there(void)
{
	static const struct {
		const char *bytes, *state;
		bool hang_up;
	} cases[] = {
		{STATUS("\"status\": \"running\", \"running\": true"), "running", false},
		{STATUS("\"status\": \"io-error\", \"running\": false"), "io-error", false},
		{STATUS("\"running\": true"), "unknown", false},
		{STATUS("\"status\": \"running\""), "unknown", false},
		{STATUS("\"status\": \"0123456789012345678901234567890123\", \"running\": true"),
		 "unknown", false},
		{"SSH-2.0-OpenSSH\n", "unknown", false},
		{READY "{\"error\": {\"desc\": \"not now\"}, \"id\": 2}\n", "busy", false},
		{"", "busy", false}, // no greeting: another client uses it
		{READY, "ended", true},
		{"", "ended", true},
	};
	char dir[] = "/tmp/test_monitor.XXXXXX", state[32];
	struct gb_vm_info vm = {.layout = {.count = 1}};

	REQUIRE(mkdtemp(dir));
	snprintf(vm.qmp_path, sizeof(vm.qmp_path), "%s/qmp", dir);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct monitor m = {.bytes = cases[i].bytes, .hang_up = cases[i].hang_up};

		monitor_start(&m, vm.qmp_path);
		gb_vm_state(&vm, state);
		CHECK_STR(state, cases[i].state);
		monitor_end(&m, vm.qmp_path);
	}
	gb_vm_state(&vm, state); // its socket goes with a guest
	CHECK_STR(state, "ended");
	rmdir(dir);
}

static void monitors_that_are_not(void)
{
	struct gb_vm_info vm = {};
	char state[32];

	gb_vm_state(&vm, state);
	CHECK_STR(state, "starting");
	vm.layout.count = 1;
	gb_vm_state(&vm, state);
	CHECK_STR(state, "unknown");
	memset(vm.qmp_path, 'x', 200); // no path of a socket
	gb_vm_state(&vm, state);
	CHECK_STR(state, "unknown");
}

TAP_MAIN(TAP_CASE(monitors_that_are_there), TAP_CASE(monitors_that_are_not))
