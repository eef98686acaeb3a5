"""Fragmented messages: no published telegram is fragmented, so a published whole one is cut and joined."""

import pytest
from published import telegrams

from wmbus.errors import BadTelegram, CannotEncode, Reason
from wmbus.fragments import Reassembly, split
from wmbus.telegram import parse, unlock


@pytest.mark.parametrize("size", [5, 17, 40])
def test_cut_and_joined_the_mac_still_fits(size):
    t = telegrams()[320]
    parts = [parse(p) for p in split(t.frame, size)]
    assert len(parts) > 1
    assert all(p.afl.fragmented for p in parts)
    with pytest.raises(BadTelegram) as refused:
        unlock(parts[1], t.key)
    assert refused.value.reason is Reason.FRAGMENT
    reassembly = Reassembly()
    for part in parts[:-1]:
        assert reassembly.add(part) is None
    whole = reassembly.add(parts[-1])
    assert unlock(whole, t.key).mac_ok is True
    assert unlock(whole, t.key).plaintext == unlock(parse(t.frame), t.key).plaintext


def test_a_gap_another_sender_and_a_wrong_order_are_refused():
    t, other = telegrams()[320], telegrams()[316]
    a, b, c, *_ = [parse(p) for p in split(t.frame, 20)]
    foreign = parse(split(other.frame, 20)[1])
    for second in (c, foreign):
        reassembly = Reassembly()
        reassembly.add(a)
        with pytest.raises(BadTelegram) as refused:
            reassembly.add(second)
        assert refused.value.reason is Reason.FRAGMENT
    reassembly = Reassembly()
    with pytest.raises(BadTelegram):
        reassembly.add(b)
    whole = parse(t.frame)
    assert reassembly.add(whole) is whole


def test_what_cannot_be_cut():
    with pytest.raises(CannotEncode):
        split(telegrams()[320].frame, 500)
    with pytest.raises(CannotEncode):
        split(telegrams()[315].frame, 20)
