"""Settings from TOML: frozen dataclasses are the reference of a format, checked with file, line and key.

A field is a key, its type is the key's type, its metadata what is allowed; every unit stands in the key's name. An
unknown key, a wrong type, a value out of range: SpecError names file, line, key and what is allowed.

    number(5.0, low=1.0)          a key with a range
    one_of(KINDS)                 a table whose `kind` says which class its other keys belong to
    name_from(FORMATS)            one of the names that a folder has
    names_from(CHECKS)            a list of names, of those a folder has; without("bind") takes one away

`changed(spec, "portal.checks", [])` is a copy with one dotted key changed: how a control run gets its weakness and how
`--set` works.
"""

from __future__ import annotations

import dataclasses
import tomllib
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final, Literal

from sim.core.meant import did_you_mean
from sim.core.quoting import hidden, named, quoted, shown

T = typing.TypeVar("T")
Classes = Callable[[], Mapping[str, type[Any]]]  # kind -> the class of its table


class SpecError(ValueError):
    """A world, desk or sweep file that cannot be used; the message is meant for its author."""


def number(default: T, *, low: float | None = None, high: float | None = None) -> T:
    """A key with a range, both ends allowed."""
    made: T = field(default=default, metadata={"low": low, "high": high})
    return made


def one_of(classes: Classes, *, default: str | None = None, required: bool = False) -> Any:
    """A table, or a list of tables, whose key `kind` says which class the other keys belong to. `classes()` is asked at
    the first use: kind -> frozen dataclass with a field `kind`. `default`: the kind of a table that names none, and of
    a world without the table, unless the table is `required`."""
    metadata = {"classes": classes, "kind": default}
    if default is None or required:
        return field(metadata=metadata)
    return field(default_factory=lambda: classes()[default](), metadata=metadata)


def names_from(known: Callable[[], Iterable[str]], *, default: Callable[[], tuple[str, ...]] | None = None) -> Any:
    """A list of names, each one of `known()`; the default is all of them, in the order of `known()`."""
    return field(default_factory=default or (lambda: tuple(known())), metadata={"known": known})


def name_from(known: Callable[[], Iterable[str]], *, default: str | None = None) -> Any:
    """A key that is one of the names `known()`."""
    metadata = {"one name": known}
    return field(metadata=metadata) if default is None else field(default=default, metadata=metadata)


class Without(str):
    """In place of a list of names: what it is now, less these. As text, also in a file and on the command line,
    "without:bind,age"."""

    PREFIX: Final = "without:"

    def __repr__(self) -> str:
        return f"without {', '.join(self.names)}"

    @property
    def names(self) -> list[str]:
        """The names to take away."""
        return self.removeprefix(self.PREFIX).split(",")


def without(*names: str) -> Without:
    """All that there are at that place but these: so a control takes a defence away, and one that was not there when it
    was written stays on."""
    return Without(Without.PREFIX + ",".join(names))


@dataclass(frozen=True, slots=True)
class Place:
    """Where keys stand in the file: dotted path -> line."""

    source: str
    lines: dict[str, int]

    def error(self, path: str, what: str) -> SpecError:
        """An error that names file, line and key."""
        line = next((self.lines[part] for part in _outwards(path) if part in self.lines), None)
        source = shown(self.source)
        where = f"{source}, line {line}" if line else source
        return SpecError(f"{where}: {named(path)}: {what}")


