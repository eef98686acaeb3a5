"""Zenner Caltos E (ZRI, version FC): dates are the day after, and fourteen months as an inverse compact profile.

82046C and 8B046E say what the last month ended with; 8D04EE13 2C 3BFE then goes back month by month, absolute values
of six BCD digits, FFFFFF where there is none. The set date reads 1 January: the first day that is no longer counted.
Bit 6 of the status byte is the maker's and always set.
"""

from sim.meters.encodings import NOT_AVAILABLE, field
from sim.meters.meter_type import Example, Kind

_MONTHS = tuple(range(1, 15))

KIND = Kind(
    id="zenner-caltos-e",
    title="Zenner Caltos E heat cost allocator",
    manufacturer="ZRI",
    version=0xFC,
    idle_sts=0x40,
    fields=(
        field("0B6E", "bcd6", "units"),
        field("426C", "G", "set_day_after"),
        field("4B6E", "bcd6", "set_date_units"),
        field("82046C", "G", "month_first"),
        field("8B046E", "bcd6", "month_units"),
        field("8D04EE132C3BFE", "bcd6", "month_units", *_MONTHS),
    ),
    examples=(
        Example(
            "5e44496a12180880fc087a7040500584a63344b5af071a23539c6020cbba81fa6adcfe738682a0924d4f6f7d89d165c9144e"
            "4918cdc2d5f86be7b5bd8143528273accc131a13d0b100f2540dc1f2c379dde4984236d3bca424113cf0ee1bbd",
            "dc7c9ef16126348cdfd52ce6567a9ffd",
            "wmbusmeters driver test caltose, a real meter with the key published there",
            {
                "units": 339, "set_day_after": 0x3141, "set_date_units": 627, "month_first": 0x3241,
                "month_units": 272, "month_units[1]": 627, "month_units[2]": 395, "month_units[3]": 176,
                "month_units[4]": 7, **{f"month_units[{back}]": NOT_AVAILABLE for back in range(5, 15)},
            },
        ),
    ),
)  # fmt: skip
