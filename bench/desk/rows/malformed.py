"""Frames with good CRCs and a broken inside, and noise between lines of text: what is good beside them comes, and
nothing that was never sent."""

from __future__ import annotations

from bench.desk.rows.port import Row, codec
from bench.desk.stand import Stand
from bench.desk.traffic import Telegram

_NOISE = (
    b"\xff\xfe\xa5\x00\n", b";;;;;;;\n", b"\x00" * 64 + b"\n", b"A" * 5_000 + b"\n", b"T1;1;1;;;;;0x44\r\n", b"{\n",
)  # fmt: skip


def _play(stand: Stand) -> str:
    fed = stand.hello()
    bad = [frame for _ in range(2) for frame in stand.traffic.broken("72000001")]
    line = codec(stand.entry)
    noisy = line is not None and not line.binary  # a stick speaks whole blocks, whatever it hears
    for at, frame in enumerate(bad):
        stand.feed(Telegram(frame, "72000001", None))
        if noisy:
            stand.inject(_NOISE[at % len(_NOISE)])
            stand.turn(0.3)  # so long is silence between two blocks
        fed.append(stand.feed(stand.traffic.next()))
        stand.turn(0.02)
    fed += stand.feed_all(stand.traffic.several(20))
    stand.await_all(fed)
    stand.needs_alive()
    stand.refuse_loss(fed, "good telegrams among bad ones")
    stand.refuse_strangers()
    return f"{len(fed)} good telegrams came, among {len(bad)} broken ones{' and noise' if noisy else ''}"


ROW = Row("malformed", "Malformed frames harm no others", _play)
