"""Techem radio 4 (TCH, version 94): the counters, then fourteen months as a compact profile. It does not send the time.

8D04EE1F 1E 72FE announces 30 bytes: two of profile header (increments, by month ends, 16 bits each), then fourteen
numbers for the month ends after the base date of storage 8, the oldest first. The published telegram's last two, 3 and
22, are November and December: together they are its value at the set date, 25.
"""

from sim.meters.encodings import field
from sim.meters.meter_type import Example, Kind

_MONTHS = tuple(range(13, -1, -1))

KIND = Kind(
    id="techem-radio-4",
    title="Techem radio 4 heat cost allocator",
    manufacturer="TCH",
    version=0x94,
    fields=(
        field("036E", "u24", "units"),
        field("436E", "u24", "set_date_units"),
        field("426C", "G", "set_date"),
        field("83046E", "u24", "month_units", 14),
        field("82046C", "G", "month_end", 14),
        field("8D04EE1F1E72FE", "u16", "month_increment", *_MONTHS),
    ),
    examples=(
        Example(
            "4e4468507620541494087aad004005089d86b62a329b3439873999738f82461abde3c7ac78692b363f3b41eb68607f9c9160f550769b"
            "065b6ea00a2e44346e29ff5dc5cb86283c69324ad33d137f6f",
            "fcf41938f63432975b52505f547fcedf",
            "wmbusmeters driver test fhkvdataiv, with the key published there",
            {
                "units": 2, "set_date_units": 25, "set_date": 0x2C9F, "month_units[14]": 0, "month_end[14]": 0x2A7F,
                "month_increment": 22, "month_increment[1]": 3,
                **{f"month_increment[{back}]": 0 for back in range(2, 14)},
            },
        ),
    ),
)  # fmt: skip
