"""Who can log in on the HAN, and what wrong passwords cost.

The rule of this model: PIN_TRIES wrong ones in a row lock an account for LOCK_S, the right one as well; the next wrong
one after that locks it again, the right one counts anew. Tries are on the disk, so switching the gateway off and on
gains nothing. Passwords are kept as what Digest needs of them (RFC 7616, 3.4.2), never as they are.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sim.smart_metering.han.http_digest import ALGORITHMS, secret

PIN_TRIES: Final = 5
LOCK_S: Final = 900


@dataclass(frozen=True, slots=True)
class Account:
    """`owner`: whose data it sees; "" for a technician. `secrets`: algorithm -> what its passwords make. `certificate`:
    SHA-256 of the one that it may show instead, in hex; "" for none."""

    name: str
    role: str
    owner: str
    secrets: Mapping[str, str]
    certificate: str = ""


def account(name: str, role: str, owner: str, realm: str, pin: str, certificate: str = "") -> Account:
    """With its password in clear, which is not kept."""
    return Account(name, role, owner, {one: secret(name, realm, pin, one) for one in ALGORITHMS}, certificate)


class Accounts:
    """`tries`: the file in which wrong passwords are counted."""

    def __init__(self, accounts: Iterable[Account], tries: Path) -> None:
        self._by_name = {one.name: one for one in accounts}
        self._tries = tries
        self._wrong: dict[str, tuple[int, int]] = {}  # name -> wrong ones in a row, locked until
        try:
            kept = json.loads(tries.read_text("utf-8"))
            self._wrong = {str(name): (int(count), int(until_s)) for name, (count, until_s) in kept.items()}
        except FileNotFoundError:
            pass
        except (ValueError, TypeError, AttributeError):
            # Whoever damages it must not gain tries.
            self._wrong = dict.fromkeys(self._by_name, (PIN_TRIES - 1, 0))

    def find(self, name: str) -> Account | None:
        return self._by_name.get(name)

    def of_certificate(self, fingerprint: str) -> Account | None:
        """Whose certificate it is."""
        found = [one for one in self._by_name.values() if fingerprint and one.certificate == fingerprint]
        return found[0] if found else None

    def locked_until_s(self, name: str, now_s: int) -> int:
        """0: it is not locked."""
        _, until_s = self._wrong.get(name, (0, 0))
        return until_s if until_s > now_s else 0

    def was_wrong(self, name: str, now_s: int) -> int:
        """Count a wrong password; how many there were in a row. Names that nobody has are not counted."""
        if name not in self._by_name:
            return 0
        count = self._wrong.get(name, (0, 0))[0] + 1
        self._wrong[name] = count, now_s + LOCK_S if count >= PIN_TRIES else 0
        self._keep()
        return count

    def was_right(self, name: str) -> None:
        if self._wrong.pop(name, None) is not None:
            self._keep()

    def _keep(self) -> None:
        self._tries.parent.mkdir(parents=True, exist_ok=True)
        whole = self._tries.with_suffix(".new")
        whole.write_text(json.dumps(self._wrong), "utf-8")
        whole.replace(self._tries)
