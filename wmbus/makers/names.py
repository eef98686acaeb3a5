"""Who makes the meter: the three letters of the M field as a name (register of the DLMS User Association).

Only makers of meters that were met in field telegrams; any other is named by its letters.
"""

from __future__ import annotations

from typing import Final

MAKERS: Final = {
    "ABB": "ABB", "APA": "Apator", "AXI": "Axioma", "BMT": "BMeters", "DME": "Diehl", "DWZ": "Lorenz", "EBZ": "eBZ",
    "EFE": "Engelmann", "ELS": "Elster", "ELV": "Elvaco", "EMH": "EMH", "ESY": "EasyMeter", "GWF": "GWF",
    "HYD": "Diehl Hydrometer", "INE": "Innotas", "ITR": "Itron", "KAM": "Kamstrup", "KAW": "Kamstrup",
    "LGB": "Landis+Gyr", "LSE": "Qundis", "LUG": "Landis+Gyr", "NZR": "NZR", "QDS": "Qundis",
    "RAM": "Rossweiner", "REL": "Relay", "SAP": "Diehl Sappel", "SEN": "Sensus", "SON": "Sontex", "SPX": "Sensus",
    "SVM": "Elvaco", "TCH": "Techem", "WEP": "Weptech", "ZRI": "Zenner",
}  # fmt: skip


def maker_words(letters: str) -> str:
    """ "Techem (TCH)"; the letters alone for a maker not listed.  Bit 15 of the M field (a first letter in small) marks
    an address that is not unique, not another maker."""
    name = MAKERS.get(letters.upper())
    return f"{name} ({letters})" if name else letters
