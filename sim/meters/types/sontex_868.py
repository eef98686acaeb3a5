"""Sontex 868 (SON, version 16): temperatures in hundredths, and seventeen months as a compact profile with registers.

Dates are first days: the base of storage 48 is the month of its date begun, and seventeen absolute values follow it.
Maxima are not modelled: 1259 shows the present temperature and 5259 none, as in the published telegram, whose set date
is the yearly 1 July. The records at the end are the maker's settings and stay as published.
"""

from sim.meters.encodings import field
from sim.meters.meter_type import Example, Kind

_OLDEST = 17

KIND = Kind(
    id="sontex-868",
    title="Sontex 868 heat cost allocator",
    manufacturer="SON",
    version=0x16,
    c_field=0x46,
    fields=(
        field("046D", "F", "datetime"),
        field("036E", "u24", "units"),
        field("426C", "G", "set_day_after"),
        field("436E", "u24", "set_date_units"),
        field("5259", "u16", "radiator_max_last_year_cc"),
        field("8288016C", "G", "month_first", _OLDEST),
        field("8388016E", "u24", "month_units", _OLDEST),
        field("8D8801EE1E3533FE", "u24", "month_units", *range(_OLDEST - 1, -1, -1)),
        field("05FF2D", "real", "rating_kc"),
        field("8520FF2D", "real", "rating_kq"),
        field("0259", "u16", "radiator_cc"),
        field("0265", "u16", "room_cc"),
        field("1259", "u16", "radiator_cc", -1),
        field("8310FD31", "u24", "tariff_minutes"),
        field("82106C", "G", "tariff_date"),
        field("8110FD61", "u8", "cumulations"),
        field("82206C", "G", "date"),
        field("0BFD0F", "bcd6", "software"),
        field("02FF2C", "u16", "makers_2c"),
        field("02FD66", "u16", "activation"),
    ),
    constants={
        "radiator_max_last_year_cc": 0, "rating_kc": 0x3F800000, "rating_kq": 0x3F800000, "tariff_minutes": 0,
        "tariff_date": 0x0101, "cumulations": 0, "software": 10_301, "makers_2c": 0, "activation": 0x08AC,
    },
    examples=(
        Example(
            "af46ee4d2827282716087a80000000046d040a9f2a036e770000426ce1f7436e660000525900008288016c61258388016e00"
            "00008d8801ee1e3533fe00000000000000000000000000000000000000000000000000000000000000000000000000000000"
            "000000000000000000000005ff2d0000803f8520ff2d0000803f0259ad0a0265d8041259ad0a8310fd3100000082106c0101"
            "8110fd610082206c9f2a0bfd0f01030102ff2c000002fd66ac08",
            None,
            "wmbusmeters driver test sontex868",
            {
                "datetime": 0x2A9F0A04, "units": 119, "set_day_after": 0xF7E1, "set_date_units": 102,
                "radiator_max_last_year_cc": 0, "month_first[17]": 0x2561, "month_units[17]": 0, "month_units": 0,
                **{f"month_units[{back}]": 0 for back in range(1, 17)},
                "rating_kc": 0x3F800000, "rating_kq": 0x3F800000, "radiator_cc": 2_733, "room_cc": 1_240,
                "radiator_cc[-1]": 2_733, "tariff_minutes": 0, "tariff_date": 0x0101, "cumulations": 0,
                "date": 0x2A9F, "software": 10_301, "makers_2c": 0, "activation": 0x08AC,
            },
        ),
    ),
)  # fmt: skip
