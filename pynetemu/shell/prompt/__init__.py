"""The prompt of the shell: editing, completion, colors of a line as it is typed, and the bar below it."""
