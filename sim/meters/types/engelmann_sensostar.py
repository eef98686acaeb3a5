"""Engelmann SensoStar (EFE, version 00, heat): the classic OMS heat meter, energy first.

One stands for a whole flat: its energy follows the same rooms and weather as the allocators', and never returns to
zero. Volume, flow and the two temperatures follow from the power at a spread of ten kelvin.
"""

from sim.meters.encodings import field
from sim.meters.meter_type import TAMPERS, Example, Fault, Kind

KIND = Kind(
    id="engelmann-sensostar",
    title="Engelmann SensoStar heat meter",
    manufacturer="EFE",
    version=0x00,
    device_type=0x04,
    cfg_flags_unencrypted=0x2000,
    unencrypted_prefix=b"\x2f\x2f",
    fields=(
        field("046D", "F", "datetime"),
        field("0406", "u32", "energy_kwh"),
        field("01FD17", "u8", "error_flags"),
        field("0413", "u32", "heating_volume_l"),
        field("043B", "i32", "flow_l_h"),
        field("042B", "i32", "power_w"),
        field("025B", "i16", "flow_c"),
        field("025F", "i16", "return_c"),
        field("0261", "i16", "spread_ck"),
        field("03FD0C", "u24", "model"),
        field("02FD0B", "u16", "parameter_set"),
    ),
    constants={"model": 0x000105, "parameter_set": 0x1120},
    faults={how: Fault(flags=flags) for how, flags in zip(TAMPERS, (0x08, 0x08, 0x01), strict=True)},
    examples=(
        Example(
            "4944c5144404752100047ac10000202f2f046d142d073404068847000001fd170004138e8a4000043bf7ffffff042b000000"
            "00025b3e00025f360002612f0303fd0c05010002fd0b2011",
            None,
            "wmbusmeters driver test sensostar, a real meter",
            {
                "datetime": 0x34072D14, "energy_kwh": 18_312, "error_flags": 0, "heating_volume_l": 4_229_774,
                "flow_l_h": -9, "power_w": 0, "flow_c": 62, "return_c": 54, "spread_ck": 815, "model": 0x000105,
                "parameter_set": 0x1120,
            },
        ),
    ),
)  # fmt: skip
