"""What can be changed without the key, shown on published telegrams with a receiver that has the key."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest

from attacks.parts import forgery
from tests.wmbus.published import Published, telegrams
from wmbus.errors import BadTelegram
from wmbus.receiver import unlock
from wmbus.records import Record, parse_records
from wmbus.telegram import parse


def published(mode: int, **wanted: object) -> list[Published]:
    """Published telegrams on which surgery can be done: parsed, with a header and a key where there is encryption."""
    found = []
    for one in telegrams():
        if one.record["mode"] != mode or one.already_decrypted or (mode and one.key is None):
            continue
        try:
            telegram = parse(one.frame)
            forgery.header_offsets(telegram)
            unlock(telegram, one.key)
        except (BadTelegram, ValueError):
            continue
        if all(one.record.get(name) == value for name, value in wanted.items()):
            found.append(one)
    return found


CLEAR, MODE5, MODE7 = published(0), published(5), published(7)


def test_there_are_telegrams_to_test_on() -> None:
    assert len(CLEAR) > 20
    assert len(MODE5) > 20
    assert len(MODE7) >= 5


@pytest.mark.parametrize("one", CLEAR + MODE5 + MODE7, ids=str)
def test_header_offsets_point_at_what_the_parser_read(one: Published) -> None:
    telegram = parse(one.frame)
    acc, sts, _ = forgery.header_offsets(telegram)
    assert telegram.transport is not None
    assert one.frame[acc] == telegram.transport.acc
    assert one.frame[sts] == telegram.transport.sts
    assert forgery.access_number(one.frame) == telegram.acc


@pytest.mark.parametrize("one", CLEAR + MODE5 + MODE7, ids=str)
def test_a_rewritten_access_number_is_read_as_such_and_changes_nothing_else(one: Published) -> None:
    acc = (forgery.access_number(one.frame) + 77) % 256
    forged = forgery.with_access_number(one.frame, acc)
    assert forgery.access_number(forged) == acc
    assert len(forged) == len(one.frame)
    places = [at for at, (old, new) in enumerate(zip(one.frame, forged, strict=True)) if old != new]
    has_ell = parse(one.frame).ell is not None
    assert len(places) == (2 if has_ell else 1)


@pytest.mark.parametrize("one", MODE5, ids=str)
def test_in_mode_5_it_garbles_plaintext_bytes_8_to_15_and_is_not_noticed(one: Published) -> None:
    true = unlock(parse(one.frame), one.key).plaintext
    acc = (forgery.access_number(one.frame) + 1) % 256
    read = unlock(parse(forgery.with_access_number(one.frame, acc)), one.key).plaintext
    assert read[:8] == true[:8]
    assert all(a != b for a, b in zip(read[8:16], true[8:16], strict=True))
    assert read[16:] == true[16:]


@pytest.mark.parametrize("one", MODE7, ids=str)
@pytest.mark.parametrize(
    "change",
    [lambda f: forgery.with_access_number(f, 1 ^ forgery.access_number(f)), lambda f: forgery.with_status(f, 4)],
)
def test_in_mode_7_every_change_breaks_the_mac(one: Published, change: object) -> None:
    with pytest.raises(BadTelegram, match=r"(?i)mac"):
        unlock(parse(change(one.frame)), one.key)  # type: ignore[operator]


@pytest.mark.parametrize("one", CLEAR + MODE5, ids=str)
def test_a_turned_status_bit_is_taken_without_a_mac(one: Published) -> None:
    forged = parse(forgery.with_status(one.frame, 0x04))
    before = parse(one.frame)
    assert forged.transport is not None and before.transport is not None
    assert forged.transport.sts == before.transport.sts ^ 0x04  # type: ignore[operator]
    assert unlock(forged, one.key).plaintext == unlock(before, one.key).plaintext


@pytest.mark.parametrize("one", published(5, manufacturer="QDS"), ids=str)
def test_units_in_clear_behind_the_first_block_are_refused_unless_the_receiver_takes_a_clear_tail(
    one: Published,
) -> None:
    forged = forgery.with_units(one.frame, 4_711, "QDS")
    assert forged[0] == len(forged) - 1
    assert parse(forged).address == parse(one.frame).address
    with pytest.raises(BadTelegram):
        unlock(parse(forged), one.key)
    lax = unlock(parse(forged), one.key, accept_clear_tail=True)
    assert lax.clear_tail.endswith(forgery.HCA_RECORD + (4_711).to_bytes(3, "little"))


@pytest.mark.parametrize("one", [c for c in CLEAR if c.record["hca"]], ids=str)
def test_units_of_a_clear_telegram_are_written_over(one: Published) -> None:
    forged, before = parse(forgery.with_units(one.frame, 471, one.record["manufacturer"])), parse(one.frame)
    told = [record for record in parse_records(forged.payload, strict=False) if _tells_units(record)]
    if any(_tells_units(record) for record in parse_records(before.payload, strict=False)):
        assert [record.value for record in told] == [471]
        assert len(forged.payload) == len(before.payload)
    else:
        assert forged.payload == before.payload + forgery.HCA_RECORD + (471).to_bytes(3, "little")


def _tells_units(record: Record) -> bool:
    return (record.quantity, record.function, record.storage) == ("heat cost allocation", "instantaneous", 0)


def test_a_telegram_without_an_access_number_cannot_be_changed() -> None:
    frame = next(
        one.frame
        for one in telegrams()
        if one.record["ci"] in ("78", "A0", "A2") and not one.record["afl"] and one.record["ell"] is None
    )
    with pytest.raises(ValueError, match="no access number"):
        forgery.header_offsets(parse(frame))


def clocked() -> list[Published]:
    return [one for one in CLEAR if b"\x04\x6d" in parse(one.frame).payload]


@pytest.mark.parametrize("one", clocked(), ids=str)
def test_an_old_telegram_under_a_new_clock_keeps_all_its_other_contents(one: Published) -> None:
    forged = forgery.with_clock_of(one.frame, one.frame, later_minutes=5)
    places = [at for at, (old, new) in enumerate(zip(one.frame, forged, strict=True)) if old != new]
    at = one.frame.index(b"\x04\x6d", parse(one.frame).payload_offset) + 2
    assert set(places) <= set(range(at, at + 4))
    assert forged != one.frame or one.frame[at : at + 4] == b"\xff" * 4


def test_a_telegram_without_a_clock_is_left_as_it_is() -> None:
    one = next(c for c in CLEAR if b"\x04\x6d" not in c.frame)
    assert forgery.with_clock_of(one.frame, one.frame, later_minutes=5) == one.frame


NOW = datetime(2026, 3, 2, 8, 15)  # noqa: DTZ001  (as meters show it)
RECORDS = forgery.records_now(4_711, NOW)
LONG_MODE5 = [one for one in MODE5 if parse(one.frame).encrypted_blocks >= 3]


@pytest.mark.parametrize("one", MODE5, ids=str)
@pytest.mark.parametrize(
    "form",
    [forgery.in_mode_0, forgery.without_header, forgery.with_no_block, forgery.behind_ell],
    ids=lambda form: form.__name__,
)
def test_a_downgrade_is_a_whole_telegram_of_the_meter_that_says_what_we_want(
    one: Published, form: Callable[[bytes, bytes], bytes]
) -> None:
    forged = form(one.frame, RECORDS)
    assert forged[0] == len(forged) - 1
    telegram = parse(forged)
    assert telegram.address == parse(one.frame).address
    opened = unlock(telegram, None, accept_n_zero=True)
    assert not opened.decrypted
    units, clock = parse_records(opened.plaintext)
    assert (units.value, clock.value) == (4_711, NOW)


@pytest.mark.parametrize("one", MODE7, ids=str)
def test_no_encrypted_block_in_mode_7_keeps_a_counter_and_leaves_the_mac_out(one: Published) -> None:
    if parse(one.frame).afl is None:
        pytest.fail("a published mode 7 telegram without an authentication layer")
    telegram = parse(forgery.with_no_block(one.frame, RECORDS))
    with pytest.raises(BadTelegram, match=r"(?i)mac"):
        unlock(telegram, one.key)
    assert unlock(telegram, one.key, require_mac=False, accept_n_zero=True).plaintext == RECORDS


@pytest.mark.parametrize("one", MODE7, ids=str)
def test_without_its_mac_the_same_contents_are_read_by_whoever_asks_for_none(one: Published) -> None:
    stripped = parse(forgery.without_mac(one.frame))
    with pytest.raises(BadTelegram, match=r"(?i)mac"):
        unlock(stripped, one.key)
    opened = unlock(stripped, one.key, require_mac=False, accept_clear_tail=True)
    assert (opened.plaintext, opened.mac_ok) == (unlock(parse(one.frame), one.key).plaintext, None)


@pytest.mark.parametrize("one", MODE5, ids=str)
def test_another_version_turns_byte_6_of_the_plaintext(one: Published) -> None:
    if parse(one.frame).transport.address is not None:  # type: ignore[union-attr]
        return  # a long header has the meter's address apart from the link layer's
    true = unlock(parse(one.frame), one.key).plaintext
    read = unlock(parse(forgery.with_version(one.frame, 0x01)), one.key).plaintext
    assert read == true[:6] + bytes((true[6] ^ 0x01,)) + true[7:]


@pytest.mark.parametrize("one", LONG_MODE5, ids=str)
def test_a_flipped_bit_turns_one_block_to_noise_and_the_same_bit_of_the_next(one: Published) -> None:
    true = unlock(parse(one.frame), one.key, accept_clear_tail=True).plaintext
    read = unlock(parse(forgery.with_block_flipped(one.frame, 1, 0x80)), one.key, accept_clear_tail=True).plaintext
    assert read[:16] == true[:16]
    assert read[16:32] != true[16:32]
    assert read[32:48] == bytes((true[32] ^ 0x80,)) + true[33:48]


def test_a_status_bit_is_cleared_and_a_clear_one_stays_clear() -> None:
    frame = CLEAR[0].frame
    set_ = forgery.with_status(frame, 0xFF ^ parse(frame).transport.sts)  # type: ignore[union-attr, operator]
    cleared = forgery.with_status_cleared(set_, 0x08)
    assert parse(cleared).transport.sts == 0xF7  # type: ignore[union-attr]
    assert forgery.with_status_cleared(cleared, 0x08) == cleared


def test_there_are_long_telegrams_to_flip_bits_in() -> None:
    assert len(LONG_MODE5) >= 10


def laid_out_as_published() -> list[Published]:
    """Qundis telegrams of the layout that most of its meters have: units, set date units, set date."""
    found = []
    for one in published(5, manufacturer="QDS"):
        said = unlock(parse(one.frame), one.key).plaintext
        if (said[2:4], said[7:9], said[12:14]) == (b"\x0b\x6e", b"\x4b\x6e", b"\x42\x6c"):
            found.append(one)
    assert len(found) >= 2
    return found


@pytest.mark.parametrize("one", laid_out_as_published(), ids=str)
@pytest.mark.parametrize("ahead", [1, 7, 30])
def test_a_number_is_found_under_which_a_garbled_telegram_can_be_read(one: Published, ahead: int) -> None:
    latest = (forgery.access_number(one.frame) + ahead) % 256
    acc = forgery.fitting_number("QDS", forgery.access_number(one.frame), latest)
    assert 1 <= (acc - latest) % 256 <= 64
    read = unlock(parse(forgery.with_access_number(one.frame, acc)), one.key).plaintext
    assert len(parse_records(read)) >= 3  # strict: another number raises
    assert forgery.fitting_number("XXX", 0, latest) == (latest + 1) % 256
