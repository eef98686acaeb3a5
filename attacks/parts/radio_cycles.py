"""What a listener makes of the cycles of radio meters of security profile C: who demands access, what is asked of whom,
what is answered. No attack by itself."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from sim.core.bundle import Heard
from sim.smart_metering.lmn.radio_frames import ACC_DMD, FCB, FROM_GATEWAY, REQ_UD2, RSP_UD
from wmbus.dissect import Telegram, parse
from wmbus.errors import BadTelegram
from wmbus.link import Address
from wmbus.transport import TLS


@dataclass
class Cycles:
    """`demands`: each meter's last demand; `answers`: of each meter, the frames of its last message with values."""

    demands: dict[Address, bytes] = field(default_factory=dict)
    answers: dict[Address, list[bytes]] = field(default_factory=lambda: defaultdict(list))

    def note(self, heard: Heard) -> Telegram | None:
        """The frame taken apart; None: it is none of these meters or their gateways."""
        try:
            telegram = parse(heard.telegram)
        except BadTelegram:
            return None
        if telegram.ell is None:
            return None
        meter, frame = telegram.link_address, telegram.raw
        if frame[1] == ACC_DMD:
            self.demands[meter] = frame
        elif frame[1] == RSP_UD and meter in self.demands and telegram.afl is not None:
            first = telegram.afl.fragment in (0, 1)
            if first:
                self.answers[meter].clear()
            self.answers[meter].append(frame)
        elif frame[1] not in FROM_GATEWAY:
            return None
        return telegram

    def values(self, meter: Address) -> list[bytes]:
        """Frames of a meter's last message, if it is one with values."""
        frames = self.answers.get(meter, [])
        return [] if not frames or (first := parse(frames[0])).transport is None or first.ci in TLS else list(frames)


def asks(telegram: Telegram, meter: Address) -> bool:
    """A gateway asks this meter for its next frame."""
    ell = telegram.ell
    return ell is not None and ell.receiver == meter and telegram.raw[1] & ~FCB == REQ_UD2
