"""Netlink messages as bytes, for the engine and its clients: `framing` of all families, `tables` of rtnetlink(7)."""
