"""LMN, WAN and HAN as network namespaces, the gateway as a program with a leg in each: what answers from each side, and
that no packet passes from one to another."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sim.core.clock import unix_ns, wall_now
from sim.core.seeds import Seeds
from sim.pki.party_certificates import PartyRoot
from sim.pki.slot_keys import DRAWN_BYTES, SlotKey
from sim.smart_metering.gateway_legs import HAN_PORT, NAME, WAKE_PORT
from sim.smart_metering.legs import Leg, rules, settings
from sim.smart_metering.wan.answers import ADMINISTRATOR
from sim.smgw.module.in_world import draws
from sim.smgw.wake_up import encode

ROOT = Path(__file__).resolve().parents[3]
SCAN = Path(__file__).with_name("scan_from_here.py")
SIDES = {"lmn": "10.213.1", "wan": "10.213.2", "han": "10.213.3"}
"""Each network's first three bytes: .1 is the gateway, .2 somebody there."""
REASON = "allowed: no network namespaces can be made here; that takes root and `ip`"
WITNESS = """
import socket
listening = socket.create_server(("{0}", 8080))
print("ready", flush=True)
while True:
    listening.accept()[0].close()
"""


def ip(*words: str) -> str:
    return subprocess.run(["ip", *words], check=True, capture_output=True, text=True).stdout


class Networks:
    """Four namespaces of this test's own: three networks, and the gateway between them."""

    def __init__(self) -> None:
        self.mark = f"wmb{os.getpid()}"
        self._begun: list[subprocess.Popen[str]] = []

    def make(self) -> None:
        for name in ("gw", *SIDES):
            ip("netns", "add", f"{self.mark}{name}")
            ip("-n", f"{self.mark}{name}", "link", "set", "lo", "up")
        for name, net in SIDES.items():
            there = f"{self.mark}{name}"
            ip("link", "add", name, "netns", f"{self.mark}gw", "type", "veth", "peer", "name", "leg", "netns", there)
            for space, device, last in ((f"{self.mark}gw", name, 1), (there, "leg", 2)):
                if (name, last) != ("lmn", 1):
                    ip("-n", space, "addr", "add", f"{net}.{last}/24", "dev", device)
                ip("-n", space, "link", "set", device, "up")
            ip("-n", there, "route", "add", "default", "via", f"{net}.1")

    def command(self, where: str, *words: str) -> list[str]:
        return ["ip", "netns", "exec", f"{self.mark}{where}", *words]

    def begin(self, where: str, *words: str) -> subprocess.Popen[str]:
        made = subprocess.Popen(
            self.command(where, sys.executable, *words), cwd=ROOT, text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )  # fmt: skip
        self._begun.append(made)
        return made

    def scan(self, where: str, *addresses: str) -> dict[str, Any]:
        words = self.command(where, sys.executable, str(SCAN), *addresses)
        found: dict[str, Any] = json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)
        return found

    def remove(self) -> None:
        for one in self._begun:
            one.kill()
            one.wait()
            for file in (one.stdin, one.stdout):
                assert file is not None
                with contextlib.suppress(OSError):
                    file.close()
        for name in ("gw", *SIDES):
            subprocess.run(["ip", "netns", "del", f"{self.mark}{name}"], check=False, capture_output=True)


@pytest.fixture
def networks() -> Iterator[Networks]:
    if shutil.which("ip") is None or os.geteuid() != 0:
        pytest.skip(REASON)
    made = Networks()
    try:
        try:
            made.make()
        except subprocess.CalledProcessError as error:
            pytest.skip(f"{REASON} ({error.stderr.strip()[:80]})")
        yield made
    finally:
        made.remove()


def line(of: subprocess.Popen[str]) -> str:
    assert of.stdout is not None
    return of.stdout.readline().strip()


def begin_gateway(networks: Networks, folder: Path, *more: str) -> tuple[subprocess.Popen[str], SlotKey]:
    """Administrator and gateway with their certificates; a witness in HAN and WAN who would accept anybody."""
    seeds = Seeds(5)
    root = PartyRoot("SM-Test-Root.CA", draws(seeds, "root", "draws"), wall_now() - timedelta(days=1))
    root.write(folder / "root.crt")
    for name in (ADMINISTRATOR, f"{NAME}.SMGW"):
        root.tls_pair(name, folder, draws(seeds, name, "TLS"))
    signer = SlotKey(draws(seeds, "administrator", "wake-ups")(DRAWN_BYTES))
    (folder / "administrator.pub").write_text(signer.public.hex(), "ascii")
    for name in ("wan", "han"):
        assert line(networks.begin(name, "-c", WITNESS.format(f"{SIDES[name]}.2"))) == "ready"
    there = f"{SIDES['wan']}.2"
    serving = networks.begin(
        "wan", "-m", "sim.smart_metering.wan.serve", "administrator", str(folder), "--address", there
    )
    port = line(serving)
    gateway = networks.begin(
        "gw", "-m", "sim.smart_metering.gateway_legs", str(folder), "--lmn", "lmn", "--wan", f"wan={SIDES['wan']}.1",
        "--han", f"han={SIDES['han']}.1", "--administrator", f"{there}:{port}", *more,
    )  # fmt: skip
    assert json.loads(line(gateway)) == {"ready": True}
    return gateway, signer


