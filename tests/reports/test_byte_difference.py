"""What differs between two telegrams: complete, in order, with the right names, whatever the bytes are."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reports.byte_difference import Field, fields
from tests.reports.test_capture import ENGELMANN_MODE_7, LSE_PLAIN, TECHEM_MODE_5

PLAIN = bytes.fromhex(LSE_PLAIN)
MODE_7 = bytes.fromhex(ENGELMANN_MODE_7)


def sent_bytes(rows: list[Field]) -> bytes:
    return bytes.fromhex("".join(cell.sent for row in rows for cell in row.cells))


def original_bytes(rows: list[Field]) -> bytes:
    return bytes.fromhex("".join(cell.original for row in rows for cell in row.cells))


def changes(sent: bytes, original: bytes) -> list[tuple[int, str, str, str]]:
    """(offset, meaning, original, sent) of the fields that differ."""
    return [(row.offset, row.meaning, "".join(c.original for c in row.cells), "".join(c.sent for c in row.cells))
            for row in fields(sent, original) if row.differs]  # fmt: skip


def test_a_replay_differs_nowhere() -> None:
    assert changes(MODE_7, MODE_7) == []
    assert not any(row.differs for row in fields(MODE_7))


def test_a_rewritten_access_number_is_one_field() -> None:
    original = bytes.fromhex(TECHEM_MODE_5)
    sent = bytes.fromhex(TECHEM_MODE_5.replace("7aad00", "7aae00", 1))
    assert changes(sent, original) == [(11, "access number 174", "ad", "ae")]


def test_a_record_appended_is_named_and_had_no_original() -> None:
    record = bytes.fromhex("01fd0c07")
    sent = bytes([PLAIN[0] + len(record)]) + PLAIN[1:] + record
    first, last = changes(sent, PLAIN)
    assert first == (0, f"L: {sent[0]} bytes follow", f"{PLAIN[0]:02x}", f"{sent[0]:02x}")
    assert last[0] == len(PLAIN) and last[2:] == ("", record.hex())
    assert "7" in last[1]


def test_what_was_cut_stands_behind_the_field_before_it() -> None:
    sent = bytes([PLAIN[0] - 4]) + PLAIN[1:-4]
    rows = fields(sent, PLAIN)
    assert original_bytes(rows) == PLAIN
    assert "".join(cell.original for cell in rows[-1].cells if not cell.sent) == PLAIN[-4:].hex()


def test_bytes_that_are_no_telegram_are_one_field() -> None:
    (row,) = fields(b"\x01\x02", PLAIN[:2])
    assert row.meaning.startswith("no telegram: ")
    assert sent_bytes([row]) == b"\x01\x02"


@given(
    base=st.sampled_from([PLAIN, MODE_7, bytes.fromhex(TECHEM_MODE_5)]),
    cut=st.integers(0, 120), put=st.binary(max_size=24), at=st.integers(0, 120),
)  # fmt: skip
def test_every_byte_of_both_stands_once_and_in_order(base: bytes, cut: int, put: bytes, at: int) -> None:
    sent = base[:at] + put + base[at + cut :]
    if not sent:
        return
    rows = fields(sent, base)
    assert sent_bytes(rows) == sent
    assert original_bytes(rows) == base
    starts = [row.offset for row in rows]
    assert starts == sorted(set(starts))
    assert [cell.differs for row in rows for cell in row.cells].count(True) >= (sent != base)
