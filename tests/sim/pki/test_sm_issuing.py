"""What the SM-PKI of a world issues: clean under the lint, good for OpenSSL, equal for equal seeds; and what neither a
damaged request nor a broken chain gets past."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from sm_pki_cases import damaged

from sim.core.seeds import Seeds
from sim.pki import sm_forms
from sim.pki.authority import PkiError
from sim.pki.content_ciphers import point
from sim.pki.party_certificates import ADMINISTRATOR, MAKER, PartyRoot, as_der, uncompressed
from sim.pki.sealed_content import public_key
from sim.pki.slot_keys import CURVE, verifies
from sim.pki.sm_authorities import SmRoot
from sim.pki.sm_chain import CLAUSES, ChainError, Trust, list_bytes, read_list
from sim.pki.sm_lint import lint
from sim.pki.sm_triples import PURPOSES, Request, RequestError, Triple, request
from sim.smgw.module.in_world import InWorldModule, draws

SINCE = datetime(2026, 1, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BOX = "gw-0001.SMGW"


def pki(seed: int = 1, generation: str = "2025") -> tuple[PartyRoot, InWorldModule]:
    seeds = Seeds(seed)
    made = PartyRoot("SM-Test-Root.CA", draws(seeds, "root", "draws"), SINCE, generation)
    for name in (MAKER, ADMINISTRATOR, "supplier.EMT"):
        made.party(name, draws(seeds, name, "keys"))
    return made, InWorldModule(seeds, "gw-0001")


def installed(seed: int = 1, generation: str = "2025") -> tuple[PartyRoot, InWorldModule, Triple]:
    made, module = pki(seed, generation)
    made.seal(BOX, module, SINCE)
    return made, module, made.operational(BOX, module, SINCE + HOUR)


def pem(folder: Path, name: str, *certificates: x509.Certificate) -> str:
    path = folder / name
    path.write_bytes(b"".join(one.public_bytes(serialization.Encoding.PEM) for one in certificates))
    return str(path)


def openssl(*words: str) -> tuple[int, str]:
    done = subprocess.run(["openssl", *words], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("generation", ["2017", "2025"])
def test_what_is_issued_is_clean_and_its_damages_are_not(generation: str) -> None:
    made, _, triple = installed(generation=generation)
    root, sub = made.certificate, made.authority.certificate
    assert lint(as_der(root)) == [] and lint(as_der(sub), issuer=as_der(root)) == []
    for name in (MAKER, ADMINISTRATOR, "supplier.EMT", BOX):
        for one in made.registration.triples[name].certificates.values():
            assert lint(as_der(one), issuer=as_der(sub)) == []
    assert lint(as_der(triple.certificates["TLS"]), "2017") == [] or generation == "2025"
    for data in damaged(as_der(triple.certificates["TLS"])):
        assert lint(data, "today", as_der(sub))


def test_equal_seeds_issue_equal_bytes() -> None:
    (one, _, triple), (same, _, twin), (other, _, _) = installed(3), installed(3), installed(4)
    assert {p: as_der(c) for p, c in triple.certificates.items()} == {
        p: as_der(c) for p, c in twin.certificates.items()
    }
    assert list(map(list_bytes, one.publish(SINCE + DAY))) == list(map(list_bytes, same.publish(SINCE + DAY)))
    assert as_der(one.certificate) != as_der(other.certificate)


def test_openssl_takes_the_chain_with_its_lists_and_refuses_it_when_they_are_over(tmp_path: Path) -> None:
    made, _, triple = installed()
    root = pem(tmp_path, "root.pem", made.certificate)
    sub = pem(tmp_path, "sub.pem", made.authority.certificate)
    leaf = pem(tmp_path, "leaf.pem", triple.certificates["TLS"])
    at = SINCE + 2 * HOUR
    lists = tmp_path / "lists.pem"
    lists.write_bytes(b"".join(map(list_bytes, made.publish(at))))

    def verified(when: datetime, *more: str) -> tuple[int, str]:
        return openssl("verify", "-crl_check_all", "-CRLfile", str(lists), "-attime", str(int(when.timestamp())),
                       "-CAfile", root, *more, leaf)  # fmt: skip

    assert verified(at + HOUR, "-untrusted", sub)[0] == 0
    assert "unable to get local issuer" in verified(at + HOUR)[1], "the chain has a hole"
    assert "CRL has expired" in verified(at + 4 * DAY, "-untrusted", sub)[1]
    made.registration.take_back(triple, at + HOUR)
    lists.write_bytes(b"".join(map(list_bytes, made.publish(at + 2 * HOUR))))
    assert "certificate revoked" in verified(at + 3 * HOUR, "-untrusted", sub)[1]
    (tmp_path / "one.crl").write_bytes(list_bytes(made.publish(at + 3 * HOUR)[1]))
    code, said = openssl("crl", "-in", str(tmp_path / "one.crl"), "-noout", "-text", "-CAfile", sub)
    assert code == 0 and "verify OK" in said
    assert said.count("Key Compromise") == 3 and said.count("Superseded") == 3, "and the seal is superseded"
    assert openssl("crl", "-in", str(tmp_path / "one.crl"), "-noout", "-CAfile", root)[1].count("verify OK") == 0


def refused(clause: str, ask: Callable[[], object]) -> str:
    with pytest.raises((ChainError, RequestError)) as error:
        ask()
    assert error.value.clause == clause
    assert "\n" not in str(error.value)
    return str(error.value)


def test_each_clause_of_a_chain_refuses() -> None:
    made, _, triple = installed()
    tls, trust = triple.certificates["TLS"], made.trust
    at = SINCE + 2 * HOUR
    trust.check(tls, at, "TLS", name=BOX)
    seen = {
        "chain-name": lambda: trust.check(tls, at, "TLS", name="gw-0002.SMGW"),
        "chain-purpose": lambda: trust.check(tls, at, "SIG"),
        "chain-hole": lambda: Trust(trust.roots, [], trust.lists).check(tls, at, "TLS"),
        "chain-time": lambda: trust.check(tls, SINCE + 3 * 365 * DAY, "TLS"),
        "list-missing": lambda: Trust(trust.roots, trust.authorities).check(tls, at, "TLS"),
        "list-expired": lambda: trust.check(tls, at + 4 * DAY, "TLS"),
    }
    said = {clause: refused(clause, ask) for clause, ask in seen.items()}
    assert "CN=wmbench-Energy.CA" in said["chain-hole"] and "fetch a newer one" in said["list-expired"]
    assert "sm-pki.example/wmbench-Energy.CA.crl" in said["list-missing"]
    other, _, strange = installed(2)
    refused("chain-hole", lambda: trust.check(strange.certificates["TLS"], at, "TLS"))
    refused("chain-hole", lambda: Trust(other.trust.roots, trust.authorities, trust.lists).check(tls, at, "TLS"))
    forged = other.authority.revocation_list(at)
    mixed = Trust(trust.roots, trust.authorities, [*_of_root(trust), _as_if(forged, made)])
    refused("list-signature", lambda: mixed.check(tls, at, "TLS"))
    early = Trust(trust.roots, trust.authorities, made.publish(at + DAY))
    refused("list-expired", lambda: early.check(tls, at, "TLS"))
    made.registration.take_back(triple, at)
    trust.check(tls, at + DAY, "TLS")  # nobody has told it yet
    made.publish(at + DAY)
    refused("list-revoked", lambda: trust.check(tls, at + DAY + HOUR, "TLS"))
    box, fresh = pki(5)
    seal = box.seal(BOX, fresh, SINCE)
    box.trust.check(seal.certificates["TLS"], at, "TLS", seal=True)
    refused("chain-seal", lambda: box.trust.check(seal.certificates["TLS"], at, "TLS"))
    assert set(CLAUSES) >= set(seen)


def test_a_signature_that_holds_vouches_for_nothing_else() -> None:
    made, module, triple = installed()
    tls, trust, at = triple.certificates["TLS"], made.trust, SINCE + 2 * HOUR
    own, strange = (uncompressed(public_key(one.authority.certificate)) for one in (made, pki(2)[0]))
    twin = x509.load_der_x509_certificate(as_der(made.authority.certificate).replace(own, strange))
    for _ in range(2):
        trust.check(tls, at, "TLS")
        refused("chain-signature", lambda: Trust(trust.roots, [twin], trust.lists).check(tls, at, "TLS"))
    public, other = (uncompressed(public_key(triple.certificates[one])) for one in ("SIG", "TLS"))
    signature = module.sign("SIG-2", b"42")
    for _ in range(2):
        assert verifies(public, b"42", signature)
        assert not verifies(public, b"43", signature)
        assert not verifies(other, b"42", signature)
        assert not verifies(public, b"42", signature + b"\0")


def _of_root(trust: Trust) -> list[x509.CertificateRevocationList]:
    return [one for one in trust.lists if one.issuer == trust.roots[0].subject]


def _as_if(forged: x509.CertificateRevocationList, of: PartyRoot) -> x509.CertificateRevocationList:
    """A stranger's list under the key identifier of the authority whose name it has already."""
    key = of.authority._key
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()).key_identifier
    strange = forged.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    assert identifier and strange
    return read_list(forged.public_bytes(serialization.Encoding.DER).replace(strange, identifier))


