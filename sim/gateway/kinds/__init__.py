"""One file a kind of gateway, found by folder (see sim.gateway.registry): its settings, title, features, constructor.
"""
