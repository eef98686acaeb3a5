"""Keys at rest: what opens with which key-encryption key, what a changed or moved entry says, and no key anywhere."""

from __future__ import annotations

import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sim.pki.wrapping import new_kek
from sim.portal import key_formats
from sim.portal.key_store import KeyStore, load_keks, save_keks, with_keks_for
from sim.portal.keyring import Keyring, KeyringError
from wmbus.link import Address

A, B, C = (Address("QDS", f"1000000{n}", 0x36, 0x08) for n in (1, 2, 3))
KEYS = {A: bytes(range(16)), B: bytes(range(1, 17)), C: bytes(range(2, 18))}
FRESH = bytes(range(3, 19))
UNTIL = datetime(2026, 3, 1, tzinfo=UTC)
WHERE = {A: "house 1", B: "house 2", C: "house 2"}
KEKS = {"house 1": new_kek(), "house 2": new_kek()}


def made(folder: Path) -> KeyStore:
    store = KeyStore(folder / "rings")
    keyring = Keyring(KEYS)
    keyring.renew(C, FRESH, UNTIL)
    store.write(keyring, WHERE.__getitem__, KEKS)
    return store


def edited(store: KeyStore, name: str, old: str, new: str) -> None:
    path = store.folder / f"{name}.ring"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_partitions_kek_opens_it_and_no_other(tmp_path: Path) -> None:
    store = made(tmp_path)
    everything = [(A, KEYS[A], None), (B, KEYS[B], None), (C, FRESH, None), (C, KEYS[C], UNTIL)]
    assert list(store.read(KEKS).every()) == everything
    assert list(store.read({"house 1": KEKS["house 1"]}).every()) == [(A, KEYS[A], None)]
    assert list(store.read({}).every()) == []
    assert [ring.partition for ring in store.rings()] == ["house 1", "house 2"]
    for path in store.folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert not any(key.hex() in path.read_text() for key in (*KEYS.values(), FRESH, *KEKS.values()))


def test_another_kek_is_named_and_does_not_open(tmp_path: Path) -> None:
    with pytest.raises(KeyringError, match=r"house 1\.ring: wrapped under KEK [0-9a-f]{8}, not [0-9a-f]{8}"):
        made(tmp_path).read({"house 1": KEKS["house 2"]})


def test_an_entry_opens_only_where_it_belongs(tmp_path: Path) -> None:
    """Two meters' entries exchanged, a key before made the present one, a byte changed, a ring under another name."""
    store = made(tmp_path)
    good = (store.folder / "house 2.ring").read_text()
    b, c, former = (line.rpartition(",")[2] for line in good.splitlines()[3:])
    edits = [(f"36 08,,{b}", f"36 08,,{c}"), (f"36 08,,{c}", f"36 08,,{former}"), (b, b[:-1] + "0123"[b[-1] == "0"])]
    for old, new in edits:
        edited(store, "house 2", old, new)
        with pytest.raises(KeyringError, match=r"house 2\.ring: the key of QDS 1000000[23] 36 08 was changed"):
            store.read(KEKS)
        (store.folder / "house 2.ring").write_text(good)
        (store.folder / "house 2.ring").chmod(0o600)
    (store.folder / "house 2.ring").rename(store.folder / "house 9.ring")
    with pytest.raises(KeyringError, match=r"its name must be 'house 2\.ring'"):
        store.rings()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "does not begin with"),
        ("wmbench wrapped keys 2\npartition: p\nkek: 1\n", "does not begin with"),
        ("wmbench wrapped keys 1\npartition: ../p\nkek: 1\n", "no name of a partition"),
        ("wmbench wrapped keys 1\npartition: p\nkek: 1\nQDS 10000001 36 08,zz\n", "line 4: not 'address,until"),
        ("wmbench wrapped keys 1\npartition: p\nkek: 1\nQDS 10000001 36 08,soon,00\n", "line 4: not 'address,until"),
        ("wmbench wrapped keys 1\npartition: p\nkek: 1\nnobody,,00\n", "line 4: not 'address,until"),
    ],
)
def test_what_is_no_ring_is_refused_by_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "p.ring"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(KeyringError, match=said):
        KeyStore(tmp_path).rings()
    path.chmod(0o644)
    with pytest.raises(KeyringError, match="chmod 600"):
        KeyStore(tmp_path).rings()


