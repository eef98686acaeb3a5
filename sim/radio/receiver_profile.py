"""Receivers as data: what a receiver makes of noise, of other frames and of a frame that begins while it follows one.

    profiles()                    id -> profile: one TOML file each in sim/radio/receivers, and in a user's receivers/
    profile("sdr-rtl_433")        the profile; UnknownPart names those there are
    Curves.of([...])              as arrays, for the compiled sweep and the oracle alike

A file says for each link mode, as points (dB, share of frames):

    sensitivity     received over signal to noise, in the bandwidth that `noise_dbm` is of
    capture         the frame that is followed survives, over what it is stronger by than all others together
    overtakes       a frame that begins while another of its channel is followed takes the demodulator, over what it is
                    stronger by. No points: the receiver stays with the frame it follows
    overtakes_early the same where the followed frame is younger than `early_us`: it has not locked for good

and which frame's level `sensitivity_dbm` is: that at which half of the T1 frames are received, noise alone. One draw
a frame serves `capture` and both ways of overtaking, so a frame that breaks in must also survive, and does as often as
the rarer of the two says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.core import own
from sim.core.parts import UnknownPart, nearest
from sim.core.settings import build, number, read_toml
from sim.radio.capture_effect import ENTRIES, NEVER_CDB, capture_table, quantiles
from sim.radio.link_modes import Mode
from sim.radio.receiver_names import DEFAULT

I64 = NDArray[np.int64]
Points = tuple[tuple[float, ...], ...]

FOLDER: Final = Path(__file__).parent / "receivers"
_HALF: Final = ENTRIES // 2
_CURVES: Final = ("sensitivity", "capture", "overtakes", "overtakes_early")


@dataclass(frozen=True, slots=True)
class ModeCurves:
    """One link mode; see the module. Points are (dB, share)."""

    sensitivity: Points
    capture: Points
    overtakes: Points = ()
    overtakes_early: Points = ()
    early_us: float = number(0.0, low=0.0, high=100_000.0)


@dataclass(frozen=True, slots=True)
class ReceiverFile:
    """A file of sim/radio/receivers. `lacks`: what nobody has measured, and what stands there in its place."""

    title: str
    source: str
    sensitivity_dbm: float
    T1: ModeCurves
    C1: ModeCurves
    S1: ModeCurves
    lacks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class ReceiverProfile:
    """Tables of quantiles in 1/100 dB, (modes, ENTRIES) each. `need`: over the level of the luckiest frame, which is
    `easiest_cdb` from the level of `sensitivity_dbm`."""

    id: str
    title: str
    source: str
    lacks: tuple[str, ...]
    sensitivity_dbm: float
    easiest_cdb: int
    need: I64
    capture: I64
    early: I64
    inside: I64
    early_ns: I64

    @classmethod
    def of(cls, id_: str, told: ReceiverFile) -> ReceiverProfile:
        modes = [getattr(told, mode.name) for mode in Mode]
        need, capture, inside, early = (np.array([quantiles(getattr(one, name)) for one in modes]) for name in _CURVES)
        half, easiest = int(need[0, _HALF - 1]), int(need.min())
        need = np.minimum(need - easiest, NEVER_CDB)
        early_ns = np.array([round(1_000 * one.early_us) for one in modes], dtype=np.int64)
        return cls(id_, told.title, told.source, told.lacks, told.sensitivity_dbm, easiest - half, need, capture,
                   early, inside, early_ns)  # fmt: skip

    @classmethod
    def plain(cls, capture: int | I64) -> ReceiverProfile:
        """A threshold for noise, one for interference (or a table, see capture_effect), and a lock that holds."""
        table, never = np.tile(capture_table(capture), (len(Mode), 1)), np.full((len(Mode), ENTRIES), NEVER_CDB)
        return cls("plain", "", "", (), -100.0, 0, np.zeros_like(never), table, never, never, np.zeros(3, np.int64))

    def easiest_cdbm(self, sensitivity_dbm: float | None = None) -> int:
        """The level in 1/100 dBm at which the luckiest frames are received; no argument: as the profile has it."""
        return round(100 * (self.sensitivity_dbm if sensitivity_dbm is None else sensitivity_dbm)) + self.easiest_cdb


class Curves(NamedTuple):
    """Profiles as arrays: tables (profiles, modes, ENTRIES), `early_ns` (profiles, modes). `drawn`: some table is more
    than one number; `curved`: noise has a table; `breaks`: some frame can take a demodulator over."""

    need: I64
    capture: I64
    early: I64
    inside: I64
    early_ns: I64
    drawn: NDArray[np.bool_]
    curved: NDArray[np.bool_]
    breaks: NDArray[np.bool_]

    @classmethod
    def of(cls, those: Sequence[ReceiverProfile]) -> Curves:
        none = np.zeros((0, len(Mode), ENTRIES), dtype=np.int64)
        need, capture, early, inside = (
            np.concatenate([none, *(getattr(one, name)[None] for one in those)])
            for name in ("need", "capture", "early", "inside")
        )
        early_ns = np.array([one.early_ns for one in those], dtype=np.int64).reshape(-1, len(Mode))
        curved = (need != 0).any(axis=(1, 2))
        breaks = (np.minimum(early, inside) < NEVER_CDB).any(axis=(1, 2))
        return cls(need, capture, early, inside, early_ns,
                   curved | breaks | (np.diff(capture) != 0).any(axis=(1, 2)), curved, breaks)  # fmt: skip


# --- which there are --------------------------------------------------------------------------------------------


def read(path: Path) -> ReceiverProfile:
    """A profile from its file. Raises SpecError."""
    table, place = read_toml(path)
    told = build(ReceiverFile, table, place)
    for mode in Mode:
        for name in _CURVES:
            points, at = getattr(getattr(told, mode.name), name), f"{mode.name}.{name}"
            if any(len(one) != 2 for one in points):
                raise place.error(at, "each point is a pair: dB, share")
            if not points and not name.startswith("overtakes"):
                raise place.error(at, "needs at least one point")
            if any(not 0 <= share <= 1 for _, share in points):
                raise place.error(at, "a share is between 0 and 1")
            if any(not -100 <= at_db <= 100 for at_db, _ in points):
                raise place.error(at, "a ratio is between -100 and 100 dB")
            if any(a[0] >= b[0] for a, b in pairwise(points)):
                raise place.error(at, "the points must rise in dB")
    made = ReceiverProfile.of(path.stem, told)
    if made.need[0, _HALF - 1] >= NEVER_CDB:
        raise place.error("T1.sensitivity", "must reach half of the frames: sensitivity_dbm is that level")
    return made


def profiles() -> Mapping[str, ReceiverProfile]:
    """Id -> profile, in the order of ids: ours, and those in `receivers/` of the user's own repository. Raises
    SpecError."""
    return _profiles(own.folder(own.RECEIVERS))


def file_of(id_: str) -> Path:
    """The file of a profile. Raises UnknownPart, SpecError."""
    return own.named_files(FOLDER, own.folder(own.RECEIVERS))[profile(id_).id]


@cache
def _profiles(beside: Path | None) -> Mapping[str, ReceiverProfile]:
    return {id_: read(path) for id_, path in own.named_files(FOLDER, beside).items()}


def profile(id_: str = DEFAULT) -> ReceiverProfile:
    """Raises UnknownPart, SpecError."""
    known = profiles()
    if id_ not in known:
        raise UnknownPart(f"no receiver '{id_}'; known, nearest first: {', '.join(nearest(id_, known))}")
    return known[id_]
