"""A path between two network namespaces with a rate, a delay and loss each way: real TCP goes through it.

    with slow_path(Backhaul(...)) as path:
        path.popen("far", ["mosquitto", ...])        here 10.77.0.2
        path.run("near", ["mosquitto_pub", ...])     from 10.77.0.1
        path.taken()                                 IP bytes and packets each way since the last call
        path.logical_s()                                how long that took by the path's own reckoning

A TUN device in each namespace ends in this process, which hands every IP packet on when its time has come. (tc's netem
does the same where a kernel has it; many have not.) The reckoning is a logical clock: a packet is sent when the last
one before it had arrived, waits for those before it, and takes its bytes' time and the delay. So what the machine takes
beside the path is not in it.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import random
import shutil
import struct
import subprocess
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from sim.network.backhaul import Backhaul, Sent

REASON = "allowed: no network namespaces or TUN devices can be made here; that takes root"
NEAR, FAR = "10.77.0.1", "10.77.0.2"
_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x400454CA, 1, 0x1000


class SlowPath:
    """Use `slow_path`."""

    def __init__(self, backhaul: Backhaul, names: dict[str, str]) -> None:
        self._backhaul, self._names = backhaul, names
        self._devices = {side: _tun(f"wm{side}") for side in names}
        for side, own, other in (("near", NEAR, FAR), ("far", FAR, NEAR)):
            name = names[side]
            _ip("link", "set", f"wm{side}", "netns", name)
            for words in (
                ("addr", "add", own, "peer", other, "dev", f"wm{side}"),
                ("link", "set", f"wm{side}", "mtu", str(backhaul.mtu_bytes), "up"),
                ("link", "set", "lo", "up"),
            ):
                _ip("netns", "exec", name, "ip", *words)
        self._counts = [0, 0, 0, 0]
        self._lock = threading.Lock()
        self._at_s = {"near": 0.0, "far": 0.0}  # by the logical clock, when the last packet arrived there
        self._begun_s = 0.0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._draw = random.Random(1)
        for side, other, bit_s, at in (("near", "far", backhaul.up_bit_s, 0), ("far", "near", backhaul.down_bit_s, 1)):
            self._loop.add_reader(self._devices[side], _Way(self, side, other, bit_s, at).read)
        self._thread.start()
        self._children: list[subprocess.Popen[bytes]] = []

    def command(self, side: str, words: list[str]) -> list[str]:
        return ["ip", "netns", "exec", self._names[side], *words]

    def run(self, side: str, words: list[str]) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(self.command(side, words), capture_output=True, timeout=60, check=False)

    def popen(self, side: str, words: list[str]) -> subprocess.Popen[bytes]:
        child = subprocess.Popen(self.command(side, words), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._children.append(child)
        return child

    def taken(self) -> Sent:
        """Since the last call. What is under way counts."""
        with self._lock:
            up_bytes, down_bytes, up, down = self._counts
            self._counts = [0, 0, 0, 0]
        return Sent(up_bytes, down_bytes, up, down)

    def logical_s(self) -> float:
        """Since the last call, by the logical clock."""
        with self._lock:
            now_s = max(self._at_s.values())
            logical_s, self._begun_s = now_s - self._begun_s, now_s
            self._at_s = dict.fromkeys(self._at_s, now_s)
        return logical_s

    def close(self) -> None:
        for child in self._children:
            child.terminate()
            child.wait(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
        for number in self._devices.values():
            os.close(number)


class _Way:
    """One direction: packets wait for each other, and then take the delay."""

    def __init__(self, path: SlowPath, side: str, other: str, bit_s: float, at: int) -> None:
        self._path, self._side, self._other, self._bit_s, self._at = path, side, other, bit_s, at
        self._free_s = 0.0
        self._waiting: list[tuple[bytes, float]] = []

    def read(self) -> None:
        path = self._path
        packet = os.read(path._devices[self._side], 65_536)
        if packet[0] >> 4 != 4:
            return  # what IPv6 says of itself
        with path._lock:
            path._counts[self._at] += len(packet)
            path._counts[2 + self._at] += 1
            self._free_s = max(self._free_s, path._at_s[self._side]) + 8 * len(packet) / self._bit_s
        self._waiting.append((packet, self._free_s + path._backhaul.latency_ms / 1000))
        if len(self._waiting) == 1:
            self._send()

    def _send(self) -> None:
        """The first that waits takes its bytes' time."""
        self._path._loop.call_later(8 * len(self._waiting[0][0]) / self._bit_s, self._sent)

    def _sent(self) -> None:
        packet, arrives_s = self._waiting.pop(0)
        if self._path._draw.random() >= self._path._backhaul.loss:
            self._path._loop.call_later(self._path._backhaul.latency_ms / 1000, self._arrived, packet, arrives_s)
        if self._waiting:
            self._send()

    def _arrived(self, packet: bytes, arrives_s: float) -> None:
        with self._path._lock:
            self._path._at_s[self._other] = max(self._path._at_s[self._other], arrives_s)
        os.write(self._path._devices[self._other], packet)


@contextlib.contextmanager
def slow_path(backhaul: Backhaul) -> Iterator[SlowPath]:
    """Skips where it cannot be."""
    names = {side: f"wm{os.getpid()}{side}" for side in ("near", "far")}
    made: list[str] = []
    path: Any = None
    try:
        try:
            if shutil.which("ip") is None:
                raise OSError("no ip")
            for name in names.values():
                _ip("netns", "add", name)
                made.append(name)
            path = SlowPath(backhaul, names)
        except (OSError, subprocess.CalledProcessError):
            pytest.skip(REASON)
        yield path
    finally:
        if path is not None:
            path.close()
        for name in made:
            _ip("netns", "del", name)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, timeout=20)


def _tun(name: str) -> int:
    number = os.open("/dev/net/tun", os.O_RDWR)
    try:
        fcntl.ioctl(number, _TUNSETIFF, struct.pack("16sH", name.encode(), _IFF_TUN | _IFF_NO_PI))
    except OSError:
        os.close(number)
        raise
    return number
