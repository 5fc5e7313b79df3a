// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Who may ask.
#include "serve/gate.h"

#include "tests/tap.h"

#include <stdio.h>

#define TOKEN "abcdefghijklmnopqrstuvwxyz012345"

static const struct gb_gate gate = {.token = TOKEN, .port = 8090};

static const struct {
	const char *name, *path, *host, *origin, *site;
	bool websocket;
	const char *rest; // NULL: refused
	const char *mode, *dest;
} asks[] = {
	{"the page", "/" TOKEN "/", "127.0.0.1:8090", NULL, NULL, false, ""},
	{"a file", "/" TOKEN "/app.js", "localhost:8090", NULL, "same-origin", false, "app.js"},
	{"typed", "/" TOKEN "/", "[::1]:8090", NULL, "none", false, ""},
	{"host in capitals", "/" TOKEN "/", "LocalHost:8090", NULL, NULL, false, ""},
	{"own origin", "/" TOKEN "/ws", "127.0.0.1:8090", "http://127.0.0.1:8090", NULL, true,
	 "ws"},
	{"dots stay", "/" TOKEN "/../x", "127.0.0.1:8090", NULL, NULL, false, "../x"},
	{"no slash after the token", "/" TOKEN, "127.0.0.1:8090", NULL, NULL, false, NULL},
	{"no token", "/", "127.0.0.1:8090", NULL, NULL, false, NULL},
	{"empty path", "", "127.0.0.1:8090", NULL, NULL, false, NULL},
	{"no path", NULL, "127.0.0.1:8090", NULL, NULL, false, NULL},
	{"first letter wrong", "/Xbcdefghijklmnopqrstuvwxyz012345/", "127.0.0.1:8090", NULL, NULL,
	 false, NULL},
	{"last letter wrong", "/abcdefghijklmnopqrstuvwxyz01234X/", "127.0.0.1:8090", NULL, NULL,
	 false, NULL},
	{"token too short", "/abcdef/", "127.0.0.1:8090", NULL, NULL, false, NULL},
	{"token and more", "/" TOKEN "x/", "127.0.0.1:8090", NULL, NULL, false, NULL},
	{"token in another place", "/x/" TOKEN "/", "127.0.0.1:8090", NULL, NULL, false, NULL},
	{"another host", "/" TOKEN "/", "evil.example:8090", NULL, NULL, false, NULL},
	{"host without port", "/" TOKEN "/", "127.0.0.1", NULL, NULL, false, NULL},
	{"another port", "/" TOKEN "/", "127.0.0.1:8091", NULL, NULL, false, NULL},
	{"host that begins like ours", "/" TOKEN "/", "127.0.0.1:8090.evil.example", NULL, NULL,
	 false, NULL},
	{"no host", "/" TOKEN "/", NULL, NULL, NULL, false, NULL},
	{"foreign origin", "/" TOKEN "/", "127.0.0.1:8090", "http://evil.example", NULL, false,
	 NULL},
	{"opaque origin", "/" TOKEN "/", "127.0.0.1:8090", "null", NULL, false, NULL},
	{"origin of another loopback port", "/" TOKEN "/", "127.0.0.1:8090",
	 "http://127.0.0.1:3000", NULL, false, NULL},
	{"origin of another name", "/" TOKEN "/", "127.0.0.1:8090", "http://localhost:8090", NULL,
	 false, NULL},
	{"https origin", "/" TOKEN "/", "127.0.0.1:8090", "https://127.0.0.1:8090", NULL, false,
	 NULL},
	{"socket without origin", "/" TOKEN "/ws", "127.0.0.1:8090", NULL, NULL, true, NULL},
	{"foreign socket", "/" TOKEN "/ws", "127.0.0.1:8090", "http://evil.example", NULL, true,
	 NULL},
	{"cross-site", "/" TOKEN "/", "127.0.0.1:8090", NULL, "cross-site", false, NULL},
	{"same-site", "/" TOKEN "/", "127.0.0.1:8090", NULL, "same-site", false, NULL},
	{"a link followed", "/" TOKEN "/", "127.0.0.1:8090", NULL, "cross-site", false, "",
	 "navigate", "document"},
	{"a link without the token", "/", "127.0.0.1:8090", NULL, "cross-site", false, NULL,
	 "navigate", "document"},
	{"a link to more than the page", "/" TOKEN "/api/hello", "127.0.0.1:8090", NULL,
	 "cross-site", false, NULL, "navigate", "document"},
	{"a link from a foreign form", "/" TOKEN "/", "127.0.0.1:8090", "http://evil.example",
	 "cross-site", false, NULL, "navigate", "document"},
	{"a frame around the page", "/" TOKEN "/", "127.0.0.1:8090", NULL, "cross-site", false,
	 NULL, "navigate", "iframe"},
	{"fetched from elsewhere", "/" TOKEN "/", "127.0.0.1:8090", NULL, "cross-site", false, NULL,
	 "no-cors", "document"},
};

