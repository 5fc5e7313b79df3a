// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// QMP sockets on somebody else's QEMU command line.
//
// -qmp unix:PATH,server=on,wait=off            (and -qmp-pretty)
// -chardev socket,id=ID,path=PATH,server=on -mon chardev=ID,mode=control
//
// A comma in a value is doubled. libvirt hands a descriptor (fd=N) instead of a path and keeps the
// only connection to itself (attach_line.c).
#include "vm/attach_private.h"

#include <string.h>

const char *gb_line_next(const struct gb_line *l, size_t *at)
{
	const char *word = l->words + *at;
	const char *end = *at < l->len ? memchr(word, 0, l->len - *at) : NULL;

	if (!end)
		return NULL;
	*at += (size_t)(end - word) + 1;
	return word;
}

static bool is_option(const char *word, const char *name)
{
	if (*word != '-')
		return false;
	return strcmp(word + (word[1] == '-' ? 2 : 1), name) == 0;
}

const char *gb_line_option(const struct gb_line *l, const char *name, size_t *at)
{
	const char *word;

	while ((word = gb_line_next(l, at)))
		if (is_option(word, name))
			return gb_line_next(l, at);
	return NULL;
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

// Behind the comma that ends this pair: a doubled one is part of a value.
static const char *next_pair(const char *p)
{
	for (; *p; p++)
		if (*p == ',' && *++p != ',')
			break;
	return p;
}

bool gb_line_value(const char *options, const char *key, char *ret, size_t size)
{
	size_t len = strlen(key);
	bool found = false;

	for (const char *p = options; *p; p = next_pair(p))
		if (strncmp(p, key, len) == 0 && p[len] == '=')
			found = copy_value(p + len + 1, ret, size);
	return found;
}

bool gb_line_first(const char *options, char *ret, size_t size)
{
	size_t len = strcspn(options, ",=");

	return options[len] != '=' && copy_value(options, ret, size);
}

static bool chardev_path(const struct gb_line *l, const char *id, char ret[PATH_MAX])
{
	const char *value;
	char found[128];
	size_t at = 0;

	while ((value = gb_line_option(l, "chardev", &at)))
		if (strncmp(value, "socket,", 7) == 0 &&
		    gb_line_value(value, "id", found, sizeof(found)) && strcmp(found, id) == 0)
			return gb_line_value(value, "path", ret, PATH_MAX);
	return false;
}

static bool monitor_path(const struct gb_line *l, const char *value, char ret[PATH_MAX])
{
	char mode[16], id[128];

	return gb_line_value(value, "mode", mode, sizeof(mode)) && strcmp(mode, "control") == 0 &&
	       gb_line_value(value, "chardev", id, sizeof(id)) && chardev_path(l, id, ret);
}

bool gb_attach_socket(const char *cmdline, size_t len, size_t index, char ret[PATH_MAX])
{
	struct gb_line l = {cmdline, len};
	const char *word, *value;
	size_t at = 0;

	while ((word = gb_line_next(&l, &at))) {
		bool qmp = is_option(word, "qmp") || is_option(word, "qmp-pretty"), found = false;

		if (!qmp && !is_option(word, "mon"))
			continue;
		value = gb_line_next(&l, &at);
		if (value && !qmp)
			found = monitor_path(&l, value, ret);
		else if (value && strncmp(value, "unix:", 5) == 0)
			found = copy_value(value + 5, ret, PATH_MAX);
		if (found && index-- == 0)
			return true;
	}
	return false;
}
