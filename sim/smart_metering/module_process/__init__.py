"""The security module as a process of its own behind a Unix socket: keys on its own disk, in its own memory.

    module_server   the module as a program   held   what it keeps: PIN, wrong tries, keys
    process_module  the same port for a gateway's processor, which is paired with it by a PIN
    program         the program started and ended by whoever runs a gateway

Both sides prove by PACE that they know the PIN before a verb is asked (sim/pki/pace); afterwards every message is
encrypted, authenticated and counted, for at most 48 hours.
"""
