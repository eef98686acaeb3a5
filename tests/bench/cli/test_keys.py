"""./wmbench keys: lists come in, are renewed and rotated and go out again, and no key is printed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.cli.main import main
from sim.portal.key_store import load_keks
from sim.portal.keyring import Keyring
from wmbus.link import Address

A, B = (Address("QDS", f"1000000{n}", 0x36, 0x08) for n in (1, 2))
OLD, NEW, OTHER = bytes(range(16)), bytes(range(1, 17)), bytes(range(2, 18))


class Desk:
    """A folder with lists, rings and KEKs; `run` returns the exit code and what was printed."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capsys = folder, capsys

    def list(self, name: str, keys: dict[Address, bytes]) -> str:
        Keyring(keys).save(self.folder / name)
        return str(self.folder / name)

    def run(self, *words: str, keks: str | None = "keks") -> tuple[int, str]:
        more = ["--ring", str(self.folder / "rings")] + (["--keks", str(self.folder / keks)] if keks else [])
        code = main(["keys", *words, *more])
        said = "".join(self.capsys.readouterr())
        assert not any(key.hex() in said.lower() for key in (OLD, NEW, OTHER))
        if (self.folder / "keks").exists():
            assert not any(kek.hex()[:32] in said for kek in load_keks(self.folder / "keks").values())
        return code, said

    def out(self, *words: str, place: str) -> list[object]:
        assert self.run("export", "--out", str(self.folder / place), *words)[0] == 0
        return list(Keyring.load(self.folder / place).every())


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    return Desk(tmp_path, capsys)


def test_in_and_out(desk: Desk) -> None:
    assert desk.run("import", desk.list("a", {A: OLD}), "--partition", "house 1") == (
        0, "1 new, 0 renewed, 0 as they were; 1 meters in all\n")  # fmt: skip
    assert desk.run("import", desk.list("b", {A: OLD, B: OTHER}), "--partition", "house 2")[1].startswith("1 new, 0")
    assert desk.out(place="both") == [(A, OLD, None), (B, OTHER, None)]
    assert desk.out("--partition", "house 2", place="one") == [(B, OTHER, None)]
    code, said = desk.run("list", "--json", keks=None)
    assert code == 0 and [(ring["partition"], ring["meters"]) for ring in json.loads(said)] == [
        ("house 1", [{"address": str(A)}]), ("house 2", [{"address": str(B)}]),
    ]  # fmt: skip


def test_another_key_is_a_renewal_or_an_error(desk: Desk) -> None:
    desk.run("import", desk.list("a", {A: OLD}))
    code, said = desk.run("import", desk.list("b", {A: NEW}))
    assert code == 2 and "QDS 10000001 36 08 has another key; renew it with --overlap-days N" in said
    assert desk.run("import", desk.list("b", {A: NEW}), "--overlap-days", "30")[1].startswith("0 new, 1 renewed")
    [now, before] = desk.out(place="out")
    assert now == (A, NEW, None) and before[:2] == (A, OLD)  # type: ignore[index]
    assert "the key before is good until 20" in desk.run("list", keks=None)[1]


def test_rotation_and_one_that_was_interrupted(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.run("import", desk.list("a", {A: OLD}), "--partition", "house 1")
    desk.run("import", desk.list("b", {B: OTHER}), "--partition", "house 2")
    first = load_keks(desk.folder / "keks")
    assert desk.run("rotate", "--partition", "house 2")[0] == 0
    second = load_keks(desk.folder / "keks")
    assert second["house 1"] == first["house 1"] and second["house 2"] != first["house 2"]

    replace = Path.replace

    def cut(path: Path, target: Path) -> Path:
        if path.name == "keks.new":
            raise OSError(5, "cut")
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", cut)
    assert desk.run("rotate")[0] == 2
    monkeypatch.undo()
    assert desk.run("export", "--out", str(desk.folder / "no"))[0] == 2  # house 1 lies under a KEK of keks.new
    assert desk.run("rotate")[0] == 0
    assert not (desk.folder / "keks.new").exists()
    assert desk.out(place="out") == [(A, OLD, None), (B, OTHER, None)]


def test_keks_from_the_environment_only_read(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.run("import", desk.list("a", {A: OLD}))
    monkeypatch.setenv("WMBENCH_KEKS", (desk.folder / "keks").read_text().splitlines()[-1])
    assert desk.run("export", "--out", str(desk.folder / "out"), keks=None)[0] == 0
    for words in (("import", desk.list("b", {B: NEW})), ("rotate",)):
        code, said = desk.run(*words, keks=None)
        assert code == 2 and "--keks" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("export", "--out", "x"), "No such file"),
        (("import", "nowhere.csv"), "No such file"),
        (("import", "FILE", "--partition", "../x"), "no name of a partition"),
        (("import", "EMPTY"), "no meter with a key is in it"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(desk: Desk, words: tuple[str, ...], said: str) -> None:
    files = {"FILE": str(desk.folder / "a"), "EMPTY": str(desk.folder / "empty")}
    desk.list("a", {A: OLD})
    desk.list("empty", {})
    code, printed = desk.run(*(files.get(word, word) for word in words), keks="keks")
    assert code == 2 and said in printed and printed.count("\n") == 1


def test_an_import_never_loses_what_it_cannot_open(desk: Desk) -> None:
    desk.run("import", desk.list("a", {A: OLD}), "--partition", "house 1")
    code, said = desk.run("import", desk.list("b", {B: NEW}), keks="others")
    assert code == 2 and "no KEK for partition 'house 1', which would be lost" in said
