"""Alteration on the air: keep a telegram from the gateway, change it without its key, deliver it at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from attacks.attack import Can, Outcome, Steps, attack, form
from attacks.parts import forgery
from attacks.parts.jam_and_capture import InBetween
from attacks.parts.sent_frames import Shot, outcomes_of
from attacks.parts.survey import Known
from attacks.reach import Reach
from sim.core.bundle import Heard
from sim.core.settings import without
from sim.portal.store import Reading
from sim.truth.ground_truth import Truth, fingerprint
from wmbus.link import SND_IR

UNITS = 4_711
VERSION = 0x01
APPENDED = "a record in clear appended"
CUT = "N lowered, cut, units and time in clear appended"
CUT_TIMELESS = "N lowered, cut, units in clear appended"
FLIPPED = "a bit flipped behind the first block"
ANOTHER_VERSION = "another version announced: stored"
WRONG_VALUE = "another version announced: value changed"
NO_MAC = "MAC left out, status changed"
C_FIELD = "another C field: stored"
ELL = "another communication control: stored"
STATUS = "tamper bit of the status byte cleared"

Surgery = Callable[[bytes, str, datetime], bytes]
TIMED: dict[str, Surgery] = {
    APPENDED: lambda frame, maker, now: forgery.with_tail(frame, forgery.records_now(UNITS, now)[:5]),
    CUT: lambda frame, maker, now: forgery.cut_to_first_block(frame, forgery.records_now(UNITS, now), maker),
    CUT_TIMELESS: lambda frame, maker, now: forgery.cut_to_first_block(
        frame, forgery.records_now(UNITS, now)[:5], maker
    ),
    ANOTHER_VERSION: lambda frame, maker, now: forgery.with_version(frame, VERSION),
    NO_MAC: lambda frame, maker, now: forgery.with_status(forgery.without_mac(frame), 0x10),
    C_FIELD: lambda frame, maker, now: forgery.with_c_field(frame, SND_IR),
}
TIMELESS: dict[str, Surgery] = {
    FLIPPED: lambda frame, maker, now: forgery.with_block_flipped(frame, 2),
    STATUS: lambda frame, maker, now: forgery.with_status_cleared(frame, 0x08),
    NO_MAC: TIMED[NO_MAC],
    ELL: lambda frame, maker, now: forgery.with_communication_control(frame, 0x80),
}
CLEAR: dict[str, Surgery] = {**TIMED, STATUS: lambda frame, maker, now: forgery.without_complaint(frame)}
NEEDS = {CUT: ("mode5", "mode7"), CUT_TIMELESS: ("mode5", "mode7"), FLIPPED: ("mode5", "mode7"), NO_MAC: ("mode7",),
         ELL: ("mode7",)}  # fmt: skip


@attack(
    id="radio.alter",
    title="Change telegrams on their way to the gateway",
    threats=["L13", "L14", "L15", "L16", "L17", "L20", "L21"],
    can=Can.HEAR | Can.SPEAK | Can.SHAPE,
    ics=["T0830", "T0856", "T0860"],
    weakness={
        "portal.strict": False,
        "portal.pin_profile": False,
        "portal.whole_address": False,
        "portal.checks": without("ts"),
    },
    seen_as="refused: clear tail, bad mac, profile, or another address",
    forms={
        APPENDED: form("units in clear at the end", "bytes appended"),
        CUT: form("units and a clock in clear at the end", "N lowered, cut behind the first block"),
        CUT_TIMELESS: form("units in clear at the end", "N lowered, cut behind the first block"),
        FLIPPED: form(changed="one bit behind the first block"),
        ANOTHER_VERSION: form(changed="version"),
        WRONG_VALUE: form(changed="version"),
        C_FIELD: form(changed="C field"),
        ELL: form(changed="extended link layer"),
        NO_MAC: form("no MAC", "MAC left out, status"),
        STATUS: form("no error in the status", "status"),
        f"{STATUS} / none": form("no error in the status", "status, contents"),
    },
)
@dataclass
class Alter(InBetween):
    """The gateway never hears the genuine telegram, so number and time in the altered one are new; what is tried is
    only whether the portal notices the change. Each variant has meters of its own, and changes each of their telegrams.

    "appended", "cut": units of the attacker's choice in clear behind the ciphertext, or behind its first block.
    "flipped": one bit of a ciphertext block, which turns that block into noise and the same bit of the next one over.
    "another version": a byte of the address that feeds the IV; counted apart are telegrams stored and values changed.
    "C field", "communication control": outside of any MAC, and nothing that a portal should decide by.
    "MAC left out": mode 7 with its counter and no MAC. "tamper bit": the status byte of a meter that complains;
    counted are readings without the complaint; in mode 0 the date of the fault is put back as well.
    """

    targets_each: int = 6
    timeless: tuple[str, ...] = ("TCH",)
    shots: list[Shot] = field(default_factory=list)
    _variant: dict[str, str] = field(default_factory=dict)
    _dealt: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))

    def _forms(self, known: Known) -> dict[str, Surgery]:
        """What is tried on meters of this mode and type."""
        if known.maker in self.timeless:
            return TIMELESS
        return CLEAR if known.security == "none" else TIMED

    def _variant_of(self, known: Known) -> str:
        """Dealt in turn to the meters of one mode and maker, as they speak."""
        if known.address not in self._variant:
            forms = self._forms(known)
            fitting = [form for form in forms if known.security in NEEDS.get(form, (known.security,))]
            place = (known.security, known.maker)
            self._variant[known.address] = fitting[self._dealt[place] % len(fitting)]
            self._dealt[place] += 1
        return self._variant[known.address]

    def deliver(self, reach: Reach, known: Known, heard: Heard) -> Steps:
        variant = self._variant_of(known)
        return self._change(reach, variant, known, heard, self._forms(known)[variant])

    def _change(self, reach: Reach, variant: str, known: Known, heard: Heard, surgery: Surgery) -> Steps:
        yield reach.wait(0.5)
        forged = surgery(heard.telegram, known.maker, reach.today())
        if forged == heard.telegram:
            self.shadow.speak(reach, forged)  # nothing to change in it yet; the meter must not fall silent
            return
        reach.note("speak", f"{variant}: {known.address}, telegram {fingerprint(forged)}")
        spoken = self.shadow.speak(reach, forged)
        self.shots.append(Shot(variant, known.security, known.address, spoken, heard.telegram))

    # --- what came of it ----------------------------------------------------------------------------------------

    def outcomes(self, truth: Truth) -> list[Outcome]:
        def another_value(row: Reading, shot: Shot) -> bool:
            return row.units != truth.units_in(fingerprint(shot.of))

        by_version = [shot._replace(variant=WRONG_VALUE) for shot in self.shots if shot.variant == ANOTHER_VERSION]
        cleared = [shot for shot in self.shots if shot.variant == STATUS]
        return [
            *outcomes_of([shot for shot in self.shots if shot.variant != STATUS], truth),
            *outcomes_of(by_version, truth, another_value),
            *outcomes_of(cleared, truth, lambda row, _: not row.tamper),
        ]
