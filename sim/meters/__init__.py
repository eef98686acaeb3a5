"""Meters: what they measure, what they send, and a fleet of them.

    civil             the calendar in integers; dates as wire bits
    physics/          heat, rooms, weather, water
    encodings         how a number stands in a record
    meter_type        an ordered table of records; the types found in types/
    types/            ONE FILE A METER TYPE, with published example telegrams in it
    at_instant        a meter at an instant: its calendar and its count
    quantities        what a meter knows at an instant
    sending_times     when telegram k begins: the individual interval in closed form
    population        the arrays: one row a meter
    sent_values       what a telegram says, before any encoding; what happened to a meter
    expected_records  the same in the standard's words: quantity, unit, storage number, for other receivers
    telegram_batch    telegrams of many meters at once: by numpy, or by compiled code where numba is
    compose_plan      which operation of compiled code fills which bytes
    fill_kernels      schedule, clock, count and field table, a block of rows at a time
    blockwise         the same, then encrypted and CRC'd before the next block
    per_day           which rows compiled code does: those of one day, then of the next
    fleet_spec        [[fleet]] of a world
    fleet             all of it together; telegram k of meter m is a pure function of (seed, m, k)
"""
