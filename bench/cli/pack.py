"""./wmbench pack RUN: one archive of what others need to check a run: a zip that any desktop opens, with a page and
SHA256SUMS for `sha256sum -c`. Those sums lie inside what they protect; `--sign KEY` puts an Ed25519 signature beside
the archive.

What goes in is named here, everything else stays out: the broker's certificates and keys, gateways' outboxes, the
truth's ledger. What goes in is looked through for private keys all the same. Equal runs give equal archives: entries
are sorted and carry no time.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from bench import run_directory
from bench.run_directory import ROOT, RunDirectoryError
from sim.core.whole_file import replacing
from sim.pki.authority import PkiError
from sim.pki.statements import StatementKey

CONTENTS: Final = (
    *("run.json", "report.html", "junit.xml", "oscal-catalog.json", "oscal-results.json", "navigator.json"),
    *("plots/*.svg", "*/scenario.json", "*/rows.json", "*/*/events.jsonl", "*/*/air.pcapng"),
    "*/*/portal/portal.sqlite.gz",
)
DISSECTOR: Final = ROOT / "reports" / "wireshark" / "wmbus.lua"
GUIDE: Final = ROOT / "docs" / "how-to" / "follow-a-verdict.md"
REFERENCE: Final = ROOT / "docs" / "reference" / "run.md"
OURS: Final = (DISSECTOR, GUIDE, REFERENCE)
MANIFEST: Final = "SHA256SUMS"
SECRET: Final = b"PRIVATE KEY-----"
_BLOCK_BYTES: Final = 1 << 20
README: Final = """What is in here

follow-a-verdict.md  from a cell of the matrix to its bytes, frame, row and alarm, step by step
report.html          open it in a browser: verdicts, each with its bytes, frames, rows and alarms
run.json             the same for programs
run.md               every key of run.json, air.pcapng byte by byte, what each clause of a verdict means, the recipe of
                     the digests; its links lead to wmbench's own tree, which is not in here
oscal-results.json   OSCAL assessment results 1.1.3; oscal-catalog.json is the catalogue they speak of
navigator.json       a layer for the ATT&CK Navigator, domain ics-attack
junit.xml            for CI
*/*/air.pcapng       the air and the messages at the portal:  wireshark -X lua_script:wmbus.lua FILE
*/*/events.jsonl     everything that happened in a world
*/*/portal/          the portal's database, SQLite, after gunzip
SHA256SUMS           check all of it:  sha256sum -c SHA256SUMS

SHA256SUMS finds damage. Whoever changes a file can change it too, so that this is the archive that was sent is shown by
the SHA-256 of the zip, got by another way, or by a signature beside the zip (follow-a-verdict.md, step 1). Neither
proves when the run was made. Meters' keys are not in here: what a portal says of encrypted contents is its own word.

The data are those of a simulation. Nothing here is a statement of conformity to any standard.
"""


class Packed(NamedTuple):
    """`signature`: the file beside the archive, "" where it was not signed; it is made with the key whose public half
    `public_key` is, in PEM."""

    path: Path
    files: int
    size_bytes: int
    sha256: str
    signature: str = ""
    public_key: str = ""


def pack(directory: Path, out: Path | None = None, sign: Path | None = None) -> Packed:
    """The archive: `out`, else beside the run's directory. An archive that stands there stays until the new one is
    whole. `sign`: a private key in PEM, under which the signature is made that lies beside it then, with `.sig` behind
    its name. Raises RunDirectoryError, and OSError when the disk is full."""
    key = None if sign is None else _signing_key(sign)
    if run_directory.at_work(directory):
        raise RunDirectoryError(f"{directory} is still running: pack it when that has ended")
    run_directory.read(directory)
    path = out or directory.with_name(f"{directory.parent.name}-{directory.name}.zip")
    root = f"{directory.parent.name}-{directory.name}"
    sums: dict[str, str] = {}
    with replacing(path) as fresh, zipfile.ZipFile(fresh, "w") as archive:
        for name, file in _contents(directory):
            with file.open("rb") as source:
                sums[name] = _add(archive, f"{root}/{name}", source, packed=file.suffix == ".gz")
        _add_text(archive, f"{root}/README.txt", README, sums, "README.txt")
        manifest = "".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items()))
        _add_text(archive, f"{root}/{MANIFEST}", manifest, {}, MANIFEST)
    with path.open("rb") as whole:
        digest = hashlib.file_digest(whole, "sha256").hexdigest()
    done = Packed(path, len(sums) + 1, path.stat().st_size, digest)
    beside = path.with_name(f"{path.name}.sig")
    if key is None:
        beside.unlink(missing_ok=True)  # of an archive that stood there before
        return done
    with replacing(beside) as fresh:
        fresh.write_bytes(key.sign(path.read_bytes()))
    return done._replace(signature=str(beside), public_key=key.public_pem)


def command(run: str, out: Path | None, sign: Path | None, *, as_json: bool) -> int:
    """Pack and say what came of it. Raises RunDirectoryError and OSError."""
    done = pack(run_directory.find(run), out, sign)
    if as_json:
        print(json.dumps({**done._asdict(), "path": str(done.path)}))
        return 0
    print(f"{done.path}\n{done.files} files, {done.size_bytes} bytes, SHA-256 {done.sha256}")
    if done.signature:
        print(f"{done.signature}\nsigned under the private key of\n{done.public_key}", end="")
    return 0


def _signing_key(path: Path) -> StatementKey:
    try:
        return StatementKey.of_pem(path)
    except PkiError as error:
        raise RunDirectoryError(f"--sign {error}") from None


def _contents(directory: Path) -> Iterator[tuple[str, Path]]:
    """(name in the archive, file), sorted. Raises RunDirectoryError when one holds a private key."""
    found = {file.relative_to(directory).as_posix(): file for pattern in CONTENTS for file in directory.glob(pattern)}
    inside = directory.resolve()
    for name, file in sorted({**found, **{file.name: file for file in OURS}}.items()):
        if file.is_symlink() or not file.is_file() or (file not in OURS and inside not in file.resolve().parents):
            continue
        if _holds_secret(file):
            raise RunDirectoryError(f"{file} holds a private key, so nothing was packed; this is a fault of wmbench")
        yield name, file


def _holds_secret(file: Path) -> bool:
    tail = b""
    with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as source:
        while block := source.read(_BLOCK_BYTES):
            if SECRET in tail + block:
                return True
            tail = block[-len(SECRET) :]
    return False


def _add(archive: zipfile.ZipFile, name: str, source: BinaryIO, *, packed: bool) -> str:
    """Returns the SHA-256 of what was added."""
    digest = hashlib.sha256()
    with archive.open(_entry(name, zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED), "w") as target:
        while block := source.read(_BLOCK_BYTES):
            digest.update(block)
            target.write(block)
    return digest.hexdigest()


def _add_text(archive: zipfile.ZipFile, path: str, text: str, sums: dict[str, str], name: str) -> None:
    sums[name] = hashlib.sha256(text.encode()).hexdigest()
    archive.writestr(_entry(path, zipfile.ZIP_DEFLATED), text.encode())


def _entry(name: str, how: int) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)  # its time is 1980-01-01, always
    entry.compress_type, entry.external_attr, entry.create_system = how, 0o644 << 16, 3
    return entry
