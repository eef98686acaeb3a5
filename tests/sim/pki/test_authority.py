"""Authority: what it issues, to whom, until when; and what it takes back."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from sim.core import clock
from sim.pki.authority import Authority, PkiError


def load(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def revoked(authority: Authority) -> set[int]:
    return {entry.serial_number for entry in x509.load_pem_x509_crl(authority.crl.read_bytes())}


def test_keys_are_of_the_curve_that_makes_a_thousand_devices_cheap(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    for pair in (authority.device("gw0001"), authority.server()):
        key = load(pair.certificate).public_key()
        assert isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name == "secp256r1"


def test_keys_are_private_and_the_directory_too(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "pki")
    pair = authority.device("gw1")
    for key in (pair.key, tmp_path / "pki" / "ca.key", authority.server().key):
        assert key.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "pki").stat().st_mode & 0o777 == 0o700


def test_a_device_is_named_by_its_certificate_and_keeps_it(tmp_path: Path) -> None:
    pair = Authority(tmp_path).device("gw1")
    first = load(pair.certificate)
    assert first.subject.rfc4514_string() == "CN=gw1"
    again = load(Authority(tmp_path).device("gw1").certificate)
    assert again == first


@pytest.mark.parametrize("spent", ["", "expired", "revoked"])
def test_what_lets_nobody_in_is_renewed_and_no_other(tmp_path: Path, spent: str) -> None:
    authority = Authority(tmp_path)
    before = authority.device("gw1")
    if spent == "revoked":
        authority.revoke("gw1")
    elif spent == "expired":
        before.certificate.write_bytes(authority.expired().certificate.read_bytes())
    first = load(before.certificate)
    assert load(Authority(tmp_path).device("gw1").certificate) == first, "an attacker's stolen one stays what it is"
    after = load(Authority(tmp_path).renewed("gw1").certificate)
    assert (after == first) is (not spent)
    assert after.not_valid_after_utc > clock.wall_now() and after.serial_number not in revoked(authority)


def test_an_authority_that_has_expired_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sim.pki.authority.CA_DAYS", 0)
    Authority(tmp_path)
    with pytest.raises(PkiError, match=r"the authority in .*: it expired on 20\d\d-.* enrolled again; free or"):
        Authority(tmp_path)


def test_a_server_certificate_chains_to_its_own_authority_only(tmp_path: Path) -> None:
    authority, rogue = Authority(tmp_path / "a"), Authority(tmp_path / "b", "rogue")
    leaf = load(authority.server(("broker.example", "127.0.0.1")).certificate)

    def verify(trusted: Authority, host: str) -> None:
        store = Store([load(trusted.certificate)])
        PolicyBuilder().store(store).build_server_verifier(x509.DNSName(host)).verify(leaf, [])

    verify(authority, "broker.example")
    with pytest.raises(VerificationError):
        verify(rogue, "broker.example")
    with pytest.raises(VerificationError):
        verify(authority, "other.example")


def test_expired_means_until_yesterday(tmp_path: Path) -> None:
    certificate = load(Authority(tmp_path).expired().certificate)
    assert certificate.not_valid_after_utc < clock.wall_now() - timedelta(hours=23)
    assert certificate.not_valid_before_utc < certificate.not_valid_after_utc


def test_a_revoked_serial_stands_in_the_list_also_after_a_restart(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    kept, taken = load(authority.device("kept").certificate), load(authority.device("taken").certificate)
    authority.revoke("taken")
    crl = x509.load_pem_x509_crl(authority.crl.read_bytes())
    assert crl.is_signature_valid(load(authority.certificate).public_key())  # type: ignore[arg-type]
    assert revoked(authority) == {taken.serial_number} != {kept.serial_number}
    again = Authority(tmp_path)
    again.write_crl()
    assert revoked(again) == {taken.serial_number}


def test_the_list_outlives_the_fleet(tmp_path: Path) -> None:
    crl = x509.load_pem_x509_crl(Authority(tmp_path).crl.read_bytes())
    assert crl.next_update_utc is not None
    assert crl.next_update_utc > clock.wall_now() + timedelta(days=3_000)


@pytest.mark.parametrize("name", ["", "ca", "../gw", "a/b", "x" * 65, "-gw", "gw\n"])
def test_names_that_cannot_be_files_or_common_names_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(PkiError, match="cannot be a device name"):
        Authority(tmp_path).device(name)


def test_revoking_a_stranger_says_so(tmp_path: Path) -> None:
    with pytest.raises(PkiError, match="never issued"):
        Authority(tmp_path).revoke("stranger")


def test_a_directory_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "pki").write_text("")
    with pytest.raises(PkiError, match="pki"):
        Authority(tmp_path / "pki")


def test_a_broken_key_file_is_named(tmp_path: Path) -> None:
    Authority(tmp_path)
    (tmp_path / "ca.key").write_text("not a key")
    with pytest.raises(PkiError, match="free or remove it"):
        Authority(tmp_path)
