"""Why a telegram is not a reading: one word each, first that applies. Stored with the refused telegram, counted in
windows, compared in verdicts, so a reason once named keeps its spelling.

Order of judgement: syntax, who, profile, cipher, contents, then freshness. Here are those of opening; each check has
its own beside it. `verdicts` puts them together. LATE says nothing of the sender: a genuine telegram delayed by an
outage is no attack.
"""

from __future__ import annotations

from typing import Final

MALFORMED: Final = "malformed"  # not a telegram, or of a kind that is not understood
UNKNOWN_METER: Final = "unknown meter"  # nobody registered this address
OTHER_ADDRESS: Final = "known id, other address"  # maker, version or type differ from the registered meter (L13, L21)
NO_KEY: Final = "no key"
PROFILE: Final = "profile"  # security mode, CI or MAC is not what was agreed for this meter (L19, L20)
CLEAR_TAIL: Final = "clear tail"  # bytes outside the encrypted blocks (L15, L16)
BAD_MAC: Final = "bad mac"
BAD_CIPHER: Final = "bad cipher"  # does not decrypt to 2F2F: wrong key or wrong bytes
BAD_RECORDS: Final = "bad records"  # decrypts, but the records are cut, doubled or trailed by something
OUTSIDE: Final = "out of range"  # a number that no meter counts to, and that no store holds
NO_VALUE: Final = "no value"  # readable, and says nothing about consumption
REPLAYED_LATE: Final = "replayed, late"  # too old, and these very bytes were stored before
LATE: Final = "late"  # genuine as far as can be told, but too old to be news; billing may use it

FORGED: Final = frozenset({OTHER_ADDRESS, PROFILE, CLEAR_TAIL, BAD_MAC, BAD_CIPHER, BAD_RECORDS, OUTSIDE})
OF_OPENING: Final = FORGED | {MALFORMED, UNKNOWN_METER, NO_KEY, NO_VALUE}
QUARANTINED: Final = "quarantined"  # handling it raised what nobody foresaw; told apart from all others, kept whole

# Refusals of a whole message (the evidence table).
BAD_MESSAGE: Final = "bad message"
OTHER_GATEWAY: Final = "gateway in body is not gateway in topic"
TWIN_BUNDLE: Final = "same sequence, other content"
UNKNOWN_GATEWAY: Final = "unknown gateway"  # a certificate of the fleet that no installed gateway uses
TOO_SHORT: Final = "too short for telegrams"  # of a bundle that was taken all the same
OF_MESSAGES: Final = frozenset({BAD_MESSAGE, OTHER_GATEWAY, TWIN_BUNDLE, UNKNOWN_GATEWAY, TOO_SHORT})
