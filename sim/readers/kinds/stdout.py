"""What a gateway's program prints to its standard output, line by line."""

from __future__ import annotations

from dataclasses import dataclass

from sim.readers.kinds.file import LineFiles
from sim.readers.message_content import Content, ContentSpec
from sim.readers.port import Reader, ReaderKind, ReadGround


@dataclass(frozen=True, slots=True, kw_only=True)
class StdoutSpec(ContentSpec):
    """Lines of another kind than described are passed over."""

    kind: str = "stdout"


def _make(spec: StdoutSpec, ground: ReadGround) -> Reader:
    return LineFiles(Content(spec), ground.stdout)


KIND = ReaderKind("stdout", "What its program prints", StdoutSpec, _make)
