"""Is this telegram new? The seven checks in words, each with its own state, one telegram at a time.

`judge` asks only; `took` writes, and only for telegrams that were accepted or found late. Every limit is written here
again, as docs/models/portal.md says it; nothing is taken from the checks themselves.
"""

from __future__ import annotations

from dataclasses import dataclass

from sim.portal.meter_registry import MeterEntry
from sim.portal.portal_spec import PortalSpec
from tests.oracles.portal_window import BEHIND, NEW, SEEN, Window

S = 1_000_000_000
MCR_WINDOW = 1_024
ACC_WINDOW = 128
TS_WINDOW_MIN = 1_440
TS_LEAST_INTERVAL_S = 120
WANDER_2048THS = 4_160
DRIFT_PPM = 100
JUMP_SPARE = 16
JUMP_FAST = 1_024
JUMP_LAG_S = 43_200


@dataclass(slots=True)
class Sight:
    """What freshness looks at. `counter` only when a MAC covers it; times in world ns; `received_ns` by the gateway."""

    gateway: str
    received_ns: int
    now_ns: int
    acc: int | None
    counter: int | None
    meter_time_ns: int | None


class Bind:
    """State: the registry's. A meter that was bound to no gateway is bound to none: refusing shows the omission."""

    def judge(self, entry: MeterEntry, sight: Sight) -> tuple[str, str] | None:
        if sight.gateway in entry.gateways:
            return None
        return "foreign gateway", f"heard by {sight.gateway}, not one of {', '.join(sorted(entry.gateways))}"

    def took(self, entry: MeterEntry, sight: Sight) -> None:
        pass


class Ahead:
    """What a gateway claims about time ends where the portal's future begins, by as much as clocks may differ."""

    def __init__(self, tolerance_ns: int) -> None:
        self._tolerance_ns = tolerance_ns

    def judge(self, entry: MeterEntry, sight: Sight) -> tuple[str, str] | None:
        ahead_ns = sight.received_ns - sight.now_ns
        if ahead_ns <= self._tolerance_ns:
            return None
        return "received ahead", f"{sight.gateway} says that it heard it {ahead_ns / S:.0f} s from now"

    def took(self, entry: MeterEntry, sight: Sight) -> None:
        pass


class Jump:
    """A bucket of counters: an interval puts one in (a thousandth more for fast meters), a telegram takes out as many
    as its counter moved on; it never holds more than `JUMP_SPARE`, what two wrong clocks are worth, and half a day."""

    def __init__(self, tolerance_ns: int) -> None:
        self._tolerance_ns = tolerance_ns
        self._highest: dict[str, tuple[int, int, int]] = {}  # counter, heard, what is missing in the bucket (ns)

    def _missing(self, entry: MeterEntry, sight: Sight) -> int:
        counter, heard_ns, missing_ns = self._highest[entry.name]
        taken_ns = (sight.counter - counter) * entry.interval_ns  # type: ignore[operator]
        return missing_ns - (min(sight.received_ns, sight.now_ns) - heard_ns) + taken_ns - taken_ns // JUMP_FAST

    def judge(self, entry: MeterEntry, sight: Sight) -> tuple[str, str] | None:
        if sight.counter is None or entry.name not in self._highest:
            return None
        counter, heard_ns, _ = self._highest[entry.name]
        passed_ns = min(sight.received_ns, sight.now_ns) - heard_ns
        words = f"from {counter} to {sight.counter} in {passed_ns / S:.0f} s"
        if sight.counter > counter:
            full_ns = JUMP_SPARE * entry.interval_ns + 2 * self._tolerance_ns
            return ("counter jump", words) if self._missing(entry, sight) > full_ns else None
        fell = counter - sight.counter >= MCR_WINDOW and passed_ns > 2 * self._tolerance_ns
        return ("counter fell", words) if fell else None

    def took(self, entry: MeterEntry, sight: Sight) -> None:
        if sight.counter is None:
            return
        heard_ns = min(sight.received_ns, sight.now_ns)
        if entry.name not in self._highest:
            self._highest[entry.name] = sight.counter, heard_ns, 0
        elif sight.counter > self._highest[entry.name][0]:
            self._highest[entry.name] = sight.counter, heard_ns, max(-JUMP_LAG_S * S, self._missing(entry, sight))