def test_who_is_no_authority_issues_nothing() -> None:
    made, _, _ = installed()
    trust = made.trust
    own = made.registration.triples["supplier.EMT"]
    key = made.key_of(own, "SIG")
    above = sm_forms.Above(own.certificates["SIG"].subject, key, sm_forms.GENERATIONS["2025"].sub_digest)
    own_name = sm_forms.name("x.SMGW", 1)
    child = sm_forms.certificate("smgw", own_name, key.public_key(), "TLS", above, serial=7, since=SINCE)
    refused("chain-hole", lambda: trust.check(child, SINCE + 2 * HOUR, "TLS"))
    trust.authorities.append(own.certificates["SIG"])
    refused("chain-authority", lambda: trust.check(child, SINCE + 2 * HOUR, "TLS"))


def test_a_seal_becomes_operational_and_is_renewed_while_the_old_keys_are_there() -> None:
    made, module, first = installed()
    assert [sm_forms.number_of(one) for one in first.certificates.values()] == [1, 1, 1]
    made.publish(SINCE + 700 * DAY)
    second = made.operational(BOX, module, SINCE + 700 * DAY)
    assert second.number == 2
    for triple, slot in ((first, "SIG-2"), (second, "SIG")):
        public = uncompressed(public_key(triple.certificates["SIG"]))
        assert verifies(public, b"x", module.sign(slot, b"x")), "the old key is there beside the new one"
    for triple in (first, second):
        made.trust.check(triple.certificates["SIG"], SINCE + 700 * DAY, "SIG", name=BOX)
    supplier = made.renewed("supplier.EMT", SINCE + 700 * DAY)
    assert supplier.number == 2 and lint(as_der(supplier.certificates["ENC"])) == []


