// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Starting and stopping a supervised guest.
#include "vm/machine_private.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "vm/info.h"
#include "vm/monitor.h"
#include "vm/place.h"
#include "vm/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

// QEMU makes its machine in 0.1 s; a loaded host may need much longer.
#define CONNECT_MS 30000
#define QUIT_MS 3000
#define TERM_MS 2000

enum { LISTEN_CONSOLE, LISTEN_CONTROL, LISTEN_MONITOR, LISTEN_COUNT };

static const char *const socket_names[LISTEN_COUNT] = {GB_SOCKET_CONSOLE, GB_SOCKET_CONTROL,
						       GB_SOCKET_MONITOR};

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void gb_machine_take_words(struct gb_machine *m)
{
	char chunk[4096];
	ssize_t n = m->errors_fd >= 0 ? read(m->errors_fd, chunk, sizeof(chunk)) : 0;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		close_fd(&m->errors_fd);
		return;
	}
	// The first words name the cause; a chatty QEMU must not fill our memory.
	if (m->words.len + (size_t)n <= GB_QEMU_WORDS_MAX)
		gb_buf_add(&m->words, chunk, (size_t)n);
}

bool gb_machine_reap(struct gb_machine *m)
{
	struct pollfd p = {.fd = m->errors_fd, .events = POLLIN};

	if (!m->reaped && m->pid > 0 && waitpid(m->pid, &m->wait_status, WNOHANG) == m->pid) {
		m->reaped = true;
		while (m->errors_fd >= 0 && poll(&p, 1, 0) > 0) {
			gb_machine_take_words(m);
			p.fd = m->errors_fd;
		}
	}
	return m->reaped;
}

// QEMU's last line of complaint, without the name of the program.
static void last_words(const struct gb_machine *m, char *ret, size_t size)
{
	const char *text = m->words.data ? m->words.data : "", *line = text, *end, *colon;

	end = text + strlen(text);
	while (end > text && end[-1] == '\n')
		end--;
	for (const char *p = text; p < end; p++)
		if (*p == '\n')
			line = p + 1;
	colon = strstr(line, ": ");
	if (colon && colon < end && strncmp(line, "qemu", 4) == 0)
		line = colon + 2;
	snprintf(ret, size, "%.*s", (int)(end - line), line);
}

// RAM that the guest touches first is taken from the tmpfs then; where there is none left, the kernel
// answers with SIGBUS.
static int was_killed(const struct gb_machine *m, const char *words, struct gb_error *err)
{
	int number = WTERMSIG(m->wait_status);
	const char *colon = *words ? ": " : "";

	if (number == SIGBUS && gb_place_full(m->info.ram_path))
		return gb_fail(
			err, GB_EGONE,
			"QEMU was killed by signal %d (%s): the tmpfs that holds the guest's RAM "
			"is full: make room in %.*s, give less --mem, or set XDG_RUNTIME_DIR to "
			"a directory on a larger one",
			number, strsignal(number),
			(int)(strrchr(m->info.ram_path, '/') - m->info.ram_path), m->info.ram_path);
	return gb_fail(
		err, GB_EGONE,
		"QEMU was killed by signal %d (%s)%s%s; if you did not do that, 'dmesg' says "
		"whether this machine ran out of memory: give less --mem then, or stop other "
		"guests",
		number, strsignal(number), colon, words);
}

int gb_machine_end_reason(const struct gb_machine *m, struct gb_error *err)
{
	char words[128];

	last_words(m, words, sizeof(words));
	if (WIFSIGNALED(m->wait_status) && !m->quit_asked)
		return was_killed(m, words, err);
	if (WIFEXITED(m->wait_status) && WEXITSTATUS(m->wait_status) != 0)
		return gb_fail(err, GB_EGONE, "QEMU ended with status %d%s%s",
			       WEXITSTATUS(m->wait_status), *words ? ": " : "", words);
	return 0;
}

static int make_ram(const struct gb_config *c, const char *path, struct gb_error *err)
{
	GB_CLEANUP(gb_cleanup_fd)
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0 || ftruncate(fd, (off_t)c->memory) != 0)
		return gb_fail_os(err, "cannot make the RAM file %s", path);
	return 0;
}

static int listen_all(struct gb_machine *m, const struct gb_config *c, struct gb_error *err)
{
	for (size_t i = 0; i < LISTEN_COUNT; i++) {
		char path[PATH_MAX + 32];
		int r;

		if (i == LISTEN_CONTROL && !c->control)
			continue;
		snprintf(path, sizeof(path), "%s/%s", m->info.dir, socket_names[i]);
		r = gb_spawn_listen(path, &m->listen_fd[i], err);
		if (r != 0)
			return r;
	}
	return 0;
}

