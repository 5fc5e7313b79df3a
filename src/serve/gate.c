// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Who may ask.
#include "serve/gate.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

static void encode(const uint8_t *bytes, size_t len, char *out)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

	for (size_t i = 0; i + 3 <= len; i += 3) {
		uint32_t v = (uint32_t)bytes[i] << 16 | (uint32_t)bytes[i + 1] << 8 | bytes[i + 2];

		for (unsigned shift = 18; shift <= 18; shift -= 6)
			*out++ = digits[v >> shift & 63];
	}
	*out = 0;
}

int gb_gate_init(struct gb_gate *gate, unsigned port, struct gb_error *err)
{
	uint8_t bytes[GB_GATE_TOKEN_LEN / 4 * 3];
	size_t have = 0;

	while (have < sizeof(bytes)) {
		ssize_t n = getrandom(bytes + have, sizeof(bytes) - have, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return gb_fail_os(err, "no random numbers for the page's token");
		have += (size_t)n;
	}
	encode(bytes, sizeof(bytes), gate->token);
	gate->port = port;
	return 0;
}

// The same time for every path that is long enough, wherever it differs.
static const char *after_token(const struct gb_gate *gate, const char *path)
{
	volatile unsigned char differs = 0;

	if (strnlen(path, GB_GATE_TOKEN_LEN + 2) < GB_GATE_TOKEN_LEN + 2)
		return NULL;
	for (size_t i = 0; i < GB_GATE_TOKEN_LEN; i++)
		differs |= (unsigned char)(path[1 + i] ^ gate->token[i]);
	if (differs || path[0] != '/' || path[GB_GATE_TOKEN_LEN + 1] != '/')
		return NULL;
	return path + GB_GATE_TOKEN_LEN + 2;
}

static bool host_is_ours(const struct gb_gate *gate, const char *host)
{
	static const char *const names[] = {"127.0.0.1", "localhost", "[::1]"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char want[32];

		snprintf(want, sizeof(want), "%s:%u", names[i], gate->port);
		if (strcasecmp(host, want) == 0)
			return true;
		if (gate->port == 80 && strcasecmp(host, names[i]) == 0)
			return true;
	}
	return false;
}

// The origin of a page that came from the very host that it now asks.
static bool origin_is_ours(const char *origin, const char *host)
{
	static const char scheme[] = "http://";

	return strncmp(origin, scheme, sizeof(scheme) - 1) == 0 &&
	       strcasecmp(origin + sizeof(scheme) - 1, host) == 0;
}

static bool site_is_ours(const char *site)
{
	return strcmp(site, "same-origin") == 0 || strcmp(site, "none") == 0;
}

static bool is(const char *value, const char *want)
{
	return value && strcmp(value, want) == 0;
}

// A link that was followed in a tab of its own, to the page and not to what it asks for.
static bool is_followed_link(const struct gb_gate_request *r, const char *rest)
{
	return is(rest, "") && is(r->fetch_mode, "navigate") && is(r->fetch_dest, "document");
}

const char *gb_gate_pass(const struct gb_gate *gate, const struct gb_gate_request *r)
{
	const char *rest = r->path ? after_token(gate, r->path) : NULL;

	if (r->host_count != 1 || !r->host || !host_is_ours(gate, r->host))
		return NULL;
	if (r->origin_count > 1 || (r->websocket && !r->origin))
		return NULL;
	if (r->origin && !origin_is_ours(r->origin, r->host))
		return NULL;
	if (r->fetch_site && !site_is_ours(r->fetch_site) && !is_followed_link(r, rest))
		return NULL;
	return rest;
}
