"""Words that several rooms use in worlds: how telegrams are secured, and on which link they are sent."""

from __future__ import annotations

from typing import Final, Literal

Security = Literal["none", "mode5", "mode7"]
Link = Literal["T1", "C1", "S1"]
SECURITIES: Final[tuple[Security, ...]] = ("none", "mode5", "mode7")
MODE_OF: Final[dict[str, int]] = {"none": 0, "mode5": 5, "mode7": 7}
"""The security mode in the configuration field (EN 13757-7)."""
SERVER_CERTIFICATES: Final = ("rogue CA", "wrong host name", "expired certificate")
"""What a man in the middle can show as a server."""
