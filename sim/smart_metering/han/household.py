"""What a consumer does with the HAN: reads the own meters, works bills out again, and looks into the own log.

The display that reads checks the gateway, or does not (client). Signed things are held against the gateway's
certificate that came with the contract, so a lie about them is noticed whoever brings it; a value on a display is not
signed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Final, NamedTuple

from sim.pki.party_certificates import Certificate, certified_point
from sim.pki.slot_keys import verifies
from sim.smart_metering.han import export
from sim.smart_metering.han.bill_check import Compared, compared
from sim.smart_metering.han.dialects.display import EXPORT, LOG
from sim.smart_metering.han.dialects.emh import ORIGIN
from sim.smart_metering.han.han_client import HanClient, HanClientError
from sim.smgw.delivered_content import Value
from sim.smgw.logs.hash_chain import Finding, Row, decode, ends_in, verify
from sim.smgw.logs.log_entries import consumer
from sim.smgw.refusals import RuleError

_WORD: Final = "utf-8"


class Shown(NamedTuple):
    """A register's value as a display has it: a whole number, times ten to `scaler`. `register`: its logical name."""

    register: str
    value: int
    scaler: int


class OwnLog(NamedTuple):
    """`found`: what is wrong with it."""

    rows: list[Row]
    found: list[Finding]


class Household:
    """One consumer. `trusted`: the gateway's certificate for its HAN; None: the display believes whoever answers.
    `signer`: the one that the gateway signs under. All of them raise HanClientError."""

    def __init__(
        self, owner: str, user: str, pin: str, gateway: str, signer: Certificate, trusted: Path | None,
        draw: Callable[[int], bytes],
    ) -> None:  # fmt: skip
        self.owner, self._user, self._pin = owner, user, pin
        self._gateway, self._signer, self._trusted, self._draw = gateway, signer, trusted, draw

    def dial(self, port: int) -> HanClient:
        return HanClient(port, self._user, self._pin, trusted=self._trusted, draw=self._draw)

    def display(self, port: int) -> list[Shown]:
        """Every own register's last value, as the display shows it."""
        with self.dial(port) as client:
            out = []
            for sensor in _json(client, ORIGIN):
                for one in _json(client, f"{ORIGIN}/{sensor}/extended")["values"]:
                    out.append(Shown(one["logical_name"], int(one["value"]), int(one["scaler"])))
            return out

    def check(self, port: int, bill: Sequence[Value]) -> list[Compared]:
        """A bill against the readings that the gateway signs. Raises ContentError, RuleError for readings that it did
        not sign."""
        with self.dial(port) as client:
            taken = _answered(client, EXPORT)
        return compared(bill, export.checked(taken, self._gateway, self._signer))

    def log(self, port: int) -> OwnLog:
        """The own log, its chain and its signed end. Raises RuleError for what is no log."""
        with self.dial(port) as client:
            told = _json(client, LOG)
        try:
            rows = [decode(json.dumps(one).encode()) for one in told["rows"]]
            statement, signature = str(told["statement"]).encode(_WORD), bytes.fromhex(str(told["signature"]))
        except (KeyError, TypeError, ValueError):
            raise RuleError("log", "what was answered is no log") from None
        if not verifies(certified_point(self._signer), statement, signature):
            raise RuleError("log-ends", "the log's end is not signed by this gateway")
        ends = ends_in(statement, self._gateway).get(consumer(self.owner))
        return OwnLog(rows, verify(rows, ends) if ends else [Finding(1, "no end of this log was signed")])


def _answered(client: HanClient, path: str) -> bytes:
    answer = client.ask("GET", path)
    if answer.status != 200:
        raise HanClientError("refused", f"{answer.status} {answer.body[:100].decode(_WORD, 'replace')}")
    return answer.body


def _json(client: HanClient, path: str) -> dict[str, list[dict[str, str]]]:
    try:
        found: dict[str, list[dict[str, str]]] = json.loads(_answered(client, path))
    except ValueError:
        raise HanClientError("refused", "the answer is no JSON") from None
    return found


def amount(one: Shown) -> Decimal:
    """A shown value in the meter's unit."""
    return Decimal(one.value).scaleb(one.scaler)
