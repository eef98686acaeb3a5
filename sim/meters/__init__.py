"""Heat cost allocators: rooms and radiators, what a meter counts, what it sends, and a fleet of them.

    civil        the calendar in integers; dates as wire bits
    weather      outdoor temperature of a year, hour by hour
    taps         water: litres by the hour of the day
    rooms        set points, habits, radiators: from load to over-temperature to units an hour
    physics      cumulative counts by room class; units of any meter at any instant
    fields       how a number stands in a record
    kind         what a meter type is: an ordered table of records; the types found in types/
    types/       ONE FILE A METER TYPE, with published example telegrams in it
    moment       a meter at an instant: its calendar and its count
    values       what a meter knows at a moment, by quantity
    schedule     when telegram k begins: the individual interval in closed form
    population   the arrays: one row a meter
    truth        what a telegram says, before any encoding; what happened to a meter
    stated       the same in the standard's words: quantity, unit, storage number, for other receivers
    batch        telegrams of many meters at once: by numpy, or by compiled code where numba is
    plan         which operation of compiled code fills which bytes
    compiled     schedule, clock, count and field table, a block of rows at a time
    in_blocks    the same, then encrypted and CRC'd before the next block
    days         which rows compiled code does: those of one day, then of the next
    fleet        all of it together; telegram k of meter m is a pure function of (seed, m, k)
"""
