"""Gateways: keyless forwarders. They keep every bundle until the portal says that it is committed.

    gateway_spec  [[gateway]] of a world
    bundling   when a bundle closes: the one rule
    port       what a world asks of a gateway, real or virtual
    outbox     custody in SQLite
    in_flight  which bundle goes out next, and what its fate says about it
    virtual    the simulated gateway
"""
