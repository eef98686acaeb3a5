"""The gateway's security module: private keys that are made inside and never leave.

port      the verbs there are, for whoever builds a gateway
in_world  a module inside a world's process, its keys drawn from the world's seed
"""
