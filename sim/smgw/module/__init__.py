"""The gateway's security module: private keys that are made inside and never leave.

port             the verbs there are, for whoever builds a gateway
slots            what they do, over keys that are held
in_world         a module inside a world's process, its keys drawn from the world's seed
wire             the verbs as bytes, for a module elsewhere   secure_messages   how these bytes pass

As a process of its own: sim/smart_metering/module_process.
"""