def read_toml(path: Path) -> tuple[dict[str, Any], Place]:
    """The tables of a TOML file and where its keys stand. Raises SpecError."""
    try:
        text = path.read_text(encoding="utf-8")
        return tomllib.loads(text), Place(str(path), _key_lines(text))
    except OSError as error:
        raise SpecError(f"{path}: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise SpecError(f"{path}: byte {error.start} is not UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        raise SpecError(f"{path}: not TOML: {hidden(str(error))}") from None
    except RecursionError:
        raise SpecError(f"{path}: brackets within brackets, deeper than any world needs") from None
    except ValueError:  # Python's own limit on digits
        raise SpecError(f"{path}: a number of more digits than any setting has") from None


def build(cls: type[T], table: dict[str, Any], place: Place, path: str = "") -> T:
    """A spec dataclass from a table. Raises SpecError."""
    fields = {f.name: f for f in dataclasses.fields(cls)}  # type: ignore[arg-type]
    hints = typing.get_type_hints(cls)
    for key in table:
        if key not in fields:
            raise place.error(_join(path, key), f"unknown key{_hint(key, fields)}")
    values: dict[str, Any] = {}
    for name, spec_field in fields.items():
        if name in table:
            at = _join(path, name)
            every = spec_field.metadata["known"]() if "known" in spec_field.metadata else ()
            values[name] = _value(hints[name], spec_field, _less(table[name], every, spec_field, place, at), place, at)
        elif spec_field.default is dataclasses.MISSING and spec_field.default_factory is dataclasses.MISSING:
            raise place.error(_join(path, name), "is missing")
    return cls(**values)


def changed(spec: T, key: str, value: object, *, source: str = "setting") -> T:
    """A copy with one dotted key changed. In a list of tables the key goes to every group ("fleet.security") or to a
    named one ("fleet.fast.security"). A changed `kind` keeps the keys that both kinds have. Raises SpecError."""
    return typing.cast(T, _set(spec, key.split("."), value, Place(source, {}), key))


def _hint(key: str, known: Iterable[str]) -> str:
    names = sorted(known)
    return (did_you_mean(key, names) or ".") + f" Known: {', '.join(names)}"


def _value(hint: Any, spec_field: Any, value: Any, place: Place, path: str) -> Any:
    limits = spec_field.metadata if spec_field is not None else {}
    if "classes" in limits:
        if typing.get_origin(hint) is tuple:
            return tuple(_chosen(limits, one, place, at) for one, at in _entries(value, place, path, least=1))
        return _chosen(limits, value, place, path)
    origin = typing.get_origin(hint)
    if origin is Literal:
        allowed = typing.get_args(hint)
        if value not in allowed:
            raise place.error(path, f"{quoted(value)} is not one of {', '.join(map(repr, allowed))}")
        return value
    if origin is tuple:
        item = typing.get_args(hint)[0]
        least = 1 if dataclasses.is_dataclass(item) else 0
        found = tuple(_value(item, None, one, place, at) for one, at in _entries(value, place, path, least=least))
        for one, at in _entries(value, place, path) if "known" in limits else ():
            _known(one, limits, place, at)
        return found
    if origin is Mapping:
        return _texts(value, place, path)
    if dataclasses.is_dataclass(hint):
        if isinstance(value, hint):  # type: ignore[arg-type]
            return value
        if not isinstance(value, dict):
            raise place.error(path, f"{quoted(value)} is not a table")
        return build(typing.cast(type, hint), value, place, path)
    return _scalar(hint, spec_field, value, place, path)


def _texts(value: Any, place: Place, path: str) -> Mapping[str, str]:
    """A table whose keys are the author's own, and whose values are text."""
    if not isinstance(value, Mapping):
        raise place.error(path, f"{value!r} is not a table")
    for key, text in value.items():
        if not isinstance(text, str):
            raise place.error(_join(path, key), f"{text!r} is not text")
    return dict(value)


def _less(value: Any, now: Any, spec_field: Any, place: Place, path: str) -> Any:
    """`now` less the names that a Without says; any other value is as it was."""
    if "known" not in spec_field.metadata or not isinstance(value, str) or not value.startswith(Without.PREFIX):
        return value
    left_out = Without(value).names
    for name in left_out:
        _known(name, spec_field.metadata, place, path)
    return [name for name in now if name not in left_out]


def _known(name: Any, limits: Mapping[str, Any], place: Place, path: str) -> None:
    known = list(limits["known"]())
    if name not in known:
        names = ", ".join(map(repr, known))
        raise place.error(path, f"{quoted(name)} is not one of {names}{did_you_mean(str(name), known)}")


def _entries(value: Any, place: Place, path: str, *, least: int = 0) -> list[tuple[Any, str]]:
    """The entries of a list and where each stands."""
    if not isinstance(value, (list, tuple)):
        raise place.error(path, f"{quoted(value)} is not a list")
    if len(value) < least:
        raise place.error(path, "needs at least one entry")
    return [(entry, f"{path}[{index}]") for index, entry in enumerate(value)]


def _chosen(limits: Mapping[str, Any], value: Any, place: Place, path: str) -> Any:
    """A table of the class that its `kind` names."""
    classes: Mapping[str, type[Any]] = limits["classes"]()
    if isinstance(value, tuple(classes.values())):
        return value
    if not isinstance(value, dict):
        raise place.error(path, f"{quoted(value)} is not a table")
    kind = value.get("kind", limits["kind"])
    if kind is None:
        raise place.error(_join(path, "kind"), f"is missing. Known: {', '.join(sorted(classes))}")
    if not isinstance(kind, str) or kind not in classes:
        raise place.error(_join(path, "kind"), f"there is no {quoted(kind)}{_hint(str(kind), classes)}")
    return build(classes[kind], value, place, path)


def _scalar(hint: Any, spec_field: Any, value: Any, place: Place, path: str) -> Any:
    if isinstance(hint, types.UnionType):
        hint = next(arm for arm in typing.get_args(hint) if arm is not type(None))
    if hint is float and type(value) is int:
        value = float(value)
    if type(value) is not hint:
        names = {int: "a whole number", float: "a number", str: "text", bool: "true or false", datetime: "a date-time",
                 date: "a date"}  # fmt: skip
        raise place.error(path, f"{quoted(value)} is not {names.get(hint, hint)}")
    if hint is str and not value:
        unless_said = "; leave the key out" if spec_field is not None and spec_field.default == "" else ""
        raise place.error(path, f"is empty{unless_said}")
    limits = spec_field.metadata if spec_field is not None else {}
    if "one name" in limits:
        _known(value, {"known": limits["one name"]}, place, path)
    if said := _outside(value, limits):
        raise place.error(path, said)
    return value


def _outside(value: Any, limits: Mapping[str, Any]) -> str:
    """Why a number is not in its range; "" where it is."""
    low, high = limits.get("low"), limits.get("high")
    if (low is None or value >= low) and (high is None or value <= high) and value == value:
        return ""
    if low is None and high is None:
        return f"{value} is no number"
    if high is None:
        return f"{value} is not {low} or more"
    return f"{value} is not {high} or less" if low is None else f"{value} is not between {low} and {high}"


def out_of_range(spec: Any) -> str:
    """Of a table that was made in Python and not read: the first number that is not in its range, "" where each is."""
    for one in dataclasses.fields(spec):
        value = getattr(spec, one.name)
        if isinstance(value, (int, float)) and (said := _outside(value, one.metadata)):
            return f"{one.name}: {said}"
    return ""


def _set(spec: Any, keys: list[str], value: Any, place: Place, path: str) -> Any:
    head, rest = keys[0], keys[1:]
    fields = {f.name: f for f in dataclasses.fields(spec)}
    if head not in fields:
        raise place.error(path, f"unknown key '{named(head)}'{_hint(head, fields)}")
    if not rest:
        hint_type = typing.get_type_hints(type(spec))[head]
        value = _less(value, getattr(spec, head), fields[head], place, path)
        return dataclasses.replace(spec, **{head: _value(hint_type, fields[head], value, place, path)})
    inner = getattr(spec, head)
    limits = fields[head].metadata

    def one(group: Any, keys: list[str]) -> Any:
        if keys == ["kind"] and "classes" in limits:
            return _of_kind(limits, group, value, place, path)
        if "classes" in limits and keys[0] not in {f.name for f in dataclasses.fields(group)}:
            able = sorted(kind for kind, of in limits["classes"]().items() if keys[0] in of.__dataclass_fields__)
            if able:
                way = f"set {path.removesuffix(keys[0])}kind={able[0]} before it"
                those = " and ".join(able) + (" has it" if len(able) == 1 else " have it")
                raise place.error(path, f"kind '{group.kind}' has no key '{keys[0]}'; {those}: {way}")
        return _set(group, keys, value, place, path)

    if isinstance(inner, tuple):
        chosen = [group for group in inner if group.name == rest[0]]
        if chosen and len(rest) > 1:
            groups = tuple(one(group, rest[1:]) if group in chosen else group for group in inner)
        else:
            groups = tuple(one(group, rest) for group in inner)
        return dataclasses.replace(spec, **{head: groups})
    if not dataclasses.is_dataclass(inner):
        raise place.error(path, f"'{named(head)}' has no keys of its own")
    return dataclasses.replace(spec, **{head: one(inner, rest)})


def _of_kind(limits: Mapping[str, Any], group: Any, kind: Any, place: Place, path: str) -> Any:
    """A table of another kind, with the keys that both have."""
    classes: Mapping[str, type[Any]] = limits["classes"]()
    if not isinstance(kind, str) or kind not in classes:
        raise place.error(path, f"there is no {quoted(kind)}{_hint(str(kind), classes)}")
    wanted = {f.name for f in dataclasses.fields(classes[kind])} - {"kind"}
    kept = {f.name: getattr(group, f.name) for f in dataclasses.fields(group) if f.name in wanted}
    return classes[kind](**kept)


def _key_lines(text: str) -> dict[str, int]:
    """Dotted path of each key -> its line. tomllib has parsed the text already, so this only has to find
    lines: headers `[a.b]` and `[[a]]`, and `key =` at the start of a line."""
    lines: dict[str, int] = {}
    counts: dict[str, int] = {}
    prefix = ""
    for number_, raw in enumerate(text.splitlines(), start=1):
        line = raw.strip()
        if line.startswith("[[") and "]]" in line:
            name = line[2 : line.index("]]")].strip()
            head, dot, rest = name.partition(".")
            if dot and head in counts:  # a list of the latest entry of a list
                name = f"{head}[{counts[head] - 1}].{rest}"
            index = counts.get(name, 0)
            counts[name] = index + 1
            prefix = f"{name}[{index}]"
            lines[prefix] = number_
        elif line.startswith("[") and line.split("#")[0].rstrip().endswith("]") and "=" not in line:
            prefix = line[1 : line.index("]")].strip()
            head, dot, rest = prefix.partition(".")
            if dot and head in counts:  # a table of the latest entry of a list
                prefix = f"{head}[{counts[head] - 1}].{rest}"
            lines[prefix] = number_
        elif "=" in line and not line.startswith("#"):
            key = line.split("=", 1)[0].strip().strip('"')
            lines.setdefault(_join(prefix, key), number_)
    return lines


def _outwards(path: str) -> Iterator[str]:
    """The path, then what it is in, and so on: of a list's entry the list's key, of a key its table."""
    while path:
        yield path
        cut = max(path.rfind("."), path.rfind("["))
        path = path[: max(cut, 0)]


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
