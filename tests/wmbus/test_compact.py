"""Compact frames: published pairs of full and compact frames, and the frames whose format is unknown."""

import pytest
from published import telegrams

from wmbus.compact import Formats, encode
from wmbus.errors import BadTelegram, Reason
from wmbus.records import parse_records
from wmbus.telegram import parse, read, unlock

PAIRS = [(133, 134), (135, 136), (138, 139), (169, 170), (250, 251), (289, 290), (291, 292)]


@pytest.mark.parametrize(("full", "compact"), PAIRS)
def test_a_published_compact_frame_opens_after_its_full_frame(full, compact):
    formats = Formats()
    with pytest.raises(BadTelegram) as refused:
        read(telegrams()[compact].frame, accept_already_decrypted=True, formats=formats)
    assert refused.value.reason is Reason.FORMAT_UNKNOWN
    first = read(telegrams()[full].frame, accept_already_decrypted=True, formats=formats)
    second = read(telegrams()[compact].frame, accept_already_decrypted=True, formats=formats)
    assert [r.dif_vif for r in second.records] == [r.dif_vif for r in first.records]
    plain = unlock(parse(telegrams()[compact].frame), accept_already_decrypted=True).plaintext
    assert encode(second.records) == plain


def test_expected_values_of_a_compact_frame():
    formats = Formats()
    read(telegrams()[133].frame, accept_already_decrypted=True, formats=formats)
    values = {
        r.dif_vif.hex(): r.value
        for r in read(telegrams()[134].frame, accept_already_decrypted=True, formats=formats).records
    }
    assert values["0406"] == 32175000
    assert values["0414"] == 3591.16
    assert values["0259"] == 32.01
    assert values["025d"] == 34.75


def test_a_changed_value_or_length_is_a_mismatch():
    formats = Formats()
    plain = unlock(parse(telegrams()[139].frame), accept_already_decrypted=True).plaintext
    formats.learn(read(telegrams()[138].frame, accept_already_decrypted=True).records)
    for broken in (plain[:-1] + b"\x00", plain[:-1], plain + b"\x01", plain[:4]):
        with pytest.raises(BadTelegram) as refused:
            formats.expand(broken)
        assert refused.value.reason is Reason.FORMAT_MISMATCH


def test_formats_are_bounded_and_learnt_from_bare_chains():
    formats = Formats(limit=2)
    for chains in ("026e", "026e426c", "026e426c426e"):
        formats.learn_chains(bytes.fromhex(chains))
    assert len(formats) == 2
    records = parse_records(bytes.fromhex("026e1605426c5f2c"))
    assert formats.expand(encode(records)) == b"".join(r.wire() for r in records)