static struct gb_gate_request request(size_t i)
{
	return (struct gb_gate_request){.path = asks[i].path,
					.host = asks[i].host,
					.origin = asks[i].origin,
					.fetch_site = asks[i].site,
					.fetch_mode = asks[i].mode,
					.fetch_dest = asks[i].dest,
					.websocket = asks[i].websocket,
					.host_count = asks[i].host != NULL,
					.origin_count = asks[i].origin != NULL};
}

static void passes_and_refuses(void)
{
	for (size_t i = 0; i < sizeof(asks) / sizeof(asks[0]); i++) {
		struct gb_gate_request r = request(i);
		const char *rest = gb_gate_pass(&gate, &r);

		if (!rest != !asks[i].rest)
			tap_fail_("%s: %s", asks[i].name, rest ? "let in" : "refused");
		else if (rest)
			CHECK_STR(rest, asks[i].rest);
	}
}

static void headers_sent_twice(void)
{
	struct gb_gate_request r = request(0);

	r.host_count = 2;
	CHECK(!gb_gate_pass(&gate, &r));
	r = request(4);
	r.origin_count = 2;
	CHECK(!gb_gate_pass(&gate, &r));
}

static void port_80_may_be_left_out(void)
{
	struct gb_gate g = gate;
	struct gb_gate_request r = request(0);

	r.host = "localhost";
	CHECK(!gb_gate_pass(&g, &r));
	g.port = 80;
	CHECK(gb_gate_pass(&g, &r) != NULL);
	r.origin = "http://localhost";
	r.origin_count = 1;
	CHECK(gb_gate_pass(&g, &r) != NULL);
}

// Every position of the token counts: any one changed character is refused.
static void each_character_counts(void)
{
	char path[] = "/" TOKEN "/";
	struct gb_gate_request r = request(0);

	for (size_t i = 0; i < sizeof(path) - 1; i++) {
		r.path = path;
		path[i] ^= 1;
		if (gb_gate_pass(&gate, &r))
			tap_fail_("a change at %zu was let in", i);
		path[i] ^= 1;
	}
	CHECK(gb_gate_pass(&gate, &r) != NULL);
}

static void tokens_are_fresh(void)
{
	struct gb_error err = {};
	struct gb_gate a, b;

	REQUIRE_OK(gb_gate_init(&a, 1, &err), err);
	REQUIRE_OK(gb_gate_init(&b, 2, &err), err);
	CHECK_EQ(strlen(a.token), GB_GATE_TOKEN_LEN);
	CHECK(strcmp(a.token, b.token) != 0);
	CHECK_EQ(strspn(a.token,
			"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
		 GB_GATE_TOKEN_LEN);
	CHECK_EQ(b.port, 2);
}

TAP_MAIN(TAP_CASE(passes_and_refuses), TAP_CASE(headers_sent_twice),
	 TAP_CASE(port_80_may_be_left_out), TAP_CASE(each_character_counts),
	 TAP_CASE(tokens_are_fresh))
