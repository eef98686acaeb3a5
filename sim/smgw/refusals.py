"""Two families: a rule or a reading that this model refuses, and bytes that are no frame."""

from __future__ import annotations

from sim.core.refused import BrokenClause


class RuleError(BrokenClause):
    """A rule set, or readings for it, contradict the model. `clause` is the stable code of the model's clause."""


class BadFrame(Exception):
    """Bytes that are not what they claim to be. `offset`: the byte of what was handed in where reading stopped."""

    def __init__(self, reason: str, detail: str, offset: int = 0) -> None:
        super().__init__(f"{reason} at byte {offset}: {detail}")
        self.reason = reason
        self.detail = detail
        self.offset = offset

    def as_json(self) -> dict[str, str | int]:
        """The member `error` of an answer."""
        return {"reason": self.reason, "detail": self.detail, "offset": self.offset}
