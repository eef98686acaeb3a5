"""An administrator or a participant as a program of its own, until its input ends.

    python -m sim.smart_metering.wan.serve administrator FOLDER --participant PORT
    python -m sim.smart_metering.wan.serve participant FOLDER --name supplier

FOLDER has root.crt, authorities.crt, lists.crl (a new one counts from the next session on), the party's TLS certificate
and key (administrator.GWA.crt, supplier.EMT.crt), for a participant ENC.crt and ENC.key, and signers/<gateway>.crt. The
port stands on the first line of the output.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from sim.core.clock import unix_ns, wall_now
from sim.pki import sm_keys
from sim.pki.authority import Pair, PkiError
from sim.pki.party_certificates import trust_in
from sim.smart_metering.participant import Participant
from sim.smart_metering.wan import answers, tls
from sim.smart_metering.wan.calls import WanClient
from sim.smart_metering.wan.guard import Guard
from sim.smart_metering.wan.http_messages import Answer
from sim.smart_metering.wan.server import WanServer
from sim.smgw.cells import check_size


def main(words: list[str]) -> int:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser(prog="python -m sim.smart_metering.wan.serve")
    parser.add_argument("role", choices=("administrator", "participant"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--name", default="supplier", help="the participant's")
    parser.add_argument("--participant", type=int, default=0, metavar="PORT", help="where containers are handed on to")
    parser.add_argument("--address", default="127.0.0.1", help="where it listens")
    parser.add_argument("--cell-bytes", type=int, default=0, metavar="BYTES", help="gateways speak in cells; 0: HTTP")
    parser.add_argument("--paced", action="store_true", help="and each cell is answered by one")
    given = parser.parse_args(words)
    if wrong := check_size(given.cell_bytes):
        parser.error(f"--cell-bytes: {wrong}")
    folder: Path = given.folder
    name = answers.ADMINISTRATOR if given.role == "administrator" else f"{given.name}.EMT"
    own = Pair(folder / f"{name}.crt", folder / f"{name}.key")
    root = folder / "root.crt"
    try:
        answer = _administrator(own, root, given.participant) if name == answers.ADMINISTRATOR else _participant(given)
        context = tls.context(own, root, server=True)
        server = WanServer(
            context, answer, guard=Guard(folder), address=given.address, cell_bytes=given.cell_bytes, paced=given.paced
        )
    except (OSError, PkiError, tls.WanError) as error:
        parser.error(f"{folder}: {error}; it is to have the files that this program's page names")
    server.start()
    print(server.port, flush=True)
    sys.stdin.read()
    server.stop()
    return 0


def _administrator(own: Pair, root: Path, port: int) -> Answer:
    context, guard = tls.context(own, root, server=False), Guard(root.parent)

    def hand_on(receiver: str, gateway: str, container: bytes) -> None:
        with WanClient(context, port, f"{receiver}.EMT", guard) as client:
            client.ask("POST", f"/{gateway}.sm/delivery", container)

    return answers.administrator(hand_on, {}, wall_now)


def _participant(given: argparse.Namespace) -> Answer:
    folder: Path = given.folder
    receiver = sm_keys.receiver((folder / "ENC.crt").read_bytes(), (folder / "ENC.key").read_bytes())
    signers = {path.stem: sm_keys.certificate(path.read_bytes()) for path in (folder / "signers").glob("*.crt")}
    store = Participant(given.name, folder / "store", receiver, signers, lambda _: None, trust=trust_in(folder))
    return answers.participant(store, unix_ns)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