static int spawn(struct gb_machine *m, const struct gb_config *c, struct gb_error *err)
{
	struct gb_words words = {};
	struct gb_host_process process = {};
	int r = gb_config_line(c, &m->info, &words, err);

	if (r != 0)
		return r;
	m->info.started_real_ns = gb_clock_real_ns();
	m->exec_ns = gb_clock_ns();
	r = gb_spawn(words.items, &m->pid, &m->errors_fd, err);
	gb_words_deinit(&words);
	if (r != 0)
		return r;
	m->pidfd = pidfd_open(m->pid, 0);
	if (m->pidfd < 0)
		return gb_fail_os(err, "cannot watch QEMU");
	if (gb_process_identify(m->pid, &process, NULL) == 0) {
		m->info.qemu_pid = process.pid;
		m->info.qemu_start = process.start;
	}
	return gb_info_write(&m->info, err);
}

static int failed_early(struct gb_machine *m, struct gb_error *err)
{
	char words[256];

	gb_machine_reap(m);
	last_words(m, words, sizeof(words));
	if (strstr(words, "host forwarding rule"))
		return gb_fail(
			err, GB_EBUSY,
			"a port that is to be forwarded is in use: take another with --forward "
			"(QEMU: %s)",
			words);
	if (*words || !m->reaped || !WIFSIGNALED(m->wait_status))
		return gb_fail(err, GB_EGONE, "QEMU did not start: %s",
			       *words ? words : "it ended without a word");
	was_killed(m, "", err);
	gb_error_prefix(err, "QEMU did not start");
	return GB_EGONE;
}

// QEMU connects while it makes its machine, or ends.
static int await_connection(struct gb_machine *m, struct gb_error *err)
{
	uint64_t end = gb_clock_ns() + CONNECT_MS * GB_MS;

	for (;;) {
		struct pollfd p[] = {{.fd = m->listen_fd[LISTEN_MONITOR], .events = POLLIN},
				     {.fd = m->pidfd, .events = POLLIN},
				     {.fd = m->errors_fd, .events = POLLIN},
				     {.fd = m->interrupt_fd, .events = POLLIN}};
		uint64_t now = gb_clock_ns();
		int n = poll(p, 4, now < end ? (int)((end - now) / GB_MS) + 1 : 0);

		if (n < 0 && errno != EINTR)
			return gb_fail_os(err, "cannot wait for QEMU");
		if (n == 0)
			return gb_fail(err, GB_ETIMEOUT, "QEMU did not come up within %d s",
				       CONNECT_MS / 1000);
		if (n > 0 && p[3].revents)
			return gb_fail(err, GB_ECANCELLED, "interrupted");
		if (n > 0 && p[0].revents)
			return 0;
		if (n > 0 && p[2].revents)
			gb_machine_take_words(m);
		else if (n > 0 && p[1].revents)
			return failed_early(m, err);
	}
}

