"""The parties of the system `smgw`, as they run in a world: gateways that decrypt, an administrator, final receivers.

    said_registers which register a stored reading speaks of
    contract       what the administrator sends a gateway: rule sets, period by period
    tariffing      values as a gateway captures them, and what leaves under its rule sets
    grid_values    what leaves about the grid (TAF 9 and 10), for who bills nothing
    pseudonyms     names that say nothing, and the administrator's signature in the gateway's place
    signers        under which certificate a gateway signed, and whether that holds
    snapshots      values on demand (TAF 6), and how many a month
    housing        what a gateway's housing notices, until its administrator was told
    kept_counters  message counters that outlast a power cut
    other_values   wired meters and values on demand, as a gateway lets them leave
    smart_gateway  radio, meters' keys, store, tariffs, module, containers in an outbox
    administrator  rule sets and time down, containers up, which it relays and cannot read
    participant    a final receiver: opens containers, stores values that may be billed
    wan/           the same parties on real sockets
    legs           a gateway's three networks, and what may come in on each; gateway_legs is one as a program
    gateway_tables what all gateways have stored, as one table for truth and checks

Rules, seals and signatures are sim/smgw and sim/pki; how a telegram is opened and judged is sim/portal's, whose intake
every gateway has on its own disk.
"""
