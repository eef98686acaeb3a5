"""Inventory entries and frames for tests of boxes."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from sim.core.clock import wall_now, wall_ns
from sim.desk import inventory
from sim.desk.inventory import GatewayEntry, PowerSpec, RunSpec
from sim.feeders.port import Sent
from sim.pki.authority import Authority, Pair

HEADER = bytes.fromhex("4493157856341233037a")


def frame(mark: int) -> bytes:
    """40 bytes behind L, after a genuine link header; `mark` tells them apart."""
    return bytes((40,)) + HEADER + mark.to_bytes(4, "big") + bytes(26)


def sent(mark: int) -> Sent:
    return Sent(frame(mark), "T1", -70.5, wall_ns())


def reference(**changes: object) -> GatewayEntry:
    """The ready entry, with bundles of a tenth of a second."""
    entry = inventory.find("reference", None)
    command = (*entry.run.command[:-1], "0.1")
    run = dataclasses.replace(entry.run, command=command)
    return dataclasses.replace(entry, **{"run": run, **changes})


def running(
    command: tuple[str, ...], *, settle_s: float = 0.0, ready_line: str = "", ready_s: float = 5.0
) -> GatewayEntry:
    """A gateway that is this command."""
    return reference(run=RunSpec(command=command, ready_s=ready_s, settle_s=settle_s, ready_line=ready_line))


def relay(folder: Path) -> PowerSpec:
    """A relay that notes what it was told."""
    log = folder / "relay.log"
    return PowerSpec(cut=("sh", "-c", f"echo cut >>{log}"), on=("sh", "-c", f"echo on >>{log}"))


_BOX = """
import base64, json, sys, time
import paho.mqtt.client as mqtt
from wmbus.link import add_crcs_a
host, port, ca, certificate, key, name = sys.argv[1:]
client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, name)
client.tls_set(ca, certificate, key)
client.connect(host, int(port))
client.loop_start()
while not client.is_connected():
    time.sleep(0.01)
print("Ready", flush=True)
for line in sys.stdin:
    fields = line.strip().split(";")
    data = base64.b64encode(add_crcs_a(bytes.fromhex(fields[-1][2:]))).decode()
    body = {"v": 1, "d": data, "lvl": -float(fields[4]), "at": fields[3]}
    client.publish(f"own/{fields[6]}/x", json.dumps(body), qos=1)
client.loop_stop()
"""
_INVENTORY = """
[[gateway]]
name = "kitchen"
feed = [{{ kind = "codec", format = "rtl_wmbus", line = {{ kind = "stdin" }} }}]
listen = {{ topics = ["own/#"] }}

[[gateway.read]]
kind = "mqtt"
topic = ["own/+/x"]
telegram = "$.d"
transform = ["base64", "CRCs kept"]
rssi = "$.lvl"
rssi_unit = "-dBm"
time = "$.at"

[gateway.run]
command = [
    "{{python}}", "{script}", "{{host}}", "{{port}}", "{{ca}}", "{{certificate}}", "{{key}}", "{{name}}",
]
env = {{ PYTHONPATH = "{{root}}" }}
ready_line = "Ready"
"""


def own_format(folder: Path) -> Path:
    """An inventory with a gateway `kitchen` that publishes in a format of its own, over mutual TLS."""
    script, inventory_file = folder / "box.py", folder / "inventory.toml"
    script.write_text(_BOX, encoding="utf-8")
    inventory_file.write_text(_INVENTORY.format(script=script), encoding="utf-8")
    return inventory_file


def expired_client(folder: Path) -> Pair:
    """A device's certificate of the authority in `folder` that was good until yesterday."""
    yesterday = wall_now() - timedelta(days=1)
    usage, name = ExtendedKeyUsageOID.CLIENT_AUTH, x509.DNSName("old")
    return Authority(folder)._issue("old", "old", usage, [name], yesterday - timedelta(days=9), yesterday)
