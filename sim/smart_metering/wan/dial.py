"""A gateway's WAN side as a program of its own, until its input ends: it calls its administrator, and nobody calls it.

    python -m sim.smart_metering.wan.dial FOLDER NAME --administrator PORT [--address 127.0.0.2]

FOLDER has root.crt, authorities.crt, lists.crl, NAME.SMGW.crt and .key, administrator.crt (the certificate of the key
that signs his calls), and outbox/ with containers, <receiver>/<number>.cms. When it starts, and whenever the
administrator wakes it, it gives him what waits, and deletes what he took. The one port that it opens is for his
datagrams and answers nothing; its number stands on the first line of the output, and each call on one more.
"""

from __future__ import annotations

import argparse
import queue
import ssl
import sys
import threading
from pathlib import Path

from sim.core.clock import unix_ns
from sim.pki import sm_keys
from sim.pki.authority import Pair
from sim.pki.party_certificates import certified_point
from sim.pki.slot_keys import verifies
from sim.smart_metering.wan import answers, tls
from sim.smart_metering.wan.calls import WanClient
from sim.smart_metering.wan.guard import Guard
from sim.smart_metering.wan.tls import WanError
from sim.smart_metering.wan.waker import Waker
from sim.smgw.wake_up import WakeUps


def main(words: list[str]) -> int:
    """Dial until standard input ends."""
    parser = argparse.ArgumentParser(prog="python -m sim.smart_metering.wan.dial")
    parser.add_argument("folder", type=Path)
    parser.add_argument("name")
    parser.add_argument("--administrator", type=int, required=True, metavar="PORT")
    parser.add_argument("--address", default="127.0.0.2", help="its own on the WAN")
    given = parser.parse_args(words)
    folder: Path = given.folder
    own = f"{given.name}{answers.GATEWAY}"
    context = tls.context(
        Pair(folder / f"{own}.crt", folder / f"{own}.key"), folder / "root.crt", server=False
    )
    guard = Guard(folder)
    administrator = certified_point(sm_keys.certificate((folder / "administrator.crt").read_bytes()))
    due: queue.Queue[bool] = queue.Queue()
    judge = WakeUps(given.name, lambda body, signature: verifies(administrator, body, signature))
    waker = Waker(judge, lambda: unix_ns() // 10**9, lambda: due.put(True), given.address)
    print(waker.port, flush=True)
    threading.Thread(target=_until_input_ends, args=(due,), daemon=True).start()
    due.put(True)
    while due.get():
        print(_call(context, guard, given.administrator, folder / "outbox"), flush=True)
    waker.stop()
    return 0


def _until_input_ends(due: queue.Queue[bool]) -> None:
    sys.stdin.read()
    due.put(False)


def _call(context: ssl.SSLContext, guard: Guard, port: int, outbox: Path) -> str:
    """One session: what became of it, in a line. What was not taken waits for the next one."""
    given = 0
    try:
        with WanClient(context, port, answers.ADMINISTRATOR, guard) as client:
            for path in sorted(outbox.glob("*/*.cms")):
                client.ask("POST", f"/{path.parent.name}.sm/delivery", path.read_bytes())
                path.unlink()
                given += 1
    except WanError as error:
        return f"{given} given, then {error}"
    return f"{given} given"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
