"""Gateways: keyless forwarders. They keep every bundle until the portal says that it is committed.

    port          what a world asks of a gateway, real or virtual
    registry      which kinds there are
    gateway_spec  [[gateway]] of a world: the keys of all kinds
    kinds/        virtual
    bundling      when a bundle closes: the one rule
    outbox        custody in SQLite
    in_flight     which bundle goes out next, and what its outcome says about it
"""
