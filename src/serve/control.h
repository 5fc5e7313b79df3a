// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The control channel: JSON messages over a WebSocket, as in docs/protocol.md.
//
// Each connection has a sender thread, so that a viewer who does not read holds up nobody else.
#pragma once

#include "serve/api.h"

struct gb_control;

// Send one text message, or say goodbye when text is NULL; false when the viewer is gone.
typedef bool gb_control_send(void *arg, const char *text, size_t len);

int gb_control_open(const struct gb_api *api, gb_control_send *send, void *arg,
		    struct gb_control **ret, struct gb_error *err);
// What the viewer said. What cannot be understood is answered with an error message.
void gb_control_receive(struct gb_control *c, const char *text, size_t len);
// Ask the viewer to hang up.
void gb_control_goodbye(struct gb_control *c);
void gb_control_close(struct gb_control *c); // waits for the sender
