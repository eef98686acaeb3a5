"""What a module keeps on its own disk: the PIN of the processor that it is paired with, how many wrong ones may still
come, and the bytes that its keys were made of. A file of 0600 in a folder of 0700, written whole or not at all."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final

from sim.core import whole_file
from sim.pki.slot_keys import DRAWN_BYTES
from sim.smgw.module.port import SLOTS

PIN: Final = re.compile(r"[0-9]{10,32}")
"""TR-03116-3: at least 10 digits; the most is ours."""
TRIES: Final = 3
"""Ours: wrong PINs one after the other until a module is locked for good."""
_FILE: Final = "module.json"


class HeldError(Exception):
    """The folder holds no module, or one that cannot be read; the message names the way out."""


class Held:
    """Raises HeldError."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / _FILE
        try:
            kept = json.loads(self._path.read_text("utf-8"))
            self.pin, self.tries_left = str(kept["pin"]), int(kept["tries_left"])
            self.keys = {str(slot): bytes.fromhex(drawn) for slot, drawn in kept["keys"].items()}
        except FileNotFoundError:
            raise HeldError(f"{self._path}: no module was made here; start it with a PIN on its input") from None
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise HeldError(f"{self._path}: it cannot be read ({error}); a module is made anew in an empty folder") \
                from None  # fmt: skip
        right = all(slot in SLOTS and len(drawn) == DRAWN_BYTES for slot, drawn in self.keys.items())
        if not PIN.fullmatch(self.pin) or not 0 <= self.tries_left <= TRIES or not right:
            raise HeldError(f"{self._path}: its PIN, tries or keys are none; a module is made anew in an empty folder")

    @classmethod
    def make(cls, folder: Path, pin: str) -> Held:
        """A new module, paired with whoever knows this PIN. Raises HeldError."""
        if not PIN.fullmatch(pin):
            raise HeldError("a module's PIN has 10 to 32 digits")
        if (folder / _FILE).exists():
            raise HeldError(f"{folder / _FILE}: there is a module already, with its own PIN")
        made = cls.__new__(cls)
        made._path, made.pin, made.tries_left, made.keys = folder / _FILE, pin, TRIES, {}
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        made.write()
        return made

    def write(self) -> None:
        """On the disk when it returns. Raises HeldError."""
        kept = {"pin": self.pin, "tries_left": self.tries_left,
                "keys": {slot: drawn.hex() for slot, drawn in self.keys.items()}}  # fmt: skip
        try:
            whole_file.write(self._path, json.dumps(kept), private=True, durable=True)
        except OSError as error:
            raise HeldError(f"{self._path}: it cannot be written ({error.strerror or error})") from None
