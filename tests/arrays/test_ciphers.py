"""The vectorised ciphers against the single ones, NIST's vectors, and another library; the builder against `build`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from Crypto.Cipher import AES
from Crypto.Hash import CMAC

from arrays import build_telegrams, ciphers
from wmbus import link, security, sender
from wmbus.errors import CannotEncode
from wmbus.sender import Security
from wmbus.transport import CI_SHORT

N = 300


@pytest.fixture(params=ciphers.engines())
def engine(request: pytest.FixtureRequest) -> Iterator[ciphers.Engine]:
    ciphers.use(request.param)
    yield request.param
    ciphers.use(None)


def _random(*shape: int, seed: int = 1) -> ciphers.U8:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def _frames(wire: ciphers.U8, acc: ciphers.U8, sts: ciphers.U8, records: ciphers.U8, security: Security,
            tpl: int = CI_SHORT, cfg_flags: int = 0) -> ciphers.U8:  # fmt: skip
    out = np.empty((len(records), sender.length(records.shape[1], security, tpl)), np.uint8)
    shared = build_telegrams.Shared(security, link.SND_NR, tpl, cfg_flags)
    build_telegrams.clear_frames(out, wire, acc, sts, records, shared)
    return out


def test_the_block_cipher_of_fips_197(engine: ciphers.Engine) -> None:
    key = np.frombuffer(bytes.fromhex("000102030405060708090a0b0c0d0e0f"), np.uint8)[None].repeat(5, axis=0)
    block = np.frombuffer(bytes.fromhex("00112233445566778899aabbccddeeff"), np.uint8)[None].repeat(5, axis=0)
    ciphers.encrypt_cbc(key, None, block)
    assert [bytes(row).hex() for row in block] == ["69c4e0d86a7b0430d8cdb78070b4c55a"] * 5


@pytest.mark.parametrize(
    ("size", "mac"),
    [
        (0, "bb1d6929e95937287fa37d129b756746"), (16, "070a16b46b4d4144f79bdd9dd04a287c"),
        (40, "dfa66747de9ae63030ca32611497c827"), (64, "51f0bebf7e3b9d92fc49741779363cfe"),
    ],
)  # fmt: skip
def test_the_cmacs_of_sp_800_38b(engine: ciphers.Engine, size: int, mac: str) -> None:
    key = np.frombuffer(bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c"), np.uint8)[None]
    message = bytes.fromhex(
        "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
        "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
    )
    assert bytes(ciphers.cmac(key, np.frombuffer(message[:size], np.uint8)[None])[0]).hex() == mac


@pytest.mark.parametrize("blocks", [0, 1, 4, 15])
def test_cbc_is_the_single_one_and_goes_back(engine: ciphers.Engine, blocks: int) -> None:
    keys, iv, plain = _random(N, 16), _random(N, 16, seed=2), _random(N, 16 * blocks, seed=3)
    for vector in (iv, None):
        sealed = plain.copy()
        ciphers.encrypt_cbc(keys, vector, sealed)
        for row in range(N):
            one = bytes(16) if vector is None else bytes(vector[row])
            assert bytes(sealed[row]) == security.cbc_encrypt(bytes(keys[row]), one, bytes(plain[row]))
            assert bytes(sealed[row]) == AES.new(bytes(keys[row]), AES.MODE_CBC, one).encrypt(bytes(plain[row]))
        ciphers.decrypt_cbc(keys, vector, sealed)
        assert np.array_equal(sealed, plain)


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 75, 240])
def test_cmac_is_the_single_one(engine: ciphers.Engine, size: int) -> None:
    keys, messages = _random(N, 16), _random(N, size, seed=2)
    macs = ciphers.cmac(keys, messages)
    for row in range(N):
        assert bytes(macs[row]) == security.cmac(bytes(keys[row]), bytes(messages[row]))
        assert bytes(macs[row]) == CMAC.new(bytes(keys[row]), bytes(messages[row]), ciphermod=AES).digest()


def test_derived_keys_are_the_single_ones(engine: ciphers.Engine) -> None:
    keys, ids = _random(N, 16), _random(N, 4, seed=2)
    counters = np.random.default_rng(3).integers(0, 1 << 32, N, dtype=np.uint32)
    kenc, kmac = ciphers.derive_pair(keys, counters, ids)
    for row in range(N):
        pair = security.derive_pair(bytes(keys[row]), int(counters[row]), bytes(ids[row]))
        assert (bytes(kenc[row]), bytes(kmac[row])) == pair


@pytest.mark.parametrize(
    ("mode", "tpl"), [("none", 0x78), *((m, t) for m in ("none", "mode5", "mode7") for t in (0x7A, 0x72))]
)
@pytest.mark.parametrize("size", [0, 13, 14, 60, 188])
def test_telegrams_are_the_single_ones(engine: ciphers.Engine, mode: Security, tpl: int, size: int) -> None:
    wire, keys, records = _random(N, 8), _random(N, 16, seed=2), _random(N, size, seed=3)
    wire[:, 1] &= 0x7F  # the letters of a manufacturer have fifteen bits
    acc, sts = _random(N, seed=4), _random(N, seed=5)
    counters = np.random.default_rng(6).integers(0, 1 << 32, N, dtype=np.uint32)
    made = _frames(wire, acc, sts, records, mode, tpl, 0x2000)
    build_telegrams.seal_many(made, wire, acc, size, security=mode, keys=keys, counters=counters)
    air = build_telegrams.add_crcs_a_many(made)
    for row in range(N):
        frame = sender.build(
            link.Address.from_wire(bytes(wire[row])), int(acc[row]), int(sts[row]), bytes(records[row]),
            security=mode, key=bytes(keys[row]), counter=int(counters[row]), tpl=tpl, cfg_flags=0x2000,
        )  # fmt: skip
        assert bytes(made[row]) == frame
        assert bytes(air[row]) == link.add_crcs_a(frame)


def test_ciphertext_like_plaintext_is_made_again_as_the_single_one_is() -> None:
    """One row in 65 536 begins 2F2F: enough rows to meet some."""
    n = 1 << 18
    keys, records = np.zeros((n, 16), np.uint8), np.zeros((n, 8), np.uint8)
    keys[:, :4] = np.arange(n, dtype="<u4").view(np.uint8).reshape(-1, 4)
    wire = np.broadcast_to(np.frombuffer(link.Address("VIP", "12345678", 0x1E, 8).wire(), np.uint8), (n, 8))
    nothing = np.zeros(n, np.uint8)
    clear = _frames(wire, nothing, nothing, records, "mode5")
    sealed = clear[:, 15:].copy()
    ciphers.encrypt_cbc(keys, build_telegrams.mode5_ivs(wire, nothing), sealed)
    met = np.flatnonzero((sealed[:, 0] == 0x2F) & (sealed[:, 1] == 0x2F))
    assert len(met) >= 1
    again = clear[met]
    build_telegrams.seal_many(again, wire[met], nothing[met], 8, security="mode5", keys=keys[met])
    for row, key in zip(again, keys[met], strict=True):
        single = sender.build(
            link.Address("VIP", "12345678", 0x1E, 8), 0, 0, bytes(8), security="mode5", key=bytes(key)
        )
        assert bytes(row) == single and single[15:17] != b"\x2f\x2f"


def test_what_cannot_be_built_is_refused() -> None:
    rows, one = np.zeros((2, 8), np.uint8), np.zeros(2, np.uint8)
    with pytest.raises(CannotEncode, match="240 bytes of records need 16 blocks, at most 15"):
        _frames(rows, one, one, np.zeros((2, 240), np.uint8), "mode5")
    with pytest.raises(CannotEncode, match="keys are rows of 16 bytes"):
        ciphers.encrypt_cbc(rows, None, np.zeros((2, 16), np.uint8))
    with pytest.raises(CannotEncode, match="whole blocks"):
        ciphers.encrypt_cbc(np.zeros((2, 16), np.uint8), None, rows)
    with pytest.raises(ValueError, match="no engine 'abacus' here"):
        ciphers.use("abacus")  # type: ignore[arg-type]


def test_what_does_not_fit_is_said_before_anything_is_touched(engine: ciphers.Engine) -> None:
    """Compiled code works on addresses: it would take what stands beside the array, and write where nobody may."""
    keys, iv, blocks = _random(20, 16), _random(20, 16), _random(20, 32)
    frozen = blocks.copy()
    frozen.setflags(write=False)
    for bad_keys, bad_iv, bad_blocks in (
        (keys, iv[:19], blocks), (keys, iv[:, :8], blocks), (keys.astype(np.int64), iv, blocks),
        (keys, iv.astype(np.uint16), blocks), (keys, iv, blocks.astype(np.int32)), (keys, iv, frozen),
    ):  # fmt: skip
        for work in (ciphers.encrypt_cbc, ciphers.decrypt_cbc):
            with pytest.raises(CannotEncode):
                work(bad_keys, bad_iv, bad_blocks)
    assert np.array_equal(frozen, blocks)
    for bad in (keys[:, :8], keys.view(np.uint64)):
        with pytest.raises(CannotEncode):
            ciphers.cmac(bad, blocks)
        with pytest.raises(CannotEncode):
            ciphers.derive_pair(bad, np.zeros(20, np.uint32), keys[:, :4])
    with pytest.raises(CannotEncode):
        ciphers.cmac_padded(keys[:19], blocks, 20)
    for out in (np.empty((20, 37), np.uint8), np.empty((19, 38), np.uint8), np.empty((20, 38), np.uint16)):
        with pytest.raises(CannotEncode):
            build_telegrams.add_crcs_a_many(blocks, out)


def test_no_rows_and_short_ones(engine: ciphers.Engine) -> None:
    assert ciphers.cmac(_random(0, 16), _random(0, 5)).shape == (0, 16)
    for size in (1, 9):
        with pytest.raises(CannotEncode):
            build_telegrams.add_crcs_a_many(_random(3, size))
