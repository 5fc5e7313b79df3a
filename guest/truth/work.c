// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Runs in a guest: makes its memory interesting. One process per scene, each of which then waits for ever.
//
// Writes a line to standard output when all scenes are up. What a kernel lacks (huge pages, io_uring, user namespaces) is left out
// silently: the truth is what the guest's kernel says, not what was asked for.

#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/perf_event.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB ((size_t)1 << 20)
#define PAGE ((size_t)4096)
#define READY 100 // the descriptor on which a scene says that it is up; survives exec

// Writes to every page, so that each has a frame.
static void touch(void *memory, size_t len)
{
	if (memory == MAP_FAILED)
		return;
	for (size_t i = 0; i < len; i += PAGE)
		((volatile char *)memory)[i] = (char)(i / PAGE);
}

static void *map(size_t len, int protection, int flags, int fd)
{
	return mmap(NULL, len, protection, flags | (fd < 0 ? MAP_ANONYMOUS : 0), fd, 0);
}

static void scene_anonymous(void)
{
	touch(map(2 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1), 2 * MIB);
	touch(map(MIB, PROT_READ | PROT_WRITE, MAP_SHARED, -1), MIB);
	map(MIB, PROT_NONE, MAP_PRIVATE, -1);
	touch(malloc(3 * MIB), 3 * MIB);
	char *holes = map(MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1);
	for (size_t i = 0; i < MIB; i += 3 * PAGE)
		holes[i] = 1;
	munmap(holes + 64 * PAGE, 16 * PAGE);
	mprotect(holes + 128 * PAGE, 8 * PAGE, PROT_READ);
}

static void scene_files(void)
{
	int fd = open("/bin/busybox", O_RDONLY);
	volatile char *text = map(256 * PAGE, PROT_READ, MAP_PRIVATE, fd);

	for (size_t i = 0; i < 256 * PAGE; i += 2 * PAGE)
		(void)text[i];
	touch(map(64 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd), 32 * PAGE);
	fd = open("/tmp/on tmpfs \\ \n with \x1b[31m", O_RDWR | O_CREAT, 0600);
	if (ftruncate(fd, (off_t)MIB) == 0)
		touch(map(MIB, PROT_READ | PROT_WRITE, MAP_SHARED, fd), MIB / 2);
	fd = open("/tmp/deleted", O_RDWR | O_CREAT, 0600);
	if (ftruncate(fd, (off_t)MIB) == 0)
		touch(map(MIB, PROT_READ | PROT_WRITE, MAP_SHARED, fd), MIB / 4);
	unlink("/tmp/deleted");
	fd = (int)syscall(SYS_memfd_create, "a memfd", 0);
	if (ftruncate(fd, (off_t)MIB) == 0)
		touch(map(MIB, PROT_READ | PROT_WRITE, MAP_SHARED, fd), MIB / 4);
}

static void scene_shared_memory(void)
{
	int id = shmget(IPC_PRIVATE, MIB, IPC_CREAT | 0600);
	void *memory = shmat(id, NULL, 0);

	touch(memory, MIB / 2);
	shmctl(id, IPC_RMID, NULL);
	int fd = shm_open("/posix", O_RDWR | O_CREAT, 0600);
	if (ftruncate(fd, (off_t)MIB) == 0)
		touch(map(MIB, PROT_READ | PROT_WRITE, MAP_SHARED, fd), MIB / 2);
}

static void scene_huge(void)
{
	char *memory = map(6 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1);
	char *aligned = (char *)(((uintptr_t)memory + 2 * MIB - 1) & ~(2 * MIB - 1));

	madvise(aligned, 2 * MIB, MADV_HUGEPAGE);
	touch(aligned, 2 * MIB);
	int fd = open("/proc/sys/vm/nr_hugepages", O_WRONLY);
	if (fd >= 0 && write(fd, "1", 1) == 1) {
		void *huge = map(2 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_HUGETLB, -1);

		// Without a page in the pool a touch would be a bus error.
		if (huge != MAP_FAILED && madvise(huge, 2 * MIB, MADV_POPULATE_WRITE) == 0)
			touch(huge, 2 * MIB);
	}
}

static void *thread_main(void *name)
{
	prctl(PR_SET_NAME, name);
	for (;;)
		pause();
	return NULL;
}

static void scene_threads(void)
{
	static const char *const names[] = {"worker/1", "worker/2", "net <rx>", "", "\xe2\x80\xaeslaever"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		pthread_t thread;

		pthread_create(&thread, NULL, thread_main, (void *)(uintptr_t)names[i]);
	}
}

