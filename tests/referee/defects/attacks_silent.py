"""An attack that is not made, or that nobody can receive: what withstands it has withstood nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from sim.truth.ground_truth import Spoken
from tests.referee.defect import SILENT, Defect, Patch, Play, add, defect
from tests.referee.defects import plays

EMIT = "sim.radio.air:Air.emit"
SPEAK = "attacks.reach:_Speak.speak"
UNTRUE = "The attack was made, and withstood."


def _mute(patch: Patch) -> None:
    patch.around(SPEAK, lambda original, reach, telegram, **named: Spoken(-1, 0, reach.now_ns, telegram))


def _inaudible(patch: Patch) -> None:
    def instead(original: Any, air: Any, *arguments: Any, **named: Any) -> Any:
        if named.get("frame") is not None:
            *arguments, _power = arguments
            arguments = [*arguments, -9_000]
        return original(air, *arguments, **named)

    patch.around(EMIT, instead)


def _no_jammer(patch: Patch) -> None:
    patch.around("attacks.reach:_Shape._burst", lambda original, *arguments: None)


def _quiet_jammer(patch: Patch) -> None:
    def instead(original: Any, air: Any, source: int, k: int, mode: Any, length: int, power: int, **named: Any) -> Any:
        return original(air, source, k, mode, length, -10_000 if named.get("jammer") else power, **named)

    patch.around(EMIT, instead)


for _id, _what, _play, _apply in (
    ("replay-not-sent", "Frames are never handed to the air (M01).", plays.WRAP, _mute),
    ("replay-inaudible", "Frames are sent at -90 dBm (M02).", plays.WRAP, _inaudible),
    ("elsewhere-not-sent", "Frames are never handed to the air.", plays.ELSEWHERE, _mute),
    ("downgrade-not-sent", "Frames are never handed to the air.", plays.DOWNGRADE, _mute),
    ("downgrade-inaudible", "Frames are sent at -90 dBm.", plays.DOWNGRADE, _inaudible),
    ("poison-not-sent", "Frames are never handed to the air.", plays.POISONING, _mute),
    ("ghosts-not-sent", "Frames are never handed to the air.", plays.GHOSTS, _mute),
    ("ghosts-inaudible", "Frames are sent at -90 dBm.", plays.GHOSTS, _inaudible),
    ("alteration-not-sent", "Frames are never handed to the air.", plays.ALTERATION, _mute),
    ("tunnel-not-sent", "Frames are never handed to the air.", plays.WORMHOLE, _mute),
    ("tunnel-without-jammer", "The meter's own gateway hears it as well (M29).", plays.WORMHOLE, _no_jammer),
    ("hold-back-without-jammer", "The meter's own gateway hears it as well.", plays.HOLD_BACK, _no_jammer),
    ("jammer-inaudible", "Noise is sent at -100 dBm (M14).", plays.JAMMING, _quiet_jammer),
):
    add(Defect(_id, SILENT, _what, UNTRUE, _play, _apply))


def _returns(place: str, value: object) -> Callable[[Patch], None]:
    def apply(patch: Patch) -> None:
        patch.around(place, lambda original, *arguments, **named: value)

    return apply


def _listener(id: str, what: str, play: Play, place: str, value: object) -> None:
    add(Defect(id, SILENT, what, "A listener learns what can be learned.", play, _returns(place, value)))


_listener("sniffer-reads-nothing", "Telegrams are heard and none is decoded (M25).", plays.SNIFFING,
          "attacks.sniff:units_read", None)  # fmt: skip
_listener("tails-read-nothing", "No record behind the blocks is read.", plays.TAILS,
          "attacks.clear_tail:parse_records", [])  # fmt: skip
_listener("thief-reads-nothing", "The leaked key is never tried.", plays.KEYS, "attacks.leaked_key:reads_units", False)
_listener("habits-without-features", "Nothing of the metadata is looked at (M27).", plays.HABITS,
          "attacks.habits:weighted", defaultdict(float))  # fmt: skip


@defect("noise-never-sent", SILENT, UNTRUE, plays.JAMMING)
def _(patch: Patch) -> None:
    """The continuous noise is never sent, the reactive jammer works (M15)."""
    patch.around("attacks.reach:_Shape.jam", lambda original, *arguments, **named: None)


@defect("thief-with-a-wrong-key", SILENT, "A leaked key opens what it opens.", plays.KEYS)
def _(patch: Patch) -> None:
    """The key that was taken has one bit wrong (M36)."""

    def instead(original: Any, reach: Any, address: str) -> bytes:
        key: bytes = original(reach, address)
        return bytes([key[0] ^ 1]) + key[1:]

    patch.around("attacks.reach:_MeterKey.meter_key", instead)


@defect("clone-publishes-nothing", SILENT, UNTRUE, plays.CLONE)
def _(patch: Patch) -> None:
    """The clone logs in and publishes nothing (M22)."""
    patch.around("attacks.reach:_Certificate.publish", lambda original, *arguments: True)


@defect("middle-alters-nothing", SILENT, UNTRUE, plays.MITM)
def _(patch: Patch) -> None:
    """The man in the middle passes every bundle on as it is (M21)."""
    patch.around("attacks.mitm:Mitm._alter", lambda original, *arguments: None)


@defect("middle-plays-the-broker", SILENT, UNTRUE, plays.MITM)
def _(patch: Patch) -> None:
    """The man in the middle plays the broker instead of relaying (M20)."""
    patch.around(
        "sim.network.mitm_path:MitmPath.__init__",
        lambda original, path, authority, upstream, directory, certificate, alter, *rest, **named: original(
            path, authority, upstream, directory, certificate, None, *rest, **named
        ),
    )


@defect("tails-knows-the-answer", SILENT, "What was read stood there to be read.", plays.TAILS)
def _(patch: Patch) -> None:
    """The listener says what was sent, whether it stands in clear or not."""

    def instead(original: Any, attack: Any, truth: Any) -> Any:
        attack.read = [(frame, security, attack.sent.get(frame)) for frame, security, _ in attack.read]
        return original(attack, truth)

    patch.around("attacks.clear_tail:Tails.outcomes", instead)


@defect("habits-without-lengths", SILENT, "A listener learns what can be learned.", plays.LENGTHS)
def _(patch: Patch) -> None:
    """How long telegrams are is not looked at."""
    patch.around("attacks.habits:Seen.__new__", lambda original, cls, *seen: original(cls, *seen[:2], 0, *seen[3:]))


@defect("habits-knows-the-answer", SILENT, "What was guessed was guessed from what can be heard.", plays.RHYTHM)
def _(patch: Patch) -> None:
    """The guess is what happened."""
    from attacks import habits

    def instead(original: Any, hours: list[habits.Hour], middle: int) -> list[habits.Hour]:
        return [
            hour._replace(features={name: float(hour.heated) for name in hour.features})
            for hour in original(hours, middle)
        ]

    patch.around("attacks.habits:on_own_scale", instead)


@defect("ghosts-carried-in-words", SILENT, "What ghosts cost is measured.", plays.GHOSTS)
def _(patch: Patch) -> None:
    """Ghosts are heard by gateways that are not tuned to them."""
    patch.value("attacks.ghosts:Ghosts.outcomes", _all_carried)


def _all_carried(attack: Any, truth: Any) -> list[Any]:
    from attacks.attack import Outcome
    from attacks.ghosts import CARRIED
    from sim.core.vocabulary import SECURITIES

    return [Outcome(CARRIED, security, 100, 100) for security in SECURITIES]


@defect("tampering-never-shown", SILENT, "A tampered meter says so.", plays.TAMPERING)
def _(patch: Patch) -> None:
    """Nothing happens to a meter that is tampered with; that it was is in the history."""
    patch.around("sim.meters.fleet:Fleet.tamper", lambda original, *arguments: None)


@defect("every-telegram-complains", SILENT, "A meter that was left alone does not complain.", plays.TAMPERING)
def _(patch: Patch) -> None:
    """Every other meter complains from the beginning."""

    def instead(original: Any, world: Any, *arguments: Any, **named: Any) -> None:
        original(world, *arguments, **named)
        for meter in range(1, world.fleet.n, 2):
            world.fleet.tamper(meter, 0, "opened")

    patch.around("sim.world:World.__init__", instead)
