"""Gateways: keyless forwarders. They keep every bundle until the portal says that it is committed.

    port       what a world asks of a gateway, real or virtual
    outbox     custody in SQLite
    virtual    the simulated gateway
"""
