"""Parts found by folder: every file of a folder is one part, and the folder is the list.

    GATEWAYS = Folder("sim.gateway.kinds", "KIND", "gateway kind", GatewayKind)
    GATEWAYS.parts()            id -> part, by id
    GATEWAYS.find("virtual")    the part; UnknownPart names those there are, the nearest first

A part is an object with an `id`, held by its file under one agreed name; what else it has is its port's business.
Adding a part is adding a file, here or in the folder of a user's own repository that stands for this package
(sim/core/own.py). `port.py`, and files whose name begins with an underscore, are no parts.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from sim.core import own
from sim.core.broken_files import place_of, unreadable
from sim.core.part_errors import PartError as PartError
from sim.core.part_errors import place_in_part, told
from sim.core.part_fields import classes_of_settings, ill_typed, no_settings


class HasId(Protocol):
    """What a part must have at least."""

    @property
    def id(self) -> str: ...


class HasSpec(HasId, Protocol):
    """What a part has that is set up by keys of its own: `spec` is their class."""

    @property
    def spec(self) -> type[Any]: ...


P = TypeVar("P", bound=HasId)
K = TypeVar("K", bound=HasSpec)
S = TypeVar("S")


def to_mend(error: BaseException, program: Path) -> str | None:
    """In one line which file, of those that were asked for by this program, cannot be used, and why, or at which line
    of a part it was raised; None for any other error."""
    if isinstance(error, PartError):
        return str(error)
    place = place_of(error)
    if place is None or place[0] == program:
        return told(error) if place_in_part(error) is not None else None
    return unreadable(place[0], error)


class UnknownPart(ValueError):
    """There is no part of this id; the message names those there are, the nearest first."""


def nearest(name: str, known: Iterator[str] | Mapping[str, object] | list[str]) -> list[str]:
    """The names that there are, those most like `name` first."""
    names = list(known)
    near = difflib.get_close_matches(name, names, n=len(names) or 1, cutoff=0.0)
    return near + sorted(set(names) - set(near))


def files(package: str) -> list[tuple[str, Path]]:
    """(module, file) of each file that is a part. Raises PartError for two of one name."""
    try:
        return [one for one in own.files(package) if one[0] != "port" and not one[0].startswith("_")]
    except own.TwoFiles as error:
        raise PartError(str(error)) from None


class Folder(Generic[P]):
    """The parts of one package. `attribute`: the name under which each file holds its part; `what`: one part in words;
    `port`: the class that every part is an instance of; `lacks`: what else is wrong with a part of the file of this
    name, "" when nothing; `alone`: what no other part may have, in words. Files are imported at the first question."""

    def __init__(
        self, package: str, attribute: str, what: str, port: type[P], lacks: Callable[[P, str], str] = lambda *_: "",
        alone: Callable[[P], Sequence[str]] = lambda _: (),
    ) -> None:  # fmt: skip
        self.package, self.attribute, self.what, self.port = package, attribute, what, port
        self.lacks, self.alone = lacks, alone
        self._parts: dict[str, P] | None = None
        self._pages: dict[str, str] = {}
        self._files: dict[str, Path] = {}

    def parts(self) -> Mapping[str, P]:
        """Id -> part, in the order of ids. Raises PartError."""
        if self._parts is None:
            found: dict[str, P] = {}
            where = self._files
            whose: dict[str, Path] = {}
            for name, file in files(self.package):
                part = self._part(f"{self.package}.{name}", file)
                if part.id in found:
                    raise PartError(f"{where[part.id]} and {file} both define the {self.what} '{part.id}'")
                found[part.id], where[part.id] = part, file
                for said in self.alone(part):
                    if (other := whose.setdefault(said, file)) != file:
                        raise PartError(f"{other} and {file} are both {said}; a {self.what} is known by that alone")
            self._parts = dict(sorted(found.items()))
        return self._parts

    def _part(self, module: str, file: Path) -> P:
        try:
            loaded = importlib.import_module(module)
        except PartError:  # it says already which file is to be mended
            raise
        except Exception as error:
            raise PartError(unreadable(file, error)) from error
        part = getattr(loaded, self.attribute, None)
        if not isinstance(part, self.port):
            if isinstance(part, type) and issubclass(part, self.port):
                say = f"{self.attribute} = {part.__name__}({'...' if part is self.port else ''})"
                raise PartError(f"{file}: {self.attribute} is a class and no {self.what}; write {say}")
            wanted = f"{self.attribute} = {self.port.__name__}(...)"
            raise PartError(f"{file}: a {self.what} has {wanted}; this file has none")
        if said := self.unfit(part) or self.lacks(part, file.stem):
            raise PartError(f"{file}: {said}")
        self._pages[part.id] = (loaded.__doc__ or "").strip()
        return part

    def unfit(self, part: P) -> str:
        """What is wrong with a part of any kind, "" when nothing: here every part is looked at when it is loaded."""
        if said := ill_typed(part):
            return f"{self.attribute}: {said}"
        return next(filter(None, map(no_settings, classes_of_settings(part))), "")

    def find(self, id_: str) -> P:
        """The part of this id. Raises UnknownPart, PartError."""
        known = self.parts()
        if id_ not in known:
            raise UnknownPart(f"no {self.what} '{id_}'; known, nearest first: {', '.join(nearest(id_, known))}")
        return known[id_]

    def file(self, id_: str) -> Path:
        """The file that the part stands in. Raises UnknownPart, PartError."""
        self.find(id_)
        return self._files[id_]

    def page(self, id_: str) -> str:
        """What the part's file says of itself. Raises UnknownPart, PartError."""
        self.find(id_)
        return self._pages[id_]


class Kinds(Folder[K]):
    """A folder of parts that a file sets up: it names a kind, and then the kind's own keys."""

    def unfit(self, part: K) -> str:
        return super().unfit(part) or _unlike_kind(part)

    def specs(self) -> Mapping[str, type[Any]]:
        """Kind -> the class of its settings."""
        return {id_: kind.spec for id_, kind in self.parts().items()}


def _unlike_kind(part: HasSpec) -> str:
    """A table of a file says `kind`, which chooses the class of its other keys: both must have one word for it."""
    kind = getattr(part.spec, "__dataclass_fields__", {}).get("kind")
    if kind is not None and kind.default == part.id:
        return ""
    says = "no kind" if kind is None or kind.default is MISSING else f"kind {kind.default!r}"
    name = part.spec.__name__
    return f"{name} has {says}, and the id is {part.id!r}; write kind: str = \"{part.id}\" in {name}"


def of_kind(spec: object, wanted: type[S], kind: str) -> S:
    """`spec`, which is of the class that this kind wants. Raises TypeError for settings of another kind."""
    if not isinstance(spec, wanted):
        raise TypeError(f"{kind} has settings of class {wanted.__name__}, not {spec!r}")
    return spec
