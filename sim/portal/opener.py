"""One telegram: whose is it, is it as agreed, authentic, readable? The first "no" is the reason.

What is wholly as agreed is opened in bulk (`decrypt_batch`); everything else is opened here, be it strange or forged,
and what is found here stands. Whether a telegram is new is asked afterwards (`freshness`).

`pin_profile` is the rule that the receiver, not the sender, knows how a meter secures its telegrams: mode, header,
an 8-byte MAC where mode 7 was agreed. Without it the portal honours what each telegram says about itself, as real
receivers do, and so takes mode 0, CI 78, N = 0, a short or missing MAC from a meter that was sold as encrypted: it
fails open (L19, L20). `strict` refuses bytes that nobody encrypted and answers given twice, be it in another coding
(L15, L16); without it the tail is read and the last answer stands. `whole_address=False` finds meter and key by id
alone (L13).

A counter is handed on only when a MAC over it was verified: an unauthenticated counter is worth no more than an access
number.
"""

from __future__ import annotations

from sim.core.clock import Calendar
from sim.core.vocabulary import MODE_OF
from sim.portal import reasons
from sim.portal.interpret import Values, interpret, tampering
from sim.portal.keyring import Keyring
from sim.portal.meter_registry import MeterEntry, Registry
from sim.portal.portal_spec import PortalSpec
from wmbus import reading, receiver
from wmbus.dissect import Telegram, parse
from wmbus.errors import BadTelegram, Reason
from wmbus.transport import ANSWERS, CI_LONG, CI_SHORT, MANUFACTURER, RECORDS, TO_METER

_OTHER_KEY = frozenset({Reason.WRONG_KEY, Reason.PAYLOAD_CRC, Reason.MAC_WRONG})
MAC_AT = 5  # AFL authentication type of profile B: 8 bytes
_OURS = {
    Reason.KEY_MISSING: reasons.NO_KEY,
    Reason.WRONG_KEY: reasons.BAD_CIPHER,
    Reason.PAYLOAD_CRC: reasons.BAD_CIPHER,
    Reason.MAC_WRONG: reasons.BAD_MAC,
    Reason.MAC_MISSING: reasons.PROFILE,
    Reason.MAC_TOO_SHORT: reasons.PROFILE,
    Reason.MAC_KIND: reasons.PROFILE,
    Reason.COUNTER_MISSING: reasons.PROFILE,
    Reason.NOT_ENCRYPTED: reasons.PROFILE,
    Reason.MODE_UNSUPPORTED: reasons.PROFILE,
    Reason.CLEAR_TAIL: reasons.CLEAR_TAIL,
    Reason.BAD_RECORD: reasons.BAD_RECORDS,
    Reason.DUPLICATE_RECORD: reasons.BAD_RECORDS,
    Reason.TRAILING_BYTES: reasons.BAD_RECORDS,
    Reason.MANUFACTURER_SPECIFIC: reasons.NO_VALUE,
    Reason.FORMAT_UNKNOWN: reasons.NO_VALUE,
}


class Opened:
    """What came of one telegram. `reason` None: it was opened. `meter` is the name it is filed under, `subject` the
    registered meter that an alarm would be about. `shown_ns`: the meter's own time as world time. `tampering` is what
    it complains of."""

    __slots__ = (
        "counter", "detail", "entry", "meter", "reason", "shown_ns", "subject", "tampering", "telegram", "values",
    )  # fmt: skip

    def __init__(self, meter: str) -> None:
        self.meter = meter
        self.subject = meter
        self.reason: str | None = None
        self.detail = ""
        self.entry: MeterEntry | None = None
        self.values: Values | None = None
        self.telegram: Telegram | None = None
        self.counter: int | None = None
        self.shown_ns: int | None = None
        self.tampering: str | None = None

    def no(self, reason: str, detail: str) -> Opened:
        self.reason, self.detail = reason, detail
        return self


