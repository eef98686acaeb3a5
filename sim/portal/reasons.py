"""Why a telegram is not a reading: one word each, first that applies. Stored with the refused telegram, counted in
windows, compared in verdicts, so a reason once named keeps its spelling.

Order of judgement: syntax, who, profile, cipher, contents, then freshness. FORGED and STALE group them for the
freshness alarm. LATE is in neither, because a genuine telegram delayed by an outage is nobody's attack, nor is
FOREIGN_GATEWAY, because a neighbour's gateway hears through walls every day.
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
NO_VALUE: Final = "no value"  # readable, and says nothing about consumption
FOREIGN_GATEWAY: Final = "foreign gateway"  # bind
REPLAYED_COUNTER: Final = "replayed counter"  # mcr
REPLAYED_ACC: Final = "replayed access number"  # acc
REPLAYED_TIME: Final = "replayed time"  # ts: another telegram of this meter had this time
TIME_OFF: Final = "time off"  # ts: payload time and the gateway's receive time disagree
NO_TIME: Final = "no time"  # ts: this meter sends its time, this telegram lacks it (L16)
TIME_AHEAD: Final = "time ahead"  # age: payload time lies in the portal's future
REPLAYED_LATE: Final = "replayed, late"  # too old, and these very bytes were stored before
LATE: Final = "late"  # age: genuine as far as can be told, but too old to be news; billing may use it

STALE: Final = frozenset({REPLAYED_COUNTER, REPLAYED_ACC, REPLAYED_TIME, REPLAYED_LATE, TIME_OFF, TIME_AHEAD})
FORGED: Final = frozenset({OTHER_ADDRESS, PROFILE, CLEAR_TAIL, BAD_MAC, BAD_CIPHER, BAD_RECORDS, NO_TIME})
ALL: Final = STALE | FORGED | {MALFORMED, UNKNOWN_METER, NO_KEY, NO_VALUE, LATE, FOREIGN_GATEWAY}

# Refusals of a whole message (the evidence table).
BAD_MESSAGE: Final = "bad message"
OTHER_GATEWAY: Final = "gateway in body is not gateway in topic"
TWIN_BUNDLE: Final = "same sequence, other content"
