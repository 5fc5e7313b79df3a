// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Prints every code point that gb_escape() does not write as it is, one a line.
#include "base/utf8.h"

#include <stdio.h>

int main(void)
{
	for (uint32_t c = 0; c < 0x110000; c++)
		if ((c < 0xd800 || c > 0xdfff) && !gb_codepoint_is_plain(c))
			printf("%x\n", c);
	return 0;
}
