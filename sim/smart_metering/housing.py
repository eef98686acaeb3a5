"""What a gateway's housing notices: it was opened, the gateway was moved, its security module was pulled.

Each is reported at once to the keeper of the gateway's logs (`tell`, a plain callable), and written to the
gateway's disk until the administrator has it: neither a power cut nor days without the
WAN lose one. The kinds are of this model.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

OPENED, MOVED, PULLED = "housing opened", "gateway moved", "module pulled"
KINDS: Final = (OPENED, MOVED, PULLED)


class Disturbance(NamedTuple):
    """`time_ns`: world time."""

    time_ns: int
    what: str


class Housing:
    """Of one gateway; `path` is on its disk. Made again on the same disk it is the same one."""

    def __init__(self, path: Path, tell: Callable[[Disturbance], None]) -> None:
        self._path, self._tell = path, tell
        self._untold = [Disturbance(*one) for one in json.loads(path.read_text("utf-8"))] if path.exists() else []

    @property
    def untold(self) -> tuple[Disturbance, ...]:
        """What the administrator was not told yet."""
        return tuple(self._untold)

    def disturb(self, what: str, now_ns: int) -> None:
        """A sensor notices it. Raises ValueError for another kind."""
        if what not in KINDS:
            raise ValueError(f"a housing notices {', '.join(KINDS)}, not {what!r:.40}")
        self._untold.append(Disturbance(now_ns, what))
        self._write()
        self._tell(self._untold[-1])

    def told(self, count: int | None = None) -> None:
        """The administrator has so many of `untold`, the oldest; None: all."""
        if self._untold:
            del self._untold[:count]
            self._write()

    def _write(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        new = self._path.with_suffix(".new")
        new.write_text(json.dumps(self._untold), "utf-8")
        new.replace(self._path)
