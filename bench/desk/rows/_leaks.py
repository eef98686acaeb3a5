"""Where a secret could show: everything on the broker, all that was delivered, logs and files of the gateway."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from bench.desk.stand import Stand
from sim.endpoint.port import Session
from sim.endpoint.topic_acl import READER

_MOST_BYTES: Final = 64 << 20
_CONNECT_S: Final = 10.0


def listen(stand: Stand) -> Session | None:
    """To every topic, from now on; None where there is no broker."""
    if stand.broker is None:
        return None
    session = stand.broker.connect(stand.broker.identity(READER), subscribe=("#",))
    stand.broker.settle(lambda: session.connected, _CONNECT_S)
    return session


def said(stand: Stand, session: Session | None) -> Iterator[tuple[str, bytes]]:
    """(where, bytes) of all that could be seen."""
    for message in session.inbox if session is not None else ():
        yield f"a message on {message.topic}", message.topic.encode() + b"\n" + message.payload
    for one in stand.fed:
        for row in one.came:
            yield f"a delivery by {row.source}", row.payload
    for row in (*stand.strangers, *stand.unreadable, *stand.retained):
        yield f"a delivery by {row.source}", row.payload
    for path in sorted(stand.box.directory.rglob("*")):
        if path.is_file() and path.suffix not in (".key", ".crt"):
            with path.open("rb") as file:
                yield f"its file {path.relative_to(stand.box.directory)}", file.read(_MOST_BYTES)


def forms(secret: bytes) -> list[bytes]:
    """As bytes, and as hex in both cases."""
    return [secret, secret.hex().encode(), secret.hex().upper().encode()]


def found(stand: Stand, session: Session | None, needles: Mapping[str, list[bytes]]) -> str:
    """Where one of these stands, in words; "" when none does."""
    for where, data in said(stand, session):
        for what, shapes in needles.items():
            if any(shape in data for shape in shapes):
                return f"{what} stands in {where}"
    return ""
