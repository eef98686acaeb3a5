"""What a final receiver finds in a container: the values that a gateway delivers under its rule sets, as XML.

    <delivery gateway="gw-0001" receiver="supplier" number="3">
      <value taf="2" meter="QDS 10000001 36 08" obis="4-0:1.0.1*255" tariff="1" from="..." until="..." amount="7"/>
    </delivery>

The layout is of this model: the technical guideline that fixes one could not be opened. Times are ISO 8601 with the
local offset; a reading has only `until`. `amount` is missing where there is no value that may be billed. A reading
under TAF 7 or 14 carries the gateway's signature over `statement`, so that it can be shown to somebody without the
others; what such a signature covers was not found, and is of this model too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final, NamedTuple
from xml.etree import ElementTree

from sim.core.digits import whole_of
from sim.core.quoting import named
from sim.smgw.german_time import text
from sim.smgw.obis_codes import of_text
from sim.smgw.refusals import RuleError
from sim.smgw.rule_set import MODELLED, seconds

VALUES_MOST: Final = 100_000
"""Ours: of one delivery."""
BYTES_MOST: Final = 1 << 24
_AMOUNT: Final = re.compile(r"-?\d{1,30}(\.\d{1,18})?")
_FIELDS: Final = frozenset(("taf", "meter", "obis", "tariff", "from", "until", "amount", "signature"))
SIGNED_ONE_BY_ONE: Final = (7, 14)
_SIGNATURE: Final = re.compile("(?:[0-9a-f]{2}){8,72}")


class Value(NamedTuple):
    """One value: of a register that counted from `from_s` to `until_s`, or (from_s None) a reading at `until_s`."""

    taf: int
    meter: str
    obis: str
    tariff: int
    from_s: int | None
    until_s: int
    amount: Decimal | None
    signature: bytes | None = None
    """ECDSA with SHA-256 over `statement`, DER."""

    def statement(self, gateway: str) -> bytes:
        """What the gateway signs of a single value."""
        parts = (gateway, self.taf, self.meter, self.obis, self.tariff, self.from_s, self.until_s, self.amount)
        return "|".join("" if one is None else str(one) for one in parts).encode()

    @property
    def to_sign(self) -> bool:
        """Whether it leaves with a signature of its own."""
        return self.taf in SIGNED_ONE_BY_ONE and self.amount is not None


@dataclass(frozen=True, slots=True)
class Delivery:
    """`number` is the gateway's own count of deliveries to this receiver."""

    gateway: str
    receiver: str
    number: int
    values: tuple[Value, ...]

    def encode(self) -> bytes:
        root = ElementTree.Element("delivery", gateway=self.gateway, receiver=self.receiver, number=str(self.number))
        for one in self.values:
            fields = {"taf": str(one.taf), "meter": one.meter, "obis": one.obis, "tariff": str(one.tariff)}
            if one.from_s is not None:
                fields["from"] = text(one.from_s)
            fields["until"] = text(one.until_s)
            if one.amount is not None:
                fields["amount"] = format(one.amount, "f")
            if one.signature is not None:
                fields["signature"] = one.signature.hex()
            ElementTree.SubElement(root, "value", fields)
        return ElementTree.tostring(root)


def decode(data: bytes) -> Delivery:
    """Strictly. Raises RuleError (delivery) with what is wrong."""
    if len(data) > BYTES_MOST:
        raise RuleError("delivery", f"{len(data)} bytes; {BYTES_MOST} are the most")
    if b"<!" in data or b"<?" in data:
        raise RuleError("delivery", "a declaration stands in it; a delivery has elements only")
    try:
        root = ElementTree.fromstring(data)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise RuleError("delivery", f"it is no XML: {error}") from None
    if root.tag != "delivery" or set(root.attrib) != {"gateway", "receiver", "number"}:
        raise RuleError("delivery", "its element is <delivery gateway= receiver= number=>")
    if len(root) > VALUES_MOST:
        raise RuleError("delivery", f"{len(root)} values; {VALUES_MOST} are the most")
    number = whole_of(root.attrib["number"])
    if number is None:
        raise RuleError("delivery", f"number is {named(root.attrib['number'])}, no count")
    return Delivery(root.attrib["gateway"], root.attrib["receiver"], number, tuple(_values(root)))


def _values(root: ElementTree.Element) -> Iterable[Value]:
    for one in root:
        if one.tag != "value" or set(one.attrib) - _FIELDS or len(one):
            raise RuleError("delivery", f"<{named(one.tag)}> is no <value> with the fields of one")
        got = one.attrib
        if missing := {"taf", "meter", "obis", "tariff", "until"} - set(got):
            raise RuleError("delivery", f"a value lacks {', '.join(sorted(missing))}")
        taf, tariff = (_small(got[name], name) for name in ("taf", "tariff"))
        if taf not in MODELLED:
            raise RuleError("delivery", f"taf {taf} is none that delivers")
        from_s = seconds(got["from"], "delivery") if "from" in got else None
        yield Value(
            taf, got["meter"], str(of_text(got["obis"])), tariff, from_s, seconds(got["until"], "delivery"),
            _amount(got.get("amount")), _signature(got.get("signature")),
        )  # fmt: skip


def _small(given: str, name: str) -> int:
    number = whole_of(given, 255)
    if number is None:
        raise RuleError("delivery", f"{name} is {named(given)}, no number from 0 to 255")
    return number


def _signature(given: str | None) -> bytes | None:
    if given is None:
        return None
    if not _SIGNATURE.fullmatch(given):
        raise RuleError("delivery", f"signature is {named(given)}, none in hex")
    return bytes.fromhex(given)


def _amount(given: str | None) -> Decimal | None:
    if given is None:
        return None
    try:
        if _AMOUNT.fullmatch(given):
            return Decimal(given)
    except InvalidOperation:
        pass
    raise RuleError("delivery", f"amount is {named(given)}, no number")
