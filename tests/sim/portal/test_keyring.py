"""Keys are found by whole address, kept 0600, and never said."""

from __future__ import annotations

import os
import pickle
import stat
from pathlib import Path

import pytest

from sim.portal.keyring import Keyring, KeyringError, parse_address
from wmbus.link import Address

A = Address("QDS", "10000001", 0x36, 0x08)
B = Address("QDS", "10000001", 0x37, 0x08)
KEY, OTHER = bytes(range(16)), bytes(range(16, 32))
LINE = f"QDS 10000001 36 08,{KEY.hex()}\n"


def write(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


def test_whole_address_or_by_the_weakness_id_alone() -> None:
    keyring = Keyring({A: KEY})
    assert keyring.key(A) == KEY
    assert keyring.key(B) is None
    assert keyring.key(B, whole_address=False) == KEY
    keyring.add(B, OTHER)
    assert keyring.key(B) == OTHER
    assert keyring.key(B, whole_address=False) == KEY  # the first of an id
    assert A in keyring and len(keyring) == 2


def test_saved_private_and_loaded_again(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "keys.csv"
    old = os.umask(0)
    try:
        Keyring({A: KEY, B: OTHER}).save(path)
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    loaded = Keyring.load(path)
    assert (loaded.key(A), loaded.key(B)) == (KEY, OTHER)
    assert [p.name for p in path.parent.iterdir()] == ["keys.csv"]


def test_a_failed_save_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "keys.csv"
    Keyring({A: KEY}).save(path)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        Keyring({A: OTHER}).save(path)
    assert Keyring.load(path).key(A) == KEY
    assert [p.name for p in tmp_path.iterdir()] == ["keys.csv"]


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_a_file_that_others_may_read_is_refused_with_the_way_out(tmp_path: Path, mode: int) -> None:
    path = write(tmp_path / "keys.csv", LINE, mode)
    with pytest.raises(KeyringError, match=r"others may read it \(mode 0\d+\); run: chmod 600 .*keys\.csv"):
        Keyring.load(path)


def test_toml(tmp_path: Path) -> None:
    text = f'# two\n[[meter]]\naddress = "QDS 10000001 36 08"\nkey = "{KEY.hex()}"\n\n[[meter]]\n'
    path = write(tmp_path / "keys.toml", text + f'address = "QDS 10000001 37 08"\nkey = "{OTHER.hex().upper()}"\n')
    loaded = Keyring.load(path)
    assert (loaded.key(A), loaded.key(B)) == (KEY, OTHER)


def test_header_comments_and_empty_lines(tmp_path: Path) -> None:
    path = write(tmp_path / "keys.csv", "address, key\n\n# mine\n" + LINE.strip() + "  # the kitchen\n")
    assert Keyring.load(path).key(A) == KEY


@pytest.mark.parametrize(
    "text",
    [
        f"id,key\n10000001,{KEY.hex()}\n",
        f"id;key\n10000001;{KEY.hex()}\n",
        f"Serial\tAES_Key\n10000001\t{KEY.hex().upper()}\n",
        f"name;key;address\nkitchen;{KEY.hex()};QDS 10000001 36 08\n",
        f'"id","key"\n"10000001","{KEY.hex()}"\n',
        f"\ufeffid,key\r\n10000001,{KEY.hex()}\r\n",
    ],
)
def test_lists_as_spreadsheets_write_them(tmp_path: Path, text: str) -> None:
    loaded = Keyring.load(write(tmp_path / "keys.csv", text), known=[A])
    assert (loaded.key(A), len(loaded)) == (KEY, 1)


def test_a_row_of_names_is_only_the_first(tmp_path: Path) -> None:
    path = write(tmp_path / "keys.csv", f"10000001,{KEY.hex()}\nid,key\n")
    with pytest.raises(KeyringError, match="line 2: 'id' is not an address"):
        Keyring.load(path, known=[A])


def test_a_folder_of_meter_files(tmp_path: Path) -> None:
    """As wmbusmeters keeps them in wmbusmeters.d: one without a key and one without an id are none."""
    write(tmp_path / "kitchen", f"name=kitchen\nid=10000001\nkey={KEY.hex().upper()}\ndriver=auto\n")
    write(tmp_path / "hall", "name=hall\nid=20000002\nkey=NOKEY\n")
    write(tmp_path / "notes", "a = list\n")
    write(tmp_path / "any", f"name=any\nid=3*,!10000001\nkey={OTHER.hex()}\n")
    loaded = Keyring.load(tmp_path, known=[A, B])
    assert (loaded.key(A), loaded.key(B), len(loaded)) == (KEY, KEY, 2)
    write(tmp_path / "kitchen", f"name=kitchen\nid=1000001\nkey={KEY.hex()}\n")
    with pytest.raises(KeyringError, match=r"kitchen, line 2: '1000001' is not an address"):
        Keyring.load(tmp_path, known=[A])
    write(tmp_path / "kitchen", LINE, 0o644)
    with pytest.raises(KeyringError, match=r"others may read it .*run: chmod 600 .*kitchen"):
        Keyring.load(tmp_path, known=[A])
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(KeyringError, match="a folder without meter files"):
        Keyring.load(empty)


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("k.csv", "\n" + LINE.replace("QDS ", "QD "), "line 2: 'QD' is not a maker"),
        ("k.csv", LINE.replace("10000001", "1000001"), "line 1: '1000001' is not an id of eight digits"),
        ("k.csv", LINE.replace(" 36", " 3G"), "line 1: .*hex digits"),
        ("k.csv", LINE.replace(" 36 08", " 36"), "line 1: .*is not an address"),
        ("k.csv", LINE[:-3] + "\n", "line 1: the key of QDS 10000001 36 08 is not 32 hex digits"),
        ("k.csv", LINE.replace(KEY.hex(), "zz" * 16), "line 1: the key of"),
        ("k.csv", LINE + LINE, "line 2: .*has a key already"),
        ("k.csv", "QDS 10000001 36 08\n", "line 1: needs 'address' and 'key'"),
        ("k.toml", "[[meter]]\nkey = 5\n", "line 1: needs 'address' and 'key'"),
        ("k.toml", "x = \n", "not TOML"),
        ("k.toml", 'meter = [{address = "a", key = "b"}]\n', r"\[\[meter\]\] table"),
    ],
)
def test_errors_name_the_line_and_never_the_key(tmp_path: Path, name: str, text: str, says: str) -> None:
    path = write(tmp_path / name, text)
    with pytest.raises(KeyringError, match=says) as caught:
        Keyring.load(path)
    assert KEY.hex()[:20] not in str(caught.value)
    assert str(path) in str(caught.value)


