"""Which maker's own format a telegram carries, and the values in it.

Only what a maker's name and the bytes themselves announce is read: what departs from a published layout stays bytes.
"""

from __future__ import annotations

from collections.abc import Iterable

from wmbus.dif import Chain
from wmbus.dissect import Telegram
from wmbus.makers import qundis, techem
from wmbus.makers.value import MakerValue
from wmbus.records import Record

_TECHEM = "TCH"
_TECHEM_CIS = frozenset({0xA0, 0xA1, 0xA2})
_QUNDIS = frozenset({"QDS", "LSE", "ZRI"})


def of_payload(telegram: Telegram) -> list[MakerValue] | None:
    """Values of a payload that is all the maker's own; None where no public source describes it."""
    if telegram.ci not in _TECHEM_CIS:
        return None
    a = telegram.address
    return techem.read(a.version, a.device_type, telegram.payload) if a.manufacturer == _TECHEM else None


def has_own(manufacturer: str, chains: Iterable[Chain]) -> bool:
    """Whether a record of these chains may hold a maker's own values."""
    return manufacturer in _QUNDIS and any(chain.dif_vif == qundis.DIF_VIF for chain in chains)


def of_records(telegram: Telegram, records: Iterable[Record]) -> list[MakerValue]:
    """Values in the maker's records among others."""
    manufacturer = telegram.address.manufacturer
    if manufacturer not in _QUNDIS:
        return []
    return [
        value
        for record in records
        if has_own(manufacturer, [record.chain]) and isinstance(record.value, bytes)
        for value in qundis.read(record.value) or []
    ]
