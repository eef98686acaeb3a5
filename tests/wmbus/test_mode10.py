"""Mode 10 (AES-CCM): two telegrams that the owner of a water meter published with their key.

Source: wmbusmeters issue 1667 (hex and key are facts; the second is the trace in the same text).
"""

import pytest

from wmbus import link
from wmbus.errors import BadTelegram, Reason
from wmbus.telegram import parse, read, seal, unlock

KEY = bytes.fromhex("bf902dd6dfadafe83e4ae6832b5fa14c")
FRAMES = [
    link.strip_crcs_a(
        bytes.fromhex(
            "4544372c060382533c16b8a68c20807a8010ff2a1001dc2e0d00cf1a763885672e138d6c0af61338403fdeb528ab5e52"
            "264e2c61e41b06073550aa296ae9815c1a868a7a9868ec6c624cfbbcecb37210"
        )
    ),
    bytes.fromhex(
        "4544372c060382533c168c20307a3010ff2a10018c570e006da7632471f42b0a3ceccd461353573ed02b87118bc5ffe9"
        "82f7f00a0274543bc51938f8b9c8bb8928114d60788a"
    ),
]


@pytest.mark.parametrize("frame", FRAMES)
def test_published_telegrams(frame):
    telegram = parse(frame)
    assert telegram.security == "mode10"
    unlocked = unlock(telegram, KEY)
    assert unlocked.mac_ok is True
    reading = read(frame, KEY)
    assert reading.record(bytes.fromhex("0415")) is not None
    again = seal(0x44, telegram.link_address, unlocked.plaintext, telegram.transport, key=KEY, ell=telegram.ell)
    assert again == frame


def test_the_message_counter_of_the_trace():
    assert unlock(parse(FRAMES[1]), KEY).counter == 939916


def test_every_bit_from_the_transport_layer_on_is_covered():
    frame = FRAMES[1]
    for bit in range(8 * 13, 8 * len(frame)):
        broken = bytearray(frame)
        broken[bit // 8] ^= 1 << bit % 8
        try:
            unlocked = unlock(parse(bytes(broken)), KEY)
        except BadTelegram:
            continue
        # Another CI or mode makes another telegram of it; whoever pins mode 10 sees that.
        assert unlocked.mode != 10
        assert unlocked.mac_ok is None
    with pytest.raises(BadTelegram) as refused:
        unlock(parse(frame), bytes(16))
    assert refused.value.reason is Reason.MAC_WRONG
