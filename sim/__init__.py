"""The world: everything between a radiator and a stored reading. No pytest in here, and no file but the history.

    core/       time, seeds, events, history, settings from TOML, parts found by folder, the format of bundles
    radio/      the air: emissions in; receptions, and losses with a reason, out
    endpoint/   the broker, or what stands for it
    pki/        certificates
    meters/     meters and their fleet
    gateway/    keyless forwarders with custody
    portal/     the only holder of keys
    billing/    a meter's units at its set date
    feeders/    how frames reach a real gateway; readers/ how what it delivers is read
    desk/       real gateways, as an inventory says: started, fed, read, stopped
    network/    the path between a gateway and the broker, and attackers on it
    systems/    systems under test: the parts above, put together
    faults/     one file a fault: what it does, how it heals, by what effect it is seen
    recording/  a recorded log, read and played on the air of a world
    truth/      what really happened, held against what the portal stored
    site_plan   what follows from a spec alone: names, radios, which gateways may hear a meter, planned silence
    lockstep    real sockets move while world time stands still
    world_spec  a world as TOML
    world       time, air, fleet, paths and faults around one system
    city/       the same world as arrays from end to end, for capacity planners
"""
