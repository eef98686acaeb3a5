"""Readers: what a real gateway delivers, read as its maker wrote it.

port     what a reader is, and what it gives
kinds/   one file a kind: MQTT, pushes by HTTP, TCP and UDP, files, standard output
"""
