# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Glass Box authors
# Completion for fish: words come from the program itself.
function __glassbox_words
	set -l typed (commandline -opc)
	if test (count $typed) -eq 1
		glassbox help --complete 2>/dev/null
	else
		glassbox help --complete $typed[2] 2>/dev/null
		glassbox ls --names 2>/dev/null
	end
end
complete -c glassbox -a '(__glassbox_words)'
