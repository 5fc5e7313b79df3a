// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// A guest's first program, whose child wants to be costly to look at: it maps a file 49,000 times that lies 1,900 directories
// deep. Nobody in the guest needs to be root for it.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEPTH 1900
#define MAPPINGS 49000

static void need(int good, const char *what)
{
	if (!good) {
		perror(what);
		exit(1);
	}
}

static void map_deep_file(void)
{
	int fd;

	for (int i = 0; i < DEPTH; i++)
		need(mkdir("d", 0755) == 0 && chdir("d") == 0, "mkdir");
	fd = open("file", O_RDWR | O_CREAT, 0600);
	need(fd >= 0 && ftruncate(fd, 4096) == 0, "file");
	for (int i = 0; i < MAPPINGS;
	     i++) // the same page each time: mappings that do not become one
		need(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) != MAP_FAILED, "mmap");
	prctl(PR_SET_NAME, "ready");
}

int main(void)
{
	pid_t child;

	prctl(PR_SET_NAME, "plain");
	child = fork();
	need(child >= 0, "fork");
	if (child == 0)
		map_deep_file();
	for (;;)
		pause();
}
