"""Where programs are looked for, in nodes and for them."""

import os
from collections.abc import Mapping

_ADMIN_FOLDERS = "/usr/local/sbin", "/usr/sbin", "/sbin"  # in a node everybody may configure the network


def search_path(env: Mapping[str, str]) -> str:
    """The PATH of an environment, with the folders that ordinary users do not have on it."""
    folders = env.get("PATH", os.defpath).split(os.pathsep)
    return os.pathsep.join([*folders, *(folder for folder in _ADMIN_FOLDERS if folder not in folders)])
