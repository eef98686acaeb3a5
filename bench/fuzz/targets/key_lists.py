"""Key files, CSV and TOML; a case is the file, its first byte says which. A message never holds a key."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from bench.fuzz import mutations
from bench.fuzz.target import SECRET, Found, TargetKind, plain
from sim.core.seeds import Dice
from sim.portal.keyring import Keyring, KeyringError, parse_address

_ADDRESSES = (
    "QDS 10000001 36 08",
    "QDS 10000001 36 08 ",
    "10000001",
    "qds 1 36 08",
    "ZRI 8018121A FC 08",
    "Q 1",
    "",
    "ÄÖÜ 1",
)
_KEYS = (SECRET, SECRET.upper(), SECRET[:-1], SECRET + "00", f"0x{SECRET}", " ".join(SECRET), f'"{SECRET}"', "")
_GENUINE = f"QDS 10000001 36 08,{SECRET}\n"


class Keys:
    """See bench.fuzz.target.Target."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._paths = folder / "keys.csv", folder / "keys.toml"
        for path in self._paths:
            path.touch(mode=0o600)
        self._known = (parse_address(_ADDRESSES[0]),)

    def draw(self, dice: Dice) -> bytes:
        toml = dice.randrange(2)
        lines = []
        for _ in range(dice.choice((1, 1, 2, 5))):
            address, key = dice.choice(_ADDRESSES), dice.choice(_KEYS)
            pair = (address, key) if dice.randrange(6) else (key, address)
            if toml:
                words = [json.dumps(word) if dice.randrange(8) else word for word in pair]
                lines.append(f"[[meter]]\naddress = {words[0]}\nkey = {words[1]}")
            else:
                lines.append(dice.choice((",", ",", ", ", ";", " ")).join(pair))
        text = "\n".join(lines).encode()
        return bytes((toml,)) + (mutations.changed_text(text, dice) if dice.randrange(2) else text)

    def change(self, case: bytes, dice: Dice) -> bytes:
        return case[:1] + mutations.changed_text(case[1:], dice)

    def play(self, cases: Sequence[bytes]) -> list[str]:
        return [self._played(case) for case in cases]

    def _played(self, case: bytes) -> str:
        path = self._paths[bool(case[:1] and case[0] & 1)]
        path.write_bytes(case[1:])
        try:
            keyring = Keyring.load(path, known=self._known)
        except KeyringError as error:
            plain(str(error))
            if not str(error).startswith(str(path)):
                raise Found("a refused key file is not named") from None
            return str(error).removeprefix(str(path)).lstrip(", line:0123456789")[:24]
        if SECRET in repr(keyring):
            raise Found("a keyring shows a key")
        return f"{min(len(keyring), 3)} keys"

    def check(self) -> None:
        path = self._paths[0]
        path.write_text(_GENUINE)
        if Keyring.load(path).key(self._known[0]) != bytes.fromhex(SECRET):
            raise Found("a genuine key file is not read")

    def close(self) -> None:
        for path in self._paths:
            path.unlink(missing_ok=True)


TARGET = TargetKind(
    id="keys",
    title="key files",
    make=Keys,
    batches=1,
    together=300,
    guided=100,
    code=("sim/portal/keyring.py",),
)
