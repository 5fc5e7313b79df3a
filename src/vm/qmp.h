// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// QMP, QEMU's control protocol: one JSON object a line, over a UNIX socket.
//
// QEMU greets, wants `qmp_capabilities`, then answers each command with `return` or `error` and sends
// events in between. Source: QEMU's docs/interop/qmp-spec.rst. A QMP socket serves one client at a
// time; the next one waits for its greeting until the first has gone, so sessions are kept short.
//
// The peer is not trusted (a guest may have broken out into it): lines and the queue of events are
// limited, every wait has a time-out, and what comes unasked is dropped. A session that failed with
// anything but GB_EBUSY is dead: close it.
#pragma once

#include "base/error.h"

#include <jansson.h>

#define GB_QMP_TIMEOUT_MS 5000

struct gb_qmp;

// Connect and shake hands. GB_ENOTFOUND: no such socket; GB_EGONE: nobody serves it;
// GB_EBUSY: no greeting in time, another client holds it, or path is "" (there is none that is free); GB_EFORMAT: the peer speaks no QMP.
int gb_qmp_connect(const char *path, int timeout_ms, struct gb_qmp **ret, struct gb_error *err);
// The same on a socket that is connected already; takes the fd, also on failure.
int gb_qmp_adopt(int fd, int timeout_ms, struct gb_qmp **ret, struct gb_error *err);
void gb_qmp_close(struct gb_qmp *q);    // accepts NULL
void gb_qmp_cleanup(struct gb_qmp **q); // for GB_CLEANUP
int gb_qmp_fd(const struct gb_qmp *q);  // to poll on

// Run a command. arguments (may be NULL) is taken. *ret is the caller's (ret may be NULL).
// GB_EBUSY when QEMU refused it, with its words; GB_EGONE when QEMU hung up; GB_ETIMEOUT.
int gb_qmp_execute(struct gb_qmp *q, const char *command, json_t *arguments, json_t **ret,
		   struct gb_error *err);
// Send a command and do not wait for its answer: for `quit`, whose effect is the answer. The session
// is of no use afterwards.
int gb_qmp_tell(struct gb_qmp *q, const char *command, struct gb_error *err);
// A command of the human monitor; *ret is its text, the caller's to free.
int gb_qmp_hmp(struct gb_qmp *q, const char *line, char **ret, struct gb_error *err);
// Take in what has arrived, without waiting. GB_EGONE when QEMU hung up.
int gb_qmp_pump(struct gb_qmp *q, struct gb_error *err);
// The oldest event not yet taken, or NULL; the caller's. Does not read from the socket.
json_t *gb_qmp_event(struct gb_qmp *q);
// Events that were thrown away because the queue was full.
uint64_t gb_qmp_lost_events(const struct gb_qmp *q);
