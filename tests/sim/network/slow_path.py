"""A path between two network namespaces with a rate, a delay and loss each way: real TCP goes through it.

    with slow_path(Backhaul(...)) as path:
        path.popen("far", ["mosquitto", ...])        here 10.77.0.2
        path.run("near", ["mosquitto_pub", ...])     from 10.77.0.1
        path.taken()                                 IP bytes and packets each way since the last call

A TUN device in each namespace ends in this process, which hands every IP packet on when its time has come. (tc's netem
does the same where a kernel has it; many have not.)
"""

from __future__ import annotations

import contextlib
import fcntl
import heapq
import os
import random
import select
import shutil
import struct
import subprocess
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from sim.core.clock import wall_s
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
        self._stop_r, self._stop_w = os.pipe()
        self._thread = threading.Thread(target=self._relay, daemon=True)
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

    def close(self) -> None:
        for child in self._children:
            child.terminate()
            child.wait(10)
        os.write(self._stop_w, b"x")
        self._thread.join(10)
        for number in (*self._devices.values(), self._stop_r, self._stop_w):
            os.close(number)

    def _relay(self) -> None:
        told, draw = self._backhaul, random.Random(1)
        near, far = self._devices["near"], self._devices["far"]
        way = {near: (far, told.up_bit_s, 0), far: (near, told.down_bit_s, 1)}
        free_s = dict.fromkeys(way, 0.0)
        due: list[tuple[float, int, int, bytes]] = []
        number = 0
        while True:
            wait_s = max(0.0, due[0][0] - wall_s()) if due else 1.0
            ready, _, _ = select.select([*way, self._stop_r], [], [], wait_s)
            if self._stop_r in ready:
                return
            now_s = wall_s()
            for one in ready:
                packet = os.read(one, 65_536)
                if packet[0] >> 4 != 4:
                    continue  # what IPv6 says of itself
                other, bit_s, at = way[one]
                with self._lock:
                    self._counts[at] += len(packet)
                    self._counts[2 + at] += 1
                free_s[one] = max(free_s[one], now_s) + 8 * len(packet) / bit_s
                if draw.random() >= told.loss:
                    heapq.heappush(due, (free_s[one] + told.latency_ms / 1000, number, other, packet))
                number += 1
            while due and due[0][0] <= wall_s():
                os.write(due[0][2], heapq.heappop(due)[3])


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
