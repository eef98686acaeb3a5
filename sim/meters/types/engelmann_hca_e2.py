"""Engelmann HCA e2 (EFE, version 31): the long form with fifteen months of half months.

Storage 2 is a base, date and value; storages 3 to 31 are 29 plain differences from one half month to the next, the
oldest first. Across a set date the difference is negative: in the published telegram 173 and the differences to the
end of the year make its value at the set date, 373, and then -335, because half a month later it had counted 38. The
date and time of the last error are day 0 of month 0 while there was none.
"""

from sim.meters.encodings import field
from sim.meters.meter_type import TAMPERS, Example, Fault, Kind

_OLDEST = 29


def _head(storage: int) -> str:
    """DIF, DIFE and VIF of a 16-bit count in this storage: its lowest bit is in the DIF, the next four in the DIFE."""
    return f"{0x82 | (storage & 1) << 6:02X}{storage >> 1:02X}6E"


KIND = Kind(
    id="engelmann-hca-e2",
    title="Engelmann HCA e2 heat cost allocator",
    manufacturer="EFE",
    version=0x31,
    unencrypted_prefix=b"\x2f\x2f",
    fields=(
        field("046D", "F", "datetime"),
        field("036E", "u24", "units"),
        field("426C", "G", "set_date"),
        field("436E", "u24", "set_date_units"),
        field("82016C", "G", "half_end", _OLDEST),
        field("83016E", "u24", "half_units", _OLDEST),
        *(field(_head(2 + _OLDEST - back), "i16", "half_difference", back) for back in range(_OLDEST - 1, -1, -1)),
        field("317F", "u8", "error_flags"),
        field("346D", "F", "error_datetime"),
    ),
    faults={how: Fault(flags=flags) for how, flags in zip(TAMPERS, (0x02, 0x02, 0x08), strict=True)},
    examples=(
        Example(
            "ce44c5146029412331087a6e00c0252f2f046d042c4635036ef20000426c3f3c436e75010082016c2f3283016ead0000c201"
            "6e220082026e0c00c2026e1a0082036e0500c2036e000082046e0000c2046e000082056e0000c2056e000082066e0000c206"
            "6e000082076e0000c2076e000082086e0000c2086e000082096e0000c2096e0c00820a6e0d00c20a6e2200820b6e2900c20b"
            "6e1700820c6eb1fec20c6e4300820d6e1e00c20d6e2800820e6e0200c20e6e2100820f6e1900c20f6e0700317f00346d0020"
            "00002f2f2f2f2f",
            None,
            "wmbusmeters driver test hcae2, a real meter, published decrypted",
            {
                "datetime": 0x35462C04, "units": 242, "set_date": 0x3C3F, "set_date_units": 373,
                "half_end[29]": 0x322F, "half_units[29]": 173, "error_flags": 0, "error_datetime": 0x2000,
                "half_difference": 7,
                **{
                    f"half_difference[{back}]": value
                    for back, value in zip(
                        range(28, 0, -1),
                        (34, 12, 26, 5, *[0] * 12, 12, 13, 34, 41, 23, -335, 67, 30, 40, 2, 33, 25),
                        strict=True,
                    )
                },
            },
        ),
    ),
)  # fmt: skip
