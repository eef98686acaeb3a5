"""Values as TOML, in ASCII: what came from outside neither ends a string nor reaches a terminal as it is."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from typing import Any, Final

_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_LONG: Final = 100


def value(one: object) -> str:
    """One value; a settings class as a table of what it has other than its defaults."""
    if isinstance(one, bool):
        return "true" if one else "false"
    if isinstance(one, int | float):
        return repr(one)
    if isinstance(one, str):
        return _text(one)
    if isinstance(one, list | tuple):
        parts = [value(part) for part in one]
        short = f"[{', '.join(parts)}]"
        return short if len(short) <= _LONG else "[\n" + "".join(f"    {part},\n" for part in parts) + "]"
    if isinstance(one, Mapping):
        return "{ " + ", ".join(f"{key(name)} = {value(part)}" for name, part in one.items()) + " }"
    if dataclasses.is_dataclass(one) and not isinstance(one, type):
        return value(settings(one))
    raise TypeError(f"{type(one).__name__} is nothing that TOML has")


def key(name: str) -> str:
    """A name, in quotes where it needs them."""
    return name if _BARE.fullmatch(name) else _text(name)


def _text(one: str) -> str:
    """JSON's escapes are TOML's, but for characters beyond 16 bits, a lone half of one, and DEL."""
    whole = one.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return '"' + "".join(f"\\U{ord(c):08X}" if c >= "\x7f" else json.dumps(c)[1:-1] for c in whole) + '"'


def settings(one: Any) -> dict[str, object]:
    """A settings class's keys other than their defaults; its kind always."""
    out: dict[str, object] = {}
    for field in dataclasses.fields(one):
        what = getattr(one, field.name)
        default = field.default_factory() if callable(field.default_factory) else field.default
        if field.name == "kind" or (what is not None and what != default):
            out[field.name] = what
    return out


def comment(words: str) -> str:
    """A line that says something."""
    return f"# {ascii(words)[1:-1]}\n"
