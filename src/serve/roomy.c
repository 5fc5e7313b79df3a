// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Running a function on a stack of normal size.
#include "serve/roomy.h"

#include <pthread.h>
#include <string.h>

#define STACK ((size_t)4 << 20)

struct call {
	void (*fn)(void *arg);
	void *arg;
};

static void *run(void *arg)
{
	const struct call *c = arg;

	c->fn(c->arg);
	return NULL;
}

int gb_roomy_run(void (*fn)(void *arg), void *arg, struct gb_error *err)
{
	struct call c = {.fn = fn, .arg = arg};
	pthread_attr_t attr;
	pthread_t thread;
	int r = pthread_attr_init(&attr);

	if (r == 0) {
		pthread_attr_setstacksize(&attr, STACK);
		r = pthread_create(&thread, &attr, run, &c);
		pthread_attr_destroy(&attr);
	}
	if (r != 0)
		return gb_fail(err, GB_EOS, "no thread for a request: %s", strerror(r));
	pthread_join(thread, NULL);
	return 0;
}
