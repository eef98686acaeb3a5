"""A gateway's process is killed with SIGKILL exactly while a bundle is under way: it goes out again, byte for byte, and
counts once. The gateway is `python -m sim.gateway`, the broker is Mosquitto, and the process kills itself at the point
that is named, so that no luck is needed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sim.core.bundle import Bundle
from sim.endpoint.kinds.mosquitto import Mosquitto
from sim.gateway.outbox import Outbox
from tests.referee.defect import ROOT
from tests.sim.endpoint.brokers import make
from tests.sim.gateway.doubles import AckingPortal

PATIENCE_S = 120.0
AFTER_PUBLISH = """
def deadly(session, topic, payload, *, retain=False):
    publish(session, topic, payload, retain=retain)
    if topic.endswith("/up"):
        os.kill(os.getpid(), signal.SIGKILL)
"""
AT_PUBACK = """
def deadly(session, topic, payload, *, retain=False):
    publish(session, topic, payload, retain=retain)
    if topic.endswith("/up"):
        ConnectedClient._take_puback = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
"""
DYING = """
import os, signal, sys
from sim.endpoint.client import ConnectedClient
from sim.endpoint.session import MqttSession
from sim.gateway.process import main
publish = MqttSession.publish
{deadly}
MqttSession.publish = deadly
sys.exit(main(sys.argv[1:]))
"""


def line(number: int) -> str:
    frame = bytes([19]) + number.to_bytes(4, "big") + bytes(15)
    return f"T1;1;1;2026-01-12 08:00:00.000;70;70;12345678;0x{frame.hex()}\n"


def words(broker: Mosquitto, portal: AckingPortal, outbox: Path) -> list[str]:
    shown, at = broker.identity("gw0"), broker.address
    return [
        "--name", "gw0", "--outbox", str(outbox), "--host", at.host, "--port", str(at.port), "--bundle-age", "0.2",
        "--authorities", str(shown.authorities), "--certificate", str(shown.certificate), "--key", str(shown.key),
        "--portal-key", portal.statements.public.hex(),
    ]  # fmt: skip


def run(broker: Mosquitto, portal: AckingPortal, begin: list[str], said: str) -> int:
    """The gateway from its start to its end, while broker and portal work; its exit code."""
    with subprocess.Popen(
        [sys.executable, *begin], cwd=ROOT, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as gateway:
        assert gateway.stdin is not None
        gateway.stdin.write(said)
        gateway.stdin.close()

        def ended() -> bool:
            portal.pump()
            return gateway.poll() is not None

        assert broker.settle(ended, PATIENCE_S)
        broker.settle(lambda: bool(portal.pump()), 0.5)  # what the broker had taken comes in
        return gateway.returncode


@pytest.mark.parametrize("deadly", [AFTER_PUBLISH, AT_PUBACK], ids=["after publish", "before its PUBACK is read"])
def test_what_was_under_way_is_sent_again_and_counts_once(tmp_path: Path, deadly: str) -> None:
    outbox = tmp_path / "gw0.sqlite"
    broker = make(tmp_path / "broker")
    broker.start()
    try:
        portal = AckingPortal(broker)
        assert broker.settle(lambda: portal.session.connected, PATIENCE_S)
        options = words(broker, portal, outbox)
        portal.away = True  # else its acknowledgement may be faster than the broker's
        dying = ["-c", DYING.format(deadly=deadly), *options]
        assert run(broker, portal, dying, "".join(map(line, range(3)))) == -9
        disk = Outbox(outbox)
        before = dict(disk.waiting())
        disk.close()
        assert list(before) == [1]
        arrived = len(portal.payloads)
        assert deadly is AFTER_PUBLISH or arrived == 1
        portal.away = False
        assert run(broker, portal, ["-m", "sim.gateway", *options], "".join(map(line, range(3, 5)))) == 0
        assert portal.payloads["gw0", 1] == before[1]
        assert (portal.duplicates >= arrived, portal.altered) == (True, 0)
        heard = [one.telegram for name in sorted(portal.payloads) for one in Bundle.decode(portal.payloads[name]).heard]
        assert [int.from_bytes(telegram[1:5], "big") for telegram in heard] == list(range(5))
        disk = Outbox(outbox)
        assert disk.waiting() == []
        disk.close()
        assert [birth.boot for birth in portal.births][-1] == "gw0.2"
    finally:
        broker.stop()
