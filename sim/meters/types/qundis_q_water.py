"""Qundis Q water (QDS, version 17, cold water): OMS volume records in litres, in the order of the maker's allocators.

02BB56 counts how long flow stayed beyond a limit; it stays zero here, leaks are not modelled.
"""

from sim.meters.encodings import field
from sim.meters.meter_type import Example, Kind

KIND = Kind(
    id="qundis-q-water",
    title="Qundis Q water meter",
    manufacturer="QDS",
    version=0x17,
    device_type=0x07,
    cfg_flags_unencrypted=0x2000,
    fields=(
        field("0C13", "bcd8", "volume_l"),
        field("4C13", "bcd8", "set_date_volume_l"),
        field("426C", "G", "set_date"),
        field("CC0813", "bcd8", "month_volume_l"),
        field("C2086C", "G", "month_end"),
        field("02BB56", "u16", "flow_limit_exceeded"),
        field("326C", "G", "error_date"),
        field("046D", "F", "datetime"),
    ),
    constants={"flow_limit_exceeded": 0},
    examples=(
        Example(
            "394493447426491317077add0000200c13975710004c1330970700426cff2ccc081387471000c2086c1e3b02bb560000326c"
            "ffff046d1e0f113c",
            None,
            "wmbusmeters driver test qwaterv2, a real meter",
            {
                "volume_l": 105_797, "set_date_volume_l": 79_730, "set_date": 0x2CFF, "month_volume_l": 104_787,
                "month_end": 0x3B1E, "flow_limit_exceeded": 0, "error_date": 0xFFFF, "datetime": 0x3C110F1E,
            },
        ),
    ),
)  # fmt: skip
