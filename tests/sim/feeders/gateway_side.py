"""What a gateway does at its end of a line: sets up its dongle, as the maker's protocol has it, and reads."""

from __future__ import annotations

import os
import select
import socket
import tty
from collections.abc import Callable

from sim.core import clock
from sim.lines.codecs.port import CODECS
from sim.lines.reception import Reception

SETUP = {  # format -> (command, bytes of its answer)
    "im871a": ((b"\xa5\x01\x0f\x00", 14), (b"\xa5\x01\x05\x00", 28), (bytes.fromhex("a501030600020a300100"), 6)),
    "amb8465": ((bytes.fromhex("ff0a02008077"), 126), (bytes.fromhex("ff040109f3"), 5)),
    "cul": ((b"V\r\n", 19), (b"brc\r\n", 7), (b"X21\r\n", 0)),
    "rc1180": ((b"\0", 1), (b"0", 257), (b"X", 0)),
    "rtl_wmbus": (),
    "rtl_433-json": (),
}
TO_S1 = bytes.fromhex("a5010306000200300100"), 6


def until(done: Callable[[], bool], deadline_s: float = 10.0) -> bool:
    end_s = clock.wall_s() + deadline_s
    while not (well := done()) and clock.wall_s() < end_s:
        clock.wall_sleep(0.002)
    return well


class GatewaySide:
    """Opens a path, or dials an address."""

    def __init__(self, place: str, codec: str) -> None:
        self._socket: socket.socket | None = None
        if place.startswith("/"):
            self.descriptor = os.open(place, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
            tty.setraw(self.descriptor)
        else:
            host, _, port = place.rpartition(":")
            self._socket = socket.create_connection((host, int(port)), 10)
            self.descriptor = self._socket.fileno()
        self._reader = CODECS.find(codec).reader()
        self.raw = b""

    def say(self, data: bytes) -> None:
        os.write(self.descriptor, data)

    def read(self, least_bytes: int = 1, deadline_s: float = 10.0) -> bytes:
        """What came, once there are so many bytes of it."""
        came = b""
        end_s = clock.wall_s() + deadline_s
        while len(came) < least_bytes and clock.wall_s() < end_s:
            if select.select([self.descriptor], [], [], 0.05)[0]:
                came += os.read(self.descriptor, 65_536)
        self.raw += came
        return came

    def receptions(self, count: int) -> list[Reception]:
        """So many telegrams."""
        got: list[Reception] = []
        end_s = clock.wall_s() + 10
        while len(got) < count and clock.wall_s() < end_s:
            got += [one.what for one in self._reader.feed(self.read(1, 0.2)) if isinstance(one.what, Reception)]
        return got

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        else:
            os.close(self.descriptor)
