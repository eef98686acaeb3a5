"""Meters: what they measure, what they send, and a fleet of them.

civil             the calendar in integers; dates as wire bits
physics/          formulas and tables: heat, rooms, weather, water, electricity
encodings         how a number stands in a record: one table
quantities        what a record can carry, as data: twelve operations, one row a quantity
meter_type        an ordered table of records; the types found in types/
types/            ONE FILE A METER TYPE, with published example telegrams in it
day_steps         a type's quantities on one day of the calendar, as numbers
evaluate          one value of one meter at one instant
sending_times     when telegram k begins: the individual interval in closed form
fleet_spec        [[fleet]] of a world
population        the arrays: one row a meter
sent_values       what a telegram says, before any encoding; what happened to a meter
expected_records  the same in the standard's words: quantity, unit, storage number, for other receivers
compose_plan      which operation fills which bytes, for a group and a day
write_kernels     encodings, compiled: a column of values as bytes
fill_kernels      schedule, clock, operations and field table, compiled: a block of rows at a time
blockwise         the same, then encrypted and CRC'd before the next block
per_day           rows by compiled code, one day of the meters' clocks after the other
telegram_batch    telegrams of many meters at once: compiled, or one at a time where something happened to a meter
fleet             all of it together; telegram k of meter m is a pure function of (seed, m, k)
"""
