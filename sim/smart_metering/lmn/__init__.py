"""Meters with sessions of TLS and their gateway's side: on a wired bus, in a world and over a terminal, and by radio.

    tls_channel  TLS between a meter and its gateway, over octets that a link carries
    wired_meter  an electricity meter: registers, grid values, its own load profile, its side of the bus
    wired_store  what a meter and what a gateway keep, in SQLite
    wired_bus    the gateway's side: addresses, sessions, values that are taken and values that are fetched again
    world_wire   the two wires inside a world, with whoever has a clip on them
    wired_plan   which meters a world's gateways have on their buses, from its seed
    wired_side   a gateway's wired meters as it meets them in a world, and what leaves of them
    tty_wire     the same wires as a terminal
    radio_frames  frames of a radio meter of security profile C and of its gateway: who speaks when
    radio_sessions  the sessions of one end of such a link
    radio_meter  the meter's end
    radio_link   the gateway's end of one meter
    radio_registers  registers as the meter says them
    rows_side    what a gateway has of meters with sessions, and what leaves of them
    radio_side   of a gateway's radio meters: what it answers and keeps
    radio_plan   which radio meters a world's gateways have, from its seed
    radio_air    both ends on a world's air
    line_folders what a gateway and meters on a line keep in files
    on_line      gateway or meters as a program of its own, on a terminal

Frames, links and SML are sim/smgw/hdlc and sim/smgw/lmn.
"""
