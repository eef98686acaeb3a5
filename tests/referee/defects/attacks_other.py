"""An attack that is another than its name says: a cell that was not tried is not held."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from attacks.parts import forgery
from sim.core.bundle import Heard
from sim.core.clock import wall_ns
from tests.referee.defect import OTHER, RIG, Defect, Patch, Play, add, defect
from tests.referee.defects import plays
from wmbus.telegram import parse

FORGERY = "attacks.parts.forgery:"
NAMED = "What is sent is what the variant's name says."


def garbage(frame: bytes) -> bytes:
    """A frame of this length with the meter's address and nothing of the meter's behind it."""
    noise = hashlib.blake2b(frame, digest_size=64).digest() * 4
    return frame[:10] + noise[: len(frame) - 10]


def in_mode_7(made: Callable[[bytes], bytes]) -> Callable[..., bytes]:
    """Instead of a function that forges: other bytes for telegrams of mode 7."""

    def instead(original: Callable[..., bytes], frame: bytes, *rest: Any, **named: Any) -> bytes:
        return made(frame) if parse(frame).security == "mode7" else original(frame, *rest, **named)

    return instead


def _forging(names: str, instead: Callable[..., bytes]) -> Callable[[Patch], None]:
    def apply(patch: Patch) -> None:
        for name in names.split():
            patch.around(FORGERY + name, instead)

    return apply


_SURGERY = "with_tail cut_to_first_block with_version without_mac with_status_cleared with_block_flipped"
for _id, _what, _play, _names, _instead in (
    ("replay-of-garbage", "In mode 7 a rewritten access number is random bytes (M03).", plays.WRAP,
     "with_access_number", in_mode_7(garbage)),
    ("alteration-of-garbage", "In mode 7 every alteration is eight zero bytes at the end (M28).", plays.ALTERATION,
     _SURGERY, in_mode_7(lambda frame: frame[:-8] + bytes(8))),
    ("forged-status-of-garbage", "In mode 7 a changed status is random bytes.", plays.CLONE,
     "with_status with_units", in_mode_7(garbage)),
    ("poison-of-copies", "Poisoned telegrams are the genuine bytes.", plays.POISONING,
     "with_access_number with_clock_of", lambda original, frame, *rest, **named: frame),
):  # fmt: skip
    add(Defect(_id, OTHER, _what, NAMED, _play, _forging(_names, _instead)))


def _spoken(made: Callable[[bytes], bytes]) -> Callable[[Patch], None]:
    def apply(patch: Patch) -> None:
        patch.around(
            "attacks.reach:_Speak.speak",
            lambda original, reach, telegram, **named: original(reach, made(telegram), **named),
        )

    return apply


def _garbage_7(frame: bytes) -> bytes:
    return garbage(frame) if parse(frame).security == "mode7" else frame


def _of_another(frame: bytes) -> bytes:
    return frame[:4] + bytes([frame[4] ^ 0x01]) + frame[5:]


for _id, _what, _play, _made in (
    ("every-shot-garbage", "Every frame in the name of a meter in mode 7 is random bytes (M04).", plays.WRAP,
     _garbage_7),
    ("tunnel-of-garbage", "What is tunnelled of mode 7 is random bytes.", plays.WORMHOLE, _garbage_7),
    ("hold-back-of-garbage", "What is delivered late of mode 7 is random bytes.", plays.HOLD_BACK, _garbage_7),
    ("replay-of-a-stranger", "Every frame is in the name of another id.", plays.WRAP, _of_another),
    ("downgrade-of-a-stranger", "Every frame is in the name of another id.", plays.DOWNGRADE, _of_another),
    ("ghosts-unreadable", "Every ghost is a byte and no telegram.", plays.GHOSTS, lambda frame: b"\x09" + frame[1:10]),
):  # fmt: skip
    add(Defect(_id, OTHER, _what, NAMED, _play, _spoken(_made)))


@defect("downgrade-one-form", OTHER, NAMED, plays.DOWNGRADE)
def _(patch: Patch) -> None:
    """All four forms send the form "mode 0" (M37)."""
    from attacks import downgrade

    for form in downgrade.FORMS:
        downgrade.FORMS[form] = forgery.in_mode_0
    patch.used += 1


def _delayed(play: Play, id: str, what: str, other_s: Callable[[float], float]) -> None:
    def apply(patch: Patch) -> None:
        patch.around(
            "attacks.reach:_Base.wait", lambda original, reach, seconds: original(reach, other_s(seconds))
        )

    add(Defect(id, OTHER, what, NAMED, play, apply))


_delayed(plays.HOLD_BACK, "hold-back-at-once", "What is held back is delivered after a second (M38).",
         lambda seconds: min(seconds, 1.0))  # fmt: skip
_delayed(plays.ELSEWHERE, "replay-within-the-copy", "A replay after 10 s comes after one.",
         lambda seconds: min(seconds, 1.0))  # fmt: skip


@defect("one-certificate-for-three", OTHER, NAMED, plays.MITM)
def _(patch: Patch) -> None:
    """The man in the middle always shows the certificate of a rogue CA (M18)."""
    patch.around(
        "sim.network.mitm_path:shown",
        lambda original, authority, directory, certificate: original(authority, directory, "rogue CA"),
    )


@defect("takeover-closes-at-once", OTHER, NAMED, plays.TAKEOVER)
def _(patch: Patch) -> None:
    """The clone leaves its session as soon as it has it (M24)."""
    patch.around("attacks.reach:_Certificate.contend", lambda original, reach, session, logins: session.close())


@defect("takeover-counts-later-logins", OTHER, "Figures are of the attack's own time.", plays.OWN_TIME)
def _(patch: Patch) -> None:
    """What later logins of the clone did to the owner is counted as the takeover's."""

    patch.around(
        "attacks.clone:sessions_within",
        lambda original, truth, client, spans: original(truth, client, [(begun_ns, 1 << 62) for begun_ns, _ in spans]),
    )


