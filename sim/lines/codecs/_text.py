"""Lines of text out of a stream: torn reads, two lines at once, either line end, and lines longer than any telegram."""

from __future__ import annotations

from collections.abc import Callable

from sim.lines.codecs.port import Bad, Got
from sim.lines.reception import BadLine, Reception

MAX_LINE_BYTES = 1 << 16

LineParser = Callable[[str], Reception | Bad | None]
"""One line without its end -> what it says; None for a line that says nothing by itself. Raises BadLine."""


class LineReader:
    """A stream of lines read by one parser, which may remember earlier lines. `number`: the one read last."""

    def __init__(self, parse: LineParser) -> None:
        self._parse = parse
        self._rest = b""
        self.number = 0
        self._too_long = False

    def feed(self, data: bytes) -> list[Got]:
        if data and not self._rest and data.find(b"\n") == len(data) - 1:
            return self._line(data[:-1])  # one line and no more, as most come
        *lines, rest = (self._rest + data).split(b"\n")
        got = [one for line in lines for one in self._line(line)]
        if len(rest) > MAX_LINE_BYTES:
            rest, self._too_long = b"", True
        self._rest = rest
        return got

    def end(self) -> list[Got]:
        rest, self._rest = self._rest, b""
        return self._line(rest) if rest or self._too_long else []

    def _line(self, line: bytes) -> list[Got]:
        self.number += 1
        if self._too_long or len(line) > MAX_LINE_BYTES:
            self._too_long = False
            return [Got(self.number, Bad(f"a line of more than {MAX_LINE_BYTES} bytes"))]
        try:
            text = line.decode("utf-8").strip()
            said = self._parse(text) if text else None
        except UnicodeDecodeError as error:
            said = Bad(f"byte {error.start} is not UTF-8 text")
        except BadLine as error:
            said = Bad(f"{error}: {error.around}" if error.around else str(error))
        return [] if said is None else [Got(self.number, said)]


def always(parse: LineParser) -> Callable[[], LineReader]:
    """The reader of a format whose lines know nothing of one another."""
    return lambda: LineReader(parse)