def test_a_request_that_lacks_a_signature_or_a_number_is_not_granted() -> None:
    made, module = pki()
    grant = made.registration.grant
    asked = request(BOX, 0, module)

    def by(who: str, one: Request = asked) -> Request:
        return one.authorised(who, lambda body: made._sign(who, body))

    refused("request-authorisation", lambda: grant(asked, SINCE))
    refused("request-authorisation", lambda: grant(by(ADMINISTRATOR), SINCE))
    refused("request-authorisation", lambda: grant(replace(by(MAKER), authorisation=b""), SINCE))
    stolen = replace(asked, points={**asked.points, "SIG": module.make_key("SIG-2")})
    refused("request-possession", lambda: grant(by(MAKER, stolen), SINCE))
    less = replace(asked, points={p: asked.points[p] for p in PURPOSES[:2]})
    refused("request-key", lambda: grant(by(MAKER, less), SINCE))
    grant(by(MAKER), SINCE)
    refused("request-number", lambda: grant(by(MAKER), SINCE))
    late = request(BOX, 1, module)
    refused("request-authorisation", lambda: grant(by(MAKER, late), SINCE))
    refused("list-expired", lambda: grant(by(ADMINISTRATOR, late), SINCE + 30 * DAY))
    refused("request-authorisation", lambda: made.registration.first(BOX, asked.points, SINCE))
    made.publish(SINCE + 2_000 * DAY)
    with pytest.raises(PkiError, match="renew it first"):
        made.registration.first("late.EMT", asked.points, SINCE + 2_000 * DAY)


