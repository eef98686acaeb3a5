"""Fragments among the telegrams that somebody pasted, joined to the messages that they make."""

from __future__ import annotations

from typing import Any, NamedTuple

from wmbus.dissect import Telegram, parse
from wmbus.errors import BadTelegram
from wmbus.fragments import Reassembly
from wmbus.recover import recover


class Joined(NamedTuple):
    """What came of `fragments` fragments: a message, or a reason with its words and offset."""

    fragments: int
    whole: Telegram | None
    refused: dict[str, Any]


class Joiner:
    """Hand in telegrams in their order; senders may take turns."""

    def __init__(self) -> None:
        self._open: dict[bytes, tuple[Reassembly, int]] = {}

    def add(self, data: bytes) -> Joined | None:
        """None: no fragment, or more are due."""
        try:
            telegram = parse(recover(data).frame)
        except BadTelegram:
            return None
        if telegram.afl is None or not telegram.afl.fragmented:
            return None
        sender = telegram.raw[2:10]
        reassembly, count = self._open.pop(sender, (Reassembly(), 0))
        count = 1 if telegram.afl.fragment == 1 else count + 1
        try:
            whole = reassembly.add(telegram)
        except BadTelegram as error:
            if count == 1:
                return None  # a fragment alone, whose first one nobody pasted
            said = {"reason": error.reason.value, "detail": error.detail, "offset": error.offset}
            return Joined(count, None, said)
        if whole is None:
            self._open[sender] = reassembly, count
            return None
        return Joined(count, whole, {})
