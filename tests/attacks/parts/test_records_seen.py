"""Records are found wherever the bytes are cut; what is no TLS is left alone."""

from __future__ import annotations

import pytest

from attacks.parts.records_seen import Record, Records

STREAM = bytes.fromhex("1603030002aabb 1703030000 1703030003010203")
WANTED = [Record(22, 2), Record(23, 0), Record(23, 3)]


@pytest.mark.parametrize("piece", [1, 2, 3, 5, 7, len(STREAM)])
def test_cut_anywhere(piece: int) -> None:
    records = Records()
    found = [one for at in range(0, len(STREAM), piece) for one in records.feed(STREAM[at : at + piece])]
    assert found == WANTED and not records.strange


def test_what_is_no_record_is_strange_and_nothing_is_read_behind_it() -> None:
    records = Records()
    assert records.feed(b"GET / HTTP/1.1\r\n") == []
    assert records.strange and records.feed(STREAM) == []