class Opener:
    """The defences against forged bytes that `spec` leaves switched on, in order."""

    def __init__(self, spec: PortalSpec, calendar: Calendar, keyring: Keyring, registry: Registry) -> None:
        self._spec = spec
        self._calendar = calendar
        self._keyring = keyring
        self._registry = registry

    def open(self, raw: bytes) -> Opened:
        """Never raises, whatever the bytes."""
        try:
            telegram = parse(raw)
        except BadTelegram as error:
            return Opened("").no(reasons.MALFORMED, str(error))
        entry = self._registry.find(telegram.address, whole_address=self._spec.whole_address)
        if entry is None:
            return self._stranger(telegram)
        opened = Opened(entry.name)
        opened.entry, opened.telegram = entry, telegram
        try:
            self._open(opened, telegram, entry)
        except BadTelegram as error:
            return opened.no(_OURS.get(error.reason, reasons.MALFORMED), str(error))
        if opened.reason is None:
            values, telegram = opened.values, opened.telegram
            assert values is not None
            opened.shown_ns = None if values.meter_time is None else self._calendar.ns(values.meter_time)
            opened.tampering = tampering(values, telegram.sts or 0)
        return opened

    def _stranger(self, telegram: Telegram) -> Opened:
        opened = Opened(str(telegram.address))
        known = self._registry.find(telegram.address, whole_address=False)
        if known is None:
            return opened.no(reasons.UNKNOWN_METER, "not in the registry")
        opened.subject = known.name
        return opened.no(reasons.OTHER_ADDRESS, f"{known.address.id} is registered as {known.name}")

    def _open(self, opened: Opened, telegram: Telegram, entry: MeterEntry) -> None:
        """Profile, cipher, records. Raises BadTelegram, or leaves a reason."""
        spec = self._spec
        if telegram.ci in TO_METER or telegram.ci in ANSWERS:  # by the CI, which a MAC covers; none covers the C field
            opened.no(reasons.NO_VALUE, f"CI {telegram.ci:02X}: a command to the meter, or its answer without data")
            return
        if spec.pin_profile:
            departs = _departs(telegram, entry)
            if departs is not None:
                opened.no(reasons.PROFILE, departs)
                return
        key = self._keyring.key(telegram.address, whole_address=spec.whole_address)
        if spec.pin_profile and entry.security == "none":
            key = None  # what was agreed to be clear is not opened
        unlocked = self._unlocked(telegram, key, entry)
        if spec.strict and entry.odd is not None:
            values = interpret(entry.odd.records(unlocked))
        else:
            values = interpret(reading.interpret(unlocked, strict=spec.strict).records)
        opened.telegram = unlocked.telegram  # behind an encrypted ELL the inner layers are the telegram's
        opened.values = values
        opened.counter = unlocked.counter if unlocked.mac_ok else None
        if spec.strict and values.twice:
            opened.no(reasons.BAD_RECORDS, f"two records tell {values.twice}")
            return
        if values.outside:
            opened.no(reasons.OUTSIDE, values.outside)
            return
        if not values.tells_consumption:
            opened.no(reasons.NO_VALUE, "no record of a consumption that this portal reads")


    def _unlocked(self, telegram: Telegram, key: bytes | None, entry: MeterEntry) -> receiver.Unlocked:
        """Under its meter's key, else under the one before while that is good. Raises BadTelegram."""
        try:
            return self._unlock(telegram, key, entry)
        except BadTelegram as error:
            former = self._keyring.former(telegram.address) if key is not None and error.reason in _OTHER_KEY else None
            if former is None:
                raise
            try:
                return self._unlock(telegram, former, entry)
            except BadTelegram:
                raise error from None

    def _unlock(self, telegram: Telegram, key: bytes | None, entry: MeterEntry) -> receiver.Unlocked:
        spec, pinned = self._spec, self._spec.pin_profile
        return receiver.unlock(
            telegram,
            key,
            pinned_mac_at=MAC_AT,
            honour_sender_mac=not pinned,
            require_mac=pinned,
            accept_clear_tail=not spec.strict or (entry.odd is not None and entry.odd.clear_tail_bytes > 0),
            accept_n_zero=not pinned,
        )


def _departs(telegram: Telegram, entry: MeterEntry) -> str | None:
    """How a telegram departs from the profile agreed for its meter, None when it does not. The MAC is left to
    `unlock`, which is told to insist on it."""
    if telegram.ell is not None and telegram.ell.encryption:
        return f"{telegram.security}, agreed was {entry.security}"
    if telegram.mode != MODE_OF[entry.security]:
        return f"{telegram.security}, agreed was {entry.security}"
    if entry.security == "none":
        return None if telegram.ci in RECORDS or telegram.ci in MANUFACTURER else f"CI {telegram.ci or 0:02X}"
    if telegram.ci not in (CI_SHORT, CI_LONG):
        return f"CI {telegram.ci or 0:02X} has no header that {entry.security} needs"
    return None
