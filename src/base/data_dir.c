// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Where the program finds its data.
#include "base/data_dir.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_dir(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

// GB_DATA_DIR is PREFIX/share/glassbox: an installed program lies in PREFIX too.
static bool is_installed(void)
{
	static const char suffix[] = "/share/glassbox";
	size_t prefix = strlen(GB_DATA_DIR) - strlen(suffix);
	char exe[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	if (n < 0 || strlen(GB_DATA_DIR) < strlen(suffix))
		return true;
	exe[n] = 0;
	return (size_t)n > prefix && strncmp(exe, GB_DATA_DIR, prefix) == 0 && exe[prefix] == '/';
}

int gb_data_dir(char ret[PATH_MAX], struct gb_error *err)
{
	const char *asked = getenv("GLASSBOX_DATA"), *dir = GB_DATA_DIR;

	if (asked && *asked) {
		if (!is_dir(asked) || strlen(asked) >= PATH_MAX)
			return gb_fail(err, GB_ENOTFOUND,
				       "GLASSBOX_DATA names %s, which is no directory", asked);
		dir = asked;
	} else if (!is_installed() && is_dir(GB_SOURCE_DIR)) {
		dir = GB_SOURCE_DIR;
	}
	snprintf(ret, PATH_MAX, "%s", dir);
	return 0;
}
