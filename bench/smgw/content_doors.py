"""`smgw cms open`, `smgw cms make` and `smgw lint`: sealed and signed content, and certificates."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from bench import named_files
from bench.run_errors import CannotRun
from bench.smgw.row_lines import answered, in_hex
from reports.wording import plain
from sim.core.clock import wall_now
from sim.pki import sm_keys
from sim.pki.sealed_content import AUTH_ENVELOPED, ContentError, seal, unseal
from sim.pki.signed_content import open_content, sign
from sim.pki.sm_lint import lint

_FILE_MOST_BYTES: Final = 1 << 25


def cms_open(arguments: argparse.Namespace) -> int:
    """Exit code 0: opened, 1: refused; a stream is always 0."""
    if arguments.jsonl:
        return answered(_open_row)
    if None in (arguments.file, arguments.key, arguments.cert):
        raise CannotRun("cms open needs FILE, --key and --cert (or --jsonl)")
    if arguments.signer is None and not arguments.unsigned:
        raise CannotRun("whose signature is it? name the certificate with --signer (or say --unsigned)")
    with _of_file(arguments.cert, arguments.key):
        receiver = sm_keys.receiver(_bytes(arguments.cert), _bytes(arguments.key))
    data = _bytes(arguments.file)
    try:
        if arguments.unsigned:
            content, at = unseal(data, receiver), None
        else:
            with _of_file(arguments.signer):
                signer = sm_keys.certificate(_bytes(arguments.signer))
            content, at = open_content(data, receiver, signer, newer_than=arguments.newer_than)
    except ContentError as error:
        print(plain(f"refused: {error.reason}: {error.detail}"), file=sys.stderr)
        return 1
    if at is not None:
        print(f"signed at {at.isoformat()}", file=sys.stderr)
    _put(content, arguments.out)
    return 0


def cms_make(arguments: argparse.Namespace) -> int:
    """Seal for a receiver, sign by a signer."""
    with _of_file(arguments.signer, arguments.key):
        signer = sm_keys.signer(_bytes(arguments.signer), _bytes(arguments.key))
    with _of_file(arguments.to):
        receiver = sm_keys.certificate(_bytes(arguments.to))
    try:
        sealed = seal(_bytes(arguments.file), receiver, way=arguments.content, kdf=arguments.kdf)
        made = sign(sealed, signer, arguments.at or wall_now())
    except ContentError as error:
        raise CannotRun(f"{error.reason}: {error.detail}") from None
    _put(made, arguments.out)
    return 0


def lint_(arguments: argparse.Namespace) -> int:
    """Exit code 0: nothing is found, 1: something is; a stream is always 0."""
    if arguments.jsonl:
        return answered(lambda row: {"findings": _findings(in_hex(row, "der"), arguments.profile, None)})
    if arguments.certificate is None:
        raise CannotRun("which certificate? name its file (or --jsonl)")
    issuer = _bytes(arguments.issuer) if arguments.issuer else None
    found = _findings(_bytes(arguments.certificate), arguments.profile, issuer)
    if arguments.json:
        print(json.dumps({"profile": arguments.profile, "findings": found}))
    else:
        for one in found:
            print(plain(f"{one['rule']}: {one['detail']}"))
        count = f"{len(found) or 'no'} finding{'' if len(found) == 1 else 's'}"
        print(f"{count} under the profile {arguments.profile}; no statement of conformity")
    return 1 if found else 0


def _findings(data: bytes, profile: str, issuer: bytes | None) -> list[dict[str, str]]:
    return [{"rule": one.rule, "detail": one.detail} for one in lint(data, profile, issuer)]


def _open_row(row: dict[str, Any]) -> dict[str, Any]:
    """A row of hex: der, enc_cert, enc_key_d (the number of the receiver's key), sig_cert."""
    receiver = sm_keys.receiver(in_hex(row, "enc_cert"), in_hex(row, "enc_key_d"))
    data = in_hex(row, "der")
    if sm_keys.content_type(data) == AUTH_ENVELOPED:
        return {"plaintext": _text(unseal(data, receiver)), "signed": False}
    content, at = open_content(data, receiver, sm_keys.certificate(in_hex(row, "sig_cert")))
    return {"plaintext": _text(content), "signed": True, "signed_at": at.isoformat()}


def _text(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content.hex()


def _bytes(path: Path) -> bytes:
    return named_files.read(path, _FILE_MOST_BYTES, "name a file that can be read")


@contextlib.contextmanager
def _of_file(*paths: Path) -> Iterator[None]:
    """What is wrong with a certificate or a key names its file."""
    try:
        yield
    except sm_keys.PkiError as error:
        raise CannotRun(f"{' with '.join(map(str, paths))}: {error}") from None


def _put(data: bytes, out: Path | None) -> None:
    if out is None:
        if sys.stdout.isatty():
            raise CannotRun("bytes go to a file, not to a terminal: name one with --out")
        sys.stdout.buffer.write(data)
        return
    with named_files.writing("give another place with --out"):
        out.write_bytes(data)


def moment(text: str) -> datetime:
    """A time with its offset, for the command line."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no time with an offset, as 2026-01-31T00:00:00+01:00 is")
    return at
