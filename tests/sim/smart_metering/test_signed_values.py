"""Readings of a load profile carry a signature each, and one that says something else is refused with its delivery."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from sim.core.seeds import Seeds
from sim.pki.party_certificates import PartyRoot
from sim.pki.sealed_content import seal
from sim.pki.signed_content import sign_by
from sim.smart_metering.participant import Participant
from sim.smgw.delivered_content import Delivery, Value, decode
from sim.smgw.module.in_world import InWorldModule, draws
from sim.smgw.refusals import RuleError

SINCE = datetime(2026, 1, 1, tzinfo=UTC)
NOW_NS = int(datetime(2026, 1, 2, tzinfo=UTC).timestamp()) * 10**9
READING = Value(7, "APA 10000001 01 02", "1-0:1.8.0*255", 0, None, 1_767_222_900, Decimal("1234.5"))


class Bed:
    def __init__(self, folder: Path) -> None:
        seeds = Seeds(1)
        self.pki = PartyRoot("SM-Test-Root.CA", draws(seeds, "root", "draws"), SINCE)
        self.module = InWorldModule(seeds, "gw-1")
        self.receiver = self.pki.receiver("supplier.EMT", draws(seeds, "supplier", "ENC"))
        self.signer = self.pki.certify("gw-1.SMGW", self.module.make_key("SIG"), "SIG")
        self.supplier = Participant("supplier", folder, self.receiver, {"gw-1": self.signer}, lambda _: None,
                                    trust=self.pki.trust)  # fmt: skip
        self.number = 0

    def signed(self, one: Value, gateway: str = "gw-1", by: InWorldModule | None = None) -> Value:
        return one._replace(signature=(by or self.module).sign("SIG", one.statement(gateway)))

    def hand_in(self, *values: Value) -> dict[str, int]:
        self.number += 1
        content = Delivery("gw-1", "supplier", self.number, values).encode()
        sealed = seal(content, self.receiver.certificate, draw=self.module.random)
        at = SINCE.replace(second=self.number)
        self.supplier.take("gw-1", sign_by(sealed, self.signer, lambda body: self.module.sign("SIG", body), at), NOW_NS)
        return dict(self.supplier.counts)


def test_a_reading_is_stored_with_its_signature(tmp_path: Path) -> None:
    bed = Bed(tmp_path)
    one = bed.signed(READING)
    gap, register = READING._replace(amount=None), READING._replace(taf=2, from_s=1_767_222_000)
    assert bed.hand_in(one, gap, register) == {"opened": 1}, "a gap and a register have none"
    assert [row.value for row in bed.supplier.stored()] == [one, gap, register]
    assert decode(Delivery("gw-1", "supplier", 1, (one,)).encode()).values == (one,)


@pytest.mark.parametrize(
    "change",
    [
        {"signature": None}, {"meter": "APA 10000002 01 02"}, {"obis": "1-0:2.8.0*255"}, {"tariff": 1},
        {"until_s": 1_767_223_800}, {"amount": Decimal("1234.6")}, {"taf": 14},
    ],
)  # fmt: skip
def test_a_signature_over_anything_else_is_none(tmp_path: Path, change: dict[str, object]) -> None:
    bed = Bed(tmp_path)
    assert bed.hand_in(bed.signed(READING), bed.signed(READING)._replace(**change)) == {"refused: value-signature": 1}
    assert list(bed.supplier.stored()) == []


def test_nobody_elses_signature_counts(tmp_path: Path) -> None:
    bed = Bed(tmp_path)
    other = InWorldModule(Seeds(2), "gw-1")
    other.make_key("SIG")
    assert bed.hand_in(bed.signed(READING, by=other)) == {"refused: value-signature": 1}
    assert bed.hand_in(bed.signed(READING, gateway="gw-2")) == {"refused: value-signature": 2}


def test_what_is_no_signature_in_hex_is_refused() -> None:
    text = Delivery("gw-1", "supplier", 1, (READING._replace(signature=bytes(70)),)).encode()
    with pytest.raises(RuleError, match="none in hex"):
        decode(text.replace(b"00" * 70, b"0g"))
