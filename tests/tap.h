// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Tests: a few checks that print both values, one TAP line per case.
//
//	static void adds(void) { CHECK_EQ(1 + 1, 2); }
//	TAP_MAIN(TAP_CASE(adds), TAP_CASE(...))
//
// A failed check is reported and the case goes on; CHECK_OK() also prints the gb_error. A case that
// cannot run on this machine calls TAP_SKIP("why") and is counted as skipped, never as passed.
#pragma once

#include "base/error.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tap_case {
	const char *name;
	void (*fn)(void);
};

__attribute__((unused)) static int tap_failures;            // in the current case
__attribute__((unused)) static const char *tap_skip_reason; // of the current case

// clang-format off
#define TAP_CASE(fn) {#fn, fn}
// clang-format on
#define TAP_SKIP(why) \
	do { \
		tap_skip_reason = (why); \
		return; \
	} while (0)

#define tap_fail_(...) \
	do { \
		tap_failures++; \
		printf("# %s:%d: ", __FILE__, __LINE__); \
		printf(__VA_ARGS__); \
		printf("\n"); \
	} while (0)

#define CHECK(expr) \
	do { \
		if (!(expr)) \
			tap_fail_("not true: %s", #expr); \
	} while (0)

#define CHECK_EQ(got, want) \
	do { \
		uint64_t got_ = (uint64_t)(got), want_ = (uint64_t)(want); \
		if (got_ != want_) \
			tap_fail_("%s is %" PRIu64 " (0x%" PRIx64 "), not %" PRIu64 " (0x%" PRIx64 \
				  ")", \
				  #got, got_, got_, want_, want_); \
	} while (0)

#define CHECK_STR(got, want) \
	do { \
		const char *got_ = (got), *want_ = (want); \
		if (!got_ || strcmp(got_, want_) != 0) \
			tap_fail_("%s is \"%s\", not \"%s\"", #got, got_ ? got_ : "(null)", \
				  want_); \
	} while (0)

#define CHECK_MEM(got, want, len) \
	do { \
		if (memcmp((got), (want), (len)) != 0) \
			tap_fail_("%s differs from %s in %zu bytes", #got, #want, (size_t)(len)); \
	} while (0)

// The call returns 0; its last argument is &err of the test.
#define CHECK_OK(call, err) \
	do { \
		int r_ = (call); \
		if (r_ != 0) \
			tap_fail_("%s: %s: %s", #call, gb_code_name(r_), (err).message); \
	} while (0)

// Like CHECK_OK, but ends the case.
#define REQUIRE_OK(call, err) \
	do { \
		int r_ = (call); \
		if (r_ != 0) { \
			tap_fail_("%s: %s: %s", #call, gb_code_name(r_), (err).message); \
			return; \
		} \
	} while (0)

#define REQUIRE(expr) \
	do { \
		if (!(expr)) { \
			tap_fail_("not true: %s", #expr); \
			return; \
		} \
	} while (0)

__attribute__((unused)) static int tap_run(const struct tap_case *cases, size_t n)
{
	int failed = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("1..%zu\n", n);
	for (size_t i = 0; i < n; i++) {
		tap_failures = 0;
		tap_skip_reason = NULL;
		cases[i].fn();
		printf("%sok %zu - %s%s%s\n", tap_failures ? "not " : "", i + 1, cases[i].name,
		       tap_skip_reason ? " # SKIP " : "", tap_skip_reason ? tap_skip_reason : "");
		failed += tap_failures != 0;
	}
	return failed != 0;
}

#define TAP_MAIN(...) \
	int main(void) \
	{ \
		static const struct tap_case cases[] = {__VA_ARGS__}; \
		return tap_run(cases, sizeof(cases) / sizeof(cases[0])); \
	}
