"""What must not be missed in the rows on meters that listen, the link layer's encryption, onboarding and backups."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sim.portal.onboarding import Announced
from tests.referee.defect import ALARMS, FAULTS, OTHER, SILENT, STORES, Patch, defect
from tests.referee.defects import plays


@defect("backup-without-counters", STORES, "A backup holds the counters that freshness stands on.", plays.RESTORED)
def backup_without_counters(patch: Patch) -> None:
    """The backup that should be whole leaves the counters out."""

    def copied(original: Callable[..., None], store: Any, folder: Path, *, keep_freshness: bool) -> None:
        original(store, folder, keep_freshness=False)

    patch.around("sim.portal.store.sqlite:SqliteStore.back_up", copied)


@defect("nothing-is-restored", FAULTS, "The portal's disk is lost and an older one put in its place.", plays.RESTORED)
def nothing_is_restored(patch: Patch) -> None:
    """The portal is closed and opened on the disk that it had."""
    patch.around("sim.portal.store.sqlite:SqliteStore.restore", lambda original, store, folder: store.close())


@defect("announcement-is-believed", STORES, "Onboarding never overwrites an entry.", plays.ONBOARDING)
def announcement_is_believed(patch: Patch) -> None:
    """What is announced goes into the books although the portal is told to ask."""

    def taken(original: Callable[..., list[Announced]], registry: Any, heard: Any) -> Sequence[Announced]:
        found = original(registry, heard)
        for one in found:
            registry.add(one.claims)
        return found

    patch.around("sim.portal.portal:announcements", taken)


@defect(
    "announcement-unnoticed", ALARMS, "An announcement of a known identification raises an alarm.", plays.ONBOARDING
)
def announcement_unnoticed(patch: Patch) -> None:
    """The alarm on announcements is never raised."""
    patch.around("sim.portal.alarms.onboarding:Onboarding.announced", lambda original, *what: None)


@defect("command-counter-not-kept", STORES, "A command is good once.", plays.CLOCK_COMMAND)
def command_counter_not_kept(patch: Patch) -> None:
    """A meter in mode 7 forgets the counter of the last command."""

    def forgetful(original: Callable[..., str], meter: Any, *what: Any) -> str:
        meter._command_counter = 0
        return original(meter, *what)

    patch.around("sim.meters.two_way:TwoWayMeter._obey", forgetful)


@defect("answers-without-limit", STORES, "A meter answers a limited number of requests an hour.", plays.DRAIN)
def answers_without_limit(patch: Patch) -> None:
    """A meter forgets how often it answered."""

    def forgetful(original: Callable[..., bytes], meter: Any, *what: Any) -> bytes:
        meter.answered_at_s = []
        return original(meter, *what)

    patch.around("sim.meters.two_way:TwoWayMeter._answer", forgetful)


@defect("asks-too-late", SILENT, "Requests reach meters while they listen.", plays.DRAIN)
def asks_too_late(patch: Patch) -> None:
    """The draining attacker asks a second later, when no meter listens any more."""

    def late(original: Callable[..., Any], attack: Any, reach: Any, frame: bytes) -> Any:
        yield reach.wait(1.0)
        yield from original(attack, reach, frame)

    patch.around("attacks.drain:Drain._ask", late)


@defect("keystream-deaf", SILENT, "Who compares ciphertexts hears them.", plays.KEYSTREAM)
def keystream_deaf(patch: Patch) -> None:
    """No telegram is taken for one that is encrypted in its link layer."""
    patch.around("attacks.keystream:ciphertext_of", lambda original, frame: None)


@defect("flipped-crc-left", OTHER, "The CRC is moved along with the bits that are turned over.", plays.CHOSEN_BITS)
def flipped_crc_left(patch: Patch) -> None:
    """The payload CRC stays as it was."""
    patch.around("attacks.parts.ell_session:crc16", lambda original, data: 0)


@defect(
    "link-encryption-accepted",
    STORES,
    "A link layer without a MAC is refused where none was agreed.",
    plays.CHOSEN_BITS,
)
def link_encryption_accepted(patch: Patch) -> None:
    """A telegram that is encrypted in the link layer departs from no profile."""

    def lenient(original: Callable[..., str | None], telegram: Any, entry: Any) -> str | None:
        if telegram.ell is not None and telegram.ell.encryption:
            return None
        return original(telegram, entry)

    patch.around("sim.portal.opener:_departs", lenient)
