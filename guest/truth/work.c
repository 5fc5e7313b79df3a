// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Runs in a guest: makes its memory interesting. One process per scene, each of which then waits for ever.
//
// usage: work [--storm]
//
// Writes a line to standard output when all scenes are up. What a kernel lacks (huge pages, io_uring, user namespaces) is left out
// silently: the truth is what the guest's kernel says, not what was asked for. --storm adds processes that never stop forking.

#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/io_uring.h>
#include <linux/perf_event.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
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

static bool silent; // another process of the scene says that it is up

static _Noreturn void wait_forever(void)
{
	if (!silent && write(READY, "x", 1) != 1)
		perror("work: ready");
	for (;;)
		pause();
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
	// These keep their frames, but the processor no longer sees them.
	mprotect(holes + 192 * PAGE, 8 * PAGE, PROT_NONE);
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
	static const char *const names[] = {"worker/1", "worker/2", "net <rx>", "",
					    "\xe2\x80\xaeslaever"};

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
	struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE,
				       .size = sizeof(attr),
				       .config = PERF_COUNT_SW_DUMMY};
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
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0 &&
	    write(ends[0], text, sizeof(text)) < 0)
		perror("work: socketpair");
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd >= 0)
		listen(fd, 5);
	epoll_create1(0);
	eventfd(3, 0);
	timerfd_create(CLOCK_MONOTONIC, 0);
	inotify_add_watch(inotify_init(), "/tmp", IN_CREATE);
	open("/tmp", O_RDONLY | O_DIRECTORY);
	open("/proc/self/ns/net", O_RDONLY);
	open("/proc/self/ns/mnt", O_RDONLY);
	syscall(SYS_pidfd_open, getpid(), 0);
}

static void scene_namespaces(void)
{
	if (unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET) == 0)
		sethostname("elsewhere", 9);
	if (setgid(1000) < 0 || setuid(1000) < 0)
		perror("work: alice");
}

// Mappings that the kernel cannot merge: neighbours differ in their rights. 64 need a maple tree of two levels, 1000 one of three.
static void split(size_t count)
{
	char *memory = map(count * PAGE, PROT_NONE, MAP_PRIVATE, -1);

	if (memory == MAP_FAILED)
		return;
	for (size_t i = 0; i < count; i++) {
		static const int rights[] = {PROT_READ | PROT_WRITE, PROT_READ, PROT_NONE,
					     PROT_READ | PROT_EXEC};

		mprotect(memory + i * PAGE, PAGE, rights[i % 4]);
		if (i % 4 == 0)
			memory[i * PAGE] = 1;
	}
}

static void scene_split_many(void)
{
	split(80);
}

// Holes at random places too: what a tree looks like after a life.
static void scene_split_very_many(void)
{
	split(1300);
	char *memory = map(1024 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1);
	uint32_t random = 1;

	for (int i = 0; memory != MAP_FAILED && i < 400; i++) {
		random = random * 1103515245 + 12345;
		munmap(memory + (random >> 8) % 1024 * PAGE, PAGE);
	}
}

// Maps the file of this name from the working directory, shared, with one page in use.
static void map_file(const char *name)
{
	int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd >= 0 && ftruncate(fd, 4 * PAGE) == 0)
		touch(map(4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd), PAGE);
	close(fd);
}

static void scene_file_names(void)
{
	static const char *const names[] = {
		"line\nbreak", "back\\slash", "tab\there",   " ",
		"a (deleted)", "<b>&amp;",    "\x1b[31mred", "\xe2\x80\xaetxt.exe",
		"\xff\xfe",    "//deleted",   "[heap]",      "[stack]",
	};
	char name[201];

	if (mkdir("/tmp/names", 0700) < 0 || chdir("/tmp/names") < 0)
		return;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		map_file(names[i]);
	// Some 3000 bytes of path.
	memset(name, 'd', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	for (int i = 0; i < 15 && mkdir(name, 0700) == 0 && chdir(name) == 0; i++)
		;
	map_file("deep");
}

// What a path looks like across mounts: one in another, a bind mount, a mounted file, one that is gone, another root.
static void scene_mounts(void)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return;
	mkdir("/tmp/outer", 0700);
	if (mount("none", "/tmp/outer", "tmpfs", 0, NULL) < 0 ||
	    mkdir("/tmp/outer/inner", 0700) < 0 ||
	    mount("none", "/tmp/outer/inner", "tmpfs", 0, NULL) < 0 ||
	    chdir("/tmp/outer/inner") < 0)
		return;
	map_file("in two mounts");
	mkdir("/tmp/bound", 0700);
	if (mount("/tmp/outer/inner", "/tmp/bound", NULL, MS_BIND, NULL) == 0 &&
	    chdir("/tmp/bound") == 0)
		map_file("bound");
	close(open("/tmp/a file", O_WRONLY | O_CREAT, 0600));
	if (mount("/tmp/bound/bound", "/tmp/a file", NULL, MS_BIND, NULL) == 0 &&
	    chdir("/tmp") == 0)
		map_file("a file");
	mkdir("/tmp/lost", 0700);
	if (mount("none", "/tmp/lost", "tmpfs", 0, NULL) == 0 && chdir("/tmp/lost") == 0) {
		map_file("on a mount that is gone");
		if (chdir("/") < 0 || umount2("/tmp/lost", MNT_DETACH) < 0)
			perror("work: /tmp/lost");
	}
	if (chroot("/tmp/outer") == 0 && chdir("/") == 0)
		map_file("of another root");
}

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#define PR_SET_VMA_ANON_NAME 0
#endif

