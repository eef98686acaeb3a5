"""RAM EURIS II (version 55, also sold as INE): the long header names the meter, and seventeen month ends follow.

Storage 1 is the last month end, not the set date, and storages 2 to 17 go back month by month: in the published
telegram they fall from 85 to 18 and then stand at 381, the end of the accounting year before. There is no date in it.
"""

from sim.meters.encodings import field
from sim.meters.meter_type import TAMPERS, Example, Fault, Kind
from wmbus.transport import CI_LONG

_MONTHS = 17


def _head(storage: int) -> str:
    """DIF, DIFE and VIF of a 16-bit count in this storage."""
    return "426E" if storage == 1 else f"{0x82 | (storage & 1) << 6:02X}{storage >> 1:02X}6E"


KIND = Kind(
    id="ram-euris-2",
    title="RAM EURIS II heat cost allocator",
    manufacturer="RAM",
    version=0x55,
    tpl=CI_LONG,
    unencrypted_prefix=b"\x2f\x2f",
    fields=(
        field("0B6E", "bcd6", "units"),
        *(field(_head(storage), "u16", "month_units", storage - 1) for storage in range(1, _MONTHS + 1)),
        field("02FD17", "u16", "error_flags"),
    ),
    faults={how: Fault(flags=flags) for how, flags in zip(TAMPERS, (0x08, 0x08, 0x01), strict=True)},
    examples=(
        Example(
            "76442d4870072060550872700720602d485508280060052f2f0b6e320100426e550082016e3500c2016e1f0082026e1f00c2"
            "026e130082036e1300c2036e130082046e1300c2046e120082056e7d01c2056e440182066e0601c2066eb80082076e7f00c2"
            "076e320082086e1c00c2086e1c0002fd170000",
            None,
            "wmbusmeters driver test eurisii, published decrypted",
            {
                "units": 132, "month_units": 85,
                **{
                    f"month_units[{back}]": value
                    for back, value in enumerate(
                        (53, 31, 31, 19, 19, 19, 19, 18, 381, 324, 262, 184, 127, 50, 28, 28), start=1
                    )
                },
                "error_flags": 0,
            },
        ),
    ),
)  # fmt: skip
