"""A file is the old one or the new one, its owner's alone where it must be, and nothing is left beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.core import whole_file


@pytest.mark.parametrize("content", ["text \N{DEGREE SIGN}", b"\x00bytes"])
def test_it_takes_the_place_of_the_old_one(tmp_path: Path, content: str | bytes) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    assert whole_file.write(path, content, durable=True) == path
    assert path.read_bytes() == (content.encode() if isinstance(content, str) else content)
    assert [one.name for one in tmp_path.iterdir()] == ["a"]


def test_what_fails_leaves_the_old_one_alone(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")

    def half() -> None:
        with whole_file.replacing(path) as fresh:
            fresh.write_bytes(b"half")
            assert path.read_bytes() == b"old"
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half()
    assert path.read_bytes() == b"old"
    assert [one.name for one in tmp_path.iterdir()] == ["a"]


def test_a_private_one_is_0600_before_its_first_byte(tmp_path: Path) -> None:
    with whole_file.replacing(tmp_path / "key", private=True) as fresh:
        assert fresh.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
