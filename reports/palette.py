"""One colour a meaning, the same in tables and in plots, for light and for dark pages.

What an attacker did is red, what was refused is green, what was noticed is blue, what broke by itself is violet: so a
PREVENTED cell, a refusal on a timeline and a bar of refusals look alike. Colour never stands alone; a word is always
with it. Plots are drawn with the light values, which double as names: `themed` turns each into a CSS variable.
"""

from __future__ import annotations

import re
from typing import Final

from sim.core.events import Fate

# name: (light, dark). Each light value must be unique: it is how a colour is found again in a drawn plot.
COLOURS: Final = {
    "ink": ("#1c2530", "#e6e9ee"),
    "muted": ("#5d6875", "#9aa6b4"),
    "line": ("#d5dbe2", "#353e49"),
    "paper": ("#fefefe", "#12161b"),
    "card": ("#f5f7f9", "#1a2027"),
    "green": ("#187a54", "#4cc38f"),
    "blue": ("#2563ad", "#6fb0ff"),
    "teal": ("#0f7285", "#4fc0d4"),
    "red": ("#b3321f", "#ff8370"),
    "amber": ("#8f6400", "#e3b341"),
    "violet": ("#7444a8", "#c19bf0"),
    "brown": ("#80583a", "#cfa27e"),
    "grey": ("#77828e", "#8f9aa7"),
}
VERDICTS: Final = {
    "PREVENTED": "green",
    "DETECTED": "blue",
    "TOLERATED": "teal",
    "SUCCEEDED": "red",
    "INCONCLUSIVE": "amber",
}
OUTCOMES: Final = {
    "passed": "green",
    "failed": "red",
    "error": "red",
    "inconclusive": "amber",
    "interrupted": "amber",
    "skipped": "grey",
}
FATES: Final = {fate.label: fate.colour for fate in Fate}
HATCHES: Final = {fate.label: fate.hatch for fate in Fate}
GROUPS: Final = {
    "attack": "red",
    "tampering": "brown",
    "fault": "violet",
    "session": "amber",
    "alarm": "blue",
    "refused": "green",
}
_NAMES: Final = {light: name for name, (light, _) in COLOURS.items()}
_HEX = re.compile("|".join(_NAMES))


def light(name: str) -> str:
    """The colour of this name on a light page, as #rrggbb."""
    return COLOURS[name][0]


def themed(svg: str) -> str:
    """Each known colour as `var(--name, #light)`: it follows the page, and stands alone where there is none."""
    return _HEX.sub(lambda hit: f"var(--{_NAMES[hit[0]]}, {hit[0]})", svg)


def css() -> str:
    """Declarations for a page or a standalone picture: light, dark where the reader prefers it, light in print."""
    day = "".join(f"--{name}:{pair[0]};" for name, pair in COLOURS.items())
    night = "".join(f"--{name}:{pair[1]};" for name, pair in COLOURS.items())
    return f":root{{color-scheme:light dark;{day}}}@media screen and (prefers-color-scheme:dark){{:root{{{night}}}}}"
