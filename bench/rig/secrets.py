"""What must stand nowhere: keys and plaintext of a world, in every form in which they could leak, and the search for
them in files, messages and memory.

Keys are those of all meters, those that mode 7 derives for single telegrams, the system's own (under which meter keys
lie at rest, or that sign), and the private keys of devices. Plaintext
is what encrypted telegrams of some meters say, as bytes of records: a canary for somebody who decrypts where nobody
should. A secret of n bytes is looked for as it is, backwards, with the digits of each byte swapped (as BCD is sent), in
hex in both cases with and without separators, in base64 at each of its three offsets in both alphabets, as a list of
numbers, and as text of JSON and Python. Not found is what was compressed or encrypted, and a single number.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import IO, Final, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from arrays.find_many import HEAD_BYTES, candidates, filter_of, heads_of
from sim.core.clock import ns
from sim.endpoint.port import EndpointError
from sim.meters.fleet import Fleet
from sim.world import World
from wmbus.security import derive_pair

BLOCK_BYTES: Final = 1 << 22
HELD_BYTES_MAX: Final = 1 << 18
"""Of messages, between two looks."""
DERIVED_METERS: Final = 64
DERIVED_TELEGRAMS: Final = 8
CANARY_METERS: Final = 16
CANARY_TELEGRAMS: Final = 4
CANARY: Final = "consumption in telegram"
"""How the name of such plaintext begins."""
_URLSAFE: Final = bytes.maketrans(b"+/", b"-_")
_REMEMBERED: Final = 1 << 12
_DIGITS: Final = bytes((byte >> 4) | (byte & 15) << 4 for byte in range(256))


class Found(NamedTuple):
    """A secret at an offset, and the form it stood in."""

    secret: str
    form: str
    offset: int


@lru_cache(_REMEMBERED)
def forms(secret: bytes) -> Mapping[str, bytes]:
    """Form -> how the secret looks in it. Remembered: the worlds of a scenario have the same meters."""
    numbers = list(secret)
    out = {
        "as it is": secret,
        "backwards": secret[::-1],
        "digits swapped": secret.translate(_DIGITS),
        "hex": secret.hex().encode(),
        "hex backwards": secret[::-1].hex().encode(),
        "hex with digits swapped": secret.translate(_DIGITS).hex().encode(),
        "hex with spaces": secret.hex(" ").encode(),
        "hex with colons": secret.hex(":").encode(),
        "numbers": ",".join(map(str, numbers)).encode(),
        "numbers with spaces": ", ".join(map(str, numbers)).encode(),
        "hex numbers": ", ".join(f"0x{one:02x}" for one in numbers).encode(),
        "JSON text": json.dumps(secret.decode("latin-1"))[1:-1].encode(),
        "Python text": repr(secret)[2:-1].encode(),
    }
    out |= {f"{name}, capitals": text.upper() for name, text in out.items() if name.startswith("hex")}
    for offset in range(3):
        coded = _base64(secret, offset)
        out[f"base64 at offset {offset}"] = coded
        out[f"base64 for URLs at offset {offset}"] = coded.translate(_URLSAFE)
    return MappingProxyType(out)


def _base64(secret: bytes, offset: int) -> bytes:
    """The letters that depend on the secret alone, when so many other bytes stand before it."""
    coded = base64.b64encode(bytes(offset) + secret)
    return coded[(8 * offset + 5) // 6 : 8 * (offset + len(secret)) // 6]


class Secrets:
    """So many secrets, by name, ready to be looked for."""

    def __init__(self, secrets: Mapping[str, bytes], texts: Mapping[str, bytes] | None = None) -> None:
        """`texts`: what is looked for in one form only, as it is. Raises ValueError for a secret of less than eight
        bytes: it stands somewhere by chance."""
        self._named: dict[bytes, tuple[str, str]] = {}
        self._whole = dict(secrets)
        for name, secret in secrets.items():
            if len(secret) < HEAD_BYTES:
                raise ValueError(f"{name}: a secret of {len(secret)} bytes cannot be told from chance")
            for form, looks in forms(secret).items():
                self._named.setdefault(looks, (name, form))
        for name, text in (texts or {}).items():
            self._named.setdefault(text, (name, "as text"))
        self._by_head: dict[bytes, list[bytes]] = {}
        for looks in self._named:
            self._by_head.setdefault(looks[:HEAD_BYTES], []).append(looks)
        self._heads = heads_of(list(self._named))
        self._filter = filter_of(self._heads)
        self.longest_bytes = max(map(len, self._named), default=0)

    def __repr__(self) -> str:
        return f"<Secrets in {len(self._named)} forms>"  # never what they are

    def whole(self, name: str) -> bytes:
        """The secret of this name."""
        return self._whole[name]

    def within(self, block: bytes | bytearray, start: int = 0) -> Iterator[Found]:
        """Those that stand whole in `block`, whose first byte is at offset `start` of something longer."""
        if not self._named or len(block) < HEAD_BYTES:
            return
        for at in candidates(np.frombuffer(block, dtype=np.uint8), self._heads, self._filter).tolist():
            for looks in self._by_head.get(bytes(block[at : at + HEAD_BYTES]), ()):
                if block[at : at + len(looks)] == looks:
                    yield Found(*self._named[looks], start + at)

    def in_stream(self, blocks: Iterable[bytes]) -> Iterator[Found]:
        """Those in blocks that lie one behind the other, each once: one that ends behind a block's end is found with
        the next."""
        kept, start, seen = b"", 0, set[Found]()
        for block in blocks:
            content = kept + block
            for found in self.within(content, start):
                if found not in seen:
                    seen.add(found)
                    yield found
            kept = content[-(self.longest_bytes - 1) :] if self.longest_bytes > 1 else b""
            start += len(content) - len(kept)
            seen = {found for found in seen if found.offset >= start}

    def in_file(self, file: IO[bytes]) -> Iterator[Found]:
        """Those in a file, read block by block."""
        return self.in_stream(iter(lambda: file.read(BLOCK_BYTES), b""))


# --- a world's ------------------------------------------------------------------------------------------------------


_fleets: WeakKeyDictionary[Fleet, tuple[int, dict[str, bytes]]] = WeakKeyDictionary()
"""-> its changes until then, its secrets."""
_last: WeakKeyDictionary[World, tuple[dict[str, bytes], dict[str, bytes], Secrets]] = WeakKeyDictionary()
"""-> what was asked for last, secrets and texts, and that ready to be looked for, which takes as long as looking."""


def of_world(world: World) -> Secrets:
    """The secrets of a world's fleet and of its devices, as they are now."""
    devices, texts = _private_keys(world)
    secrets = _of_fleet(world.fleet) | devices | dict(world.system.private_values)
    last = _last.get(world)
    if last is None or last[:2] != (secrets, texts):
        last = _last[world] = secrets, texts, Secrets(secrets, texts)
    return last[2]


