"""One file an endpoint, found by folder (see sim.endpoint.registry): its settings, title, features and constructor."""
