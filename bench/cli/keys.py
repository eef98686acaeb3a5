"""./wmbench keys: the portal's keys at rest, in a folder of rings (sim.portal.key_store). No verb prints a key.

    keys import FILE --ring DIR --keks FILE [--partition NAME] [--overlap-days N]
    keys export --ring DIR --keks FILE --out PLACE [--format csv|wmbusmeters] [--partition NAME]
    keys rotate --ring DIR --keks FILE [--partition NAME]
    keys list --ring DIR

KEKs are in a file of mode 0600, or in the environment variable WMBENCH_KEKS (then `import` and `rotate` cannot write
new ones, and want a file).
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path

from bench.options import above_zero
from sim.core.clock import wall_now
from sim.pki.wrapping import name_of, new_kek
from sim.portal import key_formats
from sim.portal.key_store import Entry, KeyStore, load_keks, save_keks, with_keks_for
from sim.portal.keyring import Keyring, KeyringError, partition_name

VARIABLE = "WMBENCH_KEKS"


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb to the command line."""
    keys = commands.add_parser("keys")
    verbs = keys.add_subparsers(dest="verb", required=True, metavar="VERB")
    take = verbs.add_parser("import", help="wrap the keys of a list: CSV, TOML, or a folder of wmbusmeters")
    take.add_argument("file", type=Path, metavar="FILE")
    take.add_argument("--partition", default="all", metavar="NAME", help="where new meters go (default: all)")
    take.add_argument("--overlap-days", type=above_zero(3_660), metavar="N",
                      help="a meter that has another key is renewed; the one before stays good for N days")  # fmt: skip
    take.set_defaults(command=command_import)
    give = verbs.add_parser("export", help="keys in clear, into a new file or folder of mode 0600")
    give.add_argument("--out", type=Path, required=True, metavar="PLACE")
    give.add_argument("--format", choices=key_formats.FORMATS, default="csv")
    give.set_defaults(command=command_export)
    rotate = verbs.add_parser("rotate", help="wrap again under new key-encryption keys; meters' own keys stay")
    rotate.set_defaults(command=command_rotate)
    for one in (give, rotate):
        one.add_argument("--partition", metavar="NAME", help="this one only")
    list_ = verbs.add_parser("list", help="partitions and meters; needs no key-encryption key")
    list_.add_argument("--json", action="store_true")
    list_.set_defaults(command=command_list)
    for one in (take, give, rotate, list_):
        one.add_argument("--ring", type=Path, required=True, metavar="DIR", help="the folder of wrapped keys")
        if one is not list_:
            one.add_argument("--keks", type=Path, metavar="FILE", help=f"key-encryption keys (else ${VARIABLE})")



def _keks(file: Path | None, *, writes: bool) -> dict[str, bytes]:
    """Those that there are. Raises KeyringError where new ones would have no place to go."""
    if file is not None:
        return load_keks(file) if file.exists() or not writes else {}
    text = os.environ.get(VARIABLE)
    if text is None or writes:
        raise KeyringError(f"name the file of key-encryption keys: --keks FILE (only export reads ${VARIABLE})")
    return load_keks(text)


def _chosen(store: KeyStore, partition: str | None) -> list[str]:
    """The partitions that are meant."""
    known = [ring.partition for ring in store.rings()]
    if not known:
        raise KeyringError(f"{store.folder}: no rings are in it; `keys import` makes them")
    if partition is not None and partition not in known:
        raise KeyringError(f"{store.folder}: no partition {partition!r}; there are: {', '.join(known)}")
    return known if partition is None else [partition]


