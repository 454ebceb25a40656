"""Packets out of the nodes' rings: into pcapng files, and as lines while they pass."""