@defect("stored-again-is-changed", RIG, "A record is changed where it says something else.", plays.RECORDS)
def _(patch: Patch) -> None:
    """Every row that an attacker's bytes left is a changed record."""
    patch.around("attacks.parts.sent_frames:alters", lambda original, *rest: frozenset({"units"}))


@defect("shared-alarm-is-ones-own", RIG, "An alarm that another act came before is shared.", plays.SHARED)
def _(patch: Patch) -> None:
    """Nobody is told that others acted before an alarm came."""
    patch.around("bench.rig.clauses:_shared", lambda original, *rest: "")


@defect("uptime-of-the-time-it-was-up", OTHER, "A share is one of the whole time.", plays.STANDING)
def _(patch: Patch) -> None:
    """The owner's uptime is counted over the time in which its session stood."""
    patch.around("sim.endpoint.session_state:SessionState.downs_ns", lambda original, session, *span: [])


@defect("standing-clone-stays-away", OTHER, NAMED, plays.STANDING)
def _(patch: Patch) -> None:
    """The clone that stays never logs in."""

    def instead(original: Any, reach: Any, identity: Any, span_s: float, rest_s: float) -> tuple[int, int, int]:
        begin_ns = wall_ns()
        reach._world.settle(lambda: False, span_s)
        return begin_ns, wall_ns(), 0

    patch.around("attacks.reach:_Network.hold", instead)


@defect("takeover-is-a-restart", OTHER, NAMED, plays.TAKEOVER)
def _(patch: Patch) -> None:
    """The takeover is a restart of the broker (N12)."""

    def instead(original: Any, reach: Any, session: Any, logins: int) -> None:
        session.close()
        endpoint = reach._world.system.endpoint
        endpoint.kill()
        endpoint.restart()
        gateways = reach._world.gateways
        reach._world.settle(lambda: all(gateway.session.connected for gateway in gateways), 30.0)

    patch.around("attacks.reach:_Certificate.contend", instead)


@defect("attacker-reads-the-truth", OTHER, "An attacker knows what its radio gives it.", plays.SNIFFING)
def _(patch: Patch) -> None:
    """The listening attacker is given every frame of the fleet, whether its receiver heard it or not."""

    def instead(original: Any, reach: Any, watcher: Callable[[Heard], None]) -> None:
        given: set[tuple[int, int]] = set()

        def tap(emission: Any, receiver: int, fate: Any, rssi_cdbm: int) -> None:
            if emission.source < reach._world.fleet.n and (emission.source, emission.k) not in given:
                given.add((emission.source, emission.k))
                watcher(Heard(emission.telegram, emission.end_ns, rssi_cdbm / 100))

        reach._world.air.taps.append(tap)

    patch.around("attacks.reach:_Hear.listen", instead)


@defect("jammer-lets-every-third-through", OTHER, "A jammer of one meter is noticed for what it does.", plays.JAMMING)
def _(patch: Patch) -> None:
    """The reactive jammer lets every third telegram of its meter through (N14)."""
    seen: dict[bytes, int] = {}

    def instead(original: Any, reach: Any, decide: Callable[[bytes], bool], **named: Any) -> None:
        def sometimes(header: bytes) -> bool:
            if not decide(header):
                return False
            seen[header[2:10]] = seen.get(header[2:10], 0) + 1
            return seen[header[2:10]] % 3 != 0

        original(reach, sometimes, **named)

    patch.around("attacks.reach:_Shape.on_header", instead)


@defect("jammer-jams-everybody", OTHER, "A jammer of one meter leaves the others alone.", plays.JAMMING)
def _(patch: Patch) -> None:
    """The reactive jammer strikes at every second header, whoever's it is, while it is on."""
    count = 0

    def instead(original: Any, reach: Any, decide: Callable[[bytes], bool], **named: Any) -> None:
        def everybody(header: bytes) -> bool:
            nonlocal count
            count += 1
            return decide(header) or (2_700 <= reach.now_ns / 1e9 < 6_300 and count % 2 == 0)

        original(reach, everybody, **named)

    patch.around("attacks.reach:_Shape.on_header", instead)


@defect("backfill-of-the-present", OTHER, NAMED, plays.CLONE)
def _(patch: Patch) -> None:
    """What the clone fills in is the meter's latest telegram instead of an old recording."""
    from attacks.parts.survey import Survey

    def instead(original: Any, survey: Survey, *arguments: Any, **named: Any) -> Any:
        found = original(survey, *arguments, **named)
        for known in found:
            known.recordings[:] = known.recordings[-1:] * len(known.recordings)
        return found

    patch.around("attacks.parts.survey:Survey.loudest", instead)
