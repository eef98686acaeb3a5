"""A market participant (EMT) that is a final receiver: it opens what was sealed for it, and stores values to bill.

The order of looking is signed_content's: the signer that is expected for this gateway, signed attributes, digest,
signature, age, receiver, tag; before it, whether the signer's certificate holds (sm_chain). A container that is refused
is kept with its reason and acknowledged, since it is no better the next time; so is one that was taken before. Where a
revocation list is missing or over, nothing is taken or refused: it waits at its gateway until there is a new one.
Without `verify` nothing of this is asked: that is the weakness. Without `attributes` the signature is, and not what the
signed attributes say: that is the lax reader of draft-ietf-lamps-cms-euf-cma-signeddata.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Final, NamedTuple

from sim.core.events import ContainerRefused, Event
from sim.pki import signed_content
from sim.pki.party_certificates import Certificate, certified_point
from sim.pki.sealed_content import ContentError, Receiver, unseal
from sim.pki.slot_keys import verifies
from sim.pki.sm_chain import ChainError, Trust
from sim.pki.unchecked_content import open_unchecked, signed_alone
from sim.smart_metering.due_values import TAF
from sim.smart_metering.signers import LATER, NOBODY, Signers, gateways_name
from sim.smgw.delivered_content import Delivery, Value, decode
from sim.smgw.german_time import midnight_s
from sim.smgw.refusals import RuleError

_SCHEMA: Final = (
    "CREATE TABLE IF NOT EXISTS delivered (gateway TEXT, number INTEGER, taf INTEGER, meter TEXT, obis TEXT, "
    "tariff INTEGER, from_s INTEGER, until_s INTEGER, amount TEXT, stored_ns INTEGER, signature BLOB)",
    "CREATE INDEX IF NOT EXISTS delivered_by_meter ON delivered (meter, taf, until_s)",
    "CREATE TABLE IF NOT EXISTS refused (gateway TEXT, reason TEXT, detail TEXT, stored_ns INTEGER, container BLOB)",
    "CREATE TABLE IF NOT EXISTS vouched (gateway TEXT, content TEXT)",
    "CREATE TABLE IF NOT EXISTS newest (gateway TEXT PRIMARY KEY, signed_at TEXT)",
)



def unix_time(now_ns: int) -> datetime:
    """Of nanoseconds since 1970."""
    return datetime.fromtimestamp(now_ns / 1e9, UTC)


class Stored(NamedTuple):
    """A value as the participant has it."""

    gateway: str
    number: int
    stored_ns: int
    value: Value


class Refused(NamedTuple):
    gateway: str
    reason: str
    detail: str
    stored_ns: int
    container: bytes


class Participant:
    """One thread at a time. `signers`: gateway -> the certificate that its containers are signed under; `signer_name`:
    what that certificate has to say for a gateway; `former`: the one before, of a gateway whose keys were renewed.
    Opened again on its directory it is the same one."""

    def __init__(
        self, name: str, directory: Path, receiver: Receiver, signers: dict[str, Certificate],
        record: Callable[[Event], None], *, verify: bool = True, attributes: bool = True, trust: Trust | None = None,
        at: Callable[[int], datetime] = unix_time, signer_name: Callable[[str], str] = gateways_name,
        former: Mapping[str, Certificate] = NOBODY,
    ) -> None:  # fmt: skip
        self.name = name
        self.directory = directory
        self.counts: Counter[str] = Counter()
        """"opened", "refused: <reason>", "waits: <clause>"."""
        self._receiver, self._record, self._verify, self._attributes = receiver, record, verify, attributes
        self._signers = Signers(signers, former, trust, at, signer_name)
        self._points: dict[int, bytes] = {}
        directory.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(directory / "values.sqlite", isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA synchronous = OFF")
        for sql in _SCHEMA:
            self._db.execute(sql)

    def take(self, gateway: str, container: bytes, now_ns: int) -> bool:
        """True: it has it, as values or as a refusal. False: whether its signer is good cannot be told now."""
        try:
            delivery, signed_at = self._open(gateway, container, now_ns)
            if self._verify and (delivery.gateway != gateway or delivery.receiver != self.name):
                raise RuleError("delivery", f"it says {delivery.gateway} to {delivery.receiver}")
            if self._verify:
                self._signed_one_by_one(delivery, self._signers.of(gateway, container))
        except (ContentError, RuleError, ChainError) as error:
            reason = error.reason if isinstance(error, ContentError) else error.clause
            if reason in LATER:
                self.counts[f"waits: {reason}"] += 1
                return False
            self.counts[f"refused: {reason}"] += 1
            self._record(ContainerRefused(now_ns, self.name, gateway, reason))
            self._db.execute("INSERT INTO refused VALUES (?, ?, ?, ?, ?)",
                             (gateway, reason, error.detail, now_ns, container))  # fmt: skip
            return True
        self.counts["opened"] += 1
        self._db.execute("BEGIN")
        self._db.executemany(
            "INSERT INTO delivered VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [(gateway, delivery.number, one.taf, one.meter, one.obis, one.tariff, one.from_s, one.until_s,
              None if one.amount is None else str(one.amount), now_ns, one.signature) for one in delivery.values],
        )  # fmt: skip
        self._db.execute("INSERT INTO newest VALUES (?, ?) ON CONFLICT (gateway) DO UPDATE SET signed_at = "
                         "excluded.signed_at", (gateway, signed_at.isoformat()))  # fmt: skip
        self._db.execute("COMMIT")
        return True

    def _open(self, gateway: str, container: bytes, now_ns: int) -> tuple[Delivery, datetime]:
        if not self._verify:
            content, at = open_unchecked(container, self._receiver)
            return decode(content), at
        signer = self._signers.of(gateway, container)
        self._signers.check(gateway, signer, now_ns)
        known = self._db.execute("SELECT signed_at FROM newest WHERE gateway = ?", (gateway,)).fetchone()
        newest = None if known is None else datetime.fromisoformat(known[0])
        if not self._attributes:
            believed = signed_alone(container, signer)
            self._vouch(gateway, believed)
            return decode(unseal(believed, self._receiver)), datetime.fromtimestamp(0, UTC)
        signed = signed_content.verify(container, signer)
        self._vouch(gateway, signed.content)
        return decode(signed_content.open_signed(signed, self._receiver, newer_than=newest)), signed.at

    def _signed_one_by_one(self, delivery: Delivery, signer: Certificate) -> None:
        """Raises ContentError (value-signature) for a reading that is to carry the gateway's signature and does not."""
        point = self._points.get(signer.serial_number)
        if point is None:
            point = self._points[signer.serial_number] = certified_point(signer)
        for one in delivery.values:
            if one.to_sign and not verifies(point, one.statement(delivery.gateway), one.signature or b""):
                said = f"the reading of {one.meter} at {one.until_s} is not signed by its gateway"
                raise ContentError("value-signature", said)

    def _vouch(self, gateway: str, content: bytes) -> None:
        """Its signature was believed."""
        self._db.execute("INSERT INTO vouched VALUES (?, ?)", (gateway, hashlib.sha256(content).hexdigest()))

    # --- asked ------------------------------------------------------------------------------------------------------

    def stored(self) -> Iterable[Stored]:
        """Every value, in the order of storing."""
        sql = "SELECT gateway, number, stored_ns, taf, meter, obis, tariff, from_s, until_s, amount, signature"
        for row in self._db.execute(f"{sql} FROM delivered ORDER BY rowid"):
            value = Value._make((*row[3:9], None if row[9] is None else Decimal(row[9]), row[10]))
            yield Stored(row[0], row[1], row[2], value)

    def vouched(self) -> list[tuple[str, str]]:
        """(gateway, SHA-256 in hex) of each content that it believed to be signed by that gateway."""
        return list(self._db.execute("SELECT gateway, content FROM vouched ORDER BY rowid"))

    def refused(self) -> list[Refused]:
        return [Refused(*row) for row in self._db.execute("SELECT * FROM refused ORDER BY rowid")]

    def billed(self, meter: str, set_date: date) -> int | None:
        """The latest value that was delivered for a meter's set date."""
        until_s = midnight_s(set_date + timedelta(days=1))
        sql = "SELECT amount FROM delivered WHERE meter = ? AND taf = ? AND until_s = ? ORDER BY rowid DESC LIMIT 1"
        row = self._db.execute(sql, (meter, TAF, until_s)).fetchone()
        return None if row is None or row[0] is None else int(Decimal(row[0]))

    def close(self) -> None:
        self._db.close()