static int accept_one(struct gb_machine *m, int which, int *fd_ret, struct gb_error *err)
{
	int fd = accept4(m->listen_fd[which], NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return gb_fail_os(err, "QEMU did not connect to %s", socket_names[which]);
	close_fd(&m->listen_fd[which]);
	*fd_ret = fd;
	return 0;
}

static int connect_ports(struct gb_machine *m, const struct gb_config *c, struct gb_error *err)
{
	int fd = -1, r = await_connection(m, err);

	if (r == 0)
		r = accept_one(m, LISTEN_CONSOLE, &m->console_fd, err);
	if (r == 0 && c->control)
		r = accept_one(m, LISTEN_CONTROL, &m->control_fd, err);
	if (r == 0)
		r = accept_one(m, LISTEN_MONITOR, &fd, err);
	if (r == 0)
		r = gb_qmp_adopt(fd, CONNECT_MS, &m->qmp, err);
	return r;
}

static int ask(struct gb_machine *m, const struct gb_config *c, struct gb_error *err)
{
	struct gb_backend backend;
	int r = gb_monitor_backend(m->qmp, &backend, err);

	if (r == 0)
		r = gb_monitor_layout(m->qmp, &backend, &m->info.layout, err);
	for (size_t i = 0; r == 0 && c->network && i < c->forward_count; i++)
		if (c->forwards[i].guest == 22)
			r = gb_monitor_port(m->qmp, 22, &m->info.ssh_port, err);
	return r == 0 ? gb_info_write(&m->info, err) : r;
}

static void init(struct gb_machine *m, const struct gb_machine_start *s)
{
	*m = (struct gb_machine){
		.claim = GB_CLAIM_NONE,
		.info = *s->info,
		.pidfd = -1,
		.listen_fd = {-1, -1, -1},
		.console_fd = -1,
		.control_fd = -1,
		.errors_fd = -1,
		.interrupt_fd = s->interrupt_fd,
		.input_fd = s->input_fd,
		.console = {.dir_fd = -1, .fd = -1},
		.control = {.output = s->output, .arg = s->arg},
	};
	snprintf(m->info.machine, sizeof(m->info.machine), "%s", s->config->machine);
	snprintf(m->info.accel, sizeof(m->info.accel), "%s", s->config->accel);
	snprintf(m->info.guest, sizeof(m->info.guest), "%s", s->config->guest);
	snprintf(m->info.qmp_path, sizeof(m->info.qmp_path), "%.*s/" GB_SOCKET_QMP, PATH_MAX - 32,
		 m->info.dir);
	m->info.memory = s->config->memory;
	m->info.cpus = s->config->cpus;
}

int gb_machine_start(const struct gb_machine_start *s, struct gb_machine **ret,
		     struct gb_error *err)
{
	struct gb_machine *m = malloc(sizeof(*m));
	int r;

	if (!m)
		return gb_fail(err, GB_ENOMEM, "no memory for a guest");
	init(m, s);
	r = make_ram(s->config, m->info.ram_path, err);
	if (r == 0)
		r = gb_console_open(m->info.dir, &m->console, err);
	if (r == 0)
		r = listen_all(m, s->config, err);
	if (r == 0)
		r = spawn(m, s->config, err);
	if (r == 0)
		r = connect_ports(m, s->config, err);
	if (r == 0)
		r = ask(m, s->config, err);
	if (r == GB_EGONE && gb_pidfd_wait(m->pidfd, TERM_MS, NULL) == 0)
		r = failed_early(m, err);
	if (r != 0) {
		gb_machine_stop(m, true);
		return r;
	}
	m->claim = *s->claim;
	*s->claim = GB_CLAIM_NONE;
	*ret = m;
	return 0;
}

const struct gb_vm_info *gb_machine_info(const struct gb_machine *m)
{
	return &m->info;
}

int gb_machine_set_url(struct gb_machine *m, const char *url, struct gb_error *err)
{
	snprintf(m->info.url, sizeof(m->info.url), "%s", url);
	return gb_info_write(&m->info, err);
}

int gb_machine_command_status(const struct gb_machine *m)
{
	return m->control.exit_code;
}

// Wait for the end of QEMU. false: it did not come in time, or the user does not want to wait.
static bool await_end(struct gb_machine *m, int timeout_ms)
{
	uint64_t end = gb_clock_ns() + (uint64_t)timeout_ms * GB_MS;

	for (;;) {
		struct pollfd p[] = {{.fd = m->pidfd, .events = POLLIN},
				     {.fd = m->errors_fd, .events = POLLIN},
				     {.fd = m->interrupt_fd, .events = POLLIN}};
		uint64_t now = gb_clock_ns();
		int n = poll(p, 3, now < end ? (int)((end - now) / GB_MS) + 1 : 0);

		if (n > 0 && p[0].revents)
			return true;
		m->hurried = n > 0 && p[2].revents;
		if (n == 0 || (n < 0 && errno != EINTR) || m->hurried)
			return false;
		if (n > 0 && p[1].revents)
			gb_machine_take_words(m);
	}
}

static void kill_qemu(struct gb_machine *m, uint64_t asked_ns)
{
	unsigned seconds = (unsigned)((gb_clock_ns() - asked_ns + GB_SECOND / 2) / GB_SECOND);

	if (m->hurried)
		snprintf(m->killed, sizeof(m->killed),
			 "QEMU was killed without waiting for its end");
	else if (seconds)
		snprintf(m->killed, sizeof(m->killed),
			 "QEMU did not end within %u s and was killed", seconds);
	kill(m->pid, SIGKILL);
	while (waitpid(m->pid, &m->wait_status, 0) < 0 && errno == EINTR)
		;
	m->reaped = true;
}

static void end_qemu(struct gb_machine *m, bool impatient)
{
	uint64_t asked_ns = gb_clock_ns();

	if (m->pid <= 0 || gb_machine_reap(m))
		return;
	m->quit_asked = true;
	if (!impatient && m->qmp && gb_qmp_tell(m->qmp, "quit", NULL) == 0)
		impatient = !await_end(m, QUIT_MS);
	if (!impatient && !gb_machine_reap(m)) {
		kill(m->pid, SIGTERM);
		impatient = !await_end(m, TERM_MS);
	}
	if (!gb_machine_reap(m))
		kill_qemu(m, asked_ns);
}

int gb_machine_end(struct gb_machine *m, bool impatient)
{
	end_qemu(m, impatient);
	return m->wait_status;
}

const char *gb_machine_killed(const struct gb_machine *m)
{
	return m->killed;
}

void gb_machine_stop(struct gb_machine *m, bool impatient)
{
	if (!m)
		return;
	end_qemu(m, impatient);
	for (size_t i = 0; i < LISTEN_COUNT; i++)
		close_fd(&m->listen_fd[i]);
	close_fd(&m->pidfd);
	close_fd(&m->console_fd);
	close_fd(&m->control_fd);
	close_fd(&m->errors_fd);
	gb_qmp_close(m->qmp);
	gb_console_close(&m->console);
	gb_buf_deinit(&m->to_guest);
	gb_buf_deinit(&m->words);
	gb_claim_release(&m->claim);
	free(m);
}
