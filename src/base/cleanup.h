// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Scope guards: GB_CLEANUP(fn) calls fn(&variable) when the variable leaves its scope.
//
// gb_steal() takes the value out of a guarded variable, which is the visible step by which
// ownership is given away.
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define GB_CLEANUP(fn) __attribute__((cleanup(fn)))

#define gb_steal(pointer) \
	({ \
		__auto_type stolen_ = *(pointer); \
		*(pointer) = NULL; \
		stolen_; \
	})

static inline void gb_cleanup_free(void *p)
{
	free(*(void **)p);
}

static inline void gb_cleanup_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void gb_cleanup_file(FILE **f)
{
	if (*f)
		fclose(*f);
}

// An fd that is closed at the end of scope unless it is taken with gb_steal_fd().
static inline int gb_steal_fd(int *fd)
{
	int stolen = *fd;

	*fd = -1;
	return stolen;
}
