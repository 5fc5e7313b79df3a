// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Frame classes.
#include "kernel/frame_class.h"

#include "base/error.h"

static const struct {
	const char *name;
	enum gb_frame_group group;
} classes[] = {
#define X(id, text, g) {text, GB_GROUP_##g},
	GB_FRAME_CLASSES(X)
#undef X
};

static const struct gb_frame_group_info groups[] = {
#define X(id, k, w, colour, f) {.key = k, .words = w, .family = f, .rgb = colour},
	GB_FRAME_GROUPS(X)
#undef X
};

const char *gb_frame_class_name(enum gb_frame_class c)
{
	gb_assert(c < GB_FRAME_CLASS_COUNT);
	return classes[c].name;
}

enum gb_frame_group gb_frame_class_group(enum gb_frame_class c)
{
	gb_assert(c < GB_FRAME_CLASS_COUNT);
	return classes[c].group;
}

const struct gb_frame_group_info *gb_frame_group_info(enum gb_frame_group g)
{
	gb_assert(g < GB_FRAME_GROUP_COUNT);
	return &groups[g];
}
