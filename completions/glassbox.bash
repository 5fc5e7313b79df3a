# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Glass Box authors
# Completion for bash: words come from the program itself.
_glassbox() {
	local word=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]}
	if [ "$COMP_CWORD" -eq 1 ]; then
		mapfile -t COMPREPLY < <(compgen -W "$(glassbox help --complete 2>/dev/null | cut -f1)" -- "$word")
	elif [[ $word == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(glassbox help --complete "$command" 2>/dev/null | cut -f1)" -- "$word")
	else
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -W "$(glassbox ls --names 2>/dev/null)" -- "$word"; compgen -f -- "$word")
	fi
}
complete -F _glassbox glassbox
