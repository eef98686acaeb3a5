"""./wmbench pack: one archive that a stranger can check and open, with the forgeries in it and without any key."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from bench import run_directory
from bench.cli.pack import GUIDE, MANIFEST, pack
from bench.run_directory import RunDirectoryError
from reports import documents
from sim.core.clock import NS_PER_S
from sim.world import World
from tests import small_worlds
from tests.bench.command_line import Rig
from tests.bench.conftest import Here
from tests.reports import evidence_run


@pytest.fixture(scope="module")
def with_documents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = evidence_run.write(tmp_path_factory.mktemp("documents") / "run")
    documents.write_all(directory)
    return directory


@pytest.fixture
def run(with_documents: Path, tmp_path: Path) -> Path:
    """A run of one's own with all its documents."""
    folder = tmp_path / "runs" / "radio" / "2026-01-12T08-00-00"
    return Path(shutil.copytree(with_documents, folder, copy_function=shutil.copyfile))


def opened(archive: Path, folder: Path) -> Path:
    with zipfile.ZipFile(archive) as file:
        file.extractall(folder)
    (root,) = folder.iterdir()
    return root


def plain(path: Path) -> bytes:
    content = path.read_bytes()
    return gzip.decompress(content) if path.suffix == ".gz" else content


def test_what_goes_in_is_known_and_the_rest_stays_out(run: Path, tmp_path: Path) -> None:
    done = pack(run)
    assert done.path == run.parent / "radio-2026-01-12T08-00-00.zip"
    assert done.sha256 == hashlib.sha256(done.path.read_bytes()).hexdigest()
    root = opened(done.path, tmp_path / "out")
    assert root.name == "radio-2026-01-12T08-00-00"
    every = sorted(p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file())
    assert len(every) == done.files
    files = [name for name in every if not re.fullmatch(r"plots/[\w-]+\.svg", name)]
    assert len(files) < len(every)
    worlds = [f"radio-test-replay-1/{name}" for name in ("off", "on")]
    assert files == sorted([
        *("README.txt", "SHA256SUMS", "junit.xml", "navigator.json", "oscal-catalog.json", "oscal-results.json"),
        *("follow-a-verdict.md", "report.html", "run.json", "run.md", "wmbus.lua", "radio-test-replay-1/scenario.json"),
        *(f"{world}/{name}" for world in worlds for name in ("air.pcapng", "events.jsonl", "portal/portal.sqlite.gz")),
    ])  # fmt: skip


def test_every_file_that_its_texts_name_is_in_the_archive(run: Path, tmp_path: Path) -> None:
    """Or is said to lie in wmbench's own tree."""
    root = opened(pack(run).path, tmp_path / "out")
    there = {path.relative_to(root).as_posix() for path in root.rglob("*")} | {path.name for path in root.rglob("*")}
    made_by_the_reader = {"evidence.zip", "evidence.zip.sig", "sender.pem", "message.pcapng", "portal.sqlite"}
    outside = "of wmbench.s tree|in wmbench.s tree|lead to wmbench.s"
    looked_at = 0
    for name in ("README.txt", "follow-a-verdict.md", "wmbus.lua", "report.html"):
        text = (root / name).read_text(encoding="utf-8")
        text = re.sub(r"(?s)<script.*?</script>|<style.*?</style>|<svg.*?</svg>|<[^>]*>", " ", text)
        for said in re.finditer(r"[\w*./-]*\w\.(?:lua|md|py|json|jsonl|toml|pcapng|html|xml|gz)\b", text):
            word = said[0].removeprefix("FOLDER/").removeprefix("*/*/").removeprefix("clean/")
            near = text[said.start() : said.end() + 60]
            if word in there or word in made_by_the_reader or re.search(outside, near):
                looked_at += 1
                continue
            assert word == "radio/test_replay.py" or word.startswith("radio/test_"), f"{name} names {word}"
    assert looked_at > 30


def test_sha256sum_agrees_and_notices_a_change(run: Path, tmp_path: Path) -> None:
    root = opened(pack(run).path, tmp_path / "out")
    command = ["sha256sum", "--strict", "-c", MANIFEST]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(done.stdout.splitlines()) == sum(p.is_file() for p in root.rglob("*")) - 1
    (root / "run.json").write_bytes((root / "run.json").read_bytes() + b" ")
    assert subprocess.run(command, cwd=root, capture_output=True, check=False).returncode == 1


def test_equal_runs_give_equal_archives(run: Path, tmp_path: Path) -> None:
    one = pack(run, tmp_path / "one.zip")
    for path in run.rglob("*"):
        os.utime(path, (1, 1))
    copy = Path(shutil.copytree(run, tmp_path / "else" / "radio" / run.name))
    assert pack(copy, tmp_path / "two.zip").sha256 == one.sha256
    assert not list(tmp_path.glob(".*.part"))


def test_accepted_forgeries_keep_their_bytes(run: Path, tmp_path: Path) -> None:
    root = opened(pack(run).path, tmp_path / "out")
    sent = evidence_run.changed(evidence_run.ORIGINALS["mode5"])
    assert sent != evidence_run.ORIGINALS["mode5"]
    for name in ("run.json", "report.html"):
        assert sent in (root / name).read_text()
    assert bytes.fromhex(sent) in (root / "radio-test-replay-1/off/air.pcapng").read_bytes()