// Mappings with names of their own, and with frames that are not ordinary memory.
static void scene_special(void)
{
	aio_context_t aio = 0;
	char *memory = map(8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1);

	prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, memory, 4 * PAGE, "a name <of> its own");
	touch(memory, 2 * PAGE);
	memory = map(8 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, -1);
	prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, memory, 4 * PAGE, "shared");
	touch(memory, 2 * PAGE);
	syscall(SYS_io_setup, 8, &aio);
	int fd = open("/dev/zero", O_RDWR | O_CLOEXEC);
	if (fd >= 0)
		touch(map(4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd), 2 * PAGE);
	// Reading maps the page of zeros that all share.
	volatile char *zeros = map(4 * PAGE, PROT_READ, MAP_PRIVATE, -1);
	(void)zeros[0];
	fd = open("/dev/mem", O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		map(PAGE, PROT_READ, MAP_SHARED, fd);
	map(4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_GROWSDOWN, -1);
	mlock(map(4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1), 4 * PAGE);
	sbrk(5 * (intptr_t)PAGE);
}

// Each is the child of the one before; the last says that all are up. Real, effective and saved user differ.
static void scene_generations(void)
{
	for (int depth = 0; depth < 4; depth++) {
		char name[16];

		snprintf(name, sizeof(name), "generation %d", depth);
		prctl(PR_SET_NAME, name);
		pid_t pid = fork();
		silent = pid != 0;
		if (silent)
			return;
	}
	if (setresuid(1001, 1002, 1003) < 0)
		perror("work: setresuid");
}

// A child of a parent that is gone belongs to PID 1.
static void scene_orphan(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		if (fork() != 0)
			_exit(0);
		silent = true;
		prctl(PR_SET_NAME, "orphan");
		return;
	}
	waitpid(pid, NULL, 0);
}

// The process inside is number 1 there.
static void scene_pid_namespace(void)
{
	silent = unshare(CLONE_NEWPID) == 0 && fork() != 0;
	if (!silent)
		prctl(PR_SET_NAME, "its own init");
}

static void *thread_that_ends(void *unused)
{
	return unused;
}

static void *outlive(void *leader)
{
	prctl(PR_SET_NAME, "survivor");
	pthread_join((pthread_t)leader, NULL);
	wait_forever();
}

// A process whose first thread has ended: a zombie that lives.
static void scene_dead_leader(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, outlive, (void *)pthread_self());
	pthread_exit(NULL);
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
	scene_anonymous,   scene_files,           scene_shared_memory, scene_huge,
	scene_threads,     scene_rings,           scene_descriptors,   scene_namespaces,
	scene_shared_mm,   scene_zombie,          scene_stopped,       scene_deleted,
	scene_split_many,  scene_split_very_many, scene_file_names,    scene_mounts,
	scene_special,     scene_generations,     scene_orphan,        scene_pid_namespace,
	scene_dead_leader,
};

// What a program may call itself: at most 15 bytes, any but zero.
static const char *const names[] = {
	"<b>bold</b>",
	"\x1b[31mred\x1b[0m",
	"a) R 1 (b",
	"line\nbreak",
	"\xe2\x80\xaetxt.exe",
	"\xff\xfe\xfd\xc0\xaf",
	"'\";--`$(id)",
	"",
	"   ",
	"\\\\\t\r",
	"&lt;&#60;%3C",
	"fifteen_letters",
};

// For ever: a child with memory and a thread of its own, that ends at once.
static _Noreturn void storm(void)
{
	prctl(PR_SET_NAME, "storm");
	for (;;) {
		pid_t pid = fork();

		if (pid == 0) {
			pthread_t thread;

			touch(map(16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1), 16 * PAGE);
			pthread_create(&thread, NULL, thread_that_ends, NULL);
			_exit(0);
		}
		waitpid(pid, NULL, 0);
	}
}

int main(int argc, char **argv)
{
	size_t scene_count = sizeof(scenes) / sizeof(*scenes),
	       name_count = sizeof(names) / sizeof(*names);
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
	for (int i = 0; i < 4 && argc == 2 && !strcmp(argv[1], "--storm"); i++) {
		if (fork() == 0)
			storm();
	}
	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
}
