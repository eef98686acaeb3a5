"""SML files out of a stream of octets, as they arrive in pieces of any size. Each is still to be read (sml_file.read).

Bytes before a start are noise: they are counted and left. A file that is begun again before it ended, or that is longer
than any meter sends, is a refusal, and reading goes on at the next start.
"""

from __future__ import annotations

from typing import Final

from sim.smgw.refusals import BadFrame
from sim.smgw.sml_file import ESCAPE, START

FILE_MOST_BYTES: Final = 1 << 16
"""Ours."""
_END: Final = 0x1A
_AFTER: Final = 8
"""Bytes of an escape and what it says."""


class FileSplitter:
    """Holds at most one file that has begun."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._looked = 0
        self.noise_bytes = 0

    def feed(self, data: bytes) -> list[bytes | BadFrame]:
        """Files that are whole now, and what was none."""
        self._rest += data
        out: list[bytes | BadFrame] = []
        while True:
            if not self._looked and not self._begun():
                return out
            at = self._rest.find(ESCAPE, self._looked)
            if at < 0 or len(self._rest) < at + _AFTER:
                if len(self._rest) > FILE_MOST_BYTES:
                    out.append(BadFrame("sml-long", f"a file of more than {FILE_MOST_BYTES} bytes", FILE_MOST_BYTES))
                    self._drop(len(START))
                    continue
                self._looked = max(len(START), len(self._rest) - 3) if at < 0 else at
                return out
            says = bytes(self._rest[at + 4 : at + _AFTER])
            if says == ESCAPE:
                self._looked = at + _AFTER
            elif says == START[4:]:
                out.append(BadFrame("sml-cut", f"a file begins within one of {at} bytes", at))
                self._drop(at)
            elif says[0] == _END:
                out.append(bytes(self._rest[: at + _AFTER]))
                del self._rest[: at + _AFTER]
                self._looked = 0
            else:
                out.append(BadFrame("sml-escape", f"{says.hex()} after an escape is neither an end nor an escape", at))
                self._drop(at + 4)

    def _begun(self) -> bool:
        at = self._rest.find(START)
        if at < 0:
            kept = min(len(self._rest), len(START) - 1)
            self.noise_bytes += len(self._rest) - kept
            del self._rest[: len(self._rest) - kept]
            return False
        self._drop(at)
        self.noise_bytes += at
        self._looked = len(START)
        return True

    def _drop(self, count: int) -> None:
        del self._rest[:count]
        self._looked = 0
