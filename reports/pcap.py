"""air.pcap: what was on the simulated air, for Wireshark.

Classic pcap, nanosecond resolution (magic A1B23C4D), little endian, link type DLT_USER0 (147). Times are calendar times
of the world's own calendar. Each packet is one frame at one receiver: a pseudo header of eight bytes, big endian, then
the telegram from its L field, without CRCs (none for a jammer's burst):

    offset size  field
    0      1     version    1; 255 marks a note, whose text in UTF-8 follows the pseudo header
    1      1     mode       1 T1, 2 C1, 3 S1
    2      1     fate       sim.core.events.Fate
    3      1     origin     0 a meter, 1 an attacker
    4      2     receiver   number of the gateway in the site
    6      2     RSSI       1/100 dBm at that receiver, signed

A day of a large site is more than anyone opens, so a limit holds; the last packet is then a note that says how many
frames were left out. `reports/wireshark/wmbus.lua` reads all this.
"""

from __future__ import annotations

import struct
from pathlib import Path
from types import TracebackType
from typing import Final

from sim.core.clock import Calendar

LINK_TYPE: Final = 147
VERSION: Final = 1
NOTE: Final = 255
MODES: Final = {"T1": 1, "C1": 2, "S1": 3}
_MAX_TELEGRAM_BYTES: Final = 4_096
_FILE = struct.Struct("<IHHiIII")
_RECORD = struct.Struct("<IIII")
_PSEUDO = struct.Struct(">BBBBHh")


class AirPcap:
    """An open air.pcap. `written` and `left_out` count frames; close() writes the note."""

    def __init__(self, path: Path, calendar: Calendar, limit_frames: int = 1_000_000) -> None:
        self.written = 0
        self.left_out = 0
        self._limit = limit_frames
        self._last_ns = 0
        epoch = calendar.start
        self._start_ns = int(epoch.timestamp()) * 1_000_000_000 + epoch.microsecond * 1_000
        self._file = path.open("wb", buffering=1 << 20)
        self._file.write(_FILE.pack(0xA1B23C4D, 2, 4, 0, 0, 65_535, LINK_TYPE))

    def write(
        self, time_ns: int, mode: int, fate: int, origin: int, receiver: int, rssi_cdbm: int, telegram: bytes
    ) -> None:
        """One frame at one receiver; beyond the limit it is only counted. RSSI is clipped to what 16 bits hold.
        Raises OSError when the disk is full and ValueError for bytes that are no telegram."""
        if self.written >= self._limit:
            self.left_out += 1
            return
        if len(telegram) > _MAX_TELEGRAM_BYTES:
            raise ValueError(f"{len(telegram)} bytes are no telegram")
        self._last_ns = time_ns
        rssi_cdbm = max(-32_768, min(32_767, rssi_cdbm))
        self._packet(time_ns, _PSEUDO.pack(VERSION, mode, fate, origin, min(receiver, 65_535), rssi_cdbm) + telegram)
        self.written += 1

    def close(self) -> None:
        """Write the note if frames were left out, and close. Harmless when closed already."""
        if self._file.closed:
            return
        try:
            if self.left_out:
                text = f"{self.left_out} more frames were left out: limit of {self._limit} reached"
                self._packet(self._last_ns, _PSEUDO.pack(NOTE, 0, 0, 0, 0, 0) + text.encode())
        finally:
            self._file.close()

    def _packet(self, time_ns: int, body: bytes) -> None:
        whole_s, part_ns = divmod(self._start_ns + time_ns, 1_000_000_000)
        self._file.write(_RECORD.pack(whole_s, part_ns, len(body), len(body)) + body)

    def __enter__(self) -> AirPcap:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