def test_missing_and_undecodable_files(tmp_path: Path) -> None:
    with pytest.raises(KeyringError, match="No such file"):
        Keyring.load(tmp_path / "none.csv")
    path = tmp_path / "bytes.csv"
    path.write_bytes(b"\xff\xfe")
    path.chmod(0o600)
    with pytest.raises(KeyringError, match="not UTF-8"):
        Keyring.load(path)


def test_a_keyring_is_not_said_and_not_pickled() -> None:
    keyring = Keyring({A: KEY})
    assert repr(keyring) == "<Keyring of 1 keys>" == str(keyring)
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(keyring)
    with pytest.raises(KeyringError, match="16 bytes"):
        keyring.add(A, b"short")


def test_parse_address_is_the_inverse_of_str() -> None:
    assert parse_address(str(A)) == A


def test_an_id_alone_is_taken_when_it_is_said_which_meters_are_meant(tmp_path: Path) -> None:
    """A list of ID,KEY gives the key to each whole address of that id, and to nobody else."""
    path = write(tmp_path / "keys.csv", f"10000001,{KEY.hex()}\n20000002,{OTHER.hex()}\n")
    loaded = Keyring.load(path, known=[A, B])
    assert (loaded.key(A), loaded.key(B), len(loaded)) == (KEY, KEY, 2)
    with pytest.raises(KeyringError, match="line 1: '10000001' is not an address"):
        Keyring.load(path)


def test_an_id_and_an_address_that_are_one_meter_are_two_keys(tmp_path: Path) -> None:
    path = write(tmp_path / "keys.csv", f"{LINE}10000001,{OTHER.hex()}\n")
    with pytest.raises(KeyringError, match="line 2: QDS 10000001 36 08 has a key already"):
        Keyring.load(path, known=[A])
