// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// glassbox version
#include "cmd/commands.h"
#include "cmd/output.h"

static int run(struct gb_args *args, struct gb_error *err)
{
	struct gb_answer a;

	if (!args->json) {
		puts("glassbox " GB_VERSION);
		return gb_flush_stdout(err);
	}
	gb_answer_begin(&a, "version", NULL);
	gb_json_pair(&a.json, "version", str, GB_VERSION);
	return gb_answer_end(&a, err);
}

const struct gb_command gb_cmd_version = {
	.name = "version",
	.usage = "",
	.summary = "print the version",
	.run = run,
};
