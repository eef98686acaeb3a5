"""Sealed and signed content: published vectors, OpenSSL as witness in both directions, and all that is refused."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from sm_pki_cases import P256, damaged, end_user, key

from sim.core.seeds import Seeds
from sim.pki import content_ciphers as ciphers
from sim.pki import der
from sim.pki.sealed_content import AUTH_ENVELOPED, CONTENTS, KDFS, ContentError, Receiver, seal, unseal
from sim.pki.signed_content import Signer, open_content, sign, verify
from wmbus.security import cmac

FOLDER = Path(__file__).parents[2] / "vectors"
CMS = [json.loads(line) for line in (FOLDER / "cms.jsonl").read_text().splitlines()]
CRYPTO = [json.loads(line) for line in (FOLDER / "smgw_crypto.jsonl").read_text().splitlines()]
CURVES = {curve.name: curve for curve in (ec.BrainpoolP256R1(), ec.BrainpoolP384R1(), ec.BrainpoolP512R1())}

EMT, GATEWAY = end_user("example.EMT", "emt"), end_user()
RECEIVER = Receiver(EMT, key("example.EMT"))
SIGNER = Signer(GATEWAY, key("EXXX0012345678.SMGW"))
OTHER = Receiver(end_user("other.EMT", "emt"), key("other.EMT"))
AT = datetime(2026, 1, 5, 12, tzinfo=UTC)
CONTENT = b"<x>4711</x>"
MADE = sign(seal(CONTENT, EMT), SIGNER, AT)

OPENSSL = shutil.which("openssl")
witness = pytest.mark.skipif(OPENSSL is None, reason="openssl is not on the PATH (Debian package openssl)")


def reason(data: bytes, receiver: Receiver = RECEIVER, signer: x509.Certificate = GATEWAY, **more: object) -> str:
    with pytest.raises(ContentError) as refused:
        open_content(data, receiver, signer, **more)  # type: ignore[arg-type]
    return refused.value.reason


# --- published -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", CRYPTO, ids=lambda row: row["id"])
def test_published_vectors(row) -> None:
    h = {
        name: bytes.fromhex(value)
        for name, value in row.items()
        if name in ("key", "msg", "z", "shared_info", "kek", "wrapped")
    }
    if row["id"].startswith("cmac"):
        assert cmac(h["key"], h["msg"]).hex() == row["mac"]
    elif row["id"].startswith("x963"):
        assert ciphers.derived_key(h["z"], h["shared_info"]).hex() == row["key"]
    elif row["id"].startswith("kw"):
        assert ciphers.wrap(h["kek"], h["key"]) == h["wrapped"]
        assert ciphers.unwrap(h["kek"], h["wrapped"]) == h["key"]
    else:
        curve = CURVES[row["curve"]]
        for mine, other in (("A", "B"), ("B", "A")):
            private = ec.derive_private_key(int(row[f"d{mine}"], 16), curve)
            public = ciphers.point(curve, bytes.fromhex("04" + row[f"x_q{other}"] + row[f"y_q{other}"]))
            assert ciphers.agreed_secret(private, public).hex() == row["x_Z"]


@pytest.mark.parametrize("row", CMS, ids=lambda row: row["id"])
def test_what_openssl_made(row) -> None:
    enc, sig = (x509.load_der_x509_certificate(bytes.fromhex(row[name])) for name in ("enc_cert", "sig_cert"))
    receiver = Receiver(enc, ec.derive_private_key(int(row["enc_key_d"], 16), P256))
    data = bytes.fromhex(row["der"])
    if row["id"] == "cms-signed-flipped-tag":
        assert reason(data, receiver, sig) == "message-digest"
    elif row["id"] == "cms-authenveloped-brainpool":
        assert unseal(data, receiver) == row["plaintext"].encode()
        assert reason(data, receiver, sig) == "not-cms"  # nobody signed it
    else:
        assert open_content(data, receiver, sig)[0] == row["plaintext"].encode()
        assert reason(data, receiver, GATEWAY) == "signer"
        assert reason(data, OTHER, sig) == "foreign-receiver"


# --- there and back --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", CONTENTS)
@pytest.mark.parametrize("kdf", KDFS)
@pytest.mark.parametrize("content", [b"", b"x" * 15, b"x" * 16, bytes(70_000)])
def test_there_and_back(way, kdf, content) -> None:
    made = sign(seal(content, EMT, way=way, kdf=kdf), SIGNER, AT)
    assert open_content(made, RECEIVER, GATEWAY) == (content, AT)


@pytest.mark.parametrize("way", CONTENTS)
def test_a_seed_gives_the_same_bytes_again(way) -> None:
    def once() -> bytes:
        drawn = iter(Seeds(1).u64("content", n) for n in range(100))
        return sign(
            seal(CONTENT, EMT, way=way, draw=lambda count: hashlib.shake_128(str(next(drawn)).encode()).digest(count)),
            SIGNER,
            AT,
        )

    assert once() == once()
    assert open_content(once(), RECEIVER, GATEWAY)[0] == CONTENT


def test_two_sealings_have_nothing_in_common_and_the_relay_reads_nothing() -> None:
    one, two = seal(CONTENT, EMT), seal(CONTENT, EMT)
    assert one[-64:] != two[-64:]
    assert CONTENT not in MADE
    assert verify(MADE, GATEWAY).content != CONTENT  # who relays it can check the signature, and that is all


# --- refused ---------------------------------------------------------------------------------------------------------


@given(st.integers(0, 8 * len(MADE) - 1))
def test_no_flipped_bit_opens(bit: int) -> None:
    damaged = bytearray(MADE)
    damaged[bit // 8] ^= 1 << bit % 8
    assert reason(bytes(damaged))


@given(st.binary(max_size=100), st.integers(0, len(MADE)))
def test_whatever_comes_is_refused(noise: bytes, at: int) -> None:
    assert reason(MADE[:at] + noise if MADE[:at] + noise != MADE else b"")


def test_no_damaged_structure_opens_and_none_stops_the_reader() -> None:
    made = [*damaged(MADE)]
    assert len(made) > 300
    for data in made:
        assert reason(data)
    for way in CONTENTS:  # inside of a signature that is right
        for data in damaged(seal(CONTENT, EMT, way=way)):
            with contextlib.suppress(ContentError):
                assert open_content(sign(data, SIGNER, AT), RECEIVER, GATEWAY)[0] == CONTENT


def test_old_content_is_refused() -> None:
    assert open_content(MADE, RECEIVER, GATEWAY, newer_than=AT - timedelta(seconds=1))[0] == CONTENT
    assert reason(MADE, newer_than=AT) == "old"


def test_a_foreign_receiver_and_a_foreign_signer() -> None:
    assert reason(MADE, OTHER) == "foreign-receiver"
    assert reason(MADE, Receiver(EMT, OTHER.key)) == "not-sealed"
    assert reason(MADE, signer=EMT) == "signer"
    same_name = end_user(curve="P384")  # another key under the same name and number
    assert reason(MADE, signer=same_name) == "signature"
    with pytest.raises(ContentError, match="curve"):
        seal(CONTENT, end_user("n.EMT", "emt", curve="nist"))


def rebuilt(data: bytes, change) -> bytes:
    """SignedData with its parts changed: change(parts of the body, parts of the signer) changes lists of bytes."""
    body = der.read(data).items()[1].items()[0].items()
    parts, info = [one.raw for one in body], [one.raw for one in body[-1].items()[0].items()]
    change(parts, info)
    parts[-1] = der.write(der.SET, der.write(der.SEQUENCE, *info))
    return der.write(der.SEQUENCE, der.read(data).items()[0].raw, der.write(0xA0, der.write(der.SEQUENCE, *parts)))


def attributes(data: bytes) -> list[bytes]:
    body = der.read(data).items()[1].items()[0].items()
    return [one.raw for one in body[-1].items()[0].items()[3].items()]


def forged(data: bytes) -> bytes:
    """The known forgery: the attributes of a genuine signature pass for content of the same signature."""

    def change(parts: list[bytes], info: list[bytes]) -> None:
        content = bytes((der.SET,)) + info.pop(3)[1:]
        parts[2] = der.write(
            der.SEQUENCE, der.oid("1.2.840.113549.1.7.1"), der.write(0xA0, der.write(der.OCTETS, content))
        )

    return rebuilt(data, change)


def resigned(data: bytes, kept) -> bytes:
    """The signer itself leaves attributes out, or signs others."""

    def change(parts: list[bytes], info: list[bytes]) -> None:
        mine = sorted(kept(attributes(data)))
        info[3] = der.write(0xA0, *mine)
        info[5] = der.write(der.OCTETS, SIGNER.key.sign(der.write(der.SET, *mine), ec.ECDSA(hashes.SHA256())))

    return rebuilt(data, change)


def other_type(given: list[bytes]) -> list[bytes]:
    return [one.replace(der.oid(AUTH_ENVELOPED), der.oid("1.2.840.113549.1.9.16.1.24")) for one in given]


def test_attributes_are_needed_and_looked_at() -> None:
    assert resigned(MADE, lambda given: given) != MADE  # another signature, and it opens:
    assert open_content(resigned(MADE, lambda given: given), RECEIVER, GATEWAY)[0] == CONTENT
    assert reason(rebuilt(MADE, lambda parts, info: info.pop(3))) == "no-signed-attributes"
    assert reason(forged(MADE)) == "content-type"
    for left_out in range(3):
        assert reason(resigned(MADE, lambda given, n=left_out: given[:n] + given[n + 1 :])) == "no-signed-attributes"
    assert reason(resigned(MADE, lambda given: [*given, given[0]])) == "not-cms"
    assert reason(resigned(MADE, other_type)) == "content-type"


def test_a_forgery_under_the_right_type_has_no_attributes() -> None:
    content = bytes((der.SET,)) + der.write(0xA0, *attributes(MADE))[1:]

    def change(parts: list[bytes], info: list[bytes]) -> None:
        info.pop(3)
        parts[2] = der.write(der.SEQUENCE, der.oid(AUTH_ENVELOPED), der.write(0xA0, der.write(der.OCTETS, content)))

    assert reason(rebuilt(MADE, change)) == "no-signed-attributes"


@pytest.mark.parametrize("way", CONTENTS)
def test_the_seal_holds_by_itself(way) -> None:
    """Behind a signer that signs whatever it gets: its own tag refuses what was changed."""
    sealed = bytearray(seal(CONTENT, EMT, way=way))
    for at, want in ((len(sealed) - 1, "not-sealed"), (len(sealed) - 20, "not-sealed")):
        damaged = bytearray(sealed)
        damaged[at] ^= 1
        assert reason(sign(bytes(damaged), SIGNER, AT)) == want


# --- OpenSSL ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    made = {}
    for name, one in (("emt", RECEIVER), ("smgw", SIGNER)):
        made[name], made[f"{name}.key"] = tmp_path / f"{name}.pem", tmp_path / f"{name}.key"
        made[name].write_bytes(one.certificate.public_bytes(serialization.Encoding.PEM))
        made[f"{name}.key"].write_bytes(one.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))  # fmt: skip
    return made


def openssl(data: bytes, *words: object) -> bytes:
    assert OPENSSL is not None
    done = subprocess.run([OPENSSL, "cms", *map(str, words)], input=data, capture_output=True, timeout=30)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


VERIFY = ("-verify", "-noverify", "-binary", "-inform", "DER", "-nointern", "-certfile")


@witness
def test_openssl_opens_what_is_made_here(files) -> None:
    made = sign(seal(CONTENT, EMT, kdf="rfc5753"), SIGNER, AT)
    inner = openssl(made, *VERIFY, files["smgw"])
    assert (
        openssl(inner, "-decrypt", "-binary", "-inform", "DER", "-inkey", files["emt.key"], "-recip", files["emt"])
        == CONTENT
    )


@witness
@pytest.mark.parametrize("name", [(), ("-keyid",)])
def test_what_openssl_makes_opens_here(files, name) -> None:
    sealed = openssl(CONTENT, "-encrypt", "-binary", "-aes-128-gcm", "-outform", "DER", *name, "-recip", files["emt"],
                     "-keyopt", "ecdh_kdf_md:sha256")  # fmt: skip
    made = openssl(sealed, "-sign", "-binary", "-nodetach", "-outform", "DER", "-md", "sha256",
                   "-econtent_type", AUTH_ENVELOPED, "-signer", files["smgw"], "-inkey", files["smgw.key"])  # fmt: skip
    assert open_content(made, RECEIVER, GATEWAY)[0] == CONTENT


@witness
def test_openssl_takes_the_forgery_that_is_refused_here(files) -> None:
    """The control: the attack is real, where a receiver looks at the signature alone."""
    taken = openssl(forged(MADE), *VERIFY, files["smgw"])
    assert taken == der.write(der.SET, *sorted(attributes(MADE)))
