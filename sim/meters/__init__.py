"""Heat cost allocators: rooms and radiators, what a meter counts, what it sends, and a fleet of them.

    fleet      a struct of arrays; telegram k of meter m is a pure function of (seed, m, k)
    physics    weather, rooms, radiators, units
    kind       what a meter type is: an ordered table of records
    ONE FILE A METER TYPE, found by folder, with published example telegrams in it
"""
