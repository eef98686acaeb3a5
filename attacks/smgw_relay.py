"""Be the administrator, or a man in the middle whose authority the gateways trust: read and change what is relayed."""

from __future__ import annotations

from dataclasses import dataclass, field

from attacks.attack import Can, Outcome, Steps, attack
from attacks.parts.delivered_forgeries import SECURITY, altered_values, refused
from attacks.reach import Reach
from sim.truth.ground_truth import Truth

READS = "values read from what is relayed"
CHANGES = "values changed in what is relayed"
SEALED = "sealed for the supplier"
_END = b'" /></delivery>'
"""How a delivery ends behind the last digit of its last amount."""
_GCM_TAG_BYTES = 16


@attack(
    id="smgw.relay",
    title="Read and change containers on their way to the supplier",
    threats=[],
    can=Can.RELAY,
    ics=["T0830", "T0887"],
    weakness={"system.seal_content": False, "system.verify_content": False},
    seen_as="supplier: container refused",
    refused_as=(SEALED,),
)
@dataclass
class SmgwRelay:
    """Every container passes by. "values read" counts those in which a meter's number or a value stands as text.
    "values changed" turns the last digit of the last amount of each container from `from_s` on: in clear it stands
    behind known text, and a stream cipher carries the change through to the digit. Control: gateways that seal nothing,
    and a supplier who looks at neither signature nor tag."""

    from_s: float = 5_400.0
    seen: int = 0
    readable: int = 0
    changed: int = 0
    gateways: set[str] = field(default_factory=set)

    def run(self, reach: Reach) -> Steps:
        yield reach.wait_until(self.from_s)
        reach.note("relay", "every container from now on is read and changed")
        reach.change_relayed(self._change)
        yield reach.wait(0)

    def _change(self, payload: bytes) -> bytes:
        self.seen += 1
        self.readable += b"<value " in payload
        at = _last_digit(payload)
        if at is None:
            return payload
        self.changed += 1
        return payload[:at] + bytes((payload[at] ^ 1,)) + payload[at + 1 :]

    def outcomes(self, truth: Truth) -> list[Outcome]:
        wrong = altered_values(truth)
        read = "values stand in clear" if self.readable else f"{SEALED}: no word of a value stands there"
        return [
            Outcome(READS, SECURITY, self.seen, self.readable, why=read,
                    evidence={"containers": self.seen, "with readable values": self.readable}),
            Outcome(CHANGES, SECURITY, self.changed, len(wrong), evidence={"containers": self.changed},
                    why="the supplier stored another value" if wrong
                    else refused(truth, *(gateway.id for gateway in truth.world.gateways))),
        ]  # fmt: skip


def _last_digit(payload: bytes) -> int | None:
    """Where the last amount's last digit is: in clear, or under the stream of the sealed content, which ends where its
    MAC, an octet string of 16 bytes, begins."""
    if payload.endswith(b"</delivery>"):
        return len(payload) - len(_END) - 1
    for at in range(len(payload) - 18, 0, -1):
        # SignedData ends with its signers; before them lies the sealed content, whose last part is its MAC.
        signers = payload[at + 18 : at + 20] in (b"\x31\x81", b"\x31\x82")
        if signers and payload[at : at + 2] == bytes((0x04, _GCM_TAG_BYTES)):
            return at - len(_END) - 1
    return None
