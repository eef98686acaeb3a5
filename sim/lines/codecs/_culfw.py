"""What culfw prints of a telegram: `b` and hex with the CRCs of format A, `bY` and hex with those of format B."""

from __future__ import annotations

from sim.core.quoting import quoted
from sim.lines.reception import BadLine, Reception, hex_bytes
from wmbus.errors import BadTelegram
from wmbus.link import add_crcs_a, add_crcs_b
from wmbus.recover import recover

_FORMAT_B = "Y"


def received(line: str) -> tuple[bytes, bytes]:
    """`b...` -> (the bytes as printed, those after the telegram). Raises BadLine."""
    if not line.startswith("b"):
        raise BadLine(f"a telegram begins with b, then hex: {quoted(line)}")
    data = hex_bytes(line[1:].removeprefix(_FORMAT_B))
    try:
        rest = recover(data).rest
    except BadTelegram as error:
        raise BadLine(str(error), error.offset) from None
    return data, rest


def printed(one: Reception) -> str:
    """`b` or `bY` and the telegram with its CRCs: format B where it came so, as only CMODE has it."""
    if one.found.format == "B":
        return f"b{_FORMAT_B}{add_crcs_b(one.frame).hex().upper()}"
    return f"b{add_crcs_a(one.frame).hex().upper()}"
