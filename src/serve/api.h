// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The plain requests under api/: see docs/protocol.md.
#pragma once

#include "serve/live.h"

struct gb_api {
	struct gb_live *live;
	const struct gb_serve_options *options;
};

struct gb_api_answer {
	const char *type; // of the body
	struct gb_buf body;
};

// path is what follows "api/". GB_ENOTFOUND, GB_EUSAGE, GB_EFAULT (no RAM there), GB_EGONE,
// GB_ETIMEOUT (still reading the guest).
int gb_api_get(const struct gb_api *api, const char *path, struct gb_api_answer *ret,
	       struct gb_error *err);
// {"error":{"code":...,"message":...}}
void gb_api_error(const struct gb_error *err, struct gb_buf *out);
// The answer of api/hello, also a WebSocket message.
int gb_api_hello(const struct gb_api *api, struct gb_buf *out, struct gb_error *err);
