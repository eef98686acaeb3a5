"""A gateway's WAN side as a program of its own, until its input ends: it calls its administrator, and nobody calls it.

    python -m sim.smart_metering.wan.dial FOLDER NAME --administrator PORT [--address 127.0.0.2]
        [--cell-bytes 4096 [--every 30 --cells 3]]

FOLDER has root.crt, authorities.crt, lists.crl, NAME.SMGW.crt and .key, administrator.crt (the certificate of the key
that signs his calls), and outbox/ with containers, <receiver>/<number>.cms. When it starts, and whenever the
administrator wakes it, it gives him what waits, and deletes what he took. The one port that it opens is for his
datagrams and answers nothing; its number stands on the first line of the output, and each call on one more.

With --cell-bytes it speaks in cells of this size; with --every it says so many cells each time, whatever waits, and
none at another time: who wakes it changes nothing.
"""

from __future__ import annotations

import argparse
import queue
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

from sim.core.clock import unix_ns, wall_s
from sim.pki import sm_keys
from sim.pki.authority import Pair, PkiError
from sim.pki.party_certificates import certified_point
from sim.pki.sealed_content import ContentError
from sim.pki.slot_keys import verifies
from sim.smart_metering.wan import answers, tls
from sim.smart_metering.wan.calls import WanClient
from sim.smart_metering.wan.guard import Guard
from sim.smart_metering.wan.http_messages import Question, Reply
from sim.smart_metering.wan.talk import Errand
from sim.smart_metering.wan.tls import WanError
from sim.smart_metering.wan.waker import Waker
from sim.smgw.cells import check_size
from sim.smgw.wake_up import WakeUps


def main(words: list[str]) -> int:
    """Dial until standard input ends."""
    parser = argparse.ArgumentParser(prog="python -m sim.smart_metering.wan.dial")
    parser.add_argument("folder", type=Path)
    parser.add_argument("name")
    parser.add_argument("--administrator", type=int, required=True, metavar="PORT")
    parser.add_argument("--address", default="127.0.0.2", help="its own on the WAN")
    parser.add_argument("--cell-bytes", type=int, default=0, metavar="BYTES", help="0: plain HTTP")
    parser.add_argument("--every", type=float, default=0.0, metavar="SECONDS", help="dummies; 0: none")
    parser.add_argument("--cells", type=int, default=4, help="each time")
    given = parser.parse_args(words)
    if wrong := check_size(given.cell_bytes):
        parser.error(f"--cell-bytes: {wrong}")
    if given.every and not given.cell_bytes:
        parser.error("--every: dummies are cells; give --cell-bytes as well")
    folder: Path = given.folder
    own = f"{given.name}{answers.GATEWAY}"
    due: queue.Queue[bool] = queue.Queue()
    try:
        context = tls.context(
            Pair(folder / f"{own}.crt", folder / f"{own}.key"), folder / "root.crt", server=False
        )
        guard = Guard(folder)
        administrator = certified_point(sm_keys.certificate((folder / "administrator.crt").read_bytes()))
        judge = WakeUps(given.name, lambda body, signature: verifies(administrator, body, signature))
        waker = Waker(judge, lambda: unix_ns() // 10**9, lambda: due.put(True), given.address)
    except (OSError, PkiError, ContentError, WanError) as error:
        parser.error(f"{folder}: {error}; it is to have the files that this program's page names")
    print(waker.port, flush=True)
    threading.Thread(target=_until_input_ends, args=(due,), daemon=True).start()
    due.put(True)
    def client() -> WanClient:
        return WanClient(context, given.administrator, answers.ADMINISTRATOR, guard, cell_bytes=given.cell_bytes,
                         paced=bool(given.every))  # fmt: skip

    if given.every:
        _strike(client, folder / "outbox", due, given.every, given.cells)
    else:
        while due.get():
            print(_call(client, folder / "outbox"), flush=True)
    waker.stop()
    return 0


def _until_input_ends(due: queue.Queue[bool]) -> None:
    sys.stdin.read()
    due.put(False)


def _strike(client: Callable[[], WanClient], outbox: Path, due: queue.Queue[bool], every_s: float, cells: int) -> None:
    """Until its input ends. A connection that broke is begun again at the next time."""
    open_client: WanClient | None = None
    next_s = wall_s()
    while True:
        try:
            if not due.get(timeout=max(0.0, next_s - wall_s())):
                break
            continue  # woken: it speaks at its times all the same
        except queue.Empty:
            next_s += every_s
        given: list[str] = []
        try:
            open_client = open_client or client()
            open_client.strike(cells, partial(_errand, outbox, given))
        except WanError as error:
            if open_client is not None:
                open_client.close()
            open_client = None
            print(f"{len(given)} given, then {error}", flush=True)
            continue
        print(f"{len(given)} given", flush=True)
    if open_client is not None:
        open_client.close()


def _errand(outbox: Path, given: list[str]) -> Errand | None:
    for path in sorted(outbox.glob("*/*.cms")):

        def done(reply: Reply, path: Path = path) -> bool:
            taken = 200 <= reply.status < 300
            if taken:
                path.unlink()
                given.append(path.name)
            return taken

        return Errand(Question("POST", f"/{path.parent.name}.sm/delivery", path.read_bytes()), done)
    return None


def _call(open_client: Callable[[], WanClient], outbox: Path) -> str:
    """One session: what became of it, in a line. What was not taken waits for the next one."""
    given = 0
    try:
        with open_client() as client:
            for path in sorted(outbox.glob("*/*.cms")):
                client.ask("POST", f"/{path.parent.name}.sm/delivery", path.read_bytes())
                path.unlink()
                given += 1
    except WanError as error:
        return f"{given} given, then {error}"
    return f"{given} given"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
