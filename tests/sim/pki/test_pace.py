"""PACE against the worked example of ICAO 9303-11, appendix G.1 (brainpoolP256r1, AES-128), and what it refuses."""

from __future__ import annotations

import pytest

from sim.pki import pace
from sim.pki.content_ciphers import library_bytes

NONCE = bytes.fromhex("3F00C4D39D153F2B2A214A078D899B22")
PASSWORD = bytes.fromhex("7E2D2A41C74EA0B38CD36F863939BFA8E9032AAD")  # of the example's machine readable zone
MAPPING = (
    "047ACF3EFC982EC45565A4B155129EFBC74650DCBFA6362D896FC70262E0C2CC5E"
    "544552DCB6725218799115B55C9BAA6D9F6BC3A9618E70C25AF71777A9C4922D",
    "04824FBA91C9CBE26BEF53A0EBE7342A3BF178CEA9F45DE0B70AA601651FBA3F57"
    "30D8C879AAA9C9F73991E61B58F4D52EB87A0A0C709A49DC63719363CCD13C54",
)
AGREEMENT = (
    "042DB7A64C0355044EC9DF190514C625CBA2CEA48754887122F3A5EF0D5EDD301C"
    "3556F3B3B186DF10B857B58F6A7EB80F20BA5DC7BE1D43D9BF850149FBB36462",
    "049E880F842905B8B3181F7AF7CAA9F0EFB743847F44A306D2D28C1D9EC65DF6DB"
    "7764B22277A2EDDC3C265A9F018F9CB852E111B768B326904B59A0193776F094",
)
TERMINAL = (
    "7F4EF07B9EA82FD78AD689B38D0BC78CF21F249D953BC46F4C6E19259C010F99",
    "A73FB703AC1436A18E0CFA5ABB3F7BEC7A070E7A6788486BEE230C4A22762595",
)
CHIP = (
    "498FF49756F2DC1587840041839A85982BE7761D14715FB091EFA7BCE9058560",
    "107CF58696EF6155053340FD633392BA81909DF7B9706F226F32086C7AFF974A",
)


def side(keys: tuple[str, str]) -> pace.Side:
    numbers = iter(int(one, 16) - 1 for one in keys)
    return pace.Side(lambda count: next(numbers).to_bytes(count, "big"))


def test_the_published_example_comes_out_to_the_byte() -> None:
    assert pace.password_key(PASSWORD).hex().upper() == "89DED1B26624EC1E634C1989302849DD"
    assert pace.sealed_nonce(PASSWORD, NONCE).hex().upper() == "95A3A016522EE98D01E76CB6B98B42C3"
    assert pace.opened_nonce(PASSWORD, pace.sealed_nonce(PASSWORD, NONCE)) == NONCE
    terminal, chip = side(TERMINAL), side(CHIP)
    assert (terminal.mapping.hex().upper(), chip.mapping.hex().upper()) == MAPPING
    points = terminal.agree(NONCE, chip.mapping), chip.agree(NONCE, terminal.mapping)
    assert tuple(one.hex().upper() for one in points) == AGREEMENT
    keys, token, wanted = terminal.finish(points[1])
    assert keys == tuple(map(bytes.fromhex, ("F5F0E35C0D7161EE6724EE513A0D9A7F", "FE251C7858B356B24514B3BD5F4297D1")))
    assert (token.hex().upper(), wanted.hex().upper()) == ("C2B0BD78D94BA866", "3ABB9674BCE93C08")
    assert chip.finish(points[0]) == (keys, wanted, token)


def test_another_password_shows_in_the_tokens() -> None:
    one, other = pace.Side(library_bytes), pace.Side(library_bytes)
    sealed = pace.sealed_nonce(b"1234567890", NONCE)
    points = (one.agree(NONCE, other.mapping), other.agree(pace.opened_nonce(b"1234567891", sealed), one.mapping))
    _, token, _ = one.finish(points[1])
    _, _, wanted = other.finish(points[0])
    assert not pace.shown(token, wanted) and not pace.shown(b"", wanted) and pace.shown(wanted, wanted)


def test_what_is_no_other_point_is_refused() -> None:
    one, other = pace.Side(library_bytes), pace.Side(library_bytes)
    off = bytes.fromhex(MAPPING[0])[:-1] + b"\0"
    for wrong in (b"", one.mapping, off, b"\x02" + other.mapping[1:33], b"\x04" + bytes(64), b"\x04" + b"\xff" * 64):
        with pytest.raises(pace.NotPaired):
            one.agree(NONCE, wrong)
    point = one.agree(NONCE, other.mapping)
    for wrong in (point, off, b"\0"):
        with pytest.raises(pace.NotPaired):
            one.finish(wrong)
    with pytest.raises(pace.NotPaired):
        pace.opened_nonce(b"1234567890", b"\0" * 15)
