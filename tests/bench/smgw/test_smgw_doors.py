"""`smgw` as programs use it: lines in, lines out."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import NameOID

from bench.cli import main
from tests.sim.pki.sm_pki_cases import der, end_user, key

ROOT = Path(__file__).parents[3]
VECTORS = ROOT / "tests" / "vectors"


def smgw(*words: str, text: str = "") -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "bench", "smgw", *words],
        input=text,
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def here(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """The same, of commands that read no stream, without a process for each."""

    def call(*words: str) -> tuple[int, str, str]:
        code = main.main(["smgw", *words])
        return code, *capsys.readouterr()

    return call


def rows(name: str) -> list[dict]:
    return [json.loads(line) for line in (VECTORS / f"{name}.jsonl").read_text().splitlines()]


def test_tariffs_of_a_stream_go_on_behind_what_is_no_row() -> None:
    given = [{name: value for name, value in row.items() if name != "expect"} for row in rows("smgw_taf")[:3]]
    text = "\n".join([json.dumps(given[0]), "{", '{"id": "\\u001b[31m"}', json.dumps(given[2])]) + "\n"
    code, out, _ = smgw("tariff", "--jsonl", text=text)
    got = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [got[0]["registers"], got[3]["registers"]] == [rows("smgw_taf")[n]["expect"] for n in (0, 2)]
    assert [one["error"]["reason"] for one in got[1:3]] == ["bad-json", "rule"]
    assert "\x1b" not in out


def test_one_row_for_people() -> None:
    code, out, _ = smgw("tariff", text=json.dumps(rows("smgw_taf")[0]))
    assert (code, out.split()) == (0, ["1-0:1.8.1*255", "360", "1-0:1.8.2*255", "600", "1-0:1.8.63*255", "0"])
    code, out, _ = smgw("tariff", text='{"supplier": {"taf": 8, "start": "2026-01-01T00:00:00Z", "duration_s": 9}}')
    assert code == 1
    assert out.startswith("refused: not-modelled: TAF 8 (extremes)")


@pytest.mark.parametrize(("verb", "file"), [("sml", "sml"), ("hdlc", "hdlc")])
def test_frames_of_a_stream(verb: str, file: str) -> None:
    given = [row for row in rows(file) if "hex" in row]
    code, out, _ = smgw(verb, "decode", "--jsonl", text="".join(json.dumps(row) + "\n" for row in given))
    got = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    refused = {one["id"]: one.pop("error")["reason"] for one in got if "error" in one}
    assert (
        refused
        == {
            "sml": {"libsml-EMH_eHZ-IW8E2A5L0EK2P_with_error": "value-missing"},
            "hdlc": {"amshan-stuffed": "octet-stuffed"},
        }[verb]
    )
    assert got == [{name: row[name] for name in one} for row, one in zip(given, got, strict=True)]


def test_one_frame(here) -> None:
    row = rows("hdlc")[1]
    code, out, _ = here("hdlc", "decode", f"7e{row['hex']}7e", "--json")
    assert (code, json.loads(out)["info"]) == (0, row["info"])
    code, out, _ = here("sml", "decode", rows("sml")[0]["hex"], "--json", "--crc", "KERMIT")
    assert (code, json.loads(out)["error"]["reason"]) == (1, "file-crc")
    code, out, error = here("sml", "decode", "zz")
    assert (code, out) == (2, "")
    assert "a frame is given in hex" in error


# --- content and certificates ------------------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    made = {}
    for name, one in (("emt", end_user("example.EMT", "emt")), ("smgw", end_user())):
        own = key(one.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)
        pem = own.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        for suffix, data in (("crt", der(one)), ("key", pem)):
            made[f"{name}.{suffix}"] = str(tmp_path / f"{name}.{suffix}")
            Path(made[f"{name}.{suffix}"]).write_bytes(data)
    for name in ("content", "made", "opened"):
        made[name] = str(tmp_path / name)
    Path(made["content"]).write_bytes(b"\x00\xffsealed")
    return made


def test_content_is_made_and_opened(files: dict[str, str], here) -> None:
    make = ("cms", "make", files["content"], "--to", files["emt.crt"], "--signer", files["smgw.crt"])
    when = ("--at", "2026-01-05T12:00:00+01:00", "--out", files["made"])
    assert here(*make, "--key", files["smgw.key"], *when)[0] == 0
    take = ("cms", "open", files["made"], "--cert", files["emt.crt"], "--key", files["emt.key"])
    code, _, error = here(*take, "--signer", files["smgw.crt"], "--out", files["opened"])
    assert (code, Path(files["opened"]).read_bytes()) == (0, b"\x00\xffsealed")
    assert "signed at 2026-01-05T11:00:00+00:00" in error
    code, out, error = here(*take, "--signer", files["smgw.crt"], "--newer-than", "2026-01-05T11:00:00Z")
    assert (code, out) == (1, "")
    assert error.startswith("refused: old: ")
    for words, told in (
        ((*make, "--key", files["emt.key"]), "the key is not the one of the certificate"),
        (take, "whose signature is it?"),
        ((*make[:4], files["content"], *make[5:], "--key", files["smgw.key"]), "this is no certificate in PEM or DER"),
        (("cms", "open"), "cms open needs FILE"),
        ((*take[:2], "nowhere", *take[3:], "--unsigned"), "name a file that can be read"),
    ):
        code, out, error = here(*words)
        assert (code, out) == (2, "")
        assert told in error


def test_rows_of_content_and_certificates() -> None:
    given = "\n".join(map(json.dumps, rows("cms")))
    got = [json.loads(line) for line in smgw("cms", "open", "--jsonl", text=given)[1].splitlines()]
    assert [one.get("plaintext") for one in got] == ["<x>639118</x>"] * 2 + [None]
    assert [one.get("signed") for one in got] == [False, True, None]
    assert got[2]["error"]["reason"] == "message-digest"
    given = "\n".join(map(json.dumps, rows("smpki")))
    for profile, rules in (("2017", set()), ("today", {"names"})):
        _, out, _ = smgw("lint", "--jsonl", "--profile", profile, text=given)
        assert {one["rule"] for line in out.splitlines() for one in json.loads(line)["findings"]} == rules


def test_a_certificate_for_people(files: dict[str, str], here) -> None:
    code, out, _ = here("lint", files["smgw.crt"])
    assert (code, out) == (0, "no findings under the profile today; no statement of conformity\n")
    code, out, _ = here("lint", files["content"], "--json")
    assert (code, json.loads(out)["findings"][0]["rule"]) == (1, "certificate")
    code, out, _ = here("lint", files["content"])
    assert out.splitlines()[0].startswith("certificate: is none in PEM or DER: ")
    assert out.splitlines()[1].startswith("1 finding under")
    code, out, _ = here("lint", files["smgw.crt"], "--issuer", files["content"])
    assert (code, out.splitlines()[0][:52]) == (1, "issuer: the issuer's is no certificate in PEM or DER")