class Windows:
    """A check whose state is one window a meter."""

    size: int

    def __init__(self) -> None:
        self.windows: dict[str, Window] = {}

    def of(self, meter: str) -> Window:
        return self.windows.setdefault(meter, Window(self.size))


class Mcr(Windows):
    """The counter under the MAC. Nobody without the key can move this window."""

    size = MCR_WINDOW

    def judge(self, entry: MeterEntry, sight: Sight) -> tuple[str, str] | None:
        window = self.windows.get(entry.name)
        if window is None or sight.counter is None:
            return None
        look = window.look(sight.counter)
        if look == NEW:
            return None
        if look == SEEN:
            return "replayed counter", f"counter {sight.counter} was seen, highest {window.highest}"
        return "late", f"counter {sight.counter} is {self.size} or more behind; cannot tell whether it was seen"

    def took(self, entry: MeterEntry, sight: Sight) -> None:
        if sight.counter is not None:
            self.of(entry.name).mark(sight.counter)


class Acc(Windows):
    """The access number: 8 bits, in clear, in mode 5 not authenticated. Up to 128 ahead is new, what lies behind is
    looked up. When nothing was heard for 128 intervals the numbers prove nothing and the window starts anew. A
    telegram whose counter stands under a MAC is left to `mcr`."""

    size = ACC_WINDOW

    def judge(self, entry: MeterEntry, sight: Sight) -> tuple[str, str] | None:
        window = self.windows.get(entry.name)
        if window is None or sight.acc is None or self._lapsed(window, entry, sight):
            return None
        if window.look(self._unwrapped(window, sight.acc)) == NEW:
            return None
        return "replayed access number", f"access number {sight.acc} was used, highest {window.highest & 0xFF}"

    def took(self, entry: MeterEntry, sight: Sight) -> None:
        if sight.acc is None:
            return
        window = self.of(entry.name)
        if not window.seen or self._lapsed(window, entry, sight):
            # 256 keeps what lies behind the first number positive.
            window.highest, window.seen, window.at_ns = 256 + sight.acc, 1, sight.received_ns
            return
        window.mark(self._unwrapped(window, sight.acc))
        window.at_ns = max(window.at_ns, sight.received_ns)

    @staticmethod
    def _unwrapped(window: Window, acc: int) -> int:
        ahead = (acc - window.highest) & 0xFF
        return window.highest + (ahead if ahead < ACC_WINDOW else ahead - 256)

    @staticmethod
    def _lapsed(window: Window, entry: MeterEntry, sight: Sight) -> bool:
        return sight.received_ns - window.at_ns > ACC_WINDOW * entry.interval_ns


