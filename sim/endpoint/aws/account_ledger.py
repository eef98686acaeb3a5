"""The ledger of what was made in an account: one JSON line for each thing intended, made and removed.

A line "intended" is on the disk before the call that makes a thing, "made" after it. So a crash in between leaves a
line that says what may stand there, and `standing` gives it as in doubt. A certificate has no name of its own before
it is made; its intention holds the name of its public key, by which it can be found in the account.
No credential and no private key is written here; ARNs hold the number of the account.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from sim.core import clock, whole_file
from sim.endpoint.port import EndpointError, OutOfReach

INTENDED, MADE, GONE = "intended", "made", "gone"
KINDS: Final = ("policy", "thing", "certificate")
_PLURAL: Final = {"policy": "policies", "thing": "things", "certificate": "certificates"}
_STATES: Final = (INTENDED, MADE, GONE)


@dataclass(frozen=True, slots=True)
class Entry:
    """What may stand in the account. `name`: of the policy or thing, of a certificate its device's. `key`: of a
    certificate, what names its public key. `id`, `arn`: once AWS gave them. `doubt`: intended, and nothing more."""

    kind: str
    name: str
    key: str = ""
    id: str = ""
    arn: str = ""
    doubt: bool = True


@dataclass
class Ledger:
    """A file of lines. `mark` stands in its first line, and in what it made: by it a thing is known to be ours.
    Raises EndpointError."""

    place: Path
    account: str = ""
    region: str = ""
    mark: str = ""
    _standing: dict[tuple[str, str, str], Entry] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.place.exists():
            self._read()
            return
        if not self.account:
            raise EndpointError(f"no ledger {self.place}: nothing was provisioned from this folder; name it by --dir")
        self.mark = hashlib.sha256(f"{clock.unix_ns()} {self.place.resolve()}".encode()).hexdigest()[:16]
        try:
            self.place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise EndpointError(f"cannot write {self.place.parent}: {error.strerror}; name another by --dir") from None
        self._write({"account": self.account, "region": self.region, "mark": self.mark})

    def check(self, account: str, region: str) -> None:
        """Raises OutOfReach where this ledger is of another account or region."""
        if (account, region) != (self.account, self.region):
            raise OutOfReach(
                f"{self.place} is of account {self.account} in {self.region}, and these credentials are of {account} "
                f"in {region}; use the ones it was made with, or another --dir"
            )

    def intends(self, kind: str, name: str, key: str = "") -> None:
        self._note(INTENDED, Entry(kind, name, key))

    def made(self, kind: str, name: str, key: str = "", *, id: str = "", arn: str = "") -> Entry:
        entry = Entry(kind, name, key, id, arn, doubt=False)
        self._note(MADE, entry)
        return entry

    def gone(self, entry: Entry) -> None:
        self._note(GONE, entry)

    def standing(self, kind: str = "", name: str = "") -> list[Entry]:
        """What was intended or made and is not gone, in the order it began."""
        return [
            one for one in self._standing.values() if kind in ("", one.kind) and name in ("", one.name)
        ]  # fmt: skip

    def told(self) -> str:
        """What stands, in words; empty when nothing does."""
        standing = self.standing()
        if not standing:
            return ""
        counts = Counter(one.kind for one in standing)
        named = [f"{n} {_PLURAL[kind] if n > 1 else kind}" for kind in KINDS if (n := counts[kind])]
        doubts = sum(one.doubt for one in standing)
        return f"{', '.join(named)} {'stand' if len(standing) > 1 else 'stands'}" + (
            f" ({doubts} in doubt: AWS was asked for it and did not answer)" if doubts else ""
        )

    # --- the file ------------------------------------------------------------------------------------------------

    def _note(self, state: str, entry: Entry) -> None:
        row = {"unix_ms": clock.unix_ns() // 1_000_000, "state": state, "kind": entry.kind, "name": entry.name}
        row |= {key: value for key in ("key", "id", "arn") if (value := getattr(entry, key))}
        self._write(row)
        self._take(state, entry)

    def _take(self, state: str, entry: Entry) -> None:
        which = (entry.kind, entry.name, entry.key)
        if state == GONE:
            self._standing.pop(which, None)
        else:
            self._standing[which] = entry

    def _write(self, row: dict[str, Any]) -> None:
        """On the disk when this returns."""
        try:
            with self.place.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise EndpointError(
                f"cannot write the ledger {self.place}: {error.strerror}; without it nothing is made in an account"
            ) from None

    def _read(self) -> None:
        try:
            lines = self.place.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise EndpointError(f"cannot read the ledger {self.place}: {error}") from None
        for number, line in enumerate(lines, 1):
            try:
                row = json.loads(line)
                if number == 1:
                    self.account, self.region, self.mark = (str(row[key]) for key in ("account", "region", "mark"))
                    continue
                if row["state"] not in _STATES or row["kind"] not in KINDS:
                    raise ValueError(f"no state {row['state']!r} of {row['kind']!r}")
                found = {key: str(row.get(key, "")) for key in ("key", "id", "arn")}
                self._take(row["state"], Entry(row["kind"], str(row["name"]), **found, doubt=row["state"] == INTENDED))
            except (ValueError, KeyError, TypeError) as error:
                if number == len(lines) and number > 1:  # the write that a crash cut off
                    self._mend(lines[:-1])
                    return
                raise EndpointError(
                    f"{self.place}, line {number}: not of a ledger ({error}); mend it: it says what stands "
                    "in the account"
                ) from None

    def _mend(self, lines: list[str]) -> None:
        """Without the half line, onto which the next would be written."""
        whole_file.write(self.place, "".join(one + "\n" for one in lines))
