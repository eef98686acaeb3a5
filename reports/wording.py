"""Numbers, times and claims in words, the same in every document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from reports.run_model import Claim
from sim.core.clock import NS_PER_S
from sim.core.quoting import shown

VALUE_CHARS: Final = 300
_NARROW: Final = "\N{NARROW NO-BREAK SPACE}"
OFF: Final = ("off", "none")
ON: Final = ("on", "all", "")
MODES: Final = {"none": "mode 0", "mode0": "mode 0", "0": "mode 0", "mode5": "mode 5", "5": "mode 5", "mode7": "mode 7",
                "7": "mode 7"}  # fmt: skip
MEANINGS: Final = {
    "SUCCEEDED": "It reached its aim with at least one shot or login, and no alarm that counts came in time. An alarm "
    "counts only where the variant is one that an alarm must show; elsewhere the portal kept what it must not keep, "
    "and an alarm about the meter beside it takes nothing back.",
    "DETECTED": "It reached its aim, and the alarm that must show this variant came in time; the clean twin has none.",
}
"""The one definition of each, for every document."""
NOTICED_IS: Final = "DETECTED is satisfied, although what the attack did was done: it was noticed, not prevented."
ALARM_RULES: Final = {
    True: "An alarm counts here: one in time makes it DETECTED.",
    False: "Alarms do not count here: this variant is judged by what the portal stored or by what was learned, and an "
    "alarm takes neither back.",
}

LETTERS: Final = {"PREVENTED": "X", "DETECTED": "D", "TOLERATED": "T", "SUCCEEDED": "S"}


def letter_of(claim: Claim | None) -> str:
    """As in the threat list: "-" for none, "?" for inconclusive, "!" behind what was not expected."""
    if claim is None:
        return "-"
    letter = LETTERS.get(claim.verdict, "?")
    return letter if claim.holds or letter == "?" else letter + "!"


def mode_text(security: str) -> str:
    return MODES.get(security, security or "any mode")


def number_text(value: int | float) -> str:
    """1234567 -> "1 234 567" with narrow no-break spaces; fractions to four significant digits."""
    if isinstance(value, float) and not value.is_integer():
        return f"{value:.4g}"
    return f"{value:,.0f}".replace(",", _NARROW)


def value_text(value: object) -> str:
    """An evidence value for people."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float) and value == value and abs(value) != float("inf"):
        return number_text(value)
    if isinstance(value, list):
        value = ", ".join(value_text(entry) for entry in value[:24]) + (" …" if len(value) > 24 else "")
    elif isinstance(value, dict):
        value = ", ".join(f"{key}: {value_text(entry)}" for key, entry in list(value.items())[:24])
    text = "–" if value is None or value == "" else str(value)
    return text if len(text) <= VALUE_CHARS else text[: VALUE_CHARS - 1] + "…"


def ratio_text(part: int, whole: int) -> str:
    """Four decimals; a dash when the whole is zero."""
    return f"{part / whole:.4f}" if whole else "–"


def duration_text(duration_ns: int) -> str:
    """ "4 d", "1 d 06:00:00", "00:15:00"."""
    days, rest_s = divmod(round(duration_ns / 1e9), 86_400)
    clock = f"{rest_s // 3600:02d}:{rest_s // 60 % 60:02d}:{rest_s % 60:02d}"
    return clock if not days else f"{days} d" if not rest_s else f"{days} d {clock}"


def claim_name(claim: Claim) -> str:
    """What was tried, against what: "radio.replay, after a wrap, mode5, all"."""
    return ", ".join(part for part in (claim.attack, claim.variant, claim.security, claim.defences) if part)


def tallied(claims: Iterable[Claim]) -> dict[str, Counter[str]]:
    """Verdicts counted under whose they are: an attack that succeeds on a control, which is weak on purpose, is no
    attack that succeeds."""
    counts = {"defences on": Counter[str](), "some on": Counter[str](), "controls": Counter[str]()}
    for claim in claims:
        whose = "controls" if claim.defences in OFF else "defences on" if claim.defences in ON else "some on"
        counts[whose][claim.verdict] += 1
    return {whose: count for whose, count in counts.items() if count}


def claim_text(claim: Claim) -> str:
    """One claim on one line: "radio.replay, after a wrap, mode5, all: PREVENTED (control SUCCEEDED): why"."""
    verdict = claim.verdict
    if claim.expected and claim.expected != claim.verdict:
        verdict += f", expected {claim.expected}"
    control = f" (control {claim.control})" if claim.control else ""
    return f"{claim_name(claim)}: {verdict}{control}" + (f": {claim.why}" if claim.why else "")


def plain(text: str) -> str:
    """A line of a document: `shown`, with the tabs and the spaces within numbers that our documents are laid out by."""
    return shown(text, "\t" + _NARROW)


def wall_time_text(wall_ns: int) -> str:
    """An instant of the wall's clock: date and time of UTC, to the millisecond; "unknown" for what is none."""
    try:
        at = datetime.fromtimestamp(wall_ns // NS_PER_S, UTC)
    except (OverflowError, ValueError, OSError):
        return "unknown"
    return f"{at:%Y-%m-%d %H:%M:%S}.{wall_ns % NS_PER_S // 1_000_000:03d}"
