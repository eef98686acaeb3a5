"""One file an endpoint, found by folder (see sim.endpoint.registry): its settings, title, features and constructor.

    memory      embedded, for runs that want no broker
    mosquitto   a child process on a free port: mutual TLS, per-device access list, revocation list
"""