static void scene_rings(void)
{
	struct io_uring_params params = {0};
	long fd = syscall(SYS_io_uring_setup, 64, &params);

	if (fd >= 0)
		touch(map(PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, (int)fd), 0);
	struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE, .size = sizeof(attr), .config = PERF_COUNT_SW_DUMMY};
	fd = syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
	if (fd >= 0)
		map(5 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, (int)fd);
}

static void scene_descriptors(void)
{
	static const char text[2 * 4096] = "in a pipe";
	int ends[2];

	if (pipe(ends) == 0 && write(ends[1], text, sizeof(text)) < 0)
		perror("work: pipe");
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0 && write(ends[0], text, sizeof(text)) < 0)
		perror("work: socketpair");
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd >= 0)
		listen(fd, 5);
	epoll_create1(0);
	eventfd(3, 0);
	timerfd_create(CLOCK_MONOTONIC, 0);
	inotify_add_watch(inotify_init(), "/tmp", IN_CREATE);
	open("/tmp", O_RDONLY | O_DIRECTORY);
}

static void scene_namespaces(void)
{
	if (unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET) == 0)
		sethostname("elsewhere", 9);
	if (setgid(1000) < 0 || setuid(1000) < 0)
		perror("work: alice");
}

static int share_memory(void *unused)
{
	(void)unused;
	prctl(PR_SET_NAME, "same mm");
	for (;;)
		pause();
	return 0;
}

// A process of its own that shares the memory of its parent: not a thread, yet one mm_struct.
static void scene_shared_mm(void)
{
	char *stack = map(16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1);

	clone(share_memory, stack + 16 * PAGE, CLONE_VM | SIGCHLD, NULL);
}

static void scene_zombie(void)
{
	if (fork() == 0)
		_exit(3);
	// It stays: nobody waits for it.
}

static void scene_stopped(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		raise(SIGSTOP);
		_exit(0);
	}
	waitpid(pid, NULL, WUNTRACED);
}

// A running program whose file is gone.
static void scene_deleted(void)
{
	static char bytes[65536];
	int from = open("/proc/self/exe", O_RDONLY);
	int to = open("/tmp/gone", O_WRONLY | O_CREAT | O_CLOEXEC, 0700);

	for (ssize_t n; (n = read(from, bytes, sizeof(bytes))) > 0;) {
		if (write(to, bytes, (size_t)n) != n)
			perror("work: /tmp/gone");
	}
	close(to);
	execl("/tmp/gone", "gone", "--deleted", (char *)NULL);
	perror("work: /tmp/gone");
}

static void scene_name(const char *name)
{
	prctl(PR_SET_NAME, name);
	touch(map(4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1), 4 * PAGE);
}

static void (*const scenes[])(void) = {
	scene_anonymous, scene_files, scene_shared_memory, scene_huge, scene_threads, scene_rings, scene_descriptors,
	scene_namespaces, scene_shared_mm, scene_zombie, scene_stopped, scene_deleted,
};

// What a program may call itself: at most 15 bytes, any but zero.
static const char *const names[] = {
	"<b>bold</b>", "\x1b[31mred\x1b[0m", "a) R 1 (b", "line\nbreak", "\xe2\x80\xaetxt.exe", "\xff\xfe\xfd\xc0\xaf", "'\";--`$(id)",
	"", "   ", "\\\\\t\r", "&lt;&#60;%3C", "fifteen_letters",
};

static _Noreturn void wait_forever(void)
{
	if (write(READY, "x", 1) != 1)
		perror("work: ready");
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	size_t scene_count = sizeof(scenes) / sizeof(*scenes), name_count = sizeof(names) / sizeof(*names);
	char byte;

	if (argc == 2 && !strcmp(argv[1], "--deleted")) {
		unlink("/tmp/gone");
		wait_forever();
	}
	int ends[2];
	if (pipe(ends) < 0 || dup2(ends[1], READY) < 0)
		return 1;
	for (size_t i = 0; i < scene_count + name_count; i++) {
		if (fork() == 0) {
			if (i < scene_count)
				scenes[i]();
			else
				scene_name(names[i - scene_count]);
			wait_forever();
		}
	}
	for (size_t i = 0; i < scene_count + name_count; i++) {
		if (read(ends[0], &byte, 1) != 1)
			return 1;
	}
	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
}
