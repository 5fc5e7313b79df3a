// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The host's end of a built-in guest's control port.
#include "vm/control.h"

#include <stdlib.h>
#include <string.h>

static int broken(struct gb_error *err)
{
	return gb_fail(err, GB_EFORMAT, "the guest breaks the protocol of its control port");
}

static int take_first_line(struct gb_control *c, struct gb_error *err)
{
	if (strcmp(c->line, "GLASSBOX-READY") == 0)
		c->ready = true;
	else if (strcmp(c->line, "GLASSBOX-FAILED") == 0)
		c->failed = true;
	else
		return broken(err);
	return 0;
}

static bool parse_frame(const char *line, char *type_ret, size_t *number_ret)
{
	char *end;
	unsigned long v;

	if (!line[0] || line[1] != ' ' || line[2] < '0' || line[2] > '9' || strlen(line) > 11)
		return false;
	v = strtoul(line + 2, &end, 10);
	*type_ret = line[0];
	*number_ret = v;
	return *end == 0;
}

static int take_frame(struct gb_control *c, struct gb_error *err)
{
	size_t number = 0;
	char type = 0;

	if (!parse_frame(c->line, &type, &number))
		return broken(err);
	switch (type) {
	case 'o':
	case 'e':
		c->payload = number;
		c->payload_is_error = type == 'e';
		return 0;
	case 'a':
		if (number > c->in_flight)
			return broken(err);
		c->in_flight -= number;
		return 0;
	case 'x':
		if (number > 255 || c->ended)
			return broken(err);
		c->ended = true;
		c->exit_code = (int)number;
		return 0;
	default:
		return broken(err);
	}
}

static int take_line(struct gb_control *c, struct gb_error *err)
{
	bool first = !c->ready && !c->failed;

	c->line[c->line_len] = 0;
	// A terminal driver that was not raw yet put a carriage return before the newline.
	if (c->line_len && c->line[c->line_len - 1] == '\r')
		c->line[c->line_len - 1] = 0;
	c->line_len = 0;
	return first ? take_first_line(c, err) : take_frame(c, err);
}

static size_t take_payload(struct gb_control *c, const char *bytes, size_t len)
{
	size_t n = len < c->payload ? len : c->payload;

	if (c->output && !c->unwanted)
		c->unwanted = !c->output(c->arg, c->payload_is_error, bytes, n);
	c->payload -= n;
	return n;
}

int gb_control_feed(struct gb_control *c, const char *bytes, size_t len, struct gb_error *err)
{
	while (len) {
		size_t n = 1;
		int r = 0;

		if (c->payload)
			n = take_payload(c, bytes, len);
		else if (*bytes == '\n')
			r = take_line(c, err);
		else if (c->line_len < sizeof(c->line) - 1)
			c->line[c->line_len++] = *bytes;
		else
			r = broken(err);
		if (r != 0)
			return r;
		bytes += n;
		len -= n;
	}
	return 0;
}

size_t gb_control_room(const struct gb_control *c)
{
	return c->ready && !c->ended ? GB_CONTROL_WINDOW - c->in_flight : 0;
}

void gb_control_send(struct gb_control *c, const char *bytes, size_t len, struct gb_buf *out)
{
	gb_assert(len <= GB_CONTROL_WINDOW - c->in_flight);
	gb_buf_printf(out, "i %zu\n", len);
	if (len)
		gb_buf_add(out, bytes, len);
	c->in_flight += len;
}
