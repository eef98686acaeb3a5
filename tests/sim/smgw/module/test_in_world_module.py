"""A module inside a world: its keys come from the seed, and what it signs and agrees OpenSSL's other ways confirm."""

from __future__ import annotations

import pickle
from typing import get_args

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from sim.core.seeds import Seeds
from sim.smgw.module.in_world import InWorldModule
from sim.smgw.module.port import RANDOM_MOST_BYTES, SLOTS, ModuleError, SecurityModule, Slot


def public(point: bytes) -> ec.EllipticCurvePublicKey:
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.BrainpoolP256R1(), point)


def test_equal_seeds_make_equal_keys_and_no_others() -> None:
    one, same = (InWorldModule(Seeds(7), "gw-0001") for _ in range(2))
    every = [one.make_key(slot) for slot in SLOTS]
    assert every == [same.make_key(slot) for slot in SLOTS]
    others = [InWorldModule(Seeds(8), "gw-0001").make_key("TLS"), InWorldModule(Seeds(7), "gw-0002").make_key("TLS")]
    assert len({*every, *others, one.make_key("TLS")}) == len(SLOTS) + 3
    assert all(len(point) == 65 and point[0] == 4 for point in every)
    assert tuple(get_args(Slot)) == SLOTS


def test_it_signs_what_the_public_key_verifies() -> None:
    module: SecurityModule = InWorldModule(Seeds(1), "gw")
    key = public(module.make_key("SIG"))
    signature = module.sign("SIG", b"register")
    assert signature == module.sign("SIG", b"register")
    key.verify(signature, b"register", ec.ECDSA(hashes.SHA256()))
    with pytest.raises(InvalidSignature):
        key.verify(signature, b"Register", ec.ECDSA(hashes.SHA256()))


def test_both_sides_agree_on_one_secret() -> None:
    module = InWorldModule(Seeds(1), "gw")
    own, other = module.make_key("ENC"), ec.derive_private_key(0x1234567, ec.BrainpoolP256R1())
    peer = other.public_key()
    numbers = peer.public_numbers()
    point = b"\x04" + numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")
    assert module.agree("ENC", point) == other.exchange(ec.ECDH(), public(own))


def test_random_bytes_are_a_stream() -> None:
    one, same = (InWorldModule(Seeds(3), "gw") for _ in range(2))
    assert [len(one.random(n)) for n in (0, 1, 16, 17)] == [0, 1, 16, 17]
    assert one.random(32) != one.random(32)
    same.random(1)
    assert same.random(16) == InWorldModule(Seeds(3), "gw").random(32)[16:]


@pytest.mark.parametrize(
    ("ask", "reason"),
    [
        (lambda m: m.sign("SIG", b""), "empty"),
        (lambda m: m.agree("TLS", bytes(65)), "empty"),
        (lambda m: m.make_key("MK"), "slot"),
        (lambda m: m.sign("sig", b""), "slot"),
        (lambda m: m.random(RANDOM_MOST_BYTES + 1), "count"),
        (lambda m: m.random(-1), "count"),
        (lambda m: (m.make_key("ENC"), m.agree("ENC", b"\x04" + bytes(64))), "point"),
        (lambda m: (m.make_key("ENC"), m.agree("ENC", b"")), "point"),
    ],
)
def test_what_it_refuses_has_a_reason(ask, reason: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ModuleError) as refused:
        ask(InWorldModule(Seeds(1), "gw"))
    assert refused.value.reason == reason


def test_no_key_is_pickled() -> None:
    module = InWorldModule(Seeds(1), "gw")
    module.make_key("SIG")
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(module)
    assert "04" not in repr(module)
