"""Words that several rooms use in worlds: how telegrams are secured, and on which link they are sent."""

from __future__ import annotations

from typing import Final, Literal

Security = Literal["none", "mode5", "mode7"]
Link = Literal["T1", "C1", "S1"]
SECURITIES: Final[tuple[Security, ...]] = ("none", "mode5", "mode7")
