"""A gateway with a leg in each of its three networks, as a program of its own, until its input ends. It takes root: it
sets the rules of the network namespace that it is started in, and nothing outside of that.

    python -m sim.smart_metering.gateway_legs FOLDER --lmn DEVICE --wan DEVICE=ADDRESS --han DEVICE=ADDRESS
        --administrator ADDRESS:PORT [--forward]

FOLDER has root.crt, gateway.SMGW.crt and .key, and administrator.pub, the point under which wake-ups are signed, in
hex. Lines of output are JSON: {"ready"}, and {"called"} each time a wake-up let it call its administrator and get the
time.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

from sim.core.clock import NS_PER_S, unix_ns
from sim.pki.authority import Pair
from sim.pki.slot_keys import verifies
from sim.smart_metering.legs import Leg, rules, settings
from sim.smart_metering.wan import tls
from sim.smart_metering.wan.answers import ADMINISTRATOR
from sim.smart_metering.wan.calls import WanClient
from sim.smart_metering.wan.http_messages import Reply
from sim.smart_metering.wan.server import WanServer
from sim.smart_metering.wan.tls import WanError
from sim.smart_metering.wan.waker import Waker
from sim.smgw.wake_up import WakeUps

WAKE_PORT = 4_060
HAN_PORT = 443
NAME = "gateway"


def main(words: list[str]) -> int:
    """2 where the namespace's rules cannot be set."""
    parser = argparse.ArgumentParser(prog="python -m sim.smart_metering.gateway_legs")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--lmn", required=True, metavar="DEVICE")
    parser.add_argument("--wan", required=True, metavar="DEVICE=ADDRESS")
    parser.add_argument("--han", required=True, metavar="DEVICE=ADDRESS")
    parser.add_argument("--administrator", required=True, metavar="ADDRESS:PORT")
    parser.add_argument("--forward", action="store_true", help="the weakness: packets pass from leg to leg")
    given = parser.parse_args(words)
    wan_device, _, wan = given.wan.partition("=")
    han_device, _, han = given.han.partition("=")
    address, _, port = given.administrator.partition(":")
    legs = (
        Leg("LMN", given.lmn),
        Leg("WAN", wan_device, wan, (("udp", WAKE_PORT),), ((address, int(port)),)),
        Leg("HAN", han_device, han, (("tcp", HAN_PORT),)),
    )
    try:
        _set_up(legs, forward=given.forward)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"gateway_legs: {error}; it takes root, `ip`, and a namespace of its own", file=sys.stderr)
        return 2
    return _serve(given.folder, wan, han, (address, int(port)))


def _set_up(legs: tuple[Leg, ...], *, forward: bool) -> None:
    for name, value in settings(forward=forward).items():
        path = Path("/proc/sys") / name
        if path.exists():
            path.write_text(value, "ascii")
    for words in rules(legs, forward=forward):
        subprocess.run(["ip", *words], check=True, capture_output=True)


def _serve(folder: Path, wan: str, han: str, administrator: tuple[str, int]) -> int:
    own, root = Pair(folder / f"{NAME}.SMGW.crt", folder / f"{NAME}.SMGW.key"), folder / "root.crt"
    public = bytes.fromhex((folder / "administrator.pub").read_text("ascii"))
    context = tls.context(own, root, server=False)

    def call() -> None:
        try:
            with WanClient(context, administrator[1], ADMINISTRATOR, address=administrator[0]) as client:
                said = client.ask("GET", f"/{NAME}.sm/clock").decode("ascii", "replace")
        except WanError as error:
            said = str(error)
        print(json.dumps({"called": said}), flush=True)

    wake_ups = WakeUps(NAME, lambda signed, signature: verifies(public, signed, signature))
    waker = Waker(wake_ups, lambda: unix_ns() // NS_PER_S, call, address=wan, port=WAKE_PORT)
    server = WanServer(
        tls.context(own, root, server=True), lambda *_: Reply(403, b"nobody is known here"), port=HAN_PORT, address=han
    )
    server.start()
    print(json.dumps({"ready": True}), flush=True)
    sys.stdin.read()
    server.stop()
    waker.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
