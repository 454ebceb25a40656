"""The shell's commands, a file for each topic. `pynetemu.shell.command` tells how one is written.

A new one is a function with @command here, and its name in the list of `pynetemu.shell.registry`.
"""
