"""A check that numba could not compile is refused when it is made, in words."""

from typing import NamedTuple

import pytest

from sim.portal.check import HARMLESS, Check


class Empty(NamedTuple):
    """Nothing is remembered."""


def test_a_state_without_a_field_is_refused() -> None:
    with pytest.raises(ValueError, match="check weak: a state without a field cannot be compiled; leave `state` out"):
        Check("weak", 70, {"too weak": HARMLESS}, lambda *_: 0, lambda *_: None, lambda *_: "", Empty)


def test_without_a_state_nothing_is_stored() -> None:
    assert Check("weak", 70, {"too weak": HARMLESS}, lambda *_: 0, lambda *_: None, lambda *_: "").columns == 0


def test_a_place_that_was_forgotten_is_named_and_not_left_to_the_compiler() -> None:
    with pytest.raises(ValueError, match="check weak: detail is Empty and no function; a check has, in this order, id"):
        Check("weak", 70, {"too weak": HARMLESS}, lambda *_: 0, lambda *_: None, Empty)
    with pytest.raises(ValueError, match="check weak: took is 3 and no function"):
        Check("weak", 70, {"too weak": HARMLESS}, lambda *_: 0, 3, lambda *_: "")  # type: ignore[arg-type]
