"""Real MQTT over TLS 1.3 through a slow path: what messages of some sizes take there."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from sim.network.backhaul import Backhaul
from sim.pki.authority import Authority
from tests.sim.network.slow_path import FAR, Sent, slow_path

TOPIC = "gw/gw-0001/up"
CONF = """listener 8883 {far}
allow_anonymous true
cafile {ca}
certfile {cert}
keyfile {key}
require_certificate true
tls_version tlsv1.3
user root
"""
needs_mosquitto = pytest.mark.skipif(
    shutil.which("mosquitto") is None or shutil.which("mosquitto_pub") is None,
    reason="allowed: mosquitto and mosquitto_pub are not on the PATH",
)


def published(backhaul: Backhaul, folder: Path, sizes: Sequence[int]) -> dict[int, tuple[Sent, float]]:
    """Size -> bytes of a session with one message of it, and its seconds by the relay's logical clock, which counts
    bytes and flights: a busy machine does not move it."""
    authority = Authority(folder / "pki")
    server, device, ca = authority.server((FAR,)), authority.device("gw-0001"), authority.certificate
    conf = folder / "broker.conf"
    conf.write_text(CONF.format(far=FAR, ca=ca, cert=server.certificate, key=server.key))
    found = {}
    with slow_path(backhaul) as path:
        path.popen("far", [str(shutil.which("mosquitto")), "-c", str(conf)])
        words = ["mosquitto_pub", "-h", FAR, "-p", "8883", "--cafile", str(ca), "--cert", str(device.certificate),
                 "--key", str(device.key), "-t", TOPIC, "-q", "1", "-i", "gw-0001"]  # fmt: skip
        for _ in range(40):
            if path.run("near", [*words, "-m", "x"]).returncode == 0:
                break
            time.sleep(0.25)
        for size in sizes:
            payload = folder / f"{size}"
            payload.write_bytes(b"x" * size)
            tries = []
            for _ in range(3):  # where the machine stands still TCP sends again what was not lost: the fewest count
                path.taken()
                path.logical_s()
                done = path.run("near", [*words, "-f", str(payload)])
                assert done.returncode == 0, done.stderr
                time.sleep(6 * backhaul.latency_ms / 1000)  # the last acknowledgements
                tries.append((path.taken(), path.logical_s()))
            found[size] = min(tries)
    return found
