// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// A guest's first program, whose child wants to be costly to look at: it maps 2,000 files that lie 1,900 directories
// deep, 24 times each. Nobody in the guest needs to be root for it.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEPTH 1900
#define FILES 2000
#define MAPPINGS 24 // of each

static void need(int good, const char *what)
{
	if (!good) {
		perror(what);
		exit(1);
	}
}

// The same page each time: mappings that do not become one.
static void map_file(int number)
{
	char name[16];
	int fd;

	snprintf(name, sizeof(name), "%d", number);
	fd = open(name, O_RDWR | O_CREAT, 0600);
	need(fd >= 0 && ftruncate(fd, 4096) == 0, "file");
	for (int i = 0; i < MAPPINGS; i++)
		need(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) != MAP_FAILED, "mmap");
	close(fd);
}

static void map_deep_files(void)
{
	for (int i = 0; i < DEPTH; i++)
		need(mkdir("d", 0755) == 0 && chdir("d") == 0, "mkdir");
	for (int round = 0; round < FILES; round++)
		map_file(round);
	prctl(PR_SET_NAME, "ready");
}

int main(void)
{
	pid_t child;

	prctl(PR_SET_NAME, "plain");
	child = fork();
	need(child >= 0, "fork");
	if (child == 0)
		map_deep_files();
	for (;;)
		pause();
}
