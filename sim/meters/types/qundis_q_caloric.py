"""Qundis Q caloric 5 (QDS, version 36; 35 sends the same records): BCD counters, the last month end as storage 17.

A fault shows as its date in 326C, which reads FFFF while there is none. The month end's storage number is 17: DIF bit 6
is its lowest bit and DIFE 08 the next ones.
"""

from sim.meters.encodings import field
from sim.meters.meter_type import Example, Kind

KIND = Kind(
    id="qundis-q-caloric",
    title="Qundis Q caloric heat cost allocator",
    manufacturer="QDS",
    version=0x36,
    versions=(0x35,),
    cfg_flags_unencrypted=0x2000,
    fields=(
        field("0B6E", "bcd6", "units"),
        field("4B6E", "bcd6", "set_date_units"),
        field("426C", "G", "set_date"),
        field("CB086E", "bcd6", "month_units"),
        field("C2086C", "G", "month_end"),
        field("326C", "G", "error_date"),
        field("046D", "F", "datetime"),
    ),
    examples=(
        Example(
            "314493441234567835087a740000200b6e2701004b6e450100426c5f2ccb086e790000c2086c7f21326cffff046d200b7422",
            None,
            "wmbusmeters driver test qcaloric, telegram of a version 35",
            {
                "units": 127, "set_date_units": 145, "set_date": 0x2C5F, "month_units": 79, "month_end": 0x217F,
                "error_date": 0xFFFF, "datetime": 0x22740B20,
            },
        ),
    ),
)  # fmt: skip
