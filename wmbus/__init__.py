"""Wireless M-Bus, sans I/O: bytes in, telegrams out.  Opens nothing, waits for nothing, imports nothing of ours.

`telegram` is the door that most callers use: parse, unlock, read, build.
"""
