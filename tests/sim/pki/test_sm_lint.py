"""Published certificates pass under their profile; each damage is one finding of the right rule."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID
from sm_pki_cases import AUTHORITY, damaged, der, end_user, extensions, key, key_usage, name, root, sub_ca

from sim.pki.sm_lint import kind_of, lint

FILE = Path(__file__).parents[2] / "vectors" / "smpki.jsonl"
ROWS = {row["id"]: bytes.fromhex(row["der"]) for row in map(json.loads, FILE.read_text().splitlines())}
GATEWAY, ABOVE = ROWS["smtestpki-ELGZ0010010002.SMGW"], ROWS["smtestpki-SM-T-Systems-Test-Energy.CA"]
MAIL = x509.SubjectAlternativeName([x509.RFC822Name("a@example.org")])


def rules(data: bytes, profile: str = "today", issuer: bytes | None = None) -> list[str]:
    return [one.rule for one in lint(data, profile, issuer)]


def test_published_certificates_pass_under_the_profile_of_their_year() -> None:
    assert lint(GATEWAY, "2017", ABOVE) == lint(ABOVE, "2017") == []
    assert set(rules(GATEWAY)) == set(rules(ABOVE)) == {"names"}  # the organisation has another name today


@pytest.mark.parametrize(
    "made", [root(), sub_ca(), end_user(), end_user("example.EMT", "emt"), end_user("example.EMT.2", "emt")]
)
def test_certificates_in_the_right_form_pass(made) -> None:
    assert lint(der(made)) == []


def test_today_takes_the_keys_and_digests_from_before_and_after_the_change() -> None:
    after = end_user(digest=hashes.SHA384())
    assert (rules(der(after)), rules(der(after), "2017")) == ([], ["signature"])


@pytest.mark.parametrize(
    ("made", "rule"),
    [
        (end_user("EXXX0012345678"), "names"),
        (end_user(subject=name("E1.SMGW", "SM-PKI")), "names"),
        (end_user(subject=name("E1.SMGW", number="A1")), "names"),
        (end_user(subject=name("E1.SMGW", number=None)), "names"),
        (end_user(curve="nist"), "key"),
        (end_user(curve="P384"), "key"),
        (end_user(digest=hashes.SHA512()), "signature"),
        (end_user(days=734), "validity"),
        (end_user(changes={"usage": (key_usage("key_agreement"), True)}), "key-usage"),
        (end_user(changes={"usage": (key_usage("key_encipherment", "key_agreement"), False)}), "key-usage"),
        (end_user(changes={"usage": None}), "key-usage"),
        (end_user(changes={"usage": (key_usage(*AUTHORITY), True)}), "key-usage"),
        (sub_ca(changes={"usage": (key_usage("key_cert_sign"), True)}), "key-usage"),
        (end_user(changes={"basic": None}), "basic-constraints"),
        (end_user(changes={"basic": (x509.BasicConstraints(False, None), False)}), "basic-constraints"),
        (end_user(changes={"basic": (x509.BasicConstraints(True, 0), True)}), "basic-constraints"),
        (sub_ca(changes={"basic": (x509.BasicConstraints(True, 1), True)}), "basic-constraints"),
        (end_user(changes={"aki": None}), "extensions"),
        (end_user(changes={"ski": None}), "extensions"),
        (end_user(changes={"ian": None}), "extensions"),
        (end_user(changes={"policy": None}), "extensions"),
        (end_user(changes={"crl": None}), "extensions"),
        (end_user("example.EMT", "emt", changes={"san": None}), "extensions"),
        (end_user(changes={"san": (MAIL, False)}), "forbidden"),
        (end_user(changes={"eku": (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False)}), "forbidden"),
        (end_user(changes={"policy": (x509.CertificatePolicies([x509.PolicyInformation(
            x509.ObjectIdentifier("1.2.3"), None)]), False)}), "policy"),
        (end_user(changes={"crl": (x509.CRLDistributionPoints([x509.DistributionPoint(
            [x509.UniformResourceIdentifier("ldap://x")], None, None, None)]), False)}), "revocation"),
    ],
)  # fmt: skip
def test_each_damage_is_found_by_its_rule(made, rule) -> None:
    assert rules(der(made)) == [rule]


def test_a_certificate_and_the_one_above_it() -> None:
    above = der(sub_ca())
    assert rules(der(end_user()), issuer=above) == []
    assert rules(GATEWAY, "2017", above) == ["issuer", "issuer", "issuer", "issuer"]  # name, signature, key, time
    assert rules(der(end_user()), issuer=der(root())) == ["issuer", "issuer", "issuer"]  # a chain with a hole
    other = end_user(changes={"aki": extensions("smgw", key("x").public_key(), key("x").public_key())["aki"]})
    assert rules(der(other), issuer=above) == ["issuer"]
    assert "no authority" in lint(der(end_user()), "today", der(end_user(subject=name("a.SMGW"))))[-1].detail


@pytest.mark.parametrize("at", range(0, len(GATEWAY), 7))
def test_a_damaged_published_certificate_is_never_clean(at: int) -> None:
    damaged = bytearray(GATEWAY)
    damaged[at] ^= 0x10
    assert lint(bytes(damaged), "2017", ABOVE)


@pytest.mark.parametrize(("made", "above"), [(end_user(), sub_ca()), (sub_ca(), root())])
def test_no_damaged_structure_is_clean_and_none_stops_the_lint(made, above) -> None:
    for data in damaged(der(made)):
        assert lint(data, "today", der(above))


@pytest.mark.parametrize(
    "data", [b"", b"-----BEGIN CERTIFICATE-----\nx", b"\x30\x03abc", GATEWAY[:-1], GATEWAY + b"\0"]
)
def test_what_is_no_certificate_is_a_finding(data) -> None:
    assert rules(data) == ["certificate"]


def test_kinds_by_common_name() -> None:
    names = ("SM-Root.CA", "SM-Test-Root.CA.CRL-S", "a-b.CA", "E1.SMGW", "a.GWA", "a.GWH.2", "a.EMT", "a.b.EMT", "SMGW")
    kinds = [kind_of(end_user(subject=name(one))) for one in names]
    assert kinds == ["root", "signer", "sub-ca", "smgw", "gwa", "gwh", "emt", "", ""]
