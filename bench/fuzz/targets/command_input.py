"""Command input: words, standard input and files, as a person might give them, to the command line in this process.

A case is JSON: {"argv": [...], "stdin": text, "files": {name: text}}; a word "@name" is a file's path. Nothing that is
drawn runs a world: what runs one is refused before it does. Whatever was given, there is an exit code that is written
down, one line of error at most (usage apart), and no byte of it reaches the terminal raw.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final
from unittest import mock

from bench.cli import main as command_line
from bench.cli.catalogue import KINDS
from bench.fuzz import mutations
from bench.fuzz.portal_bed import fleet_of_everything
from bench.fuzz.target import SECRET, Found, TargetKind, plain
from bench.run_directory import PLACE
from sim.core.seeds import Dice
from sim.core.vocabulary import SECURITIES

_EXITS: Final = (0, 1, 2, 4, 5, 6)
_OUR_FAULT: Final = "this is a fault of wmbench"
_WORDS: Final = (
    "latest", "", "-", "--", "nope", "../..", "\x1b[31m", "ÄÖÜ", "\udce9", "x" * 300,
    "x" * 300 + ".py", SECRET, "@keys.csv", "@run.json",
    "@world.toml", "@bytes", "@nowhere", ".", "/dev/null", "0", "-1", "1e9", "18446744073709551616", "--json", "--help",
)  # fmt: skip
_FRAME: Final = {
    "decode": ("--key", "--json", "--jsonl", "--lenient"),
    "encode": ("--type", "--set", "--key", "--security", "--acc", "--counter", "--sts", "--id", "--crc", "--seed",
               "--json", "--jsonl"),
    "sample": ("--type", "--security", "--count", "--seed", "--jsonl"),
}  # fmt: skip
_GIVEN: Final = {
    "--key": (SECRET, "00", "zz"), "--type": ("qundis-q-caloric", "vipa-c10", "all"),
    "--security": SECURITIES,
    "--set": ("units=5", "units=-1", "=", "nope=1", "units=1e400"), "--acc": ("0", "256"), "--counter": ("7", "-1"),
    "--sts": ("8", "999"), "--id": ("10000001", "ABCDEFGH"), "--crc": ("A", "B", "C"), "--seed": ("3",),
    "--count": ("1", "3", "0"),
}  # fmt: skip
_READERS: Final = (
    ("run", "--play", "@bytes"), ("run", "--play", "@keys.csv"),
    ("run", "--play", "@world.toml", "--keys", "@keys.csv"),
    ("run", "--play", "@nowhere", "--keys", "@keys.csv"), ("sweep", "@world.toml"), ("sweep", "@keys.csv"),
    ("city", "@keys.csv"), ("report", "@folder"), ("pack", "@folder"), ("replay", "@folder"), ("threats",),
    ("run", "@keys.csv"), ("run", "terrace", "--set"), ("run", "nope", "--seed"), ("show",), ("list",), ("report",),
    ("pack",), ("replay",), ("run", "nope", "-n"), ("run", "nope", "--engine"), ("run", "nope", "--endpoint"),
    ("city", "nope"),
)  # fmt: skip
_SAFE: Final = {
    "run": ("nope", "@keys.csv", "--play"),
    "city": ("nope", "@keys.csv"),
    "sweep": ("@world.toml", "@keys.csv"),
}


class Commands:
    """See bench.fuzz.target.Target."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "here"
        self._folder.mkdir(parents=True, exist_ok=True)
        fleet = fleet_of_everything(1)
        self._telegrams = [fleet.telegram(m, 3).hex() for m in range(fleet.n)]
        # A command makes its parser anew, which takes longer than all else that it does here; nothing in it changes.
        self._parser = functools.cache(command_line.make_parser)

    def draw(self, dice: Dice) -> bytes:
        stdin = ""
        if dice.randrange(2):
            verb = dice.choice(list(_FRAME))
            argv = ["frame", verb]
            for option in dice.sample(_FRAME[verb], dice.randrange(3)):
                argv += (
                    [option] if option in ("--json", "--jsonl", "--lenient") else [option, dice.choice(_GIVEN[option])]
                )
            if dice.randrange(2):
                argv.append(dice.choice((*self._telegrams, *_WORDS)))
            stdin = "\n".join(self._line(dice) for _ in range(dice.randrange(4)))
        else:
            argv = list(dice.choice(_READERS))
            argv += [dice.choice((*_WORDS, *KINDS)) for _ in range(dice.choice((0, 1, 1, 2)))]
        for _ in range(dice.choice((0, 0, 0, 1))):
            argv.insert(dice.randrange(1, len(argv) + 1), dice.choice(_WORDS))
        if "--play" in argv and not {"@bytes", "@keys.csv", "@world.toml", "@nowhere"} & set(argv):
            argv = ["list"]
        files = {
            "keys.csv": f"QDS 10000001 36 08,{SECRET}\n80081812,{SECRET}\n",
            "bytes": dice.choice(("\x00\x01", "{", "a,b,c")),
            "run.json": mutations.changed_text(b'{"version": 1, "kind": "run", "scenarios": []}', dice).decode(
                "latin-1"
            ),
            "world.toml": mutations.changed_text(f'title = "x"\nkey = "{SECRET}"\n'.encode(), dice).decode("latin-1"),
        }
        return json.dumps({"argv": argv, "stdin": stdin, "files": files}).encode()

    def _line(self, dice: Dice) -> str:
        record = {
            "dif_vif": dice.choice(("0D78", "0B6E", "", "zz", "8D")), "value": dice.choice(("€", 5, -1, 1e300, None)),
        }  # fmt: skip
        address = {"manufacturer": "QDS", "id": dice.choice(("10000001", "x")), "version": 54, "device_type": 8}
        read = {"telegram": dice.choice(self._telegrams), "key": SECRET}
        made = {"records": [record], "address": address}
        body: Any = dice.choice((read, read, made, made, {"telegram": 5}, [], None, SECRET))
        text = json.dumps(body).encode()
        return (mutations.changed_text(text, dice) if dice.randrange(2) else text).decode("utf-8", "surrogateescape")

    def change(self, case: bytes, dice: Dice) -> bytes:
        body = _body(case)
        if body is None:
            return self.draw(dice)
        what = dice.randrange(3)
        if what == 0:
            body["stdin"] = mutations.changed_text(body["stdin"].encode("utf-8", "replace"), dice).decode("latin-1")
        elif what == 1 and len(body["argv"]) > 1:
            at = dice.randrange(1, len(body["argv"]))
            body["argv"][at] = dice.choice((*_WORDS, *self._telegrams[:3]))
        else:
            name = dice.choice(sorted(body["files"]) or ["bytes"])
            old = str(body["files"].get(name, "")).encode("utf-8", "replace")
            body["files"][name] = mutations.changed_text(old, dice).decode("latin-1")
        return json.dumps(body).encode()

    def play(self, cases: Sequence[bytes]) -> list[str]:
        return [self._played(case) for case in cases]

    def _played(self, case: bytes) -> str:
        body = _body(case)
        if body is None or not _runs_nothing(body["argv"]):
            return "no case"
        self._write(body["files"])
        argv = [self._meant(word) for word in body["argv"]]
        with self._streams(body["stdin"]) as (out, err):
            code = self._exit_code(argv)
            said, shown = _read(err), _read(out)
        if code not in _EXITS:
            raise Found(f"exit code {code}, which is written down nowhere")
        if _OUR_FAULT in said or "Traceback" in said:
            raise Found(f"{argv[0]}: {said.strip().splitlines()[-1][:200]}")
        plain(said, lines=60)
        readable = "".join(letter for letter in shown if letter != "\t")
        if body["argv"][:1] != ["frame"]:
            plain(readable[:3_000], lines=2_000)
        else:
            odd = next((letter for letter in readable if not (letter.isprintable() or letter == "\n")), None)
            if odd is not None:
                raise Found(f"frame prints {odd!r}, raw")
        return f"{argv[0]} {code} {said[-60:-1]}"

    def _write(self, files: dict[str, Any]) -> None:
        for name, text in files.items():
            path = self._folder / os.path.basename(name or "x")
            if path.name not in (".", ".."):
                path.write_text(str(text), encoding="utf-8", errors="surrogatepass")
                path.chmod(0o600)
        run = self._folder / "folder"
        run.mkdir(exist_ok=True)
        (run / "run.json").write_text(str(files.get("run.json", "")), encoding="utf-8", errors="surrogatepass")

    def _meant(self, word: str) -> str:
        return str(self._folder / word[1:]) if word.startswith("@") and len(word) > 1 else word

    @contextlib.contextmanager
    def _streams(self, stdin: str) -> Iterator[tuple[Any, Any]]:
        """This process's streams, place and environment for one command, and back again."""
        kept, place, before = (sys.stdin, sys.stdout, sys.stderr), Path.cwd(), os.environ.get(PLACE)
        paths = [self._folder.parent / name for name in ("stdin", "stdout", "stderr")]
        paths[0].write_bytes(stdin.encode("utf-8", "replace"))
        as_usual = (("r", "surrogateescape"), ("w+", "strict"), ("w+", "backslashreplace"))
        files = [
            path.open(mode, encoding="utf-8", errors=errors)
            for path, (mode, errors) in zip(paths, as_usual, strict=True)
        ]
        sys.stdin, sys.stdout, sys.stderr = files
        os.environ[PLACE] = str(self._folder / "runs")
        os.chdir(self._folder)
        try:
            yield files[1], files[2]
        finally:
            sys.stdin, sys.stdout, sys.stderr = kept
            for file in files:
                file.close()
            os.chdir(place)
            os.environ.pop(PLACE, None)
            if before is not None:
                os.environ[PLACE] = before

    def check(self) -> None:
        with self._streams("") as (out, _):
            code = self._exit_code(["frame", "decode", self._telegrams[0], "--json"])
            shown = _read(out)
        if code not in (0, 1) or not json.loads(shown):
            raise Found("a genuine telegram is not decoded")

    def _exit_code(self, argv: list[str]) -> int:
        with mock.patch.object(command_line, "make_parser", self._parser):
            try:
                return command_line.main(argv)
            except SystemExit as error:  # argparse
                return error.code if isinstance(error.code, int) else 1

    def close(self) -> None:
        """Nothing is open."""


def _read(file: Any) -> str:
    file.flush()
    file.seek(0)
    return str(file.read())


def _body(case: bytes) -> dict[str, Any] | None:
    try:
        body = json.loads(case)
        argv, stdin, files = body["argv"], body["stdin"], body["files"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    words = isinstance(argv, list) and argv and all(isinstance(word, str) and "\0" not in word for word in argv)
    return body if words and isinstance(stdin, str) and isinstance(files, dict) else None


def _runs_nothing(argv: list[str]) -> bool:
    """Is what these words ask for refused before a world runs, or no world's business?"""
    verb = argv[0]
    if verb in ("run", "city", "sweep"):
        return any(word in argv[1:2] or (word == "--play" and word in argv) for word in _SAFE[verb])
    return verb in ("list", "show", "threats", "report", "pack", "replay", "frame") and "iq" not in argv


TARGET = TargetKind(
    id="command",
    title="command input: words, standard input, files",
    make=Commands,
    batches=1,
    together=12,
    guided=6,
    code=("bench/cli", "bench/frame", "bench/options.py", "bench/run_directory.py"),
)