@pytest.mark.parametrize("name", ["on/events.jsonl", "on/portal/portal.sqlite.gz", "off/air.pcapng"])
def test_a_private_key_in_any_file_stops_it(run: Path, name: str) -> None:
    path = run / "radio-test-replay-1" / name
    content = plain(path) + b"x" * ((1 << 20) - 8) + (run / "radio-test-replay-1/on/endpoint/ca.key").read_bytes()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    with pytest.raises(RunDirectoryError, match="holds a private key, so nothing was packed"):
        pack(run)
    assert not list(run.parent.glob("*.zip")) and not list(run.parent.glob(".*.part"))


def openssl(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = ["openssl", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="allowed: openssl is not on the PATH")
def test_openssl_verifies_the_signature_and_notices_a_change(run: Path, tmp_path: Path) -> None:
    key, public, out = tmp_path / "key.pem", tmp_path / "sender.pem", tmp_path / "evidence.zip"
    assert openssl("genpkey", "-algorithm", "ed25519", "-out", key).returncode == 0
    done = pack(run, out, key)
    assert done.signature == f"{out}.sig"
    assert done.public_key == openssl("pkey", "-in", key, "-pubout").stdout
    public.write_text(done.public_key)
    verify = ("pkeyutl", "-verify", "-pubin", "-inkey", public, "-rawin", "-in", out, "-sigfile", done.signature)
    assert openssl(*verify).returncode == 0
    assert "Signature Verified Successfully" in openssl(*verify).stdout
    assert " ".join(map(str, verify[:6])).replace(str(public), "sender.pem") in GUIDE.read_text(encoding="utf-8")
    content = out.read_bytes()
    out.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert openssl(*verify).returncode != 0
    assert pack(run, out).signature == ""
    assert not Path(f"{out}.sig").exists(), "it would be another archive's"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="allowed: openssl is not on the PATH")
def test_what_is_no_signing_key_is_refused_before_anything_is_packed(run: Path, tmp_path: Path) -> None:
    key, out = tmp_path / "key.pem", tmp_path / "x.zip"
    with pytest.raises(RunDirectoryError, match=r"--sign .*key.pem: No such file.*openssl genpkey"):
        pack(run, out, key)
    key.write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    with pytest.raises(RunDirectoryError, match="not a private key in PEM"):
        pack(run, out, key)
    assert openssl("genpkey", "-algorithm", "x25519", "-out", key).returncode == 0
    with pytest.raises(RunDirectoryError, match="not an Ed25519 key"):
        pack(run, out, key)
    protected = ("genpkey", "-algorithm", "ed25519", "-aes256", "-pass", "pass:secret", "-out", key)
    assert openssl(*protected).returncode == 0
    with pytest.raises(RunDirectoryError, match="has a passphrase"):
        pack(run, out, key)
    assert not out.exists()


def test_a_link_out_of_the_run_is_not_followed(run: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "events.jsonl").write_text("not for others")
    (run / "plots").mkdir(exist_ok=True)
    (run / "plots" / "x.svg").symlink_to(secret / "events.jsonl")
    (run / "radio-test-replay-1" / "zz").symlink_to(secret)
    names = zipfile.ZipFile(pack(run).path).namelist()
    assert not [name for name in names if "x.svg" in name or "/zz/" in name]


def test_a_run_that_goes_on_is_not_packed(run: Path) -> None:
    run_directory.hold(run)
    try:
        with pytest.raises(RunDirectoryError, match="is still running"):
            pack(run)
    finally:
        run_directory.release(run)


@pytest.mark.acceptance
def test_a_real_run_is_packed_without_a_key_of_any_meter(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.scenarios("\n@scenario(world='dozen.toml')\ndef test_quiet(world: Stage) -> None:\n    world.run(seconds=90)\n")
    assert rig.run("run", tmp_path / "test_made.py").returncode == 0
    done = rig.run("pack", "latest", "--out", tmp_path / "x.zip", "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["sha256"] == hashlib.sha256((tmp_path / "x.zip").read_bytes()).hexdigest()
    root = opened(tmp_path / "x.zip", tmp_path / "out")
    with World(small_worlds.dozen(tmp_path), 1, tmp_path / "again") as world:
        keys = [key for meter in range(world.fleet.n) if (key := world.fleet.key(meter)) is not None]
        first = world.fleet.window(0, 30 * NS_PER_S)
        telegrams = [world.fleet.telegram(m, k) for m, k in zip(first.meter.tolist(), first.k.tolist(), strict=True)]
    assert len(keys) == 8
    contents = {path: plain(path) for path in root.rglob("*") if path.is_file()}
    captures = [content for path, content in contents.items() if path.name == "air.pcapng"]
    assert len(captures) == 1
    assert any(telegram in captures[0] for telegram in telegrams), "the same fleet as in the run"
    for path, content in contents.items():
        assert b"PRIVATE KEY" not in content, path
        lower = content.lower()
        for key in keys:
            assert key not in content and key.hex().encode() not in lower, path


def test_there_is_no_such_run(here: Here) -> None:
    done = here("pack", "nothing")
    assert done.returncode == 2
    assert done.stderr.startswith("wmbench: there is no run 'nothing'")
