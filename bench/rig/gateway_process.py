"""One virtual gateway as a process of its own, fed over a pipe: so that its memory is a gateway's and nothing else's.

    python -m bench.rig.gateway_process SETTINGS

SETTINGS is a JSON file: `gateway` (its name), `certificate`, `key`, `authorities` (PEM files), `host`, `port`,
`outbox`, `portal_key` (hex). Each line on standard input is one order, each is answered by one line on standard output:

    {"receive": HEX, "at_ns": N, "rssi_dbm": X}    a telegram ended on the air       -> the bundles that wait
    {"deliver": N}                                  publish and wait, at world ns N   -> the bundles that wait
    {"hold": HEX}                                   keep these bytes in memory: the control of a search -> 0

The process ends when standard input does.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from sim.core.bundle import ACK
from sim.endpoint.event_loop import EventLoop
from sim.endpoint.port import Address, Identity
from sim.endpoint.session import MqttSession
from sim.gateway.gateway_spec import GatewaySpec
from sim.gateway.kinds.virtual import VirtualGateway

DEADLINE_S = 20.0


def main(words: list[str]) -> int:
    settings: dict[str, Any] = json.loads(Path(words[0]).read_text(encoding="utf-8"))
    loop, name = EventLoop(), str(settings["gateway"])
    files = (Path(settings[file]) for file in ("certificate", "key", "authorities"))
    identity, address = Identity(name, *files), Address(settings["host"], settings["port"])
    gateway = VirtualGateway(
        name,
        GatewaySpec(name),
        Path(settings["outbox"]),
        lambda: MqttSession(loop, identity, address, subscribe=(ACK.format(gateway=name),)),
        lambda event: None,
        portal_key=bytes.fromhex(settings["portal_key"]),
    )
    held: list[bytes] = []
    print("ready", flush=True)
    for line in sys.stdin:
        order: dict[str, Any] = json.loads(line)
        if "receive" in order:
            gateway.receive(bytes.fromhex(order["receive"]), order["at_ns"], order["rssi_dbm"])
        elif "deliver" in order:
            _deliver(gateway, loop, order["deliver"])
        else:
            held.append(bytes.fromhex(order["hold"]))
        print(len(gateway.waiting), flush=True)
    gateway.close()
    return 0


def _deliver(gateway: VirtualGateway, loop: EventLoop, now_ns: int) -> None:
    """Until every bundle was taken by the broker; acknowledgements that are here already are taken."""
    gateway.flush(now_ns)

    def done() -> bool:
        gateway.pump(now_ns)
        return gateway.session.connected and gateway.session.unacknowledged == 0

    loop.settle(lambda: done() and not gateway.waiting, DEADLINE_S)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
