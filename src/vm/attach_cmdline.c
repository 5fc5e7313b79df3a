// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// QMP sockets on somebody else's QEMU command line.
//
// -qmp unix:PATH,server=on,wait=off            (and -qmp-pretty)
// -chardev socket,id=ID,path=PATH,server=on -mon chardev=ID,mode=control
//
// A comma in a value is doubled. libvirt hands a descriptor (fd=N) instead of a path and keeps the
// only connection to itself.
#include "vm/attach.h"

#include <string.h>

// The next word, or NULL; *at goes behind it.
static const char *next_word(const char *words, size_t len, size_t *at)
{
	const char *word = words + *at;
	const char *end = *at < len ? memchr(word, 0, len - *at) : NULL;

	if (!end)
		return NULL;
	*at += (size_t)(end - word) + 1;
	return word;
}

// Copy a value up to a single comma. false when it is empty or too long.
static bool copy_value(const char *from, char *ret, size_t size)
{
	size_t n = 0;

	for (; *from; from++) {
		if (*from == ',' && *++from != ',')
			break;
		if (n == size - 1)
			return false;
		ret[n++] = *from;
	}
	ret[n] = 0;
	return n > 0;
}

// The value of key in "a,key=value,...".
static bool find_value(const char *options, const char *key, char *ret, size_t size)
{
	size_t len = strlen(key);

	for (const char *p = options; *p; p++) {
		if ((p == options || p[-1] == ',') && strncmp(p, key, len) == 0 && p[len] == '=')
			return copy_value(p + len + 1, ret, size);
	}
	return false;
}

static bool is_option(const char *word, const char *name)
{
	word += word[0] == '-' && word[1] == '-' ? 2 : word[0] == '-';
	return strcmp(word, name) == 0;
}

static bool chardev_path(const char *words, size_t len, const char *id, char ret[PATH_MAX])
{
	const char *word, *value;
	char found[128];
	size_t at = 0;

	while ((word = next_word(words, len, &at))) {
		if (!is_option(word, "chardev"))
			continue;
		value = next_word(words, len, &at);
		if (value && strncmp(value, "socket,", 7) == 0 &&
		    find_value(value, "id", found, sizeof(found)) && strcmp(found, id) == 0)
			return find_value(value, "path", ret, PATH_MAX);
	}
	return false;
}

static bool monitor_path(const char *words, size_t len, const char *value, char ret[PATH_MAX])
{
	char mode[16], id[128];

	return find_value(value, "mode", mode, sizeof(mode)) && strcmp(mode, "control") == 0 &&
	       find_value(value, "chardev", id, sizeof(id)) && chardev_path(words, len, id, ret);
}

bool gb_attach_socket(const char *cmdline, size_t len, size_t index, char ret[PATH_MAX])
{
	const char *word, *value;
	size_t at = 0;

	while ((word = next_word(cmdline, len, &at))) {
		bool qmp = is_option(word, "qmp") || is_option(word, "qmp-pretty"), found = false;

		if (!qmp && !is_option(word, "mon"))
			continue;
		value = next_word(cmdline, len, &at);
		if (value && !qmp)
			found = monitor_path(cmdline, len, value, ret);
		else if (value && strncmp(value, "unix:", 5) == 0)
			found = copy_value(value + 5, ret, PATH_MAX);
		if (found && index-- == 0)
			return true;
	}
	return false;
}
