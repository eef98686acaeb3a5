"""Signatures of statements: RFC 8032's own, each byte of them, and the file of a key."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from sim.pki.authority import PkiError
from sim.pki.statements import StatementKey, verifies

# RFC 8032, 7.1, test 3.
PRIVATE = bytes.fromhex("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7")
PUBLIC = bytes.fromhex("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025")
STATEMENT = bytes.fromhex("af82")
SIGNATURE = bytes.fromhex(
    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
)


def test_as_published() -> None:
    key = StatementKey(PRIVATE)
    assert (key.public, key.sign(STATEMENT)) == (PUBLIC, SIGNATURE)
    assert verifies(PUBLIC, SIGNATURE, STATEMENT)


def test_nothing_else_verifies() -> None:
    for at in range(len(SIGNATURE)):
        assert not verifies(PUBLIC, SIGNATURE[:at] + bytes([SIGNATURE[at] ^ 1]) + SIGNATURE[at + 1 :], STATEMENT)
    for signature in (b"", SIGNATURE[:-1], SIGNATURE + b"\0", bytes(64)):
        assert not verifies(PUBLIC, signature, STATEMENT)
    assert not verifies(PUBLIC, SIGNATURE, STATEMENT + b"\0")
    for public in (None, b"", PUBLIC[:-1], StatementKey().public):
        assert not verifies(public, SIGNATURE, STATEMENT)


def test_kept_in_a_private_file(tmp_path: Path) -> None:
    path = tmp_path / "vault" / "acknowledgements.key"
    made = StatementKey.kept(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert StatementKey.kept(path).public == made.public
    assert made.private.hex() not in repr(made)
    for content in ("", "00", "zz" * 32, made.private.hex() + "00"):
        path.write_text(content)
        with pytest.raises(PkiError, match=r"acknowledgements\.key.*signing key"):
            StatementKey.kept(path)
    path.unlink()
    path.mkdir()
    with pytest.raises(PkiError, match="directory"):
        StatementKey.kept(path)
