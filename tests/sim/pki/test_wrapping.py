"""Wrapped keys: RFC 5297's own vector, every change of a byte, and another place."""

from __future__ import annotations

import pytest

from sim.pki.wrapping import KEK_BYTES, WRAPPED_MORE_BYTES, CannotUnwrap, name_of, new_kek, unwrap, wrap

# RFC 5297, A.1: deterministic, one associated data.
KEK = bytes.fromhex("fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff")
CONTEXT = bytes.fromhex("101112131415161718191a1b1c1d1e1f2021222324252627")
PLAIN = bytes.fromhex("112233445566778899aabbccddee")
WRAPPED = bytes.fromhex("85632d07c6e8f37f950acd320a2ecc9340c02b9690c4dc04daef7f6afe5c")


def test_as_published() -> None:
    assert wrap(KEK, PLAIN, CONTEXT) == WRAPPED
    assert unwrap(KEK, WRAPPED, CONTEXT) == PLAIN


def test_nothing_else_opens() -> None:
    kek, key = new_kek(), bytes(range(16))
    wrapped = wrap(kek, key, b"house 1", b"meter")
    assert len(kek) == KEK_BYTES and len(wrapped) == 16 + WRAPPED_MORE_BYTES
    assert unwrap(kek, wrapped, b"house 1", b"meter") == key
    changed = [wrapped[:at] + bytes([wrapped[at] ^ 1]) + wrapped[at + 1 :] for at in range(len(wrapped))]
    for other in (*changed, b"", wrapped[:-1], wrapped + b"\0"):
        with pytest.raises(CannotUnwrap):
            unwrap(kek, other, b"house 1", b"meter")
    for context in ((b"house 2", b"meter"), (b"house 1", b"other"), (b"house 1meter",), (b"house 1", b"meter", b"")):
        with pytest.raises(CannotUnwrap):
            unwrap(kek, wrapped, *context)
    with pytest.raises(CannotUnwrap):
        unwrap(new_kek(), wrapped, b"house 1", b"meter")


def test_a_name_tells_two_keks_apart() -> None:
    one, other = new_kek(), new_kek()
    assert name_of(one) != name_of(other)
    assert len(name_of(one)) == 8 and name_of(one) not in one.hex()
