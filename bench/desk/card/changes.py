"""What can be changed in a telegram, or made up in a meter's name, without its key.

It has succeeded when a volume comes out that the meter never sent. The control is the meter in clear: the same is read
of one that has no key.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from attacks.attack import Outcome
from attacks.parts import forgery
from bench.desk.card.meters import Meter, say, shoot
from bench.desk.stand import Stand

_VERSION_BITS: Final = 0x01
_MORE_LITRES: Final = 500_000
CHANGED: Final = "value changed on its way"
CLEAR: Final = "made up, with a header that names no encryption"
NO_HEADER: Final = "made up, without a header"


def _changed(meter: Meter) -> bytes:
    """In clear the volume is written over. In mode 5 another version is announced, which is byte 6 of the IV and so
    turns over bits of the volume's third byte; in mode 7 the same, and a bit of the ciphertext."""
    telegram = meter.next()
    if meter.security == "none":
        assert telegram.litres is not None
        low = telegram.litres.to_bytes(4, "little")
        return telegram.frame.replace(low, (telegram.litres + _MORE_LITRES).to_bytes(4, "little"))
    frame = forgery.with_version(telegram.frame, _VERSION_BITS)
    return forgery.with_block_flipped(frame, 0) if meter.security == "mode7" else frame


def _made_up(forge: Callable[[bytes, bytes], bytes]) -> Callable[[Meter], bytes]:
    def one(meter: Meter) -> bytes:
        frame = meter.sent[-1].frame
        return forge(frame, meter.records(meter.litres + _MORE_LITRES))

    return one


VARIANTS: Final[dict[str, Callable[[Meter], bytes]]] = {
    CHANGED: _changed,
    CLEAR: _made_up(forgery.in_mode_0),
    NO_HEADER: _made_up(forgery.without_header),
}


def play(stand: Stand, variant: str, meters: list[Meter]) -> tuple[Outcome, list[Outcome]]:
    """What came of it; its control is the outcome of meters in clear. Raises Undecided."""
    say(stand, meters, times=2)
    came = shoot(stand, {meter.id: VARIANTS[variant](meter) for meter in meters})
    sent = {one.litres for meter in meters for one in meter.sent}
    false = [[value for value in values if round(value) not in sent] for values in came.values()]
    achieved, wrong = sum(map(bool, false)), [value for values in false for value in values]
    if not achieved:
        say(stand, meters)  # it works, so silence was its answer
    why = f"a volume of {wrong[0] / 1_000:.3f} m3 came out, which no meter sent" if wrong else "no such value came out"
    return Outcome(variant, meters[0].security, len(meters), achieved, why=why), []
