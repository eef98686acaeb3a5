"""How a wired meter and its gateway come to know each other."""

from __future__ import annotations

from typing import Literal

Pairing = Literal["certificates", "meter key"]
