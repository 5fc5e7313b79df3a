// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The command line of one command, parsed by its own table.
#include "cmd/command.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const struct gb_option common[] = {
	{"json", 0, NULL, "print JSON (schema of the command, version 1)"},
	{"help", 'h', NULL, "print this command's help"},
	{},
};

static const struct gb_option *find_long(const struct gb_option *table, const char *name,
					 size_t len)
{
	for (; table && table->name; table++)
		if (strlen(table->name) == len && memcmp(table->name, name, len) == 0)
			return table;
	return NULL;
}

static const struct gb_option *find_letter(const struct gb_option *table, char letter)
{
	for (; table && table->name; table++)
		if (table->letter == letter)
			return table;
	return NULL;
}

static void store(struct gb_args *args, const struct gb_option *o, const char *value)
{
	if (o == &common[0])
		args->json = true;
	else if (o != &common[1])
		args->values[o - args->command->options] = value;
}

struct parse {
	struct gb_args *args;
	char **argv;
	int argc, at;
	struct gb_error *err;
};

static int usage(struct parse *p, const char *what, const char *word)
{
	return gb_fail(p->err, GB_EUSAGE, "%s %s; see 'glassbox %s --help'", what, word,
		       p->args->command->name);
}

static int take_option(struct parse *p, const struct gb_option *o, const char *word,
		       const char *attached)
{
	if (!o)
		return usage(p, "there is no option", word);
	if (!o->arg && attached)
		return usage(p, "no value belongs to", word);
	if (o->arg && !attached) {
		if (p->at >= p->argc)
			return usage(p, "a value is missing after", word);
		attached = p->argv[p->at++];
	}
	store(p->args, o, o->arg ? attached : "");
	return 0;
}

static int take_long(struct parse *p, const char *word)
{
	const char *name = word + 2, *equals = strchr(name, '=');
	size_t len = equals ? (size_t)(equals - name) : strlen(name);
	const struct gb_option *o = find_long(p->args->command->options, name, len);

	if (!o)
		o = find_long(common, name, len);
	return take_option(p, o, word, equals ? equals + 1 : NULL);
}

static int take_letters(struct parse *p, const char *word)
{
	for (const char *c = word + 1; *c; c++) {
		const struct gb_option *o = find_letter(p->args->command->options, *c);
		int r;

		if (!o)
			o = find_letter(common, *c);
		if (o && o->arg)
			return take_option(p, o, word, c[1] ? c + 1 : NULL);
		r = take_option(p, o, word, NULL);
		if (r != 0)
			return r;
	}
	return 0;
}

static int take_word(struct parse *p, char *word)
{
	if (strncmp(word, "--", 2) == 0)
		return take_long(p, word);
	if (word[0] == '-' && word[1] && !(word[1] >= '0' && word[1] <= '9'))
		return take_letters(p, word);
	if (p->args->count == GB_ARGS_MAX)
		return usage(p, "too many operands, from", word);
	p->args->positional[p->args->count++] = word;
	return 0;
}

int gb_args_parse(const struct gb_command *command, int argc, char **argv, struct gb_args *ret,
		  struct gb_error *err)
{
	struct parse p = {.args = ret, .argv = argv, .argc = argc, .err = err};

	*ret = (struct gb_args){.command = command};
	while (p.at < argc) {
		char *word = argv[p.at++];
		int r;

		if (strcmp(word, "--") == 0) {
			ret->rest = argv + p.at;
			break;
		}
		r = take_word(&p, word);
		if (r != 0)
			return r;
	}
	if (ret->count < command->min_args)
		return usage(&p, "too few operands: it takes", command->usage);
	if (ret->count > command->max_args)
		return usage(&p, "one operand too many:", ret->positional[command->max_args]);
	return 0;
}

const char *gb_args_get(const struct gb_args *args, const char *name)
{
	const struct gb_option *o = find_long(args->command->options, name, strlen(name));

	gb_assert(o);
	return args->values[o - args->command->options];
}

bool gb_args_has(const struct gb_args *args, const char *name)
{
	return gb_args_get(args, name) != NULL;
}

int gb_parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *ret,
		    struct gb_error *err)
{
	char *end;
	uint64_t v;

	errno = 0;
	v = strtoull(text, &end, strncmp(text, "0x", 2) == 0 ? 16 : 10);
	if (*text < '0' || *text > '9' || *end || errno)
		return gb_fail(err, GB_EUSAGE, "'%s' is no number", text);
	if (v < min || v > max)
		return gb_fail(err, GB_EUSAGE, "%s is not between %" PRIu64 " and %" PRIu64, text,
			       min, max);
	*ret = v;
	return 0;
}

int gb_args_number(const struct gb_args *args, const char *name, uint64_t min, uint64_t max,
		   uint64_t *ret, struct gb_error *err)
{
	const char *text = gb_args_get(args, name);
	int r = text ? gb_parse_number(text, min, max, ret, err) : 0;

	if (r != 0)
		gb_error_prefix(err, "--%s", name);
	return r;
}

int gb_parse_size(const char *text, uint64_t *ret, struct gb_error *err)
{
	static const char units[] = "KMGT";
	const char *unit;
	char *end;
	uint64_t v;

	errno = 0;
	v = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || errno)
		return gb_fail(err, GB_EUSAGE, "'%s' is no size: write 128M or 2G", text);
	unit = *end ? strchr(units, *end & ~0x20) : NULL;
	if (unit) {
		if (__builtin_mul_overflow(v, (uint64_t)1 << (10 * (unit - units + 1)), &v))
			return gb_fail(err, GB_EUSAGE, "'%s' is too large", text);
		end++;
		if (*end == 'i' || *end == 'I')
			end++;
		if (*end == 'b' || *end == 'B')
			end++;
	}
	if (*end)
		return gb_fail(err, GB_EUSAGE, "'%s' is no size: write 128M or 2G", text);
	*ret = v;
	return 0;
}
