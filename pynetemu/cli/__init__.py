"""The `pynetemu` command: one file per verb. The only place, with the shell, that prints and exits."""
