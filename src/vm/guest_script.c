// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Calling the scripts of guest/.
#include "vm/guest_script.h"

#include "base/cleanup.h"
#include "base/data_dir.h"
#include "vm/child.h"

#include <string.h>

#define COMMAND_WORDS_MAX 250 // the guest takes 256

static int script_path(const char *script, char *ret, size_t size, struct gb_error *err)
{
	char data[PATH_MAX];
	int r = gb_data_dir(data, err);

	if (r != 0)
		return r;
	snprintf(ret, size, "%s/guest/%s", data, script);
	if (access(ret, R_OK) != 0)
		return gb_fail(
			err, GB_ELACKS,
			"%s is not there: set GLASSBOX_DATA to the directory that holds guest/, or "
			"install Glass Box again",
			ret);
	return 0;
}

static int run(const char *const *argv, int interrupt_fd, struct gb_buf *out, struct gb_error *err)
{
	struct gb_child child = {.argv = argv,
				 .interrupt_fd = interrupt_fd,
				 .timeout_ms = -1,
				 .out = out};
	int status = 0, r = gb_child_run(&child, &status, err);

	if (r == 0 && status != 0)
		return gb_fail(err, GB_ELACKS, "%s failed (it says why above)", argv[1]);
	return r;
}

// The last line of what a script printed.
static int last_line(struct gb_buf *out, char ret[PATH_MAX])
{
	char *line;

	while (out->len && out->data[out->len - 1] == '\n')
		out->data[--out->len] = 0;
	line = out->len ? strrchr(out->data, '\n') : NULL;
	line = line ? line + 1 : out->data;
	if (!line || *line != '/' || strlen(line) >= PATH_MAX)
		return -1;
	memcpy(ret, line, strlen(line) + 1);
	return 0;
}

int gb_guest_script(const char *script, int interrupt_fd, char ret[PATH_MAX], struct gb_error *err)
{
	GB_CLEANUP(gb_buf_deinit) struct gb_buf out = {};
	char path[PATH_MAX + 64];
	const char *argv[] = {"sh", path, NULL};
	int r = script_path(script, path, sizeof(path), err);

	if (r == 0)
		r = run(argv, interrupt_fd, &out, err);
	if (r == 0 && last_line(&out, ret) != 0)
		return gb_fail(err, GB_EFORMAT, "%s printed no directory", path);
	return r;
}

int gb_guest_seed_script(const struct gb_claim *claim, const char *const *archives, char **command,
			 int interrupt_fd, struct gb_error *err)
{
	char path[PATH_MAX + 64], host[GB_VM_NAME_MAX];
	const char *argv[COMMAND_WORDS_MAX + 16] = {"sh",       path,     "--out",
						    claim->dir, "--name", host};
	size_t n = 6, words = 0;
	int r = script_path("seed.sh", path, sizeof(path), err);

	gb_vm_host_name(claim->name, host);
	for (size_t i = 0; archives[i]; i++)
		argv[n++] = archives[i];
	if (command)
		argv[n++] = "--";
	for (; command && command[words]; words++) {
		if (words == COMMAND_WORDS_MAX)
			return gb_fail(err, GB_EUSAGE, "the command has more than %d words",
				       COMMAND_WORDS_MAX);
		argv[n++] = command[words];
	}
	return r == 0 ? run(argv, interrupt_fd, NULL, err) : r;
}
