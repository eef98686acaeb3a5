"""Acknowledgements to a real gateway on an embedded broker, from whoever may publish in the portal's name.

A case is the message's body; half of those that are drawn bear the portal's signature. The gateway lives; a bundle
whose content was not named, or not under that signature, stays in its outbox; and the portal's own acknowledgement,
after all of that, empties it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.fuzz import mutations
from bench.fuzz.target import Found, TargetKind
from bench.fuzz.targets.bundle_messages import ODD
from sim.core.bundle import ACK, ACK_VERSION, Ack, BadBundle, Bundle, Taken, digest
from sim.core.clock import ns
from sim.core.events import Event
from sim.core.seeds import Dice
from sim.endpoint.kinds.memory import Memory, MemorySpec
from sim.gateway.gateway_spec import GatewaySpec
from sim.gateway.kinds.virtual import VirtualGateway
from sim.pki.statements import StatementKey, verifies

_ID = "gw1"
_WAITING = 5
_PATIENCE_S = 60.0
_KEY = StatementKey(bytes(range(32)))  # of no portal: a case that is signed replays everywhere


class Acknowledgements:
    """See bench.fuzz.target.Target."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._broker = Memory(folder, MemorySpec())
        self._broker.start()
        self._broker.taps.append(self._heard)
        self._bodies: dict[int, bytes] = {}
        ack = ACK.format(gateway=_ID)
        self._gateway = VirtualGateway(
            _ID, GatewaySpec(bundle_count=1), folder / "outbox.sqlite",
            lambda: self._broker.connect(self._broker.identity(_ID), subscribe=(ack,)), list[Event]().append,
            portal_key=_KEY.public,
        )  # fmt: skip
        self._portal = self._broker.connect(self._broker.identity("portal"), subscribe=("gw/+/up",), clean=False)
        self._now_ns = 0
        self._fill()

    def _heard(self, client: str, topic: str, payload: bytes) -> None:
        if client == _ID and topic.endswith("/up"):
            self._bodies[Bundle.decode(payload).sequence] = payload

    def _settle(self) -> None:
        """Until nothing moves."""
        self._now_ns += ns(0.001)

        def turn() -> bool:
            self._gateway.pump(self._now_ns)
            self._portal.inbox.clear()
            return False

        self._broker.settle(turn, _PATIENCE_S)

    def _fill(self) -> None:
        while len(self._gateway.waiting) < _WAITING:
            self._now_ns += ns(1.0)
            self._gateway.receive(bytes((20, *range(20))), self._now_ns, -70.0)
        self._settle()

    def draw(self, dice: Dice) -> bytes:
        waiting = self._gateway.waiting or (1,)
        taken: list[Any] = []
        for _ in range(dice.choice((0, 1, 1, 3, 50))):
            one: list[Any] = [dice.choice((*waiting, 0, 10**6)), dice.choice(("0" * 16, dice.randbytes(8).hex()))]
            if not dice.randrange(5):
                one[dice.randrange(2)] = dice.choice(ODD)
            taken.append(one[: dice.choice((2, 2, 2, 2, 1, 0))])
        if not dice.randrange(2):
            marks = tuple(Taken(one[0], one[1]) for one in taken if len(one) == 2)
            return Ack(_ID, marks).signed(_KEY.sign).encode()
        body: dict[str, Any] = {"v": ACK_VERSION, "gw": _ID, "ack": taken, "sig": "00" * 64}
        for _ in range(dice.choice((0, 0, 1))):
            body[dice.choice((*body, "more"))] = dice.choice(ODD)
        return json.dumps(body).encode()

    def change(self, case: bytes, dice: Dice) -> bytes:
        return mutations.changed_text(case, dice)

    def play(self, cases: Sequence[bytes]) -> list[str]:
        before = self._gateway.waiting
        words = []
        for case in cases:
            self._portal.publish(ACK.format(gateway=_ID), case)
            try:
                words.append(f"{bool(Ack.decode(case).taken)} taken")
            except BadBundle as error:
                words.append(str(error)[:20])
        self._settle()
        named = {one for case in cases for one in _named(case)}
        for sequence in set(before) - set(self._gateway.waiting):
            if (sequence, digest(self._bodies[sequence])) not in named:
                raise Found(f"bundle {sequence} left the outbox, and its content was not named")
        self._fill()
        return words

    def check(self) -> None:
        waiting = self._gateway.waiting
        missing = [sequence for sequence in waiting if sequence not in self._bodies]
        if missing:
            raise Found(f"bundles {missing} wait and were never published")
        taken = [Taken(sequence, digest(self._bodies[sequence])) for sequence in waiting]
        self._portal.publish(ACK.format(gateway=_ID), Ack(_ID, tuple(taken)).signed(_KEY.sign).encode())
        self._settle()
        left = set(waiting) & set(self._gateway.waiting)
        if left:
            raise Found(f"the portal's own acknowledgement left {len(left)} of {len(waiting)} bundles waiting")
        self._fill()

    def close(self) -> None:
        self._gateway.close()
        self._broker.stop()


def _named(case: bytes) -> tuple[Taken, ...]:
    """What this message names under the portal's signature."""
    try:
        ack = Ack.decode(case)
    except BadBundle:
        return ()
    return ack.taken if verifies(_KEY.public, ack.signature, ack.statement) else ()


TARGET = TargetKind(
    id="acknowledgement",
    title="acknowledgements to a gateway",
    make=Acknowledgements,
    batches=1,
    together=300,
    guided=120,
    code=("sim/gateway", "sim/core/bundle.py"),
)
