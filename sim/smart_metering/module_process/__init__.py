"""The security module as a process of its own behind a Unix socket: keys on its own disk, in its own memory.

Both sides prove by PACE that they know the PIN before a verb is asked (sim/pki/pace); afterwards every message is
encrypted, authenticated and counted, for at most 48 hours.
"""