def test_rotated_keys_are_the_same_under_another_kek(tmp_path: Path) -> None:
    store, fresh = made(tmp_path), new_kek()
    before = (store.folder / "house 1.ring").read_text()
    store.rotate("house 2", KEKS["house 2"], fresh)
    assert (store.folder / "house 1.ring").read_text() == before
    assert list(store.read(KEKS | {"house 2": fresh}).every()) == list(made(tmp_path / "other").read(KEKS).every())
    with pytest.raises(KeyringError, match="wrapped under KEK"):
        store.rotate("house 2", KEKS["house 2"], new_kek())


def test_a_partition_without_a_kek_is_not_written(tmp_path: Path) -> None:
    store = KeyStore(tmp_path / "rings")
    with pytest.raises(KeyringError, match="no KEK for partition 'house 2'"):
        store.write(Keyring(KEYS), WHERE.__getitem__, {"house 1": KEKS["house 1"]})
    store.write(Keyring({A: KEYS[A]}), WHERE.__getitem__, KEKS)
    store.write(Keyring({B: KEYS[B]}), WHERE.__getitem__, KEKS)
    assert [ring.partition for ring in store.rings()] == ["house 2"]


def test_keks_of_a_file_and_of_the_environment(tmp_path: Path) -> None:
    path = tmp_path / "keks"
    save_keks(path, KEKS)
    assert load_keks(path) == KEKS
    assert load_keks(";".join(f"{name},{kek.hex()}" for name, kek in KEKS.items())) == KEKS
    more = with_keks_for(KEKS, {"house 1", "house 3"})
    assert more["house 1"] == KEKS["house 1"] and len(set(more.values())) == 3
    kek = KEKS["house 1"].hex()
    for text, said in (
        (f"a,{kek}\na,{new_kek().hex()}", "line 2: 'a' has a KEK already"),
        (f"a,{kek}\nb,{kek}", "line 2: two partitions share a KEK"),
        (f"a,{kek[2:]}", "line 1: not 'partition,KEK"),
        (kek, "line 1: '' is no name|no name of a partition"),
    ):
        with pytest.raises(KeyringError, match=said) as error:
            load_keks(text)
        assert kek[2:] not in str(error.value)


def test_what_wmbusmeters_reads_comes_back(tmp_path: Path) -> None:
    keyring = made(tmp_path).read(KEKS)
    key_formats.save(keyring, tmp_path / "d", "wmbusmeters")
    assert (tmp_path / "d" / "QDS_10000003_36_08").read_text().splitlines() == [
        "name=QDS_10000003_36_08", "driver=auto", "id=10000003.M=QDS.V=36.T=08", f"key={FRESH.hex().upper()}",
    ]  # fmt: skip
    assert list(Keyring.load(tmp_path / "d").every()) == [one for one in keyring.every() if one[2] is None]
    assert list(Keyring.load(tmp_path / "d" / "QDS_10000001_36_08").every()) == [(A, KEYS[A], None)]
    key_formats.save(keyring, tmp_path / "keys.csv", "csv")
    assert list(Keyring.load(tmp_path / "keys.csv").every()) == list(keyring.every())
    with pytest.raises(KeyringError, match="is there already"):
        key_formats.save(keyring, tmp_path / "keys.csv", "csv")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"id=10000001\nkey={KEYS[A].hex()}\n", "line 1: '10000001' is not an address"),
        ("id=10000001.M=QDS.V=36.T=08\nkey=1234\n", "line 1: the key of QDS 10000001 36 08 is not 32 hex"),
    ],
)
def test_what_wmbusmeters_has_otherwise_is_refused_by_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "meter"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(KeyringError, match=said) as error:
        Keyring.load(path)
    assert KEYS[A].hex() not in str(error.value) and "1234\n" not in str(error.value)
