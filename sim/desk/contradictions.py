"""What the keys of one gateway of an inventory cannot say, alone or beside another one: found before anything starts.

A claim that contradicts another one would be tried against itself and decide nothing, or fail a gateway for what its
manual never said.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sim.core.quoting import named, quoted
from sim.pki.authority import PkiError, device_name
from sim.readers.kinds.bundles import BundlesSpec
from sim.readers.kinds.mqtt import MqttSpec
from sim.readers.message_content import Content, ContentSpec
from sim.readers.port import ReaderError, ReaderSpec
from sim.readers.push_server import PushSpec, refuse_free_port
from sim.readers.value_names import UNITS

if TYPE_CHECKING:
    from sim.desk.inventory import Claims, GatewayEntry


def contradictions(entry: GatewayEntry) -> Iterator[tuple[str, str]]:
    """Key of the gateway's table, and what is wrong with it and what to do, in a sentence."""
    listen = entry.listen
    try:
        device_name(entry.name)
    except PkiError as error:
        yield "name", str(error)
    if listen.port == 0 and not listen.address.startswith("127."):
        yield "listen", f"{listen.address} is on a network; name a port, to tell the box"
    if bool(entry.power.cut) != bool(entry.power.on):
        yield "power", "needs both commands, cut and on, or neither"
    if not entry.run.command and not entry.power.cut and any(_reads_standard_input(feed) for feed in entry.feed):
        yield "feed", "a feeder on standard input needs a program: run.command"
    if not listen.broker and any(isinstance(spec, MqttSpec | BundlesSpec) for spec in entry.read):
        yield "read", "messages come over a broker, and listen.broker is false; take that away, or read another way"
    yield from _of_topics("listen.topics", entry.listen.topics)
    for at, spec in enumerate(entry.read):
        yield from ((f"read[{at}].{key}".rstrip("."), words) for key, words in _of_reader(spec))
    if entry.keys.instead_of and entry.keys.instead_of not in entry.run.files:
        yield "keys.instead_of", f"{entry.keys.instead_of!r} is none of run.files; name one of them, or leave it out"
    for words in _of_claims(entry.claims):
        yield "claims", words
    if entry.claims.forwards == "encrypted" and all(_gives_values_alone(spec) for spec in entry.read):
        yield "claims.forwards", '"encrypted", and its readers give values alone; say "decoded", or read telegrams'
    if not _by_tls(entry):
        for name in ("verifies_server", "own_certificate"):
            if getattr(entry.claims, name):
                yield f"claims.{name}", "nothing that it dials speaks TLS (listen.tls, read.tls); leave it out"


def _of_claims(claims: Claims) -> Iterator[str]:
    if not claims.modes:
        yield "modes names none; leave it out, or name those that it hears"
    if wrong := [field for field in claims.c_fields if not 0 <= field <= 0xFF]:
        yield f"c_fields has {wrong[0]}; a C field is a byte, 0 to 255"
    if claims.awake_s and not claims.sleeps:
        yield f"awake_s = {claims.awake_s:g} needs a period_s above it; of one that listens always, leave both out"
    bounds = {
        "duplicates_last": ("duplicates", "equal among the last", True),
        "duplicates_s": ("duplicates", "equal within a time", True),
        "buffer_telegrams": ("buffer", "telegrams", False),
        "buffer_s": ("buffer", "time", False),
    }
    for bound, (of, value, needed) in bounds.items():
        said, now = getattr(claims, bound), getattr(claims, of)
        if said and now != value:
            yield f'{bound} = {said:g} says nothing beside {of} = "{now}"; that is for "{value}"'
        elif needed and not said and now == value:
            yield f'{of} = "{value}" needs {bound}'
    if claims.survives_power_cut and claims.buffer == "none":
        yield 'survives_power_cut needs a buffer: what is kept through an outage, "telegrams" or "time"'
    if claims.compact != "none" and claims.forwards == "encrypted":
        yield f'compact = "{claims.compact}" is of a gateway that decodes; one that forwards passes all on'


def _of_reader(spec: ReaderSpec) -> Iterator[tuple[str, str]]:
    try:
        if isinstance(spec, ContentSpec):
            Content(spec)
        if isinstance(spec, PushSpec):
            refuse_free_port(spec)
    except ReaderError as error:
        yield "", str(error).removeprefix("read: ")
    if isinstance(spec, MqttSpec):
        yield from _of_topics("topic", spec.topic)
        if not spec.topic:
            yield "topic", "names no topic; + is any level, # the rest"
    if isinstance(spec, ContentSpec):
        for name, meaning in spec.means.items():
            unit = meaning.partition(" ")[2]
            known = dict.fromkeys([*UNITS, *(base for base, _ in UNITS.values())])
            if unit and unit.lower() not in UNITS and unit not in known:
                yield "means", f"{named(name)}: there is no unit {quoted(unit)}. Known: {', '.join(known)}"


def _of_topics(key: str, topics: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """MQTT 3.1.1, 4.7.1: `#` is a level alone and the last one, `+` a level alone."""
    for topic in topics:
        *levels, last = topic.split("/")
        wild = [level for level in [*levels, last] if level not in ("+", "#") and ("+" in level or "#" in level)]
        if wild or "#" in levels or not topic.isprintable():
            yield key, f"{quoted(topic)} is no pattern of topics: + stands for one level, # for the rest, at the end"


def _reads_standard_input(feed: object) -> bool:
    return getattr(getattr(feed, "line", None), "kind", "") == "stdin"


def _gives_values_alone(spec: object) -> bool:
    return isinstance(spec, ContentSpec) and bool(spec.values or spec.value_name) and not (spec.telegram or spec.format)


def _by_tls(entry: GatewayEntry) -> bool:
    by_broker = entry.listen.broker and entry.listen.tls
    return by_broker or any(isinstance(spec, PushSpec) and spec.tls != "none" for spec in entry.read)