def test_links_carry_trust_over_a_change_of_the_root(tmp_path: Path) -> None:
    """The old root's parties trust what the new one issues, by the new key under the old name; and the other way."""
    seeds = Seeds(9)
    old = SmRoot(draws(seeds, "old", "draws"), SINCE, "2017")
    new = SmRoot(draws(seeds, "new", "draws"), SINCE + 300 * DAY, "2025", number=2)
    at = SINCE + 301 * DAY
    sub = new.sub_ca("wmbench-Energy.CA", at)
    module = InWorldModule(seeds, "gw")
    leaf = sub.issue("gw.SMGW", 1, point(CURVE, module.make_key("TLS")), "TLS", at)
    link = old.link(new, at)
    assert lint(as_der(link)) == [] and lint(as_der(new.certificate)) == []
    lists = [one.revocation_list(at) for one in (old, new, sub)]
    refused("chain-hole", lambda: Trust([old.certificate], [sub.certificate], lists).check(leaf, at + HOUR, "TLS"))
    Trust([old.certificate], [sub.certificate, link], lists).check(leaf, at + HOUR, "TLS")
    back = new.link(old, at)
    earlier = old.sub_ca("elder-Energy.CA", at)
    elder = earlier.issue("gw.SMGW", 1, point(CURVE, module.make_key("TLS")), "TLS", at)
    more = [*lists, earlier.revocation_list(at)]
    Trust([new.certificate], [earlier.certificate, back], more).check(elder, at + HOUR, "TLS")
    crl = tmp_path / "lists.pem"
    crl.write_bytes(b"".join(map(list_bytes, lists)))
    words = ("verify", "-attime", str(int((at + HOUR).timestamp())), "-crl_check_all", "-CRLfile", str(crl), "-CAfile",
             pem(tmp_path, "old.pem", old.certificate), "-untrusted")  # fmt: skip
    target = pem(tmp_path, "leaf.pem", leaf)
    assert openssl(*words, pem(tmp_path, "with.pem", sub.certificate, link), target)[0] == 0
    assert openssl(*words, pem(tmp_path, "without.pem", sub.certificate), target)[0] != 0
    old.take_back(link, at + HOUR, "cessation_of_operation")
    taken = [old.revocation_list(at + 2 * HOUR), *lists[1:]]
    refused("list-revoked", lambda: Trust([old.certificate], [sub.certificate, link], taken).check(
        leaf, at + 3 * HOUR, "TLS"))  # fmt: skip


def test_what_is_no_list_and_no_name_is_said_to_be_none() -> None:
    for data in (b"", b"-----BEGIN X509 CRL-----\nx", b"\x30\x03abc"):
        refused("list-missing", lambda data=data: read_list(data))  # type: ignore[misc]
    made, module, triple = installed()
    with pytest.raises(PkiError, match=r"names that end in \.SMGW"):
        made.certify("somebody", module.make_key("TLS"), "TLS")
    with pytest.raises(PkiError, match="has not issued"):
        made.root.take_back(triple.certificates["TLS"], SINCE)
    with pytest.raises(PkiError, match="is no reason"):
        made.authority.take_back(triple.certificates["TLS"], SINCE, "whim")
    with pytest.raises(PkiError, match="without another dot"):
        made.root.sub_ca("a.b", SINCE)
