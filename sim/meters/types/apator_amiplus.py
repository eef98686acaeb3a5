"""Apator Amiplus electricity meter (APA, version 1): total and four tariffs in watt hours, time to the second.

Two tariffs are in use, day and night; the total is their sum. Nothing is fed in: the registers with VIFE 3C (backward
flow) stay zero, and so do tariffs 3 and 4. The voltages do not move. The published telegram is of May and shows summer
time, two hours ahead of UTC; clocks here keep the winter's hour all year, one ahead as the maker's other telegrams say
it, and a week day is not specified.
"""

from sim.meters.encodings import field
from sim.meters.meter_type import Example, Kind
from sim.meters.quantities import ONE_HOUR, POSITIVE, QUANTITIES

KIND = Kind(
    id="apator-amiplus",
    title="Apator Amiplus electricity meter",
    manufacturer="APA",
    version=0x01,
    device_type=0x02,
    unencrypted_prefix=b"\x2f\x2f",
    quantities={"clock": QUANTITIES["datetime_s"]._replace(weekday=False, bits=POSITIVE | ONE_HOUR)},
    constants={
        "tariff_3_wh": 0, "tariff_4_wh": 0, "fed_in_wh": 0, "fed_in_1_wh": 0, "fed_in_2_wh": 0, "fed_in_3_wh": 0,
        "fed_in_4_wh": 0, "phase_1_dv": 2_310, "phase_2_dv": 2_305, "phase_3_dv": 2_315,
    },
    fields=(
        field("066D", "I", "clock"),
        field("0C78", "bcd8", "fabrication"),
        field("0E03", "bcd12", "energy_wh"),
        field("8E1003", "bcd12", "tariff_1_wh"),
        field("8E2003", "bcd12", "tariff_2_wh"),
        field("8E3003", "bcd12", "tariff_3_wh"),
        field("8E801003", "bcd12", "tariff_4_wh"),
        field("0E833C", "bcd12", "fed_in_wh"),
        field("8E10833C", "bcd12", "fed_in_1_wh"),
        field("8E20833C", "bcd12", "fed_in_2_wh"),
        field("8E30833C", "bcd12", "fed_in_3_wh"),
        field("8E8010833C", "bcd12", "fed_in_4_wh"),
        field("0AFDC8FC01", "bcd4", "phase_1_dv"),
        field("0AFDC8FC02", "bcd4", "phase_2_dv"),
        field("0AFDC8FC03", "bcd4", "phase_3_dv"),
    ),
    examples=(
        Example(
            "9e4401060445915601027a3d0390052f2f066dc076091935800c78044591560e032088300000008e10032088300000008e20"
            "030000000000008e30030000000000008e8010030000000000000e833c2702000000008e10833c2702000000008e20833c00"
            "00000000008e30833c0000000000008e8010833c0000000000000afdc8fc0136240afdc8fc0262240afdc8fc0389222f2f2f"
            "2f2f2f2f2f2f2f2f2f",
            None,
            "wmbusmeters driver test amiplus, published decrypted",
            {
                "clock": 0x8035190976C0, "fabrication": 56_914_504, "energy_wh": 308_820, "tariff_1_wh": 308_820,
                "tariff_2_wh": 0, "tariff_3_wh": 0, "tariff_4_wh": 0, "fed_in_wh": 227, "fed_in_1_wh": 227,
                "fed_in_2_wh": 0, "fed_in_3_wh": 0, "fed_in_4_wh": 0, "phase_1_dv": 2_436, "phase_2_dv": 2_462,
                "phase_3_dv": 2_289,
            },
        ),
    ),
)  # fmt: skip
