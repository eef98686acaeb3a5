"""What an attacker sent, shot by shot, with everything that a third party needs to follow it: the bytes and their
difference from the original, the numbers of the frame and of the message in air.pcapng, the portal's rows, the alarm,
and the same shot in the control.

run.json holds the bytes; frames, messages and rows are looked up in what the world left behind, by the bytes and by
time.
"""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from reports import byte_difference, capture
from reports.byte_difference import Field
from reports.portal_rows import PortalRow, rows_of
from reports.run_model import Claim, Run, Scenario, Shot, World
from reports.wording import OFF, mode_text, plain
from sim.core.bundle import BadBundle, Columns
from sim.core.clock import NS_PER_S
from sim.portal.store import fingerprint

CAPTURE: Final = "air.pcapng"
IN_FULL: Final = 3  # shots of a claim with their bytes on the page
LISTED: Final = 60  # and those in one line each
ROWS_SHOWN: Final = 4  # of the portal's for a shot; of others the number of the row only
ROW_WINDOW_NS: Final = NS_PER_S
FRAME_WINDOW_NS: Final = 60 * NS_PER_S


class Seen(NamedTuple):
    """A packet in air.pcapng. `receiver`: the gateway's number in the site, -1 for a message. `heard_ns`: when a
    gateway received these bytes, by the bundle in the message."""

    number: int
    time_ns: int
    receiver: int = -1
    received: bool = True
    heard_ns: tuple[int, ...] = ()


@dataclass(slots=True)
class Frames:
    """The packets of one capture that hold bytes somebody asks for, by these bytes."""

    attacks: dict[bytes, list[Seen]] = field(default_factory=lambda: defaultdict(list))
    meters: dict[bytes, list[Seen]] = field(default_factory=lambda: defaultdict(list))
    messages: dict[bytes, list[Seen]] = field(default_factory=lambda: defaultdict(list))
    extents: list[capture.Extent] = field(default_factory=list)


@dataclass(slots=True)
class ShotView:
    """`frames` are its packets on the air, `messages` those at the portal that hold it, `original_frames` those of the
    telegram it was made of. `rows` are the portal's because of it, `original_rows` others with the original's bytes.
    `original_absent`: why the original is not in the capture, "" where it is. `directory` is its world's, below the
    run's."""

    number: int
    shot: Shot
    mark: str  # the fingerprint under which history and tables name it
    sent: bytes
    original: bytes | None
    directory: str = ""
    frames: list[Seen] = field(default_factory=list)
    messages: list[Seen] = field(default_factory=list)
    original_frames: list[Seen] = field(default_factory=list)
    original_absent: str = ""
    rows: list[PortalRow] = field(default_factory=list)
    original_rows: list[PortalRow] = field(default_factory=list)
    control: ShotView | None = None

    @property
    def fields(self) -> list[Field]:
        return byte_difference.fields(self.sent, self.original) if self.sent else []

    @property
    def replayed(self) -> bool:
        """The attacker sent a genuine telegram as it was."""
        return self.original == self.sent and bool(self.sent)

    @property
    def by_network(self) -> bool:
        """It went to the broker in the attacker's own message: no frame of it was ever on the air."""
        return self.shot.source < 0 and bool(self.shot.taken)

    @property
    def original_lost(self) -> bool:
        """The portal refused the genuine telegram and has no reading of it."""
        tables = {row.table for row in self.original_rows}
        return not self.replayed and "refusals" in tables and "readings" not in tables

    @property
    def alarm_of_original(self) -> bool:
        """The alarm was raised as the portal refused the genuine telegram."""
        alarm = self.shot.alarm
        refused = [row.values.get("stored_ns") for row in self.original_rows if row.table == "refusals"]
        return alarm is not None and not self.replayed and alarm.time_ns in refused


def views_of(run: Run, scenario: Scenario) -> dict[int, list[ShotView]]:
    """id(claim) -> its shots, each beside the control's."""
    found: dict[int, list[ShotView]] = {}
    for world in scenario.worlds:
        claims = claims_in(scenario, world)
        views = {
            id(claim): [_view(k, shot, world.directory) for k, shot in enumerate(claim.shots, 1)] for claim in claims
        }
        every = [view for some in views.values() for view in some if view.sent]
        if every:
            _look_up(run.directory, world, every)
        found |= views
    for claim in scenario.claims:
        control = _control_of(scenario, claim)
        if control is not None:
            for view, other in zip(found.get(id(claim), []), found.get(id(control), []), strict=False):
                view.control = other
    return found


