// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Who may ask: the page shows all of a guest's memory, so every request passes this gate or gets a
// bare 403.
//
// The server listens on loopback, which keeps out other machines but not other users of this one,
// nor web pages in the user's own browser. Against those:
// - a random token of 192 bits is the first part of every path, compared in constant time;
// - Host must name loopback with our port: a name that an attacker rebinds to 127.0.0.1 does not
//   (DNS rebinding);
// - Origin, where it is sent, must be the page's own, and must be sent to open a WebSocket, which no
//   same-origin policy guards;
// - Sec-Fetch-Site, where it is sent, must say that the page itself asks, or the user did; only the
//   page as a whole may also be gone to from elsewhere (a link in a terminal or a file that redirects
//   to it), never fetched, framed or embedded: the token in it is the user's own.
#pragma once

#include "base/error.h"

#include <stddef.h>

#define GB_GATE_TOKEN_LEN 32 // characters of base64url: 192 bits

struct gb_gate {
	char token[GB_GATE_TOKEN_LEN + 1];
	unsigned port;
};

// What the gate looks at. Header values are NULL when absent; a header that came more than once is
// counted, because two parsers may pick two different ones.
struct gb_gate_request {
	const char *path; // as sent, neither decoded nor cleaned
	const char *host, *origin, *fetch_site, *fetch_mode, *fetch_dest;
	size_t host_count, origin_count;
	bool websocket;
};

// A fresh token from the kernel's random numbers.
int gb_gate_init(struct gb_gate *gate, unsigned port, struct gb_error *err);
// The path after "/TOKEN/" ("" for the page itself), or NULL: answer 403 and nothing else.
const char *gb_gate_pass(const struct gb_gate *gate, const struct gb_gate_request *request);
