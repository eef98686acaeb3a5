"""The world: everything between a radiator and a stored reading. No pytest in here, and no file but the history.

Bottom first:

    clock         world time (integer ns), the calendar, and the only door to wall time
    seeds         the only door to randomness: counter-based, so no result depends on order
    events        what can happen, one record each
    history       where it is written down, and the digest of it
    spec          a world as read from TOML, with errors that name file, line and key
    bundle        what a gateway publishes and the portal acknowledges
    pki           CA, device certificates, revocation list
    compiling     compiled code made beside a run, while numpy does the first windows; compiled_cache: none of it stale
    radio/        the air: emissions in, receptions and losses with a reason out
    endpoint/     the broker, or what stands for it
    meters/       heat cost allocators and their fleet
    gateway/      keyless forwarders with custody
    portal/       the only holder of keys
    interception  a man in the middle on one gateway's path
    played        a recorded log, read; foreign: its meters on the air of a world
    settlement    lockstep: real sockets move while world time stands still
    truth         what really happened, held against what the portal stored
    world         puts them together and runs them
    city/         the same world as arrays from end to end, for capacity planners
"""
