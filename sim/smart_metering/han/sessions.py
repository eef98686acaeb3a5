"""Logins that last by a cookie: idle and whole time are limited, and so is how many there are at once.

Where a device has one session at a time, the same user logging in again replaces it; another user waits until it ends.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sim.smart_metering.han.http_digest import IDLE_S, SESSION_MOST_S


@dataclass(slots=True)
class Session:
    user: str
    begun_s: int
    used_s: int


class Sessions:
    """`most`: at once."""

    def __init__(self, most: int, draw: Callable[[int], bytes]) -> None:
        self._most, self._draw = most, draw
        self._open: dict[str, Session] = {}

    def begin(self, user: str, now_s: int) -> str | None:
        """The cookie's value; None where there is no room."""
        self._tidy(now_s)
        own = [one for one, session in self._open.items() if session.user == user]
        if len(self._open) >= self._most:
            if not own:
                return None
            del self._open[own[0]]
        cookie = self._draw(16).hex()
        self._open[cookie] = Session(user, now_s, now_s)
        return cookie

    def goes_on(self, cookie: str, user: str, now_s: int) -> bool:
        """It is this user's, and not over."""
        self._tidy(now_s)
        session = self._open.get(cookie)
        if session is None or session.user != user:
            return False
        session.used_s = now_s
        return True

    def end(self, cookie: str) -> None:
        self._open.pop(cookie, None)

    def _tidy(self, now_s: int) -> None:
        over = [
            one for one, session in self._open.items()
            if now_s - session.used_s > IDLE_S or now_s - session.begun_s > SESSION_MOST_S
        ]  # fmt: skip
        for one in over:
            del self._open[one]
