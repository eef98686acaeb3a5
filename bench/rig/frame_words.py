"""The words in which an attack says what its frames look like (`form`), and the referee what it saw. `classify` finds
them; here each stands once, with what it means, and a word that is none is refused.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, Final

from bench.run_errors import CannotRun
from sim.core.meant import did_you_mean
from sim.core.quoting import quoted

SHOWS: Final = {
    "header with address": "CI 72: the long header",
    "header without address": "CI 7A: the short header",
    "no header": "CI 78",
    **{f"mode {mode}": f"security mode {mode} in the configuration word" for mode in range(32)},
    "own address": "the link layer's address is that of the telegram that it was made from",
    "extended link layer": "CI 8C stands in front",
    "no extended link layer": "no CI 8C stands in front",
    "AES-CTR in the extended link layer": "CI 8D, encrypted there",
    "no encrypted block": "mode 5 or 7, and N is 0",
    "no MAC": "mode 7, and the authentication layer has none",
    "MAC of two bytes": "mode 7, and the authentication layer says so",
    "no error in the status": "bit 3 of the status byte, by which a meter says that it was tampered with, is not set",
    "units in clear at the end": "the last record is units, in clear",
    "units and a clock in clear at the end": "the last two records are units and a clock, in clear",
    "unreadable": "it cannot be taken apart",
}
"""What is seen in a frame."""
CHANGED: Final = {
    "address": "maker, id or type in the link layer",
    "version": "version in the link layer, and nothing else of the address",
    "C field": "the link layer's C field",
    "access number": "of the header, and with it that of the extended link layer",
    "status": "the status byte",
    "configuration": "the configuration word, otherwise than in N",
    "N lowered": "fewer encrypted blocks are announced",
    "N raised": "more encrypted blocks are announced",
    "header": "the CI, or the address in a long header",
    "extended link layer": "it came, went, or has another communication control",
    "authentication": "the authentication layer",
    "MAC left out": "the authentication layer announces a counter and no MAC",
    "bytes appended": "something stands behind what was there",
    "cut behind the first block": "what follows the first encrypted block is another",
    "two bytes turned and blocks appended": "two bytes behind the first block differ, and encrypted blocks follow",
    "one bit behind the first block": "of what is encrypted",
    "ciphertext": "what is encrypted, otherwise",
    "units in clear": "the value of a record of units in clear",
    "clock in clear": "the value of a clock in clear",
    "contents": "records in clear, otherwise; or another length",
    "communication control": "of a telegram that is encrypted in the extended link layer",
    "session number": "of a telegram that is encrypted in the extended link layer",
    "unreadable": "it cannot be taken apart, or that which it was made from",
}
"""In what a frame differs from the telegram that it was made from; an exact copy in nothing."""


def check(attack: Any) -> None:
    """Of the forms of an attack on stage. Raises CannotRun for a word that is none, naming the attack's file."""
    for variant, form in attack.record.forms.items():
        _known(attack, variant, "shows", form.shows, SHOWS)
        _known(attack, variant, "changed", form.changed or (), CHANGED)


def _known(attack: Any, variant: str, which: str, words: Any, there: Mapping[str, str]) -> None:
    for word in sorted(words):
        if word not in there:
            raise CannotRun(
                f"{inspect.getsourcefile(type(attack))}: form {quoted(variant)}: {which} has no word {quoted(word)}"
                f"{did_you_mean(word, there) or ';'} all are in docs/reference/forms.md"
            )
