"""Ghost meters: telegrams of meters that do not exist."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from dataclasses import dataclass, field

from attacks.attack import Can, Curve, Outcome, Steps, attack, form
from attacks.parts.sent_frames import Shot, landed
from attacks.reach import Reach
from sim.core.clock import ns
from sim.core.events import BundleClosed
from sim.core.vocabulary import SECURITIES
from sim.truth.ground_truth import Truth
from wmbus.link import Address
from wmbus.telegram import build

CARRIED = "carried at our cost"
SHOWN = 60  # ghosts of a mode that stand in the run, of thousands


@attack(
    id="radio.ghosts",
    title="Flood the air with meters that do not exist",
    threats=["L27"],
    can=Can.SPEAK,
    ics=["T0814", "T0815"],
    weakness={},
    forms={
        f"{CARRIED} / none": form("mode 0", None),
        f"{CARRIED} / mode5": form("mode 5", None),
        f"{CARRIED} / mode7": form("mode 7", None),
    },
    seen_as="refused: unknown meter; the volume of every gateway near",
)
@dataclass
class Ghosts:
    """`rate_hz` telegrams a second, each of another address, with valid CRCs and well-formed in all three modes. A
    gateway without keys and without a list cannot distinguish them from meters: it stores, bundles and sends them, and
    the operator pays for these messages too. The portal makes no meter of them.

    Counted are ghost telegrams that reached the portal; the evidence is what they cost: bytes, and genuine telegrams
    lost on the air, before and during the flood.
    """

    from_s: float = 1_200.0
    until_s: float = 1_800.0
    rate_hz: float = 4.0
    shots: list[Shot] = field(default_factory=list)

    def run(self, reach: Reach) -> Steps:
        yield reach.wait_until(self.from_s)
        reach.note("speak", f"{self.rate_hz:g} ghosts a second")
        for number in range(round((self.until_s - self.from_s) * self.rate_hz)):
            yield reach.wait(1 / self.rate_hz)
            security = SECURITIES[number % len(SECURITIES)]
            ghost = hashlib.blake2b(number.to_bytes(4, "little"), digest_size=24).digest()
            address = Address("GHO", f"{int.from_bytes(ghost[:4], 'little') % 100_000_000:08d}", 1, 8)
            telegram = build(
                address, ghost[4], 0, bytes.fromhex("036e") + ghost[5:8], security=security,
                key=None if security == "none" else ghost[8:], counter=number if security == "mode7" else None,
            )  # fmt: skip
            self.shots.append(Shot(CARRIED, security, str(address), reach.speak(telegram)))

    def outcomes(self, truth: Truth) -> list[Outcome]:
        start_ns, end_ns = ns(self.from_s), ns(self.until_s)
        earlier_ns = 2 * start_ns - end_ns
        found = []
        for security in SECURITIES:
            mine = [landed(shot, truth) for shot in self.shots if shot.security == security]
            taken = [one for one in mine if one.taken]
            carried = [one for one in taken if one.arrived]
            found.append(
                Outcome(
                    CARRIED,
                    security,
                    reached=len(taken),
                    achieved=len(carried),
                    shots=tuple(taken[:SHOWN]),
                    why=f"{len(carried)} ghosts were bundled, sent and judged; "
                    f"{sum(len(one.rows) for one in carried)} became readings",
                    evidence={
                        "ghosts sent": len(mine),
                        "bytes bundled before": bundled_bytes(truth, earlier_ns, start_ns),
                        "during": bundled_bytes(truth, start_ns, end_ns),
                        "genuine delivered before": _ratio(truth.delivery(earlier_ns, start_ns, security)),
                        "genuine delivered during": _ratio(truth.delivery(start_ns, end_ns, security)),
                    },
                    curve=Curve("ghosts sent", "kB bundled", self._cost(truth, start_ns, end_ns)),
                )
            )
        return found


    def _cost(self, truth: Truth, start_ns: int, end_ns: int) -> tuple[tuple[float, float], ...]:
        """(ghosts sent by then, kB of bundles closed since the beginning), at 40 equal steps."""
        times = sorted(shot.spoken.start_ns for shot in self.shots)
        steps = [start_ns + (end_ns - start_ns) * step // 40 for step in range(41)]
        return tuple((float(bisect_right(times, at)), bundled_bytes(truth, start_ns, at) / 1_000) for at in steps)


def bundled_bytes(truth: Truth, start_ns: int, end_ns: int) -> int:
    """Bytes of the bundles that gateways closed in [start, end)."""
    closed = truth.world.history.of(BundleClosed)
    return sum(bundle.size_bytes for bundle in closed if start_ns <= bundle.time_ns < end_ns)


def _ratio(counts: tuple[int, int]) -> float:
    sent, heard = counts
    return round(heard / sent, 4) if sent else 0.0
