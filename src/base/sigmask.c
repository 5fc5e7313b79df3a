// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Signals of helper threads.
#include "base/sigmask.h"

#include <pthread.h>

void gb_sigmask_block(sigset_t *old_ret)
{
	static const int raised[] = {SIGBUS, SIGSEGV, SIGILL, SIGFPE, SIGTRAP, SIGABRT, SIGSYS};
	sigset_t block;

	sigfillset(&block);
	for (size_t i = 0; i < sizeof(raised) / sizeof(raised[0]); i++)
		sigdelset(&block, raised[i]);
	pthread_sigmask(SIG_BLOCK, &block, old_ret);
}

void gb_sigmask_restore(const sigset_t *old)
{
	pthread_sigmask(SIG_SETMASK, old, NULL);
}
