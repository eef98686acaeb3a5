"""The standard input of the gateway's program: a pipe, new at each start."""

from __future__ import annotations

from dataclasses import dataclass

from sim.feeders.lines._descriptor import Descriptor, OverDescriptor
from sim.feeders.lines.port import Answer, LineKind, LineSpec


@dataclass(frozen=True, slots=True)
class StdinSpec(LineSpec):
    """It has no keys."""

    kind: str = "stdin"


class StandardInput(OverDescriptor):
    """See port.Line."""

    place = ""

    @property
    def problem(self) -> str | None:
        if self._descriptor is None:
            return "the gateway's program does not run; start it"
        if self._descriptor.away:
            return "the gateway's program has closed its standard input; its output says why it ended"
        if self._descriptor.held:
            return f"the gateway does not read its standard input: {self._descriptor.held} bytes wait"
        return None

    def open(self, answer: Answer) -> None:
        """Nothing to do before the program starts."""

    def attach(self, descriptor: int) -> None:
        self.close()
        self._descriptor = Descriptor(descriptor, lambda _: b"", reads=False)


LINE = LineKind("stdin", "Standard input of the gateway's program", StdinSpec, lambda *_: StandardInput())
