"""Commands that nobody sent, and commands of yesterday: setting the clock of a bidirectional meter."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from attacks.attack import Can, Outcome, Steps, Watch, attack
from attacks.reach import Reach
from sim.core.bundle import Heard
from sim.core.vocabulary import Security
from sim.meters.two_way import SEEN_BEFORE, SND_UD, agreed, clock_command
from sim.truth.ground_truth import Truth
from wmbus.errors import BadTelegram
from wmbus.link import SND_NR, Address
from wmbus.telegram import parse

CLEAR: Final = "a clock command in clear"
AGAIN: Final = "a recorded clock command, sent again"
OURS: Final = Address("RAD", "66600066", 1, 0x37)
WRONG_S: Final = 120.0


@attack(
    id="radio.clock_command",
    title="Set the clock of a meter that listens",
    threats=["L29"],
    can=Can.HEAR | Can.SPEAK,
    ics=["T0836", "T0855"],
    weakness={},
    seen_as="the meter: refused; the portal: time off, alarm freshness",
    refused_as=(*(agreed(mode) for mode in ("mode5", "mode7")), SEEN_BEFORE),
)
@dataclass
class ClockCommand:
    """A meter that can be told something listens for a moment after each of its telegrams. "in clear": a command of our
    own making, an hour ahead, that nobody secured. "sent again": the operator's own command, recorded, after
    `later_s`: its bytes are good in every mode, and only a counter that the meter keeps knows that they were seen. Each
    variant has meters of its own. Counted are meters whose clock is off by more than two minutes, by the meter's own
    clock; the evidence says how many of their telegrams the portal refused since.
    """

    clear: tuple[str, ...] = ()  # meters that are told in clear
    again: tuple[str, ...] = ()  # meters whose commands are recorded
    ahead_s: float = 3_600.0
    later_s: float = 900.0
    after_s: float = 300.0
    reaction_s: float = 0.005
    begun_ns: int = 0
    commands: dict[str, list[tuple[int, bytes]]] = field(default_factory=lambda: defaultdict(list))
    sent: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    _acc: int = 0
    _own: set[bytes] = field(default_factory=set)

    def run(self, reach: Reach) -> Steps:
        reach.listen(lambda heard: self._heard(reach, heard))
        yield reach.wait_until(self.after_s)
        self.begun_ns = reach.now_ns

    def _heard(self, reach: Reach, heard: Heard) -> None:
        try:
            telegram = parse(heard.telegram)
        except BadTelegram:
            return
        transport = telegram.transport
        if heard.telegram[1] == SND_UD and transport is not None and heard.telegram not in self._own:
            self.commands[str(transport.address)].append((reach.now_ns, heard.telegram))
            return
        address = str(telegram.address)
        if not self.begun_ns or heard.telegram[1] != SND_NR:  # it listens after its answers too: once is enough
            return
        if address in self.clear:
            at = (reach.today() + timedelta(seconds=self.ahead_s)).replace(second=0, microsecond=0)
            self._acc = (self._acc + 1) % 256
            reach.go(
                self._speak(
                    reach, CLEAR, address, clock_command(telegram.address, OURS, at, self._acc, security="none")
                )
            )
        elif address in self.again:
            old = [frame for at_ns, frame in self.commands[address] if reach.now_ns - at_ns >= self.later_s * 1e9]
            if old:
                reach.go(self._speak(reach, AGAIN, address, old[0]))

    def _speak(self, reach: Reach, variant: str, address: str, command: bytes) -> Steps:
        yield reach.wait(self.reaction_s)
        self._own.add(command)
        self.sent[variant].append(reach.now_ns)
        reach.note("command", f"{variant}: {address}")
        reach.speak(command)

    # --- what came of it ----------------------------------------------------------------------------------------

    def outcomes(self, truth: Truth) -> list[Outcome]:
        found = []
        for variant, addresses in ((CLEAR, self.clear), (AGAIN, self.again)):
            groups: dict[Security, list[str]] = defaultdict(list)
            for one in truth.world.two_way:
                if one.name in addresses:
                    groups[one.meter.spec.security].append(one.name)
            found += [self._outcome(variant, security, names, truth) for security, names in groups.items()]
        return found

    def _outcome(self, variant: str, security: Security, names: list[str], truth: Truth) -> Outcome:
        meters = {one.name: one.meter for one in truth.world.two_way if one.name in names}
        off = [name for name, meter in meters.items() if abs(meter.clock_offset_s) > WRONG_S]
        said = sorted({word for meter in meters.values() for word in meter.said if word.startswith("refused")})
        times = self.sent[variant]
        start_ns = times[0] if times else self.begun_ns
        refused = Counter(row.reason for row in truth.world.stored.refusals()
                          if row.meter in names and row.received_ns >= start_ns)  # fmt: skip
        shifts = ", ".join(f"{meter.clock_offset_s:+.0f}" for meter in meters.values())
        return Outcome(
            variant,
            security,
            reached=sum(sum(meter.said.values()) for meter in meters.values()),
            achieved=len(off),
            # Of a meter whose command the attacker never heard there is nothing to say.
            watch=Watch(("freshness",), tuple(off or names), start_ns),
            why=f"{len(off)} of {len(names)} clocks wrong" if off else "; ".join(said) or "no clock moved",
            evidence={
                "commands sent in this variant": len(times),
                "clocks off, s": shifts,
                "refused in these meters' names since": ", ".join(f"{n} {why}" for why, n in sorted(refused.items())),
            },
            attacked=frozenset(names),
        )
