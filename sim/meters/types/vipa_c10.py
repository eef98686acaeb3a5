"""VIPA C10 and D10 (VIP, version 1E): two sensors, and the meter's own account of when it did not measure.

Error flags bit 3 is tampering, and 0474 counts the seconds since. The published telegram carries the yearly form of
the set date (year 127: "every year"); a fleet here sends the last set date itself, as other firmware does.
"""

from sim.meters.encodings import field
from sim.meters.meter_type import Example, Fault, Kind

KIND = Kind(
    id="vipa-c10",
    title="VIPA C10 / D10 heat cost allocator",
    manufacturer="VIP",
    version=0x1E,
    fields=(
        field("02FD17", "u16", "error_flags"),
        field("0D7808", "ascii8", "fabrication"),
        field("026E", "u16", "units"),
        field("0475", "u32", "minutes_unmeasured"),
        field("046D", "F", "datetime"),
        field("426C", "G", "set_date"),
        field("426E", "u16", "set_date_units"),
        field("4475", "u32", "minutes_unmeasured_year"),
        field("0266", "u16", "room_dc"),
        field("025A", "u16", "radiator_dc"),
        field("0474", "u32", "seconds_tampered"),
    ),
    faults={"opened": Fault(flags=0x08), "removed": Fault(flags=0x08), "sensor": Fault(flags=0x02)},
    examples=(
        Example(
            "4e443059671270231e087a6f0040051183e178afb952391c01f78104bc3fd33a5232ba7e70f514a062dac99059a7c74a55227dfae9"
            "d9590145f685f4ae6a62288bbba6eaf92d86797254644a2cdf46",
            "82b0551191f51d66efcdab8967452301",
            "wmbusmeters driver test kaden, with the key published there",
            {
                "error_flags": 0, "fabrication": 23701267, "units": 859, "minutes_unmeasured": 136,
                "datetime": 0x32490929, "set_date": 0xF1E1, "set_date_units": 2264,
                "minutes_unmeasured_year": 74069, "room_dc": 320, "radiator_dc": 393, "seconds_tampered": 0,
            },
        ),
    ),
)  # fmt: skip