def wake(networks: Networks, signer: SlotKey, nonce: int) -> None:
    datagram = encode(NAME, unix_ns() // 1_000_000_000, nonce.to_bytes(8, "big"), signer.sign)
    to = f"('{SIDES['wan']}.1', {WAKE_PORT})"
    words = f"import socket; socket.socket(2, 2).sendto(bytes.fromhex('{datagram.hex()}'), {to})"
    subprocess.run(networks.command("wan", sys.executable, "-c", words), check=True)


NOTHING = {"tcp": {}, "udp": {}, "echo": False}


def test_each_side_sees_its_own_and_nobody_passes(networks: Networks, tmp_path: Path) -> None:
    gateway, signer = begin_gateway(networks, tmp_path)
    own = {name: f"{net}.1" for name, net in SIDES.items()}
    there = {name: f"{net}.2" for name, net in SIDES.items()}
    wanted = {
        "wan": (own["wan"], own["han"], there["han"], there["lmn"]),
        "han": (own["han"], own["wan"], there["wan"], there["lmn"]),
        "lmn": (own["lmn"], own["wan"], own["han"], there["wan"], there["han"]),
    }
    with ThreadPoolExecutor() as at_once:
        scans = [at_once.submit(networks.scan, name, *addresses) for name, addresses in wanted.items()]
    from_wan, from_han, from_lmn = (one.result() for one in scans)
    assert not {address: found for address, found in from_wan.items() if found != NOTHING}
    assert from_han.pop(own["han"]) == {"tcp": {str(HAN_PORT): "open"}, "udp": {}, "echo": False}
    assert not {address: found for address, found in from_han.items() if found != NOTHING}
    assert not {address: found for address, found in from_lmn.items() if found != NOTHING}
    # The port that was silent is there: what the administrator signed lets the gateway call him.
    wake(networks, signer, 1)
    assert json.loads(line(gateway))["called"].startswith(wall_now().strftime("%Y-"))


def test_a_gateway_that_forwards_is_seen(networks: Networks, tmp_path: Path) -> None:
    """The control: the same scan, and packets pass."""
    begin_gateway(networks, tmp_path, "--forward")
    found = networks.scan("wan", f"{SIDES['han']}.2")[f"{SIDES['han']}.2"]
    assert found["tcp"].get("8080") == "open"


def test_without_rules_the_kernel_answers_for_the_gateway(networks: Networks, tmp_path: Path) -> None:
    """Why there are rules at all: a leg's address would be reached over another leg, and closed ports say so."""
    listening = networks.begin("gw", "-c", WITNESS.format(f"{SIDES['han']}.1"))
    assert line(listening) == "ready"
    found = networks.scan("wan", f"{SIDES['han']}.1")[f"{SIDES['han']}.1"]
    assert found["tcp"]["8080"] == "open"
    assert found["tcp"]["22"] == "ECONNREFUSED"
    assert found["echo"]


def test_the_rules_in_words() -> None:
    legs = (Leg("LMN", "lmn"), Leg("WAN", "wan", "192.0.2.1", (("udp", 4060),), (("192.0.2.9", 443),)))
    made = [" ".join(one) for one in rules(legs)]
    assert made[1] == "rule del pref 0"
    let_in = [one for one in made if "blackhole" not in one and "iif" in one]
    assert let_in == [
        "rule add pref 10 iif wan to 192.0.2.1 ipproto udp dport 4060 lookup local",
        "rule add pref 10 iif wan to 192.0.2.1 from 192.0.2.9 ipproto tcp sport 443 lookup local",
        "rule add pref 30 iif wan to 192.0.2.1 lookup local",
    ]
    assert made.count("rule add pref 40 iif lmn blackhole") == made.count("rule add pref 40 iif wan blackhole") == 1
    assert settings()["net/ipv4/ip_forward"] == "0"
    assert settings(forward=True)["net/ipv4/ip_forward"] == "1"