def all_views(run: Run) -> dict[int, list[ShotView]]:
    """id(claim) -> its shots, of every scenario."""
    return {key: views for scenario in run.scenarios for key, views in views_of(run, scenario).items()}


def claims_in(scenario: Scenario, world: World) -> list[Claim]:
    """Those that speak of this world: a claim names it by its set of defences."""
    return [claim for claim in scenario.claims if claim.defences == world.variant]


def comment_captures(run: Run, sent: Mapping[int, Sequence[ShotView]] | None = None) -> None:
    """Put on every packet of a shot what it was and what came of it. `sent`: what `all_views` says of this run, where
    that is at hand. Raises OSError."""
    sent = all_views(run) if sent is None else sent
    for scenario in run.scenarios:
        for world in scenario.worlds:
            path = inside(run.directory, world, CAPTURE)
            shots = [(claim, view) for claim in claims_in(scenario, world) for view in sent.get(id(claim), ())]
            if path is None or not path.is_file() or not shots:
                continue
            _comment(path, shots)


def inside(directory: Path, world: World, name: str) -> Path | None:
    """A file of a world; None when it lies outside of the run's directory, as no world's does that we made."""
    path = directory / world.directory / name
    return path if path.resolve().is_relative_to(directory.resolve()) else None


def extents_of(directory: Path, world: World) -> list[capture.Extent]:
    """How far a world's capture goes; [] where there is none, or it does not say."""
    path = inside(directory, world, CAPTURE)
    with contextlib.suppress(OSError, capture.BadCapture):
        return [] if path is None else capture.extents(path)
    return []


def _comment(path: Path, shots: Sequence[tuple[Claim, ShotView]]) -> None:
    words: dict[int, dict[str, None]] = defaultdict(dict)  # of each packet each text once, in their order
    for claim, view in shots:
        text = _words(claim, view.shot)
        for seen in (*view.frames, *view.messages):
            words[seen.number][text] = None
    with contextlib.suppress(capture.BadCapture):  # it stays as it is, and the page says that there are no frames
        capture.comment(path, {number: "\n".join(texts) for number, texts in words.items()})


def _words(claim: Claim, shot: Shot) -> str:
    what = ", ".join(part for part in (claim.attack, claim.variant) if part)
    came = f"stored as {shot.rows} readings" if shot.rows else ""
    came = came or ("refused: " + ", ".join(shot.reasons) if shot.reasons else "neither stored nor refused")
    return plain(f"{what}, {mode_text(claim.security)}, defences {claim.defences}: {claim.verdict}; {came}")


# --- looking up ------------------------------------------------------------------------------------------------


def _view(number: int, shot: Shot, directory: str = "") -> ShotView:
    sent, original = _bytes(shot.sent_hex), _bytes(shot.original_hex) or None
    return ShotView(number, shot, fingerprint(sent) if sent else "", sent, original, directory)


