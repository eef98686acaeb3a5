"""Alarms: one file an alarm, found by folder; the port is `sim.portal.alarm`, the episodes are `sim.portal.episodes`.

    tamper     the meter says so: error flags in its records, or its status byte
    gap        no accepted telegram for more than `gap_intervals` of the meter's interval
    completeness  over a day fewer readings than half of what the interval promises
    freshness  telegrams of a meter refused as replayed or forged
    set date   what was counted up to a set date changes afterwards
    leak       water runs through a meter without a pause, more than ever at this hour
    twin       two devices use one gateway's name: other content under one sequence, or boots that alternate
    clock      a gateway's clock is wrong: its meters agree on it under their MACs
    jam        a good part of the meters bound to one gateway fall silent together
"""