class Ts(Windows):
    """The time under the cipher. Marked minutes are those of accepted telegrams; a meter that ever sent its time (or
    is registered as sending it) must go on sending it, or a cut telegram would escape (L16)."""

    size = TS_WINDOW_MIN

    def __init__(self, tolerance_ns: int) -> None:
        super().__init__()
        self._tolerance_ns = tolerance_ns

    def judge(self, entry: MeterEntry, sight: Sight) -> tuple[str, str] | None:
        window = self.windows.get(entry.name)
        if sight.meter_time_ns is None:
            if entry.sends_time or (entry.sends_time is None and window is not None):
                return "no time", "this meter sends its time, this telegram does not show it"
            return None
        # The meter shows whole minutes: it may be up to a minute older than it looks.
        off_ns = sight.received_ns - sight.meter_time_ns
        if not -self._tolerance_ns <= off_ns < self._tolerance_ns + 60 * S:
            return "time off", f"{off_ns / S:.0f} s between the meter's time and {sight.gateway}'s"
        if window is None or entry.interval_s < TS_LEAST_INTERVAL_S:
            return None
        look = window.look(sight.meter_time_ns // (60 * S))
        if look == SEEN:
            return "replayed time", "another telegram of this meter showed this minute"
        if look == BEHIND:
            return "late", f"more than {self.size} minutes behind the newest; cannot tell whether it was seen"
        return None

    def took(self, entry: MeterEntry, sight: Sight) -> None:
        if sight.meter_time_ns is not None:
            self.of(entry.name).mark(sight.meter_time_ns // (60 * S))


class Age(Windows):
    """How old by the portal's own clock. With a time in the payload: the difference, less the clock error that `ts`
    allows. Without: the counter as a clock, see docs/models/portal.md. `highest` is the anchor's counter and `at_ns`
    when the portal took it; an arrival earlier than the anchor promises becomes the new anchor, so the anchor is the
    least delayed telegram so far and a delay constant from the first telegram on cannot be seen."""

    size = 1

    def __init__(self, age_max_ns: int, tolerance_ns: int) -> None:
        super().__init__()
        self._age_max_ns = age_max_ns
        self._tolerance_ns = tolerance_ns

    def judge(self, entry: MeterEntry, sight: Sight) -> tuple[str, str] | None:
        if sight.meter_time_ns is not None:
            age_ns = sight.now_ns - sight.meter_time_ns
            if age_ns < -self._tolerance_ns:
                return "time ahead", f"{-age_ns / S:.0f} s ahead of the portal"
            limit_ns = self._age_max_ns + self._tolerance_ns
        else:
            anchor = self.windows.get(entry.name)
            if anchor is None or sight.counter is None or entry.planned_silence_s > 0:
                return None
            age_ns = self._counted(anchor, entry, sight)
            wander_ns = entry.interval_ns * WANDER_2048THS // 2_048
            limit_ns = self._age_max_ns + wander_ns + (sight.now_ns - anchor.at_ns) * DRIFT_PPM // 1_000_000
        if age_ns <= limit_ns:
            return None
        return "late", f"{age_ns / S:.0f} s old"

    def took(self, entry: MeterEntry, sight: Sight) -> None:
        if sight.counter is None or sight.meter_time_ns is not None or entry.planned_silence_s > 0:
            return
        anchor = self.windows.get(entry.name)
        if anchor is None or self._counted(anchor, entry, sight) < 0:
            anchor = self.of(entry.name)
            anchor.highest, anchor.seen, anchor.at_ns = sight.counter, 1, sight.now_ns

    @staticmethod
    def _counted(anchor: Window, entry: MeterEntry, sight: Sight) -> int:
        assert sight.counter is not None
        return (sight.now_ns - anchor.at_ns) - (sight.counter - anchor.highest) * entry.interval_ns


class Freshness:
    """The checks of one portal, in the order of judgement."""

    def __init__(self, spec: PortalSpec) -> None:
        tolerance_ns = round(spec.ts_tolerance_s * S)
        every: dict[str, Bind | Ahead | Jump | Mcr | Acc | Ts | Age] = {
            "bind": Bind(), "ahead": Ahead(tolerance_ns), "jump": Jump(tolerance_ns), "mcr": Mcr(), "acc": Acc(),
            "ts": Ts(tolerance_ns), "age": Age(round(spec.age_max_s * S), tolerance_ns),
        }  # fmt: skip
        for check in spec.checks:
            assert check in every, f"no words for check '{check}'; say what it refuses in {__name__}, in Freshness"
        self._all = [one for id_, one in every.items() if id_ in spec.checks]
        self._counted = [one for one in self._all if not isinstance(one, Acc)]
        self._mcr = "mcr" in spec.checks

    def _checks(self, sight: Sight) -> list[Bind | Ahead | Jump | Mcr | Acc | Ts | Age]:
        stronger = sight.counter is not None and self._mcr
        return self._counted if stronger else self._all

    def judge(self, entry: MeterEntry, sight: Sight) -> tuple[str, str] | None:
        """(reason, detail) of the first check that refuses, None when all pass."""
        for check in self._checks(sight):
            refused = check.judge(entry, sight)
            if refused is not None:
                return refused
        return None

    def took(self, entry: MeterEntry, sight: Sight, *, late: bool = False) -> None:
        """Accepted, or late: remember it. A late one is remembered too, so that its repetition is a replay; but it
        is no measure of age or of the counter's pace."""
        for check in self._checks(sight):
            if not (late and isinstance(check, Age | Jump)):
                check.took(entry, sight)
