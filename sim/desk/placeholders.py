"""{name} in an inventory's commands and files: what is known only when a gateway is started."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import Final

_BRACES: Final = re.compile(r"\{\{|\}\}|\{([A-Za-z][A-Za-z0-9]*)\}")


class UnknownPlaceholder(ValueError):
    """The text names something that is not there; the message names what there is."""


def filled(text: str, known: Mapping[str, str]) -> str:
    """`text` with each {name} replaced; doubled braces become one, other braces stay. Raises UnknownPlaceholder."""

    def one(found: re.Match[str]) -> str:
        name = found[1]
        if name is None:
            return found[0][0]
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {{{near[0]}}}?" if near else "."
            raise UnknownPlaceholder(f"{{{name}}} stands for nothing{hint} There are: {', '.join(sorted(known))}")
        return known[name]

    return _BRACES.sub(one, text)
