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

// DIR/bin/glassbox has its data in DIR/share/glassbox, wherever the two were moved to.
static bool beside_program(char ret[PATH_MAX])
{
	static const char data[] = "/share/glassbox";
	ssize_t n = readlink("/proc/self/exe", ret, PATH_MAX - sizeof(data));
	char *slash = NULL;

	for (int up = 0; up < 2 && n > 0; up++) {
		ret[n] = 0;
		slash = strrchr(ret, '/');
		n = slash ? slash - ret : -1;
	}
	if (n < 0 || !slash)
		return false;
	memcpy(slash, data, sizeof(data));
	return is_dir(ret);
}

int gb_data_dir(char ret[PATH_MAX], struct gb_error *err)
{
	const char *asked = getenv("GLASSBOX_DATA"), *dir = GB_DATA_DIR;

	if (asked && *asked) {
		if (!is_dir(asked) || strlen(asked) >= PATH_MAX)
			return gb_fail(err, GB_ENOTFOUND,
				       "GLASSBOX_DATA names %s, which is no directory", asked);
		dir = asked;
	} else if (beside_program(ret)) {
		return 0;
	} else if (is_dir(GB_SOURCE_DIR "/guest")) {
		dir = GB_SOURCE_DIR;
	}
	snprintf(ret, PATH_MAX, "%s", dir);
	return 0;
}