def _of_fleet(fleet: Fleet) -> dict[str, bytes]:
    """Keys, and what is made of them; the same until something happens to a meter."""
    known = _fleets.get(fleet)
    if known is None or known[0] != fleet.changes:
        keys = {f"the key of {fleet.address(m)}": key for m in range(fleet.n) if (key := fleet.key(m)) is not None}
        known = _fleets[fleet] = fleet.changes, keys | _derived(fleet) | _canaries(fleet)
    return known[1]


def _first(fleet: Fleet, meters: list[int], telegrams: int) -> dict[int, list[int]]:
    """Meter -> the numbers of its first telegrams."""
    until_ns = ns(max((group.interval_s for group in fleet.groups), default=0.0) * (telegrams + 1))
    schedule, wanted = fleet.window(0, until_ns), set(meters)
    out: dict[int, list[int]] = {meter: [] for meter in meters}
    for meter, k in zip(schedule.meter.tolist(), schedule.k.tolist(), strict=True):
        if meter in wanted and len(out[meter]) < telegrams:
            out[meter].append(k)
    return out


def _spread(fleet: Fleet, security: Iterable[str], count: int) -> list[int]:
    """So many meters of these security modes, spread over the fleet."""
    modes = set(security)
    meters = [meter for meter in range(fleet.n) if fleet.security(meter) in modes]
    return meters[:: max(1, len(meters) // count)][:count]


def _derived(fleet: Fleet) -> dict[str, bytes]:
    """The keys that mode 7 makes of a meter's key for one telegram."""
    out: dict[str, bytes] = {}
    for meter, numbers in _first(fleet, _spread(fleet, ["mode7"], DERIVED_METERS), DERIVED_TELEGRAMS).items():
        master, address = fleet.key(meter), fleet.address(meter)
        assert master is not None
        for k in numbers:
            counter = int(fleet.population.counter0[meter]) + k
            for name, key in zip(("cipher", "MAC"), derive_pair(master, counter, address.wire()[2:6]), strict=True):
                out[f"the {name} key of {address}'s telegram {counter}"] = key
    return out


def _canaries(fleet: Fleet) -> dict[str, bytes]:
    """What the first telegrams of some encrypted meters say, as records."""
    meters = _spread(fleet, ["mode5", "mode7"], CANARY_METERS)
    clear, out = fleet.in_clear(), dict[str, bytes]()
    for meter, numbers in _first(fleet, meters, CANARY_TELEGRAMS).items():
        records_bytes = fleet.kind(meter).records_bytes
        for k in numbers:
            telegram = clear.telegram(meter, k)
            out[f"{CANARY} {k} of {fleet.address(meter)}"] = telegram[len(telegram) - records_bytes :]
    return out


def said_in_clear(world: World, hidden: Secrets, names: Iterable[str]) -> frozenset[str]:
    """Those of these secrets that are plaintext which a meter without encryption sent as well, word for word: two flats
    that use as much at the same minute. What such a meter says may stand anywhere."""
    texts = {name: hidden.whole(name) for name in names if name.startswith(CANARY)}
    if not texts:
        return frozenset()
    fleet, found = world.fleet, set[str]()
    schedule = fleet.window(0, world.now_ns)
    for meter, k in zip(schedule.meter.tolist(), schedule.k.tolist(), strict=True):
        if fleet.security(meter) == "none":
            telegram = fleet.telegram(meter, k)
            found |= {name for name, text in texts.items() if text in telegram}
    return frozenset(found)


def _private_keys(world: World) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """Of the devices that a world's authority issued: the number itself, and the lines of its file."""
    try:
        authority = None if world.system.endpoint is None else world.system.endpoint.authority
    except EndpointError:  # a broker without certificates
        authority = None
    if authority is None:
        return {}, {}
    texts = dict[str, bytes]()
    for path in sorted(authority.directory.glob("*.key")):
        lines = enumerate(path.read_bytes().splitlines()[1:-1], 1)
        texts |= {f"the private key of {path.stem}, line {at}": line for at, line in lines if _whole(line)}
    return {f"the private key of {name}": value for name, value in authority.private_values().items()}, texts


def _whole(line: bytes) -> bool:
    """A full line of base64: the last one may be short enough to stand somewhere by chance."""
    try:
        return len(line) == 64 and len(base64.b64decode(line, validate=True)) == 48
    except binascii.Error:
        return False


# --- messages -------------------------------------------------------------------------------------------------------


class WireSearch:
    """Looks for a world's secrets in whatever a client says to the broker, whether the broker lets it pass or not."""

    def __init__(self, world: World) -> None:
        self.found: dict[str, str] = {}
        """Who said what: one line each."""
        self.secrets = of_world(world)
        self._held: list[tuple[str, bytes]] = []
        self._held_bytes = 0
        if world.system.endpoint is not None:
            world.system.endpoint.taps.append(self._said)

    def _said(self, client_id: str, topic: str, payload: bytes) -> None:
        self._held.append((f"{client_id} on {topic}", topic.encode("utf-8", "surrogatepass") + b"\n" + payload))
        self._held_bytes += len(payload)
        if self._held_bytes > HELD_BYTES_MAX:
            self.flush()

    def flush(self) -> None:
        """Look through what was said since the last time."""
        held, self._held, self._held_bytes = self._held, [], 0
        content = b"\n".join(text for _, text in held)
        if not any(self.secrets.within(content)):
            return
        for said, text in held:
            for found in self.secrets.within(text):
                self.found.setdefault(found.secret, f"{found.secret} ({found.form}) was said by {said}")


_searches: WeakKeyDictionary[World, WireSearch] = WeakKeyDictionary()


def listen(world: World) -> None:
    """From now on, look at what clients say in this world."""
    _searches[world] = WireSearch(world)


def said(world: World) -> list[str]:
    """The secrets that clients of this world said since `listen`, a line each."""
    search = _searches.get(world)
    if search is None:
        return []
    search.flush()
    in_clear = said_in_clear(world, search.secrets, search.found)
    return [line for secret, line in search.found.items() if secret not in in_clear]
