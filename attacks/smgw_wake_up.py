"""Wake smart meter gateways in their administrator's place: replayed, stale, foreign and flooding datagrams."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from attacks.attack import Can, Outcome, Steps, attack
from attacks.parts.delivered_forgeries import SECURITY
from attacks.reach import Reach
from sim.core.events import GatewayWoken
from sim.truth.ground_truth import Truth

REPLAYED = "the administrator's datagram, played again at once"
STALE = "a datagram of an hour ago, which did not arrive then"
FOREIGN = "a datagram signed by a key of one's own"
OTHER = "a datagram for another gateway"
FLOOD = "three datagrams that were held back, all at once"
SHOTS = 2
"""At each gateway; a flood has as many as the administrator repeats a call."""
SELDOM = "one call in 30 s, whoever asks"
UNKNOWN_SIGNER = "the signature is nobody's whom it knows"
_WHY = {
    REPLAYED: "it was seen before", STALE: "its time is over", FOREIGN: UNKNOWN_SIGNER,
    OTHER: "it names another gateway", FLOOD: SELDOM,
}  # fmt: skip


@attack(
    id="smgw.wake_up",
    title="Wake smart meter gateways in their administrator's place",
    threats=[],
    can=Can.WAN,
    ics=["T0814", "T0830"],
    weakness={"system.check_calls": False},
    seen_as="nothing: the port never answers, and the gateway calls whom it was configured to call",
    refused_as=_WHY.values(),
)
@dataclass
class SmgwWakeUp:
    """Who stands on the WAN sees each datagram of the administrator, may hold it back, and may send any. Each variant
    has its own round of calls, one every `round_s`; gateways of the round are all that there are. Counted are calls to
    the administrator that an attacker's datagram brought about. A flood is what the administrator said himself, three
    times because nobody answers, held back and let go at once: it costs one call, which the administrator wanted. In
    any case the gateway calls the address that it was configured with. Control: a gateway that looks at no more than
    the form."""

    round_s: float = 1_800.0
    heard: dict[int, bytes] = field(default_factory=dict)
    _held: dict[int, list[bytes]] = field(default_factory=dict)
    _holding: bool = False
    _sent: dict[str, list[tuple[int, int]]] = field(default_factory=dict)

    def run(self, reach: Reach) -> Steps:
        reach.on_call(self._decide)
        yield reach.wait_until(self.round_s + 1)
        for _ in range(SHOTS):
            yield reach.wait(1)
            self._each(reach, REPLAYED, dict(self.heard))
            yield reach.wait(1)
            self._each(reach, FOREIGN, {gateway: reach.call_of_own(gateway) for gateway in self.heard})
            yield reach.wait(1)
            self._each(reach, OTHER, self._for_others())
        self._holding = True  # the next round does not arrive
        yield reach.wait_until(2 * self.round_s + 1)
        held, self._held = self._held, {}
        for place in range(max(map(len, held.values()), default=0)):
            self._each(reach, FLOOD, {gateway: some[place] for gateway, some in held.items() if len(some) > place})
        yield reach.wait_until(3 * self.round_s + 1)
        held, self._holding = self._held, False
        yield reach.wait(3_600)
        for place in range(SHOTS):
            yield reach.wait(1)
            self._each(reach, STALE, {gateway: some[place] for gateway, some in held.items() if len(some) > place})

    def _decide(self, gateway: int, datagram: bytes) -> bool:
        if self._holding:
            self._held.setdefault(gateway, []).append(datagram)
            return False
        self.heard[gateway] = datagram
        return True

    def _for_others(self) -> dict[int, bytes]:
        """Each gateway's, at the next one."""
        every = sorted(self.heard)
        return {gateway: self.heard[every[at - 1]] for at, gateway in enumerate(every)} if len(every) > 1 else {}

    def _each(self, reach: Reach, variant: str, datagrams: dict[int, bytes]) -> None:
        for gateway, datagram in datagrams.items():
            reach.note("datagram", f"{variant}: gateway {gateway}")
            self._sent.setdefault(variant, []).append((reach.now_ns, gateway))
            reach.send_datagram(gateway, datagram)

    def outcomes(self, truth: Truth) -> list[Outcome]:
        names = [gateway.id for gateway in truth.world.gateways]
        woken = [(one.time_ns, one.gateway) for one in truth.world.history.of(GatewayWoken)]
        return [self._of(variant, names, woken.count) for variant in (REPLAYED, STALE, FOREIGN, OTHER, FLOOD)]

    def _of(self, variant: str, names: list[str], count: Callable[[tuple[int, str]], int]) -> Outcome:
        sent = self._sent.get(variant, [])
        calls = {(at_ns, gateway): count((at_ns, names[gateway])) for at_ns, gateway in sent}
        # In a flood the first is the administrator's own wish, and late by some seconds.
        wanted = len(calls) if variant == FLOOD else 0
        made = sum(calls.values())
        beyond = max(0, made - wanted)
        return Outcome(
            variant, SECURITY, len(sent), beyond, bounded=variant == FLOOD and 0 < made <= wanted,
            why=f"{made} calls of {len(sent)}" + ("" if beyond else f": {_WHY[variant]}"),
            evidence={"datagrams": len(sent), "calls": made},
        )  # fmt: skip