def command_import(arguments: argparse.Namespace) -> int:
    store, fresh = KeyStore(arguments.ring), Keyring.load(arguments.file)
    if not len(fresh):
        raise KeyringError(f"{arguments.file}: no meter with a key is in it")
    keks = _keks(arguments.keks, writes=True)
    where = {entry.address: ring.partition for ring in store.rings() for entry in ring.entries}
    shut = sorted(set(where.values()) - set(keks))
    if shut:
        raise KeyringError(f"{arguments.keks}: no KEK for partition {shut[0]!r}, which would be lost; add it")
    keyring, new, renewed = store.read(keks), set(), 0
    for address, key, until in fresh.every():
        known = keyring.key(address)
        if until is not None:  # behind the present one; a meter that was here keeps the key before that it had
            if address in new:
                keyring.take_in(address, key, until, str(arguments.file))
        elif known is None:
            keyring.add(address, key)
            new.add(address)
        elif known != key:
            if arguments.overlap_days is None:
                raise KeyringError(f"{address} has another key; renew it with --overlap-days N")
            keyring.renew(address, key, (wall_now() + timedelta(days=arguments.overlap_days)).replace(microsecond=0))
            renewed += 1
    keyring.expire(wall_now())
    place = partition_name(arguments.partition)
    keks = with_keks_for(keks, {where.get(address, place) for address, _, _ in keyring.every()})
    save_keks(arguments.keks, keks)  # before anything is wrapped under them
    store.write(keyring, lambda address: where.get(address, place), keks)
    same = len(fresh) - len(new) - renewed
    print(f"{len(new)} new, {renewed} renewed, {same} as they were; {len(keyring)} meters in all")
    return 0


def command_export(arguments: argparse.Namespace) -> int:
    store, keks = KeyStore(arguments.ring), _keks(arguments.keks, writes=False)
    wanted = _chosen(store, arguments.partition)
    missing = [place for place in wanted if place not in keks]
    if missing:
        raise KeyringError(f"there is no KEK for partition {missing[0]!r}; give it, or name another --partition")
    keyring = store.read({place: keks[place] for place in wanted})
    key_formats.save(keyring, arguments.out, arguments.format)
    print(f"{len(keyring)} keys, in clear, in {arguments.out}")
    return 0


def command_rotate(arguments: argparse.Namespace) -> int:
    """A new KEK is on the disk, in a file beside the one before, before anything lies under it: whatever stops this
    between two steps, every ring opens with one of them, and the next rotation finds it."""
    if arguments.keks is None:
        raise KeyringError("rotate writes new key-encryption keys: name their file with --keks")
    store, keks = KeyStore(arguments.ring), load_keks(arguments.keks)
    coming = arguments.keks.with_name(f"{arguments.keks.name}.new")
    if coming.exists():
        keks |= _in_use(store, load_keks(coming))
        save_keks(arguments.keks, keks)
        coming.unlink()
    for place in _chosen(store, arguments.partition):
        if place not in keks:
            raise KeyringError(f"{arguments.keks}: no KEK for partition {place!r}")
        fresh, before = new_kek(), keks[place]
        keks[place] = fresh
        save_keks(coming, keks)
        store.rotate(place, before, fresh)
        coming.replace(arguments.keks)
        print(f"{place}: KEK {name_of(before)} is replaced by {name_of(fresh)}")
    return 0


def _in_use(store: KeyStore, keks: Mapping[str, bytes]) -> dict[str, bytes]:
    """Those of an interrupted rotation under which rings lie already."""
    names = {ring.partition: ring.kek for ring in store.rings()}
    return {place: kek for place, kek in keks.items() if names.get(place) == name_of(kek)}


def command_list(arguments: argparse.Namespace) -> int:
    rings = KeyStore(arguments.ring).rings()
    if arguments.json:
        rows = [{"partition": ring.partition, "kek": ring.kek, "meters": list(_meters(ring.entries))} for ring in rings]
        print(json.dumps(rows, indent=1))
        return 0
    for ring in rings:
        meters = list(_meters(ring.entries))
        print(f"{ring.partition}: {len(meters)} meters under KEK {ring.kek}")
        for one in meters:
            until = one.get("key_before_until")
            print(f"  {one['address']}" + (f"  (renewed; the key before is good until {until})" if until else ""))
    return 0


def _meters(entries: tuple[Entry, ...]) -> Iterator[dict[str, str]]:
    before = {entry.address: entry.until.isoformat() for entry in entries if entry.until is not None}
    for entry in entries:
        if entry.until is None:
            more = {"key_before_until": before[entry.address]} if entry.address in before else {}
            yield {"address": str(entry.address)} | more
