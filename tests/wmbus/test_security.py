"""Every cipher against NIST's published vectors, pycryptodome and cryptography."""

import pytest
from Crypto.Cipher import AES
from Crypto.Hash import CMAC
from cryptography.hazmat.primitives import cmac as other_cmac
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from wmbus import security
from wmbus.errors import BadTelegram, CannotEncode, Reason

NIST_KEY = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")
NIST_TEXT = bytes.fromhex(
    "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
    "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
)
keys = st.binary(min_size=16, max_size=16)
blocks = st.integers(1, 15).flatmap(lambda n: st.binary(min_size=16 * n, max_size=16 * n))


@pytest.mark.parametrize(
    ("size", "mac"),
    [
        (0, "bb1d6929e95937287fa37d129b756746"),
        (16, "070a16b46b4d4144f79bdd9dd04a287c"),
        (40, "dfa66747de9ae63030ca32611497c827"),
        (64, "51f0bebf7e3b9d92fc49741779363cfe"),
    ],
)
def test_cmac_of_nist_sp_800_38b(size, mac):
    assert security.cmac(NIST_KEY, NIST_TEXT[:size]).hex() == mac


def test_cbc_of_nist_sp_800_38a():
    iv = bytes(range(16))
    sealed = bytes.fromhex(
        "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2"
        "73bed6b8e3c1743b7116e69e222295163ff1caa1681fac09120eca307586e1a7"
    )
    assert security.cbc_encrypt(NIST_KEY, iv, NIST_TEXT) == sealed
    assert security.cbc_decrypt(NIST_KEY, iv, sealed) == NIST_TEXT


@given(keys, st.none() | keys, blocks)
def test_cbc_agrees_with_both_libraries(key, iv, text):
    sealed = security.cbc_encrypt(key, iv, text)
    zero_or_iv = iv or bytes(16)
    assert sealed == AES.new(key, AES.MODE_CBC, zero_or_iv).encrypt(text)
    encryptor = Cipher(algorithms.AES(key), modes.CBC(zero_or_iv)).encryptor()
    assert sealed == encryptor.update(text) + encryptor.finalize()
    assert security.cbc_decrypt(key, iv, sealed) == text


@given(keys, st.binary(max_size=260))
def test_cmac_agrees_with_both_libraries(key, message):
    mac = security.cmac(key, message)
    assert mac == CMAC.new(key, message, ciphermod=AES).digest()
    other = other_cmac.CMAC(algorithms.AES(key))
    other.update(message)
    assert mac == other.finalize()


@given(keys, st.integers(0, 2**32 - 1), st.binary(min_size=4, max_size=4))
def test_key_derivation_is_the_cmac_of_one_block(key, counter, id_wire):
    for to_meter, constants in ((False, (0x00, 0x01)), (True, (0x10, 0x11))):
        pair = security.derive_pair(key, counter, id_wire, to_meter=to_meter)
        for constant, derived in zip(constants, pair, strict=True):
            block = bytes([constant]) + counter.to_bytes(4, "little") + id_wire + b"\x07" * 7
            assert derived == CMAC.new(key, block, ciphermod=AES).digest()
            assert derived == security.derive(key, constant, counter, id_wire)


@given(keys, keys, st.integers(0, 255), st.binary(max_size=250))
def test_ell_ctr_agrees_with_pycryptodome(key, address_and_sn, cc, data):
    address, sn = address_and_sn[:8], address_and_sn[8:12]
    block = address + bytes([cc & 0xED]) + sn + bytes(3)
    other = AES.new(key, AES.MODE_CTR, nonce=b"", initial_value=block).encrypt(data) if data else b""
    assert security.ell_ctr(key, address, cc, sn, data) == other


@given(keys, st.binary(min_size=8, max_size=8), st.integers(0, 2**32 - 1), st.binary(max_size=200))
def test_ccm_agrees_with_pycryptodome(key, address, counter, data):
    nonce = security.mode10_nonce(address, counter)
    associated = b"\x7a\x01\x02\x03\x04\x05\x06"
    sealed = security.ccm_encrypt(key, nonce, data, associated)
    other = AES.new(key, AES.MODE_CCM, nonce=nonce, mac_len=8)
    other.update(associated)
    text, tag = other.encrypt_and_digest(data)
    assert sealed == text + tag
    assert security.ccm_decrypt(key, nonce, sealed, associated) == data
    with pytest.raises(BadTelegram) as refused:
        security.ccm_decrypt(key, nonce, sealed, associated[:-1])
    assert refused.value.reason is Reason.MAC_WRONG


def test_a_key_of_the_wrong_length_is_our_own_mistake():
    for call in (lambda k: security.cmac(k, b""), lambda k: security.cbc_encrypt(k, None, bytes(16))):
        with pytest.raises(CannotEncode):
            call(b"short")


def test_the_caches_are_bounded():
    assert security._master.cache_info().maxsize == security.CACHED_KEYS