def _bytes(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""


def _control_of(scenario: Scenario, claim: Claim) -> Claim | None:
    """The claim of the same attack and variant with the defences off: in the same security mode, else in another one
    where the verdict says that it borrows."""
    if claim.defences in OFF:
        return None
    same = [c for c in scenario.claims
            if (c.attack, c.variant) == (claim.attack, claim.variant) and c.defences in OFF and c.shots]  # fmt: skip
    own = [c for c in same if c.security == claim.security]
    return next(iter(own or [c for c in same if c.verdict == "SUCCEEDED"]), None)


def _look_up(directory: Path, world: World, views: list[ShotView]) -> None:
    path = inside(directory, world, CAPTURE)
    if path is None:
        return
    try:
        frames = _frames(path, views)
    except (OSError, capture.BadCapture):
        frames = None
    originals = {id(view): fingerprint(view.original) for view in views if view.original}
    rows = rows_of(path.parent, {view.mark for view in views} | set(originals.values()))
    for view in views:
        _place(view, frames or Frames())
        view.rows = _own_rows(view, rows.get(view.mark, []))
        view.original_rows = [row for row in rows.get(originals.get(id(view), ""), []) if row not in view.rows]
        if view.original and not view.original_frames:
            view.original_absent = _absent(view, frames)


def _absent(view: ShotView, frames: Frames | None) -> str:
    """Why the original's frame is not in the capture: meters' frames are in it where a gateway received them, up to a
    limit."""
    if frames is None:
        return "there is no capture that can be read"
    received = True if view.original_rows else view.shot.original_received
    if received is None:
        return "not in the capture; this run does not say whether a gateway received it"
    if not received:
        return "not in the capture: no gateway received it"
    extent = next((one for one in frames.extents if one.interface == "air"), None)
    if extent is None:
        return "not in the capture, which does not say at what it was cut; a gateway received it"
    if not extent.limit:
        return "not in the capture, which was not cut, although a gateway received it"
    last_s = extent.last_ns / NS_PER_S
    return f"left out of the capture: a gateway received it after the limit, {extent.limit}, at t = {last_s:.1f} s"


def _own_rows(view: ShotView, rows: list[PortalRow]) -> list[PortalRow]:
    """A replay has the bytes of a genuine telegram: its rows are those of the time at which it was received."""
    ends = [int(end_ns) for gateway, end_ns in (t for t in view.shot.taken if len(t) == 2) if isinstance(end_ns, int)]
    if not ends or not view.replayed:
        return rows
    low, high = min(ends) - ROW_WINDOW_NS, max(ends) + ROW_WINDOW_NS
    return [row for row in rows if low <= int(row.values.get("received_ns", 0)) <= high]


def _frames(path: Path, views: Iterable[ShotView]) -> Frames:
    """Raises OSError and BadCapture."""
    sent = {view.sent for view in views}
    originals = {view.original for view in views if view.original}
    in_hex = {telegram.hex().encode(): telegram for telegram in sent}
    found = Frames(extents=capture.extents(path))
    for packet in capture.packets(path):
        if packet.interface == capture.BROKER:
            payload = packet.payload
            brought = in_hex.keys() & set(payload.split(b'"'))
            heard_ns = _heard_ns(payload, {in_hex[text] for text in brought}) if brought else {}
            for telegram in (in_hex[text] for text in brought):
                seen = Seen(packet.number, packet.time_ns, heard_ns=tuple(heard_ns.get(telegram, ())))
                found.messages[telegram].append(seen)
            continue
        telegram = packet.telegram
        seen = Seen(packet.number, packet.time_ns, int.from_bytes(packet.body[4:6], "big"), packet.body[2] == 0)
        if packet.is_attack and telegram in sent:
            found.attacks[telegram].append(seen)
        elif telegram in originals:
            found.meters[telegram].append(seen)
    return found


def _heard_ns(payload: bytes, telegrams: Collection[bytes]) -> dict[bytes, list[int]]:
    """When a gateway received each of these, by its bundle; {} for what is no bundle."""
    found: dict[bytes, list[int]] = {}
    with contextlib.suppress(BadBundle):
        bundle = Columns.decode(payload)
        begin = 0
        for length, received_ns in zip(bundle.lengths, bundle.received_ns, strict=True):
            telegram = bundle.data[begin : begin + length]
            begin += length
            if telegram in telegrams:
                found.setdefault(telegram, []).append(received_ns)
    return found


def _place(view: ShotView, frames: Frames) -> None:
    """The same bytes may be sent several times: a frame belongs to the shot that began right before it."""
    begun_ns = view.shot.time_ns
    until_ns = begun_ns + FRAME_WINDOW_NS
    after = [seen for seen in frames.attacks.get(view.sent, ()) if begun_ns <= seen.time_ns <= until_ns]
    first_ns = min((seen.time_ns for seen in after), default=0)
    view.frames = [seen for seen in after if seen.time_ns == first_ns]
    later = [seen for seen in frames.messages.get(view.sent, ()) if seen.time_ns >= begun_ns]
    # The meter's own telegram may have the same bytes: on the air it is the time of reception that tells.
    heard = [seen for seen in later if any(begun_ns <= heard_ns <= until_ns for heard_ns in seen.heard_ns)]
    view.messages = heard if view.frames else later[:1]
    if view.original is not None:
        view.original_frames = [s for s in frames.meters.get(view.original, ()) if s.time_ns <= begun_ns][:4]
