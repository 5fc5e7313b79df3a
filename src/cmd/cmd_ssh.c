// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// glassbox ssh
#include "cmd/commands.h"

#include "vm/child.h"
#include "vm/registry.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define WORDS_MAX 256

static const struct gb_option options[] = {
	{"user", 'u', "USER", "log in as this user: root (default) or alice"},
	{"print", 0, NULL, "print the ssh command instead of running it"},
	{},
};

static int print_words(const char *const *argv)
{
	for (size_t i = 0; argv[i]; i++)
		printf("%s%s", i ? " " : "", argv[i]);
	putchar('\n');
	return 0;
}

static int run(struct gb_args *args, struct gb_error *err)
{
	const char *user = gb_args_get(args, "user");
	char config[PATH_MAX + 16], port[16], ssh[PATH_MAX], host[GB_VM_NAME_MAX];
	const char *argv[WORDS_MAX + 1] =
		{"ssh", "-F", config, "-p", port, "-l", user ? user : "root", host};
	size_t n = 8;
	struct gb_vm_info vm;
	int r = gb_vm_find(args->positional[0], &vm, err);

	if (r != 0)
		return r;
	if (!vm.ssh_port)
		return gb_fail(err, GB_ENOTFOUND,
			       "'%s' has no port for ssh: only the built-in guests do", vm.name);
	r = gb_child_find("ssh", ssh, sizeof(ssh), NULL);
	if (r != 0)
		return gb_fail(err, GB_ELACKS, "there is no ssh here: install openssh-client");
	gb_vm_host_name(vm.name, host);
	snprintf(config, sizeof(config), "%s/ssh_config", vm.dir);
	snprintf(port, sizeof(port), "%u", vm.ssh_port);
	for (char **word = args->rest; word && *word; word++) {
		if (n == WORDS_MAX)
			return gb_fail(err, GB_EUSAGE, "the command has too many words");
		argv[n++] = *word;
	}
	if (gb_args_has(args, "print"))
		return print_words(argv);
	execv(ssh, (char *const *)(uintptr_t)argv);
	return gb_fail_os(err, "cannot run %s", ssh);
}

const struct gb_command gb_cmd_ssh = {
	.name = "ssh",
	.usage = "NAME [-- CMD...]",
	.summary = "log in to a built-in guest",
	.detail =
		"The guest and its user were given keys for this one run; both ends are known to each "
		"other, and no password is of use.",
	.example = "glassbox ssh debian\nglassbox ssh debian -- cat /etc/passwd",
	.options = options,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
