"""The parties of the system `smgw`, as they run in a world: gateways that decrypt, an administrator, final receivers.

Rules, seals and signatures are sim/smgw and sim/pki; how a telegram is opened and judged is sim/portal's, whose intake
every gateway has on its own disk.
"""
