"""What refusals of all kinds have in common: a stable code, and what is wrong in words."""

from __future__ import annotations


class Refusal(Exception):
    """`reason`: the stable code, which each kind lists."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class BrokenClause(Exception):
    """`clause`: the stable code of the clause of a model or a profile that does not hold."""

    def __init__(self, clause: str, detail: str) -> None:
        super().__init__(f"{clause}: {detail}")
        self.clause = clause
        self.detail = detail
