"""What the command line changes in every scenario: the endpoint, single settings of the world, the seed, the engine.

A scenario does not choose its engine: both give the same world (sim/radio/air.py), and --engine reference is there to
show it."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from bench import run_directory
from sim.core.digits import whole_of
from sim.core.parts import UnknownPart
from sim.core.settings import SpecError
from sim.endpoint.registry import ENDPOINTS
from sim.systems.port import SYSTEMS

if TYPE_CHECKING:
    from sim.world_spec import WorldSpec

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
"""What a verb's `add` is given: it adds its own parser."""
ENGINES = ("arrays", "reference")
ENDPOINT_HELP = "instead of the world's own; ./wmbench list endpoints shows them"
SYSTEM_HELP = "what is under test, instead of the world's own; ./wmbench list systems shows them"
ENGINE_HELP = "how the air is worked out: in whole windows (arrays), or frame by frame to compare (reference)"


@dataclass(frozen=True, slots=True)
class Options:
    """`settings`: KEY=VALUE, the value in JSON or plain text. `engine`: one of ENGINES; None: the first."""

    endpoint: str | None
    settings: tuple[str, ...]
    engine: str | None = None

    def words(self) -> list[str]:
        """As they stand on a command line."""
        words = ["--endpoint", self.endpoint] if self.endpoint else []
        for setting in self.settings:
            words += ["--set", setting]
        return [*words, "--engine", self.engine] if self.engine else words


def changed(spec: WorldSpec, options: Options) -> WorldSpec:
    """The world under the command line's --endpoint and --set. Raises SpecError."""
    if options.endpoint:
        spec = spec.with_setting("endpoint.kind", options.endpoint, source="--endpoint")
    for setting in options.settings:
        key, equals, text = setting.partition("=")
        if not equals or not key:
            raise SpecError(f"--set {setting}: KEY=VALUE is needed, as in --set portal.age_max_s=600")
        try:
            value = json.loads(text)
        except ValueError:
            value = text
        spec = spec.with_setting(key, value, source="--set")
    spec.refuse_contradictions()
    return spec


class Once(argparse.Action):
    """An option that is refused when it is given twice: the last one would be taken and the first forgotten."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> None:
        given = f"_given_{self.dest}"
        if getattr(namespace, given, False):
            parser.error(f"argument {option}: is there twice; one is needed")
        setattr(namespace, given, True)
        setattr(namespace, self.dest, values)


def endpoint(text: str) -> str:
    """A kind of endpoint, as argparse wants it. Its files are imported only when one is named."""
    try:
        return ENDPOINTS.find(text).id
    except UnknownPart as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def system(text: str) -> str:
    """A kind of system, as argparse wants it."""
    try:
        return SYSTEMS.find(text).id
    except UnknownPart as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def with_system(kind: str | None, settings: Sequence[str]) -> tuple[str, ...]:
    """The settings of a command line, of another system: its own settings may follow."""
    return ((f"system.kind={kind}",) if kind else ()) + tuple(settings)


def seed(text: str) -> int:
    """A seed, as argparse wants it."""
    try:
        number = int(text, 0)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None
    if not 0 <= number < 2**64:
        raise argparse.ArgumentTypeError(f"{number} is not between 0 and 2**64 - 1")
    return number


def host_and_port(text: str) -> tuple[str, int]:
    """HOST:PORT, the host of an IPv6 address in brackets or not, as argparse wants it."""
    host, _, port = text.rpartition(":")
    number = whole_of(port, 65_535)
    if not host or not number:
        raise argparse.ArgumentTypeError(f"{text!r} is no HOST:PORT")
    return host.strip("[]"), number


def between(low: float, high: float) -> Callable[[str], float]:
    """A number within these, as argparse wants it."""
    return _number(lambda value: low <= value <= high, f"between {low:g} and {high:g}")


def above_zero(high: float = sys.float_info.max) -> Callable[[str], float]:
    """A number above zero, and at most this, as argparse wants it."""
    end = "" if high == sys.float_info.max else f" and at most {high:g}"
    return _number(lambda value: 0 < value <= high, f"a number above 0{end}")


def _number(fits: Callable[[float], bool], where: str) -> Callable[[str], float]:
    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not fits(value):
            raise argparse.ArgumentTypeError(f"{text!r} is not {where}")
        return value

    return read


def count(low: int, high: int) -> Callable[[str], int]:
    """A whole number within these, as argparse wants it."""

    def read(text: str) -> int:
        number = whole_of(text, high)
        if number is None or number < low:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number between {low} and {high}")
        return number

    return read


seconds = above_zero(604_800.0)
workers = count(1, 64)  # scenarios side by side
processes = count(1, 256)  # of a city or a sweep


def add_runs(parser: argparse.ArgumentParser) -> None:
    """--runs, which every verb that leaves a run directory has."""
    parser.add_argument("--runs", metavar="DIR", type=Path, help=f"where runs are kept (${run_directory.PLACE}; runs/)")
