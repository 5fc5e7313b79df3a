// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Signals of helper threads.
#pragma once

#include <signal.h>

// Block every signal that is sent to a process, so that threads started now leave them to the main
// thread. Those that a thread raises by what it does (SIGBUS of a RAM file that shrinks, ...) stay
// as they are: blocked, they would kill. Undo with gb_sigmask_restore().
void gb_sigmask_block(sigset_t *old_ret);
void gb_sigmask_restore(const sigset_t *old);
